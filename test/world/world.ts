/**
 * Everything put together: a LAN with phones and two boxes, the crossover, the call book, the
 * oracles that watch, the picture that tells. What happens when is in run.ts and faults.ts.
 */

import { crc32 } from 'node:zlib';
import type { BoxId } from '../../src/pair/terms.ts';
import { Book } from './book.ts';
import { Box } from './box.ts';
import { Centre } from './centre.ts';
import { Crossover, other } from './crossover.ts';
import { Dice } from './dice.ts';
import type { Frame } from './ether.ts';
import { STREAMS } from './flows.ts';
import { Gateway } from './gateway.ts';
import { Host } from './host.ts';
import type { Options } from './options.ts';
import { Capture } from './pcap.ts';
import { Phone } from './phone.ts';
import { Picture } from './picture.ts';
import type { Program } from './program.ts';
import { Queue } from './queue.ts';
import { gist } from './sip-text.ts';
import { Stranger } from './stranger.ts';
import { Switch } from './switch.ts';
import { Traffic } from './traffic.ts';

/** A promise that was broken. */
export type Violation = { readonly at: number; readonly oracle: string; readonly text: string };

/** What an oracle may listen to. Everything is optional; all is called synchronously. */
export type Oracle = {
  readonly name: string;
  /** A frame enters the switch at a port. */
  readonly frame?: (port: string, frame: Frame) => void;
  /** The engine of a box released a datagram; `sent` is whether the kernel took it. */
  readonly spoke?: (box: Box, stamp: number, sent: boolean, text: string) => void;
  /** A thread of a box took a turn. */
  readonly stepped?: (box: Box, who: 'engine' | 'sentry') => void;
  /** A few times a second. */
  readonly quiet?: () => void;
  /** The run came to its end; nothing is under way any more. */
  readonly over?: () => void;
};

export type WorldSettings = {
  readonly options: Options;
  readonly programs: Readonly<Record<BoxId, Program>>;
  readonly oracles: readonly ((world: World) => Oracle)[];
  /** Gets every line of the picture; SIP messages too when `verbose`. */
  readonly print?: ((line: string) => void) | undefined;
  readonly verbose?: boolean;
  readonly capture?: boolean;
  /** Listen to this oracle only: what a saboteur must turn red. */
  readonly only?: string | undefined;
};

export class World {
  readonly options: Options;
  readonly queue = new Queue();
  readonly dice: Dice;
  readonly lan: Switch;
  readonly cable: Crossover;
  readonly gateway: Gateway;
  readonly boxes: Readonly<Record<BoxId, Box>>;
  readonly phones: Phone[] = [];
  readonly hosts: Host[] = [];
  readonly book = new Book();
  readonly traffic: Traffic;
  readonly stranger: Stranger | undefined;
  readonly centre: Centre | undefined;
  readonly picture: Picture;
  readonly capture: Capture | undefined;
  readonly violations: Violation[] = [];
  /** Times a box cut the power of the other. */
  fences = 0;
  private readonly fenceDice: Dice;
  /** Running checksum of everything that was said: equal for equal runs. */
  hash = 0;
  private readonly oracles: readonly Oracle[];
  private readonly lastState: Record<BoxId, string> = { a: '', b: '' };
  private readonly verbose: boolean;
  private readonly only: string | undefined;
  /** Called after every turn of a box; a saboteur's place. */
  afterStep: (box: Box, who: 'engine' | 'sentry') => void = () => {};

  constructor(settings: WorldSettings) {
    const { options, programs } = settings;
    this.options = options;
    this.verbose = settings.verbose === true;
    this.only = settings.only;
    this.picture = new Picture(400, settings.print);
    this.capture = settings.capture === true ? new Capture() : undefined;
    this.dice = new Dice(options.seed);
    this.fenceDice = new Dice(options.seed).fork('fence');
    const { queue, dice } = this;
    this.lan = new Switch(queue, dice.fork('lan'), options.lan);
    this.cable = new Crossover(queue, dice.fork('cable'), options.cable);
    this.gateway = new Gateway(queue, this.lan);
    const make = (id: BoxId): Box => {
      const parts = { queue, dice: dice.fork(id), lan: this.lan, cable: this.cable };
      const served = { ...options.box, programs: options.centre !== undefined };
      return new Box(id, parts, programs[id], served, {
        log: (box, text) => this.say(`box ${box.id}: ${text}`),
        stepped: (box, who) => this.stepped(box, who),
        spoke: (box, stamp, sent, text) => {
          for (const oracle of this.oracles) oracle.spoke?.(box, stamp, sent, text);
        },
        fence: (box, done) => this.fence(box, done),
      });
    };
    this.boxes = { a: make('a'), b: make('b') };
    this.cable.plug({ a: this.boxes.a.station, b: this.boxes.b.station });
    this.makePhones(dice.fork('phones'));
    this.traffic = new Traffic(
      queue,
      dice.fork('traffic'),
      this.book,
      this.phones,
      options.mix,
      new Dice(options.seed).fork('moves'),
    );
    this.stranger = this.makeStranger();
    if (options.centre !== undefined) {
      this.centre = new Centre(queue, this.lan, options.seed, options.centre);
    }
    this.oracles = settings.oracles.map((o) => o(this));
    this.lan.taps.push((port, frame) => this.tap(port, frame));
  }

  get now(): number {
    return this.queue.now;
  }

  get pair(): readonly Box[] {
    return [this.boxes.a, this.boxes.b];
  }

  private makeStranger(): Stranger | undefined {
    const gap = this.options.stranger ?? 0;
    if (gap === 0) return undefined;
    const dice = new Dice(this.options.seed).fork('a stranger');
    const ips = this.phones.map((phone) => phone.ip);
    return new Stranger(this.queue, this.lan, dice, gap, ips);
  }

  private makePhones(dice: Dice): void {
    // a stream of draws of its own: what a seed meant before there were others it means still
    const streams = new Dice(this.options.seed).fork('streams');
    const disordered = this.options.lan.reorder > 0 || this.options.lan.duplicate > 0;
    for (let i = 0; i < this.options.phones; i += 1) {
      const ip = `192.0.2.${101 + i}`;
      const mac = `02:53:50:00:01:${(i + 256).toString(16).slice(1)}`;
      const host = new Host(this.queue, this.lan, `p${i}`, mac, ip);
      host.believes = dice.pick(['both', 'both', 'request', 'reply'] as const);
      host.reachable = dice.between(20_000, 60_000);
      this.hosts.push(host);
      const world = { queue: this.queue, dice: dice.fork(ip), book: this.book, disordered };
      const transport = streams.odds(this.options.streams) ? streams.pick(STREAMS) : 'udp';
      this.phones.push(new Phone(world, host, String(1000 + i), ip, transport));
    }
  }

  /**
   * The relay at `box` takes the power of the other one and, as such relays do, gives it back after
   * a few seconds.
   */
  private fence(box: Box, done: (ok: boolean, text: string) => void): void {
    const target = this.boxes[other(box.id)];
    const asked = box.process;
    this.queue.after(this.fenceDice.between(50, 400), () => {
      // the program that would do it is one of that box, and ends with it
      if (box.process !== asked) return;
      this.fences += 1;
      this.say(`fence of box ${box.id}: power of box ${target.id} is off`);
      target.powerOff();
      done(true, '');
      this.queue.after(this.fenceDice.between(2000, 4000), () => this.unfence(target));
    });
  }

  /** See `fenced-and-back-alone` in the atlas: not while the box sees nobody. */
  private unfence(target: Box): void {
    if (target.kernel.powered) return;
    if (!this.cable.up && !this.lan.carries(target.id)) {
      this.queue.after(500, () => this.unfence(target));
      return;
    }
    this.say(`fence: power of box ${target.id} is back`);
    target.powerOn();
    target.start();
  }

  // ── what is seen ─────────────────────────────────────────────────────────────────────────────

  say(what: string): void {
    this.mix(what);
    this.picture.add(this.now, this.pair, what);
  }

  /** Reports a broken promise. */
  violate(oracle: string, text: string): void {
    if (this.only !== undefined && oracle !== this.only && oracle !== 'assertion') return;
    this.violations.push({ at: this.now, oracle, text });
    if (this.violations.length <= 5) this.say(`VIOLATION ${oracle}: ${text}`);
  }

  private mix(text: string): void {
    this.hash = crc32(text, Math.imul(this.hash ^ Math.floor(this.now * 1e4), 0x01000193) >>> 0);
  }

  private tap(port: string, frame: Frame): void {
    if (frame.kind === 'arp') {
      this.hash = crc32(frame.bytes, this.hash);
      if (this.verbose) this.say(`arp from ${port}`);
    } else if (frame.kind === 'tcp') {
      const { tcp } = frame;
      this.mix(`${tcp.flag} ${tcp.seq} ${tcp.ack} ${tcp.text}`);
      if (this.verbose) {
        const what = tcp.flag === 'data' ? gist(tcp.text) : `${tcp.flag} ${tcp.seq} ${tcp.ack}`;
        this.say(`${port}: ${tcp.srcIp}:${tcp.srcPort} > ${tcp.dstIp}:${tcp.dstPort} ${what}`);
      }
    } else if (frame.udp.text !== undefined) {
      this.mix(frame.udp.text);
      if (this.verbose) {
        this.say(`${port}: ${frame.udp.srcIp} > ${frame.udp.dstIp} ${gist(frame.udp.text)}`);
      }
    } else if (frame.udp.bytes !== undefined) {
      // the end of a heartbeat is its MAC: it stands for the whole
      const word = frame.udp.bytes.at(-1) ?? 0;
      this.hash = Math.imul(this.hash ^ Math.floor(this.now * 1e4), 0x01000193 + word) >>> 0;
    }
    this.capture?.add(this.now, frame);
    for (const oracle of this.oracles) oracle.frame?.(port, frame);
  }

  private stepped(box: Box, who: 'engine' | 'sentry'): void {
    if (who === 'sentry') {
      const { state } = box;
      if (state !== this.lastState[box.id]) {
        this.lastState[box.id] = state;
        this.say(`box ${box.id} is ${state}`);
      }
    }
    this.afterStep(box, who);
    for (const oracle of this.oracles) oracle.stepped?.(box, who);
  }

  /** A quiet point: oracles look at everything. */
  look(): void {
    for (const oracle of this.oracles) oracle.quiet?.();
  }

  /** Everything has come to rest. */
  end(): void {
    for (const oracle of this.oracles) oracle.over?.();
  }

  // ── what is known from above ─────────────────────────────────────────────────────────────────

  /** The one primary, if there is exactly one and nobody is on the way. */
  primary(): Box | undefined {
    const { a, b } = this.boxes;
    if (a.state === 'primary' && b.state !== 'primary') return a;
    if (b.state === 'primary' && a.state !== 'primary') return b;
    return undefined;
  }

  backup(): Box | undefined {
    const primary = this.primary();
    if (primary === undefined) return undefined;
    const box = primary === this.boxes.a ? this.boxes.b : this.boxes.a;
    return box.state === 'backup' ? box : undefined;
  }

  /** Both say that the backup may stand. */
  inStep(): boolean {
    const p = this.primary()?.process?.engine.standing;
    const b = this.backup()?.process?.engine.standing;
    return p !== undefined && b !== undefined && p.inStep && b.inStep && b.linkUp;
  }
}
