/**
 * What people do with the phones: register, call each other all the time, hold, hang up. Which kinds
 * of call exist and how often is part of the swarm's draw. `settle` is the liveness phase's demand:
 * every call that still stands is updated and ended from a random side, and new calls connect.
 */

import type { Book, Call, Plan } from './book.ts';
import { Dice } from './dice.ts';
import { drawManner, type Manners } from './manner.ts';
import type { Phone } from './phone.ts';
import type { Leg } from './phone-call.ts';
import type { Queue } from './queue.ts';

export type CallMix = {
  /** Weights of the kinds of call. */
  readonly answer: number;
  readonly refuse: number;
  readonly cancel: number;
  readonly unknown: number;
  /** Mean pause of a phone between two calls it makes, ms. */
  readonly gap: number;
  readonly ring: readonly [number, number];
  readonly talk: readonly [number, number];
  /** Share of answered calls that never hang up by themselves. */
  readonly endless: number;
  /** Odds of each of up to three re-INVITEs in a call. */
  readonly update: number;
  /** Extensions the phones of a call know. */
  readonly manners?: Manners;
  /** Odds that a phone watches another one. */
  readonly watch: number;
};

const FOREVER = 1e9;

export class Traffic {
  readonly phones: readonly Phone[];
  private dialing = false;
  private readonly byNumber = new Map<string, Phone>();
  private readonly queue: Queue;
  private readonly dice: Dice;
  private readonly book: Book;
  private readonly mix: CallMix;
  private readonly mannered: Dice;

  constructor(queue: Queue, dice: Dice, book: Book, phones: readonly Phone[], mix: CallMix) {
    this.queue = queue;
    this.dice = dice;
    this.book = book;
    this.phones = phones;
    this.mix = mix;
    this.mannered = new Dice(mix.manners?.seed ?? 0);
    for (const phone of phones) this.byNumber.set(phone.number, phone);
    book.onEstablished = (call) => this.talk(call);
  }

  /** Registers every phone, then calls begin. */
  start(): void {
    this.dialing = true;
    for (const phone of this.phones) {
      this.queue.after(this.dice.between(0, 300), () => phone.register());
      this.queue.after(600 + this.dice.wait(this.mix.gap), () => this.dial(phone));
      this.lookAround(phone);
    }
  }

  private lookAround(phone: Phone): void {
    if (!this.dice.odds(this.mix.watch)) return;
    const other = this.dice.pick(this.phones.filter((p) => p !== phone));
    this.queue.after(this.dice.between(300, 900), () => phone.watches.watch(other.number));
  }

  /** No new calls; those under way go on. */
  stopDialing(): void {
    this.dialing = false;
  }

  /** The leg of one end of a call. */
  leg(call: Call, side: 'caller' | 'callee'): Leg | undefined {
    const phone = this.byNumber.get(side === 'caller' ? call.caller : call.callee);
    for (const leg of phone?.calls.legs.values() ?? []) {
      if (leg.call === call && leg.side === side) return leg;
    }
    return undefined;
  }

  phone(number: string): Phone | undefined {
    return this.byNumber.get(number);
  }

  private dial(phone: Phone): void {
    if (!this.dialing) return;
    this.queue.after(this.dice.wait(this.mix.gap), () => this.dial(phone));
    if (phone.calls.busy() >= 3) return;
    const others = this.phones.filter((p) => p !== phone && p.registered);
    if (others.length === 0 || !phone.registered) return;
    this.call(phone, this.dice.pick(others), this.plan());
  }

  /** @returns the call that `from` now makes to `to`. */
  call(from: Phone, to: Phone, plan: Plan): Call {
    const callee = plan.kind === 'unknown' ? '4999' : to.number;
    const call = this.book.open(this.queue.now, from.number, callee, plan);
    const { manners } = this.mix;
    if (manners !== undefined) call.manner = drawManner(this.mannered, manners.odds);
    from.calls.dial(call);
    return call;
  }

  private plan(): Plan {
    const { answer, refuse, cancel, unknown, ring, talk } = this.mix;
    let x = this.dice.between(0, answer + refuse + cancel + unknown);
    const ringMs = this.dice.between(ring[0], ring[1]);
    x -= refuse;
    if (x < 0) return { kind: 'refuse', ringMs, code: this.dice.pick([486, 480, 603]) };
    x -= cancel;
    if (x < 0) return { kind: 'cancel', afterMs: ringMs };
    x -= unknown;
    if (x < 0) return { kind: 'unknown' };
    const talkMs = this.dice.odds(this.mix.endless) ? FOREVER : this.dice.between(talk[0], talk[1]);
    const updates: { at: number; by: 'caller' | 'callee' }[] = [];
    for (let i = 0; i < 3; i += 1) {
      if (!this.dice.odds(this.mix.update)) continue;
      const at = this.dice.between(50, Math.min(talkMs, 20_000));
      updates.push({ at, by: this.dice.pick(['caller', 'callee'] as const) });
    }
    const hangUp = this.dice.pick(['caller', 'callee'] as const);
    return { kind: 'answer', ringMs, talkMs, hangUp, updates, early: this.dice.odds(0.2) };
  }

  private talk(call: Call): void {
    const { plan } = call;
    if (plan.kind !== 'answer') return;
    let held = false;
    for (const { at, by } of plan.updates) {
      held = !held;
      const direction = held ? 'sendonly' : 'sendrecv';
      this.queue.after(at, () => {
        const leg = this.leg(call, by);
        if (leg !== undefined) this.phoneOf(leg).calls.update(leg, direction, () => {});
      });
    }
    if (plan.talkMs < FOREVER) {
      this.queue.after(plan.talkMs, () => this.hangUp(call, plan.hangUp, 20, () => {}));
    }
  }

  private phoneOf(leg: Leg): Phone {
    return this.byNumber.get(leg.side === 'caller' ? leg.call.caller : leg.call.callee) as Phone;
  }

  /** Hangs up, once a re-INVITE that is under way has been answered. */
  hangUp(call: Call, side: 'caller' | 'callee', tries: number, done: (ok: boolean) => void): void {
    if (call.updating && tries > 0) {
      this.queue.after(500, () => this.hangUp(call, side, tries - 1, done));
      return;
    }
    const leg = this.leg(call, side);
    if (leg === undefined) done(false);
    else this.phoneOf(leg).calls.hangUp(leg, done);
  }

  /** Every standing call: a re-INVITE and a BYE from a random side. Failures are in the book. */
  controlAll(): void {
    for (const call of this.book.established()) {
      const by = this.dice.pick(['caller', 'callee'] as const);
      const end = this.dice.pick(['caller', 'callee'] as const);
      const wait = this.dice.between(0, 500);
      this.queue.after(wait, () => {
        const leg = this.leg(call, by);
        if (leg === undefined) return;
        this.phoneOf(leg).calls.update(leg, 'sendrecv', () => {
          this.queue.after(100, () => this.hangUp(call, end, 20, () => {}));
        });
      });
    }
  }

  /** New calls, one from every phone, answered and talking until somebody ends them. */
  callAround(): Call[] {
    const { phones } = this;
    return phones.map((phone, i) =>
      this.call(phone, phones[(i + 1) % phones.length] as Phone, {
        kind: 'answer',
        ringMs: 200,
        talkMs: FOREVER,
        hangUp: 'caller',
        updates: [],
        early: false,
      }),
    );
  }
}
