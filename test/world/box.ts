/**
 * One box of the pair: power, kernel, disk, clock, and at most one living process. What the edge is
 * on real metal, this is in the world: it performs effects and makes inputs.
 */

import type { ProgramInput } from '../../src/cti/terms.ts';
import type { EngineEffects } from '../../src/effect.ts';
import type { BoxId, OperatorCommand, Role, SentryEffect } from '../../src/pair/terms.ts';
import { BoxClock } from './clock.ts';
import { type Crossover, other, type Station } from './crossover.ts';
import { CtiDoor, type DoorFacts } from './cti-door.ts';
import type { Dice } from './dice.ts';
import { Disk } from './disk.ts';
import { macText, type Udp } from './ether.ts';
import { Flows, type FlowWord } from './flows.ts';
import { Kernel } from './kernel.ts';
import { type Pace, Process } from './process.ts';
import type { Program } from './program.ts';
import type { Queue } from './queue.ts';
import type { Switch } from './switch.ts';

export const VIP = '192.0.2.10';
export const SIP_PORT = 5060;
export const HEARTBEAT_PORT = 5700;
export const LAN_ADDRESS: Record<BoxId, string> = { a: '192.0.2.11', b: '192.0.2.12' };
export const BOX_MAC: Record<BoxId, string> = { a: '02:53:50:00:00:0a', b: '02:53:50:00:00:0b' };

/** How long the supervisor takes to start a process again. */
const RESTART_MS = 500;

export type BoxOptions = {
  readonly vipLifetimeS: number;
  readonly ppm: number;
  readonly disk: Disk['speed'];
  readonly pace: Pace;
  /** Programs may connect; not unless said. */
  readonly programs?: boolean;
};

/** What the run wants to hear of a box. */
export type Watcher = {
  readonly log: (box: Box, text: string) => void;
  readonly stepped: (box: Box, who: 'engine' | 'sentry') => void;
  /** The engine let datagrams out; `sent` says whether the kernel took them. */
  readonly spoke: (box: Box, stamp: number, sent: boolean, text: string) => void;
  /** The fence at this box was asked to act on the other one; `done` when it has, or could not. */
  readonly fence?: (box: Box, done: (ok: boolean, text: string) => void) => void;
};

export class Box {
  readonly id: BoxId;
  readonly kernel: Kernel;
  readonly disk: Disk;
  readonly clock: BoxClock;
  process: Process | undefined;
  /** Counts lives of the process. */
  lives = 0;
  program: Program;
  private readonly answers = new Map<number, (ok: boolean, text: string) => void>();
  private operatorId = 0;
  private vipFree = 0;
  private flows: Flows | undefined;
  private door: CtiDoor | undefined;
  private readonly queue: Queue;
  private readonly dice: Dice;
  private readonly cable: Crossover;
  private readonly lan: Switch;
  private readonly options: BoxOptions;
  private readonly watcher: Watcher;

  constructor(
    id: BoxId,
    world: {
      readonly queue: Queue;
      readonly dice: Dice;
      readonly lan: Switch;
      readonly cable: Crossover;
    },
    program: Program,
    options: BoxOptions,
    watcher: Watcher,
  ) {
    this.id = id;
    this.queue = world.queue;
    this.dice = world.dice;
    this.cable = world.cable;
    this.lan = world.lan;
    this.program = program;
    this.options = options;
    this.watcher = watcher;
    this.clock = new BoxClock(this.dice, options.ppm);
    this.disk = new Disk(this.queue, this.dice.fork('disk'), options.disk);
    const spec = { name: id, mac: BOX_MAC[id], ip: LAN_ADDRESS[id], vip: VIP };
    this.kernel = new Kernel(this.queue, this.dice.fork('kernel'), world.lan, spec);
    this.kernel.onUdp = (udp) => this.udp(udp);
    this.kernel.onArp = (bytes) => this.process?.toSentry({ kind: 'frame', bytes });
    this.kernel.onCarrier = (up) => this.process?.toSentry({ kind: 'carrier', path: 'l', up });
  }

  /** One letter for the picture and for the faults. */
  get state(): 'off' | 'dead' | 'frozen' | Role {
    if (!this.kernel.powered) return 'off';
    if (this.process === undefined) return 'dead';
    return this.process.frozen ? 'frozen' : this.process.sentry.role();
  }

  get station(): Station {
    return {
      kernelUp: () => this.kernel.powered,
      listening: () => this.process !== undefined,
      linkUp: () => this.process?.toEngine({ kind: 'link-up' }),
      linkData: (bytes) => this.process?.toEngine({ kind: 'link-data', bytes }),
      linkDown: () => this.process?.toEngine({ kind: 'link-down' }),
      heartbeat: (bytes) => this.process?.toSentry({ kind: 'heartbeat', path: 'x', bytes }),
      carrier: (up) => this.process?.toSentry({ kind: 'carrier', path: 'x', up }),
    };
  }

  /** Until when effects of this box may leave, in true time; 0 when nobody can speak. */
  leaseEnd(): number {
    const p = this.process;
    return p === undefined || p.lease === 0 ? 0 : this.clock.trueTime(p.lease);
  }

  // ── what happens to a box ────────────────────────────────────────────────────────────────────

  powerOn(): void {
    if (this.kernel.powered) return;
    if (this.lives > 0) this.clock.reboot(this.queue.now, this.dice);
    this.kernel.powerOn();
    this.cable.kernelBooted(this.id);
  }

  start(): void {
    if (!this.kernel.powered || this.process !== undefined) return;
    this.lives += 1;
    const loaded = this.disk.load(this.clock.wall(this.queue.now));
    const world = { queue: this.queue, dice: this.dice, pace: this.options.pace };
    const process = new Process(world, this.clock, this.program, loaded, {
      engineEffects: (out) => this.performEngine(out),
      sentryEffect: (effect) => this.performSentry(effect),
      stepped: (who) => this.watcher.stepped(this, who),
    });
    this.process = process;
    this.flows = new Flows(this.kernel, VIP, (word) => this.flow(process, word));
    if (this.options.programs === true) {
      const ask = (request: ProgramInput): void => process.toEngine(request);
      this.door = new CtiDoor(this.id, this.kernel, () => this.facts(process), ask);
    }
    process.toSentry({ kind: 'carrier', path: 'l', up: this.lan.isUp(this.id) });
    process.toSentry({ kind: 'carrier', path: 'x', up: this.cable.hasCarrier() });
    if (this.id === 'b') this.cable.keepConnecting(() => !process.dead);
  }

  /** The process ends without a word; the kernel tidies up after it at once. */
  kill(): void {
    if (this.process === undefined) return;
    this.process.die();
    this.process = undefined;
    this.door?.close();
    this.kernel.dropVip();
    // its connections go with the address: no FIN and no RST leaves from one that is not here
    this.kernel.tcp.forget();
    this.disk.processDied();
    this.cable.processDied(this.id);
  }

  powerOff(): void {
    if (!this.kernel.powered) return;
    this.process?.die();
    this.process = undefined;
    this.kernel.powerOff();
    this.door?.close();
    this.disk.powerCut();
    this.cable.powerCut(this.id);
  }

  freeze(): void {
    this.process?.freeze();
    this.flows?.freeze();
    this.door?.freeze();
  }

  thaw(): void {
    this.process?.thaw();
    this.flows?.thaw();
    this.door?.thaw();
  }

  /** A word of the operator at this box's console. */
  operate(command: OperatorCommand, answer: (ok: boolean, text: string) => void): void {
    this.operatorId += 1;
    this.answers.set(this.operatorId, answer);
    this.process?.toSentry({ kind: 'operator', id: this.operatorId, command });
  }

  // ── what a box does ──────────────────────────────────────────────────────────────────────────

  private udp(udp: Udp): void {
    const p = this.process;
    if (p === undefined) return;
    if (udp.dstPort === SIP_PORT && udp.dstIp === VIP && udp.text !== undefined) {
      p.toEngine({
        kind: 'sip',
        transport: 'udp',
        ip: udp.srcIp,
        port: udp.srcPort,
        text: udp.text,
      });
    } else if (udp.dstPort === HEARTBEAT_PORT && udp.bytes !== undefined) {
      p.toSentry({ kind: 'heartbeat', path: 'l', bytes: udp.bytes });
    }
  }

  private flow(process: Process, word: FlowWord): void {
    const { peer } = word;
    if (word.kind === 'text') process.toEngine({ kind: 'sip', ...peer, text: word.text });
    else if (word.kind === 'unreachable') process.toEngine({ kind: 'unreachable', ...peer });
    else process.toEngine({ kind: 'flow', up: word.kind === 'up', ...peer });
  }

  private facts(process: Process): DoorFacts {
    const { leads = false, standing } = process.engine;
    return { primary: leads, epoch: standing.epoch, lsn: standing.lsn };
  }

  private performEngine(out: EngineEffects): void {
    const process = this.process as Process;
    for (const line of out.logs) this.watcher.log(this, `${line.level}: ${line.text}`);
    for (const bytes of out.link) this.cable.write(this.id, bytes);
    if (out.closeLink) this.cable.close(this.id);
    for (const batch of out.persist) {
      this.disk.persist(batch, (word) => process.toEngine(word));
    }
    this.door?.take(out.programs, this.facts(process));
    if (out.dropFlows) this.flows?.drop();
    for (const peer of out.tickles) this.flows?.tickle(peer);
    for (const d of out.sends) {
      const sent =
        d.transport === 'udp'
          ? this.kernel.send({
              srcIp: VIP,
              srcPort: SIP_PORT,
              dstIp: d.ip,
              dstPort: d.port,
              text: d.text,
            })
          : this.flows?.send(d, d.text) === true;
      this.watcher.spoke(this, d.stamp, sent, d.text);
    }
  }

  private performSentry(effect: SentryEffect): void {
    switch (effect.kind) {
      case 'heartbeat':
        this.heartbeat(effect.path, effect.bytes);
        return;
      case 'frame':
        this.kernel.raw(effect.bytes, macText(effect.bytes, 0), macText(effect.bytes, 6));
        return;
      case 'vip':
        this.vip(effect.action);
        return;
      case 'answer':
        this.answers.get(effect.id)?.(effect.ok, effect.text);
        this.answers.delete(effect.id);
        return;
      case 'log':
        this.watcher.log(this, `${effect.level}: ${effect.text}`);
        return;
      case 'abort':
        // the supervisor of the operating system starts it again
        this.queue.after(0, () => {
          this.kill();
          this.queue.after(RESTART_MS, () => this.start());
        });
        return;
      case 'fence': {
        const process = this.process as Process;
        this.watcher.fence?.(this, (ok, text) => process.toSentry({ kind: 'fenced', ok, text }));
        return;
      }
      default:
        return;
    }
  }

  private heartbeat(path: 'x' | 'l', bytes: Uint8Array): void {
    if (path === 'x') {
      this.cable.heartbeat(this.id, bytes);
      return;
    }
    this.kernel.send({
      srcIp: LAN_ADDRESS[this.id],
      srcPort: HEARTBEAT_PORT,
      dstIp: LAN_ADDRESS[other(this.id)],
      dstPort: HEARTBEAT_PORT,
      bytes,
    });
  }

  /** Netlink: a system call's time, then the answer. A renewal needs the address to be there. */
  private vip(action: 'claim' | 'renew' | 'drop'): void {
    const process = this.process as Process;
    const delay = action === 'claim' ? this.dice.between(0.1, 2) : this.dice.between(0.02, 0.1);
    this.vipFree = Math.max(this.vipFree, this.queue.now) + delay;
    this.queue.at(this.vipFree, () => {
      if (process.dead) return;
      let error = '';
      if (action === 'drop') this.kernel.dropVip();
      else if (action === 'claim') this.kernel.holdVip(this.options.vipLifetimeS * 1000);
      else if (action === 'renew') {
        if (this.kernel.hasVip) this.kernel.holdVip(this.options.vipLifetimeS * 1000);
        else error = 'no such address';
      }
      process.toSentry({ kind: 'vip', up: this.kernel.hasVip, error });
    });
  }
}
