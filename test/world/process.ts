/**
 * One life of the program on a box: an engine and a sentry in step times of their own, as two
 * threads would have them. They share memory (lease, standing), which is seen at once, and messages
 * (orders, reports), which take a moment and keep their order. Inputs that come while a thread is
 * busy are taken together by its next turn.
 *
 * Frozen, it takes no turns and everything waits where the kernel would keep it. Dead, it never
 * takes another.
 */

import { EngineEffects } from '../../src/effect.ts';
import type { EngineInput } from '../../src/input.ts';
import type { Loaded } from '../../src/ledger/disk.ts';
import type { Report, SentryEffect, SentryInput } from '../../src/pair/terms.ts';
import type { BoxClock } from './clock.ts';
import type { Dice } from './dice.ts';
import type { EngineProgram, Program, SentryProgram } from './program.ts';
import type { Queue, Timer } from './queue.ts';

/** What a process asks of the box around it. */
export type Outside = {
  readonly engineEffects: (out: EngineEffects) => void;
  readonly sentryEffect: (effect: SentryEffect) => void;
  /** After every turn of either thread, for oracles and the picture. */
  readonly stepped: (who: 'engine' | 'sentry') => void;
};

export type Pace = {
  /** Cost of a turn, ms. */
  readonly turn: readonly [number, number];
  /** Odds that a turn of the engine is followed by a pause (garbage collection), and its length. */
  readonly pause: number;
  readonly pauseMs: readonly [number, number];
};

const SOCKET_BUFFER = 2000;

export class Process {
  readonly engine: EngineProgram;
  readonly sentry: SentryProgram;
  lease = 0;
  dead = false;
  frozen = false;
  /** The engine's thread takes no turns any more, for the rest of this life. */
  stuck = false;
  /** Inputs handed to the engine are seen here first: a saboteur's place. */
  filter: (input: EngineInput) => boolean = () => true;

  private engineIn: EngineInput[] = [];
  private sentryIn: SentryInput[] = [];
  private unread: EngineInput[] = [];
  private reading = true;
  private engineTurn: Timer | undefined;
  private sentryTurn: Timer | undefined;
  private engineTick: Timer | undefined;
  private sentryTick: Timer | undefined;
  private engineFree = 0;
  private sentryFree = 0;
  private lastOrder = 0;
  private lastReport = 0;
  private readonly effects = new EngineEffects();
  private readonly sentryEffects: SentryEffect[] = [];
  private readonly queue: Queue;
  private readonly dice: Dice;
  private readonly clock: BoxClock;
  private readonly outside: Outside;
  private readonly pace: Pace;

  constructor(
    world: { readonly queue: Queue; readonly dice: Dice; readonly pace: Pace },
    clock: BoxClock,
    program: Program,
    loaded: Loaded,
    outside: Outside,
  ) {
    this.queue = world.queue;
    this.dice = world.dice;
    this.pace = world.pace;
    this.clock = clock;
    this.outside = outside;
    const now = clock.mono(this.queue.now);
    this.engine = program.engine(loaded, this.dice.fork('engine'), now);
    this.sentry = program.sentry(this.engine.standing, this.dice.fork('sentry'), now);
    this.engineFree = this.queue.now;
    this.wakeEngine();
    this.wakeSentry();
  }

  // ── inputs ───────────────────────────────────────────────────────────────────────────────────

  /** Something for the engine; SIP waits in the socket buffer while the engine does not read. */
  toEngine(input: EngineInput): void {
    if (this.dead || !this.filter(input)) return;
    if (input.kind === 'sip' && !this.reading) {
      if (this.unread.length < SOCKET_BUFFER) this.unread.push(input);
      return;
    }
    this.engineIn.push(input);
    this.wakeEngine();
  }

  toSentry(input: SentryInput): void {
    if (this.dead) return;
    this.sentryIn.push(input);
    this.wakeSentry();
  }

  freeze(): void {
    this.frozen = true;
  }

  thaw(): void {
    this.frozen = false;
    if (this.engineTurn !== undefined) this.engineTurn.dead = true;
    if (this.sentryTurn !== undefined) this.sentryTurn.dead = true;
    this.engineTurn = undefined;
    this.sentryTurn = undefined;
    this.wakeSentry();
    this.wakeEngine();
  }

  /** Somebody else has the processor: no turn of this thread for `ms` from now. */
  hold(who: 'engine' | 'sentry', ms: number): void {
    if (who === 'engine') this.engineFree = Math.max(this.engineFree, this.queue.now + ms);
    else this.sentryFree = Math.max(this.sentryFree, this.queue.now + ms);
  }

  die(): void {
    this.dead = true;
  }

  // ── engine ───────────────────────────────────────────────────────────────────────────────────

  private wakeEngine(): void {
    if (this.engineTurn !== undefined || this.frozen || this.dead) return;
    const at = Math.max(this.queue.now + this.dice.between(0.005, 0.03), this.engineFree);
    this.engineTurn = this.queue.at(at, () => this.stepEngine());
  }

  private stepEngine(): void {
    if (this.dead || this.frozen) return;
    // the turn that never ends: nothing wakes the engine again
    if (this.stuck) return;
    this.engineTurn = undefined;
    const inputs: readonly EngineInput[] =
      this.engineIn.length > 0 ? this.engineIn : [{ kind: 'tick' }];
    this.engineIn = [];
    const now = this.clock.mono(this.queue.now);
    const out = this.effects;
    this.engine.step(now, this.lease, inputs, out);
    const { turn, pause, pauseMs } = this.pace;
    this.engineFree = this.queue.now + this.dice.between(turn[0], turn[1]);
    if (this.dice.odds(pause)) this.engineFree += this.dice.between(pauseMs[0], pauseMs[1]);
    for (const report of out.reports) this.report(report);
    this.reading = out.reading;
    this.outside.engineEffects(out);
    out.clear();
    if (this.dead) return;
    if (this.reading && this.unread.length > 0) {
      for (const input of this.unread) this.engineIn.push(input);
      this.unread = [];
      this.wakeEngine();
    }
    if (this.engineTick !== undefined) this.engineTick.dead = true;
    this.engineTick = this.at(this.engine.deadline(), this.engineFree, () => this.wakeEngine());
    this.outside.stepped('engine');
  }

  private report(report: Report): void {
    this.lastReport = Math.max(this.lastReport, this.queue.now + this.dice.between(0.01, 0.2));
    this.queue.at(this.lastReport, () => this.toSentry({ kind: 'report', report }));
  }

  // ── sentry ───────────────────────────────────────────────────────────────────────────────────

  private wakeSentry(): void {
    if (this.sentryTurn !== undefined || this.frozen || this.dead) return;
    const at = Math.max(this.queue.now + this.dice.between(0.005, 0.03), this.sentryFree);
    this.sentryTurn = this.queue.at(at, () => this.stepSentry());
  }

  private stepSentry(): void {
    if (this.dead || this.frozen) return;
    this.sentryTurn = undefined;
    const inputs: readonly SentryInput[] =
      this.sentryIn.length > 0 ? this.sentryIn : [{ kind: 'tick' }];
    this.sentryIn = [];
    this.sentry.step(this.clock.mono(this.queue.now), inputs, this.sentryEffects);
    for (const effect of this.sentryEffects) this.perform(effect);
    this.sentryEffects.length = 0;
    if (this.dead) return;
    if (this.sentryTick !== undefined) this.sentryTick.dead = true;
    this.sentryTick = this.at(this.sentry.deadline(), this.queue.now, () => this.wakeSentry());
    this.outside.stepped('sentry');
  }

  private perform(effect: SentryEffect): void {
    if (effect.kind === 'lease') {
      this.lease = effect.until;
    } else if (effect.kind === 'order') {
      const { order } = effect;
      this.lastOrder = Math.max(this.lastOrder, this.queue.now + this.dice.between(0.01, 0.2));
      this.queue.at(this.lastOrder, () => this.toEngine({ kind: 'order', order }));
    } else this.outside.sentryEffect(effect);
  }

  /** A timer of the operating system: never early, up to a millisecond late. */
  private at(deadline: number, notBefore: number, run: () => void): Timer {
    const due = Number.isFinite(deadline) ? this.clock.trueTime(deadline) : this.queue.now + 1000;
    return this.queue.at(Math.max(due, notBefore) + this.dice.between(0, 1), run);
  }
}
