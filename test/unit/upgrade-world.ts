/**
 * Two boxes with slots, a boot loader, a daemon and a disk each, and a cable between their agents, under
 * virtual time. It judges while it runs: how many boxes are away by our doing, and what leads then.
 */

import { Upgrade } from '../../src/panel/system/upgrade.ts';
import {
  type ImageRequest,
  type Operation,
  OTHER_SLOT,
  type PairView,
  type Slot,
  type UpgradeEffect,
  type UpgradeInput,
  type UpgradeMessage,
  type UpgradeRecord,
} from '../../src/panel/system/upgrade-terms.ts';
import type { Content, Fault, Kind } from './upgrade-faults.ts';

export type Side = 'a' | 'b';
export const SIDES = ['a', 'b'] as const;
const OTHER = { a: 'b', b: 'a' } as const;

const BYTES = 1_000_000;
const SEND_MS = 4000;
const WALL = 1_767_225_600_000;
const BOOT_MS = 20_000;
const PANIC_MS = 5000;
const STEP_MS = 5000;
const INSTALL_MS = 20_000;
/** One that cannot lead loses it after. */
const LOSES_MS = 3000;
/** Who lets the other one restart from another slot has led for so long. */
const LED_MS = 60_000;

type Slots = { [s in Slot]: { content: Content; ok: boolean; tries: number } };

export class Box {
  readonly side: Side;
  readonly slots: Slots = {
    A: { content: { version: '1', kind: 'good' }, ok: true, tries: 0 },
    B: { content: { version: '0', kind: 'good' }, ok: true, tries: 0 },
  };
  order: Slot[] = ['A', 'B'];
  /** off: no power. boot: on its way. on: the agent runs. */
  state: 'off' | 'boot' | 'on' = 'off';
  slot: Slot = 'A';
  boots = 0;
  agent: Upgrade | undefined;
  /** Of this start of the agent: what comes late for an earlier one is not heard. */
  agents = 0;
  record: UpgradeRecord | undefined;
  bundle: Content | undefined;
  fetched = false;
  /** It was told to restart by its agent and is not back. */
  awayByUs = false;
  role: PairView['role'] = 'none';
  leadsAt = Number.POSITIVE_INFINITY;
  stepAt = Number.POSITIVE_INFINITY;
  full = false;
  answers: { [id: number]: { ok?: true; error?: string } } = {};
  alarm = '';
  unproved = '';

  constructor(side: Side) {
    this.side = side;
  }

  kind(): Kind {
    return this.slots[this.slot].content.kind;
  }

  version(): string {
    return this.slots[this.slot].content.version;
  }

  serves(): boolean {
    return this.state === 'on' && this.kind() !== 'no-service';
  }
}

export class World {
  now = 1000;
  readonly boxes = { a: new Box('a'), b: new Box('b') };
  readonly violations: string[] = [];
  readonly story: string[] = [];
  /** Every doing of an agent counts: faults happen at one of these. */
  doings = 0;
  cable = true;
  /** Bundles on a stick, by name. */
  readonly sticks: { [name: string]: Content } = {};
  private readonly faults = new Map<number, Fault>();
  private linked = false;
  private events: { at: number; order: number; act: () => void }[] = [];
  private order = 0;
  /** A box without power, or off for good, is nobody's doing. */
  powerCuts = 0;

  constructor(faults: Iterable<readonly [number, Fault]> = []) {
    for (const side of SIDES) this.powerOn(this.boxes[side]);
    this.run(60_000);
    this.doings = 0;
    for (const [at, fault] of faults) this.faults.set(at, fault);
  }

  later(ms: number, act: () => void): void {
    this.order += 1;
    this.events.push({ at: this.now + ms, order: this.order, act });
  }

  private say(box: Box, text: string): void {
    this.story.push(`${(this.now / 1000).toFixed(1).padStart(7)} ${box.side} ${text}`);
  }

  /** Runs until nothing is under way any more, for half an hour at most. */
  settle(): void {
    for (let minutes = 0; minutes < 30; minutes += 1) {
      this.run(60_000);
      const quiet = SIDES.every((side) => {
        const { state, slot, slots, record } = this.boxes[side];
        const over = record === undefined || /^(proved|failed)$/.test(record.phase);
        return state === 'on' && slots[slot].tries === 0 && over;
      });
      if (quiet) return;
    }
  }

  /** Runs for so long; agents are ticked when they want, and every second told of the pair. */
  run(ms: number): void {
    const end = this.now + ms;
    let lookAt = this.now;
    for (;;) {
      let next = Math.min(end, lookAt);
      let first: (typeof this.events)[number] | undefined;
      for (const event of this.events) {
        if (first === undefined || event.at < first.at) first = event;
        else if (event.at === first.at && event.order < first.order) first = event;
      }
      if (first !== undefined) next = Math.min(next, first.at);
      for (const side of SIDES) {
        const at = this.boxes[side].agent?.deadline() ?? Number.POSITIVE_INFINITY;
        next = Math.min(next, Math.max(at, this.now + 1));
      }
      this.now = Math.max(this.now, next);
      if (first !== undefined && first.at <= this.now) {
        this.events.splice(this.events.indexOf(first), 1);
        first.act();
      } else if (lookAt <= this.now) {
        lookAt = this.now + 1000;
        this.daemons();
        for (const side of SIDES)
          this.tell(this.boxes[side], { kind: 'pair', view: this.view(side) });
      } else {
        for (const side of SIDES) this.tell(this.boxes[side], { kind: 'tick' });
      }
      if (this.now >= end) return;
    }
  }

  // ── power, boot loader ───────────────────────────────────────────────────────────────────────

  powerOn(box: Box): void {
    box.boots += 1;
    const boot = box.boots;
    box.state = 'boot';
    const works = (s: Slot): boolean => box.slots[s].ok && box.slots[s].tries < 3;
    let slot = box.order.find(works);
    if (slot === undefined) {
      box.slots.A.tries = 0;
      box.slots.B.tries = 0;
      slot = box.order[0] as Slot;
    }
    box.slots[slot].tries += 1;
    box.slot = slot;
    const { kind } = box.slots[slot].content;
    const starts = kind !== 'no-boot' && kind !== 'broken';
    this.later(starts ? BOOT_MS : PANIC_MS, () => {
      if (box.boots !== boot) return;
      if (!starts) return this.powerOn(box);
      box.state = 'on';
      box.awayByUs = false;
      this.say(box, `is up from slot ${slot}, ${box.version()}`);
      this.startAgent(box);
    });
  }

  powerOff(box: Box): void {
    box.state = 'off';
    box.boots += 1;
    box.agent = undefined;
    box.agents += 1;
    box.role = 'none';
    this.unlink();
    this.daemons();
  }

  cut(box: Box): void {
    this.powerCuts += 1;
    this.say(box, 'loses power');
    box.awayByUs = false;
    this.powerOff(box);
    this.later(3000, () => this.powerOn(box));
  }

  private startAgent(box: Box): void {
    box.agents += 1;
    const booted = { boot: `boot-${box.boots}`, slot: box.slot };
    const record = box.record === undefined ? undefined : structuredClone(box.record);
    box.agent = new Upgrade(booted, record, this.moment());
    const out: UpgradeEffect[] = [];
    box.agent.begin(out);
    this.perform(box, out);
    this.link();
  }

  private moment(): { now: number; wall: number } {
    return { now: this.now, wall: WALL + Math.round(this.now) };
  }

  // ── the daemons ──────────────────────────────────────────────────────────────────────────────

  /** Roles follow from who is there: the hot standby itself is proved elsewhere. */
  private daemons(): void {
    const { a, b } = this.boxes;
    for (const box of [a, b]) if (!box.serves()) box.role = 'none';
    for (const box of [a, b]) {
      const other = this.boxes[OTHER[box.side]];
      if (!box.serves() || box.role === 'primary') continue;
      const before = box.role;
      box.role = other.role === 'primary' ? 'backup' : 'primary';
      if (box.role !== before) box.stepAt = this.now + STEP_MS;
    }
    if (a.role === 'primary' && b.role === 'primary') b.role = 'backup';
    for (const box of [a, b]) {
      const other = this.boxes[OTHER[box.side]];
      if (box.role !== 'primary') box.leadsAt = Number.POSITIVE_INFINITY;
      else box.leadsAt = Math.min(box.leadsAt, this.now);
      const loses = box.kind() === 'no-lead' && this.now - box.leadsAt >= LOSES_MS;
      if (loses && other.role === 'backup') {
        this.say(box, 'cannot lead');
        box.role = 'backup';
        other.role = 'primary';
        other.leadsAt = this.now;
        box.stepAt = this.now + 1000;
      }
    }
  }

  private inStep(): boolean {
    const { a, b } = this.boxes;
    const both = a.serves() && b.serves() && this.cable;
    const steps = both && a.kind() !== 'no-step' && b.kind() !== 'no-step';
    if (!steps) for (const box of [a, b]) box.stepAt = Math.max(box.stepAt, this.now + STEP_MS);
    return steps && this.now >= (a.role === 'backup' ? a.stepAt : b.stepAt);
  }

  private view(side: Side): PairView {
    const box = this.boxes[side];
    return {
      service: box.serves() ? 'up' : 'down',
      role: box.role,
      inStep: this.inStep(),
      vip: box.role === 'primary' && !(box.kind() === 'deaf' && box.agent?.asksVip() === true),
      vipAsked: box.agent?.asksVip() === true,
    };
  }

  // ── the cable ────────────────────────────────────────────────────────────────────────────────

  private link(): void {
    // after the end of the one before was noticed
    this.later(1000, () => {
      const both = this.boxes.a.agent !== undefined && this.boxes.b.agent !== undefined;
      if (!both || !this.cable || this.linked) return;
      this.linked = true;
      for (const side of SIDES) this.tell(this.boxes[side], { kind: 'link-up' });
    });
  }

  private links = 0;
  private unlink(): void {
    this.links += 1;
    if (!this.linked) return;
    this.linked = false;
    for (const side of SIDES) {
      // each notices in its own time
      const { agents } = this.boxes[side];
      this.later(side === 'a' ? 0 : 500, () => {
        if (this.boxes[side].agents === agents) this.tell(this.boxes[side], { kind: 'link-down' });
      });
    }
  }

  pull(ms: number): void {
    this.cable = false;
    this.unlink();
    this.later(ms, () => {
      this.cable = true;
      this.link();
    });
  }

  private deliver(from: Box, message: UpgradeMessage): void {
    const { links } = this;
    const to = this.boxes[OTHER[from.side]];
    this.later(1, () => {
      if (this.linked && this.links === links) this.tell(to, { kind: 'message', message });
    });
  }

  // ── an agent and its machine ─────────────────────────────────────────────────────────────────

  ask(side: Side, id: number, request: ImageRequest): void {
    this.tell(this.boxes[side], { kind: 'request', id, request });
  }

  private tell(box: Box, input: UpgradeInput): void {
    if (box.agent === undefined) return;
    const out: UpgradeEffect[] = [];
    box.agent.step(this.moment(), input, out);
    this.perform(box, out);
  }

  private perform(box: Box, effects: readonly UpgradeEffect[]): void {
    const { agents } = box;
    let kept = true;
    for (const effect of effects) {
      if (box.agents !== agents) return;
      // what stands in no file is not done; whoever asked is told, and people
      if (!kept && !/^(answer|alarm|log)$/.test(effect.kind)) continue;
      if (effect.kind === 'look') {
        this.later(0, () => {
          if (box.agents === agents) this.tell(box, { kind: 'pair', view: this.view(box.side) });
        });
        continue;
      }
      if (effect.kind === 'send') this.deliver(box, effect.message);
      else if (effect.kind === 'answer') {
        box.answers[effect.id] = kept ? effect.value : { error: 'image-space' };
      } else if (effect.kind === 'alarm') {
        if (effect.code === 'image-failed') box.alarm = effect.text;
        else box.unproved = effect.text;
      } else if (effect.kind === 'log') this.say(box, effect.text);
      else if (!this.doing(box, effect)) {
        if (box.agents !== agents || box.state !== 'on' || effect.kind !== 'store') return;
        kept = false;
      }
    }
  }

  /** A doing that a fault may come before or after. @returns whether the agent still is there. */
  private doing(
    box: Box,
    effect: Extract<UpgradeEffect, { kind: 'store' | 'do' | 'reboot' }>,
  ): boolean {
    this.doings += 1;
    const fault = this.faults.get(this.doings);
    this.faults.delete(this.doings);
    if (fault !== undefined) this.say(box, `${fault} at doing ${this.doings}`);
    if (fault === 'power-before') {
      this.cut(box);
      return false;
    }
    if (fault === 'disk-full') {
      for (const side of SIDES) this.boxes[side].full = true;
      this.later(20_000, () => {
        for (const side of SIDES) this.boxes[side].full = false;
      });
    }
    const went = this.really(box, effect);
    if (fault === 'both-power') for (const side of SIDES) this.cut(this.boxes[side]);
    if (fault === 'power-after') this.cut(box);
    if (fault === 'other-power') this.cut(this.boxes[OTHER[box.side]]);
    if (fault === 'cable') this.pull(30_000);
    if (fault === 'agent' && box.state === 'on') {
      this.unlink();
      this.startAgent(box);
    }
    return went && fault !== 'power-after' && fault !== 'both-power' && fault !== 'agent';
  }

  private really(
    box: Box,
    effect: Extract<UpgradeEffect, { kind: 'store' | 'do' | 'reboot' }>,
  ): boolean {
    switch (effect.kind) {
      case 'store':
        if (box.full) {
          const { agents } = box;
          this.later(0, () => {
            if (box.agents === agents) this.tell(box, { kind: 'unstored', text: 'no space' });
          });
          return false;
        }
        if (effect.record.phase !== box.record?.phase) {
          this.say(box, `${effect.record.phase}: ${effect.record.steps.at(-1)?.text}`);
        }
        box.record = structuredClone(effect.record);
        return true;
      case 'do':
        this.operate(box, effect.operation);
        return true;
      case 'reboot':
        this.judgeReboot(box);
        box.awayByUs = true;
        this.powerOff(box);
        this.powerOn(box);
        return false;
    }
  }

  private judgeReboot(box: Box): void {
    const other = this.boxes[OTHER[box.side]];
    this.say(box, `restarts as ${box.role}; the other is ${other.state}, ${other.role}`);
    if (other.awayByUs) this.violations.push(`${box.side} restarts while the other is away by us`);
    const callers = box.role === 'primary' && box.kind() !== 'deaf';
    if (callers && box.record?.job.alone !== true && box.record?.forced !== true) {
      this.violations.push(`${box.side} restarts as primary`);
    }
    if (other.serves() && other.role !== 'primary' && box.record?.job.alone !== true) {
      this.violations.push(`${box.side} restarts and nobody leads`);
    }
    const led = this.now - other.leadsAt;
    if (box.record?.phase === 'leaving' && !box.record.job.alone && led < LED_MS - 2000) {
      this.violations.push(`${box.side} leaves to one that has led for ${Math.round(led)} ms`);
    }
  }

  private operate(box: Box, operation: Operation): true | undefined {
    const { agents } = box;
    const done = (
      ms: number,
      what: () => Partial<Extract<UpgradeInput, { kind: 'done' }>>,
    ): true => {
      this.later(ms, () => {
        if (box.agents !== agents) return;
        this.tell(box, { kind: 'done', op: operation.op, fault: '', ...what() });
      });
      return true;
    };
    const bad = (content: Content | undefined): string => {
      if (content === undefined) return 'image-file: no such file';
      return content.kind === 'stranger' ? 'image-signature: signed by somebody else' : '';
    };
    switch (operation.op) {
      case 'take': {
        const content = this.sticks[operation.source];
        return done(2000, () => {
          if (bad(content) === '') box.bundle = content;
          const bundle = { version: content?.version ?? '', digest: 'd', bytes: BYTES };
          return { fault: bad(content), bundle };
        });
      }
      case 'send':
        return this.sendBundle(box, operation.id, done);
      case 'verify':
        return done(500, () => {
          if (!box.fetched) return { fault: 'image-digest: not what was sent' };
          box.bundle = this.boxes[OTHER[box.side]].bundle ?? this.lastBundle;
          this.lastBundle = box.bundle;
          return { fault: bad(box.bundle) };
        });
      case 'drop':
        this.lastBundle = box.bundle;
        box.bundle = undefined;
        return done(10, () => ({}));
      case 'switchover':
        return done(100, () => this.switchover(box));
      default:
        return this.operateSlots(box, operation, done);
    }
  }

  private lastBundle: Content | undefined;

  private sendBundle(
    box: Box,
    id: string,
    done: (ms: number, what: () => Partial<Extract<UpgradeInput, { kind: 'done' }>>) => true,
  ): true {
    const { links } = this;
    const to = this.boxes[OTHER[box.side]];
    const { agents } = to;
    to.fetched = false;
    let fault = '';
    this.later(SEND_MS, () => {
      if (!this.linked || this.links !== links) fault = 'file-peer: the other box went away';
      else if (to.full) fault = 'file-write: no space left';
      to.fetched = fault === '';
      if (to.agents === agents) this.tell(to, { kind: 'fetched', id, fault });
    });
    return done(SEND_MS, () => ({ fault }));
  }

  private operateSlots(
    box: Box,
    operation: Operation,
    done: (ms: number, what: () => Partial<Extract<UpgradeInput, { kind: 'done' }>>) => true,
  ): true | undefined {
    const spare = OTHER_SLOT[box.slot];
    switch (operation.op) {
      case 'install': {
        const { bundle } = box;
        box.slots[spare] = { content: { version: '', kind: 'broken' }, ok: false, tries: 0 };
        return done(INSTALL_MS, () => {
          if (bundle === undefined) return { fault: 'image-file: no bundle' };
          box.slots[spare] = { content: bundle, ok: true, tries: 0 };
          box.order = [spare, box.slot];
          return {};
        });
      }
      case 'activate':
      case 'fall-back': {
        const { slot } = operation;
        if (operation.op === 'fall-back') box.slots[OTHER_SLOT[slot]].ok = false;
        box.order = [slot, OTHER_SLOT[slot]];
        box.slots[slot].ok = true;
        box.slots[slot].tries = 0;
        return done(100, () => ({}));
      }
      case 'mark-good':
        box.slots[box.slot].ok = true;
        box.slots[box.slot].tries = 0;
        return done(100, () => ({}));
    }
    return undefined;
  }

  private switchover(box: Box): { fault?: string } {
    const other = this.boxes[OTHER[box.side]];
    if (box.role !== 'primary' || !this.inStep()) return { fault: 'not in step' };
    box.role = 'backup';
    other.role = 'primary';
    box.stepAt = this.now + 1000;
    this.say(box, 'handed over');
    return {};
  }
}
