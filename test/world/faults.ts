/**
 * The injector: breaks what the run's options allow, when the atlas does not forbid it, and repairs
 * it later. `healAll` ends the safety phase: everything broken is repaired now. What is broken on the
 * service LAN and on both paths is in lan-faults.ts.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import { forbidden, type Sight } from './atlas.ts';
import { type Box, HEARTBEAT_PORT } from './box.ts';
import type { Dice } from './dice.ts';
import type { DiskTrouble } from './disk.ts';
import type { Frame } from './ether.ts';
import { isLanFault, performLan } from './lan-faults.ts';
import { FAULT_TEXT, type FaultKind } from './options.ts';
import type { World } from './world.ts';

/** How long the wall clock of a box is stepped by: two hours, two years, either way. */
const STEPS = [7_200_000, -7_200_000, 63_072_000_000, -63_072_000_000] as const;

/** See `stale-box-first` in the atlas: back before the other one's hold is over. */
const BEFORE_THE_STALE_ONE = [50, 700] as const;

/** Shorter and longer than the lease, the address lifetime and the detector. */
const FREEZE = [10, 5000] as const;
/** Shorter and longer than anybody waits for a disk. */
const DISK_STALL = [100, 10_000] as const;

export class Injector {
  readonly done = new Map<FaultKind, number>();
  /** Refused by the atlas, by region. */
  readonly refused = new Map<string, number>();
  /** Boxes whose wall clock was stepped, and in which life of the process. */
  private readonly stepped = new Map<Box, number>();
  private running = false;
  private deaf = false;
  private target: { kind: FaultKind; frames: number; wait: number } | undefined;
  private lastChange = 0;
  private readonly repairs = new Set<() => void>();
  readonly world: World;
  readonly dice: Dice;

  constructor(world: World) {
    this.world = world;
    this.dice = world.dice.fork('faults');
    world.lan.taps.push((_port, frame) => this.onFrame(frame));
  }

  start(): void {
    this.running = true;
    this.arm();
  }

  healAll(): void {
    this.running = false;
    for (const repair of [...this.repairs]) repair();
  }

  /** Strikes within a few messages from now, while they are still on their way. */
  private aim(kind: FaultKind): void {
    this.target = { kind, frames: this.dice.whole(1, 12), wait: this.dice.between(0, 1.5) };
  }

  private onFrame(frame: Frame): void {
    const { target } = this;
    if (target === undefined || frame.kind !== 'udp' || frame.udp.text === undefined) return;
    target.frames -= 1;
    if (target.frames > 0) return;
    this.target = undefined;
    this.world.queue.after(this.dice.odds(0.5) ? 0 : target.wait, () => {
      if (this.running) this.strike(target.kind);
    });
  }

  sight(): Sight {
    const { world } = this;
    const said = world.primary();
    // an engine that is stuck leads nobody, whatever its sentry still says
    const primary = said?.process?.stuck === true ? undefined : said;
    const standing = primary?.process?.engine.standing;
    const second = world.backup();
    const lanOf = (id: BoxId): boolean => world.lan.carries(id);
    return {
      states: { a: world.boxes.a.state, b: world.boxes.b.state },
      primary: primary?.id,
      inStep: world.inStep(),
      cableUp: world.cable.up,
      alone: standing?.peerStale === true,
      heard: !this.deaf && world.lan.hidden.size === 0 && lanOf('a') && lanOf('b'),
      backupLan: second !== undefined && lanOf(second.id),
      deadPort: world.lan.mute.size > 0,
      primaryLan: primary !== undefined && lanOf(primary.id),
      witness: world.options.pair.witness && world.gateway.on,
      clockStepped: primary !== undefined && this.stepped.get(primary) === primary.lives,
      diskSoundMs: primary?.disk.soundMs ?? 0,
      quietMs: world.now - this.lastChange,
    };
  }

  private arm(): void {
    const { options, queue } = this.world;
    queue.after(this.dice.wait(options.faultGap), () => {
      if (!this.running) return;
      const kind = this.dice.pick(options.kinds);
      if (this.dice.odds(options.aimed)) this.aim(kind);
      else this.strike(kind);
      this.arm();
    });
  }

  /** Does `kind` now, unless the atlas forbids it. @returns whether it was done. */
  strike(kind: FaultKind): boolean {
    const region = forbidden(kind, this.sight());
    if (region !== undefined) {
      this.refused.set(region.name, (this.refused.get(region.name) ?? 0) + 1);
      return false;
    }
    if (!this.perform(kind)) return false;
    this.lastChange = this.world.now;
    this.done.set(kind, (this.done.get(kind) ?? 0) + 1);
    return true;
  }

  private perform(kind: FaultKind): boolean {
    const { world } = this;
    const primary = world.primary();
    const second = world.pair.find((box) => box !== primary);
    if (isLanFault(kind)) return performLan(this, kind, primary, second);
    switch (kind) {
      case 'kill-primary':
        return this.kill(kind, primary, this.world.options.repair);
      case 'restart-alone':
        return this.kill(kind, primary, BEFORE_THE_STALE_ONE);
      case 'kill-backup':
        return this.kill(kind, second, this.world.options.repair);
      case 'power-primary':
        return this.powerOff(kind, primary);
      case 'power-backup':
        return this.powerOff(kind, second);
      case 'freeze-primary':
        return this.freeze(kind, primary);
      case 'freeze-backup':
        return this.freeze(kind, second);
      case 'engine-stuck': {
        const process = primary?.process;
        if (primary === undefined || process === undefined) return false;
        this.tell(kind, primary.id);
        process.stuck = true;
        return true;
      }
      case 'switchover':
        return this.switchover(primary);
      case 'cut-x':
        return this.cut(kind, false);
      case 'deaf':
        return this.cut(kind, true);
      case 'disk-stall':
        return this.breakDisk(kind, 'stalled', DISK_STALL);
      case 'disk-full':
        return this.breakDisk(kind, 'full');
      case 'disk-read-only':
        return this.breakDisk(kind, 'read-only');
      case 'disk-damage': {
        const box = this.dice.pick(world.pair);
        if (box.disk.soundMs === 0) return false;
        this.tell(kind, box.id);
        box.disk.damage();
        return true;
      }
      case 'wall-step': {
        const box = this.dice.pick(world.pair);
        if (box.process === undefined) return false;
        this.stepped.set(box, box.lives);
        box.clock.stepWall(this.dice.pick(STEPS));
        this.tell(kind, box.id);
        return true;
      }
    }
  }

  tell(kind: FaultKind, at: BoxId | 'x' | 'gateway'): void {
    this.world.say(`fault at ${at}: ${FAULT_TEXT[kind]}`);
  }

  /** Repairs after a time drawn from the run's range, or from `range`. */
  later(
    repair: () => void,
    [low, high]: readonly [number, number] = this.world.options.repair,
  ): void {
    const once = (): void => {
      if (!this.repairs.delete(once)) return;
      this.lastChange = this.world.now;
      repair();
    };
    this.repairs.add(once);
    this.world.queue.after(this.dice.between(low, high), once);
  }

  private kill(kind: FaultKind, box: Box | undefined, repair: readonly [number, number]): boolean {
    if (box?.process === undefined) return false;
    this.tell(kind, box.id);
    box.kill();
    this.later(() => {
      this.world.say(`repair: box ${box.id} starts`);
      box.start();
    }, repair);
    return true;
  }

  private powerOff(kind: FaultKind, box: Box | undefined): boolean {
    if (box === undefined || !box.kernel.powered) return false;
    this.tell(kind, box.id);
    box.powerOff();
    this.later(() => {
      this.world.say(`repair: power of box ${box.id}`);
      box.powerOn();
      this.later(() => {
        this.world.say(`repair: box ${box.id} starts`);
        box.start();
      });
    });
    return true;
  }

  private freeze(kind: FaultKind, box: Box | undefined): boolean {
    const process = box?.process;
    if (box === undefined || process === undefined) return false;
    this.tell(kind, box.id);
    box.freeze();
    this.later(() => {
      if (box.process !== process) return;
      this.world.say(`repair: box ${box.id} thaws`);
      box.thaw();
    }, FREEZE);
    return true;
  }

  private breakDisk(
    kind: FaultKind,
    trouble: Exclude<DiskTrouble, 'none'>,
    repair: readonly [number, number] = this.world.options.repair,
  ): boolean {
    const box = this.dice.pick(this.world.pair);
    if (box.disk.soundMs === 0) return false;
    this.tell(kind, box.id);
    box.disk.break(trouble);
    this.later(() => {
      this.world.say(`repair: disk of box ${box.id}`);
      box.disk.repair();
    }, repair);
    return true;
  }

  private switchover(primary: Box | undefined): boolean {
    if (primary === undefined) return false;
    this.tell('switchover', primary.id);
    primary.operate({ kind: 'switchover', force: false }, (ok, text) => {
      this.world.say(`operator at ${primary.id}: ${ok ? 'done' : 'refused'}: ${text}`);
    });
    return true;
  }

  private cut(kind: FaultKind, deaf: boolean): boolean {
    const { cable, lan } = this.world;
    if (!cable.up) return false;
    this.tell(kind, 'x');
    cable.cut();
    if (deaf) {
      this.deaf = true;
      lan.blocked = (_from, _to, frame) =>
        frame.kind === 'udp' && frame.udp.dstPort === HEARTBEAT_PORT;
    }
    this.later(() => {
      this.world.say(`repair: crossover${deaf ? ' and LAN' : ''}`);
      cable.heal();
      if (!deaf) return;
      this.deaf = false;
      lan.blocked = () => false;
    });
    return true;
  }
}
