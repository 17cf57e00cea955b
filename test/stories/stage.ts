/**
 * The stage of a story: a world in which nothing happens by chance that the script does not ask for,
 * and the transcript of what is seen: who is what in which epoch, who claims the VIP, who speaks,
 * alarms as they come and go, words of the operator's console, broken promises.
 *
 * Times are rounded to 10 ms: a reader wants the order and the size of things.
 */

import { ORACLES } from '../oracle/all.ts';
import { VIP } from '../world/box.ts';
import { type Frame, readArp } from '../world/ether.ts';
import { drawOptions, type Options, type PairDraw } from '../world/options.ts';
import { product } from '../world/product.ts';
import { Outage } from '../world/served.ts';
import { World } from '../world/world.ts';

/** An announcement is told again after a pause of this: the burst is one line. */
const BURST_MS = 8000;
const SLICE = 5;
const LOOK_MS = 100;

/** What a story sets before it begins. */
export type Setting = PairDraw & { readonly phones: number };

function options(set: Setting): Options {
  const drawn = drawOptions(1);
  return {
    ...drawn,
    phones: set.phones,
    streams: 0,
    centre: undefined,
    kinds: [],
    lan: { loss: 0, duplicate: 0, reorder: 0, latency: [0.05, 0.2] },
    cable: { latency: [0.04, 0.15], loss: 0, splits: 0, carrierFalls: false },
    mix: {
      ...drawn.mix,
      gap: 1500,
      refuse: 1,
      cancel: 1,
      ring: [50, 400],
      talk: [1000, 8000],
      endless: 0.2,
      update: 0.3,
      watch: 0,
      transfer: 0,
      redirect: 0,
      manners: { odds: 0, seed: 0 },
    },
    box: {
      vipLifetimeS: 2,
      ppm: 5,
      disk: { commit: 0.5, sync: 2, stall: 0 },
      pace: { turn: [0.02, 0.15], pause: 0, pauseMs: [1, 2] },
    },
    pair: { witness: set.witness, fence: set.fence, measures: set.measures },
  };
}

export class Stage {
  readonly world: World;
  readonly lines: string[] = [];
  readonly outage: Outage;
  /** When the last thing was done to the pair. */
  actedAt = 0;
  /** Announcements of the VIP by each box since then: the first. */
  announcedAt: Record<string, number> = {};
  /** SIP datagrams each box sent since then. */
  spoke: Record<string, number> = { a: 0, b: 0 };
  private lastAnnouncer = '';
  private lastAnnounceAt = 0;
  private lastSpeaker = '';
  /** Oracles whose red is the very thing the story shows. */
  private readonly allowed = new Set<string>();
  private toldViolations = 0;

  constructor(set: Setting) {
    const drawn = options(set);
    this.world = new World({
      options: drawn,
      programs: { a: product('a', drawn.pair), b: product('b', drawn.pair) },
      oracles: ORACLES,
      print: (line) => this.hear(line),
    });
    this.outage = new Outage(this.world);
    this.world.lan.taps.push((port, frame) => this.tap(port, frame));
    const quiet = (): void => {
      this.world.look();
      this.world.queue.after(LOOK_MS, quiet);
    };
    this.world.queue.after(LOOK_MS, quiet);
  }

  get now(): number {
    return this.world.now;
  }

  allow(oracle: string): void {
    this.allowed.add(oracle);
  }

  tell(text: string): void {
    this.lines.push(`${(Math.round(this.now / 10) / 100).toFixed(2).padStart(8)}  ${text}`);
  }

  /** From here on outages, announcements and words are counted. */
  acted(): void {
    this.actedAt = this.now;
    this.announcedAt = {};
    this.spoke = { a: 0, b: 0 };
    this.outage.begin();
  }

  /** Lets time pass until `until` holds. @returns whether it did within `ms`. */
  pass(ms: number, until: () => boolean = () => false): boolean {
    const end = this.now + ms;
    while (this.now < end) {
      if (until()) return true;
      this.world.queue.runUntil(Math.min(end, this.now + SLICE), () => this.outage.look());
      this.judge();
    }
    return until();
  }

  /** Broken promises that the story did not announce, once each. */
  private judge(): void {
    const { violations } = this.world;
    for (; this.toldViolations < violations.length; this.toldViolations += 1) {
      const v = violations[this.toldViolations];
      if (v === undefined || this.allowed.has(v.oracle)) continue;
      this.allowed.add(v.oracle);
      this.tell(`BROKEN  ${v.oracle}: ${v.text}`);
    }
  }

  get broken(): boolean {
    return this.lines.some((line) => /^ *[\d.]+ {2}(BROKEN|FAILED)/.test(line));
  }

  /** What the world says, without its columns; only what a reader of a story wants. */
  private hear(line: string): void {
    const what = line.slice(line.lastIndexOf('│') + 2);
    const role = /^box ([ab]) is (\w+)$/.exec(what);
    if (role !== null) {
      const box = this.world.boxes[role[1] as 'a' | 'b'];
      const epoch = box.process?.engine.standing.epoch ?? 0;
      this.tell(`${role[1]}: ${role[2]}${role[2] === 'primary' ? `, epoch ${epoch}` : ''}`);
      return;
    }
    const log = /^box ([ab]): (\w+): (.*)$/.exec(what);
    if (log === null) {
      if (!what.startsWith('VIOLATION')) this.tell(`    ${what}`);
      return;
    }
    const [, box, level, text = ''] = log;
    if (level === 'alarm') this.tell(`${box}: ALARM ${text}`);
    else if (text.startsWith('alarm over')) this.tell(`${box}: ${text}`);
    else if (/^primary of epoch|^suspicion|^in step|^disk/.test(text)) {
      this.tell(`${box}: ${text.replace(/, [\d.]+ ms after the suspicion/, '')}`);
    }
  }

  private tap(port: string, frame: Frame): void {
    if (port !== 'a' && port !== 'b') return;
    if (frame.kind === 'udp') {
      if (frame.udp.text === undefined) return;
      this.spoke[port] = (this.spoke[port] ?? 0) + 1;
      if (this.lastSpeaker !== port) this.tell(`${port}: speaks`);
      this.lastSpeaker = port;
      return;
    }
    if (frame.kind === 'tcp') return;
    const arp = readArp(frame.bytes);
    if (arp === undefined || arp.senderIp !== VIP || arp.targetIp !== VIP) return;
    this.announcedAt[port] ??= this.now;
    const again = this.lastAnnouncer === port && this.now - this.lastAnnounceAt < BURST_MS;
    if (!again) this.tell(`${port}: announces the VIP`);
    this.lastAnnouncer = port;
    this.lastAnnounceAt = this.now;
  }
}
