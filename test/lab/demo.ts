/**
 * The demo: pairs of phones that call each other all the time, and the book kept about it. A call is
 * counted where both ends are seen: *connected* when both have it, *ended* when both know it is over.
 */

import { Phone, type PhoneSettings } from './phone.ts';

export type Counts = {
  phones: number;
  registered: number;
  /** Calls begun. */
  attempts: number;
  /** Not set up: busy, refused, no answer. */
  failed: number;
  connected: number;
  /** Connected now. */
  up: number;
  /** Connected calls that were ended by one side and heard by the other. */
  ended: number;
  /** Of those: calls that lived through a switchover. */
  survived: number;
  /** Calls that broke after they were connected. */
  lost: number;
  /** Things the phones heard that no server may say (tags, CSeq). */
  faults: number;
  retransmissions: number;
};

export type DemoEvent = {
  readonly type: 'call';
  readonly what: 'failed' | 'lost';
  readonly from: string;
  readonly to: string;
  readonly why: string;
};

type Conversation = {
  readonly caller: Phone;
  readonly callee: Phone;
  callerUp: boolean;
  calleeUp: boolean;
  callerDone: boolean;
  calleeDone: boolean;
  connectedAt: number;
  crossed: boolean;
  over: boolean;
  timers: NodeJS.Timeout[];
};

export type Pace = {
  readonly idleMs: readonly [number, number];
  readonly ringMs: readonly [number, number];
  readonly talkMs: readonly [number, number];
  /** Share of calls with a re-INVITE in the middle. */
  readonly reinvite: number;
};

export const PACE: Pace = {
  idleMs: [300, 1500],
  ringMs: [300, 1200],
  talkMs: [3000, 12_000],
  reinvite: 0.4,
};

/** After one side hung up, the other hears of it within 64·T1 or never. */
const HEAR_MS = 33_000;

const between = ([low, high]: readonly [number, number]): number =>
  low + Math.random() * (high - low);

export type DemoSettings = {
  readonly phones: readonly Omit<PhoneSettings, 'ringMs'>[];
  readonly pace: Pace;
  readonly event: (event: DemoEvent) => void;
};

export class Demo {
  readonly phones: readonly Phone[];
  readonly #pace: Pace;
  readonly #event: (event: DemoEvent) => void;
  readonly #talks = new Map<Phone, Conversation>();
  readonly #count = { attempts: 0, failed: 0, connected: 0, ended: 0, survived: 0, lost: 0 };
  readonly #timers = new Set<NodeJS.Timeout>();
  #stopped = false;

  constructor(settings: DemoSettings) {
    this.#pace = settings.pace;
    this.#event = settings.event;
    const events = {
      ringing: () => {},
      established: (phone: Phone) => this.#established(phone),
      failed: (phone: Phone, why: string) => this.#failed(phone, why),
      ended: (phone: Phone) => this.#ended(phone),
      broken: (phone: Phone, why: string) => this.#lost(phone, why),
    };
    this.phones = settings.phones.map(
      (one) => new Phone({ ...one, ringMs: () => between(settings.pace.ringMs) }, events),
    );
  }

  /** Binds, registers over the first second or so, and begins to call. */
  async start(): Promise<void> {
    await Promise.all(this.phones.map((phone) => phone.start()));
    const step = Math.min(20, 2000 / Math.max(1, this.phones.length));
    this.phones.forEach((phone, i) => {
      this.#later(i * step, () => phone.register());
    });
    const pairs = Math.floor(this.phones.length / 2);
    for (let i = 0; i < pairs; i++) this.#later(500 + between([0, 2500]), () => this.#next());
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const talk of this.#talks.values()) for (const timer of talk.timers) clearTimeout(timer);
    for (const phone of this.phones) phone.stop();
  }

  #later(ms: number, what: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#stopped) what();
    }, ms);
    this.#timers.add(timer);
  }

  /** A new call between two idle phones; tried again later when there are none. */
  #next(): void {
    const idle = this.phones.filter(
      (p) => p.registered && p.leg === undefined && !this.#talks.has(p),
    );
    const [caller] = idle.splice(Math.floor(Math.random() * idle.length), 1);
    const [callee] = idle.splice(Math.floor(Math.random() * idle.length), 1);
    if (caller === undefined || callee === undefined) {
      this.#later(500, () => this.#next());
      return;
    }
    const talk: Conversation = {
      ...{ caller, callee, callerUp: false, calleeUp: false, callerDone: false },
      ...{ calleeDone: false, connectedAt: 0, crossed: false, over: false, timers: [] },
    };
    this.#talks.set(caller, talk);
    this.#talks.set(callee, talk);
    this.#count.attempts++;
    caller.call(callee.number);
  }

  #established(phone: Phone): void {
    const talk = this.#talks.get(phone);
    if (talk === undefined) return;
    if (phone === talk.caller) talk.callerUp = true;
    else talk.calleeUp = true;
    if (!talk.callerUp || !talk.calleeUp || talk.connectedAt > 0) return;
    talk.connectedAt = Date.now();
    this.#count.connected++;
    const talkMs = between(this.#pace.talkMs);
    const either = () => (Math.random() < 0.5 ? talk.caller : talk.callee);
    if (Math.random() < this.#pace.reinvite) {
      this.#during(talk, talkMs / 2, () => {
        either().reinvite(() => this.#during(talk, talkMs / 2, () => either().hangUp()));
      });
    } else {
      this.#during(talk, talkMs, () => either().hangUp());
    }
  }

  #during(talk: Conversation, ms: number, what: () => void): void {
    if (!talk.over) talk.timers.push(setTimeout(what, ms));
  }

  #ended(phone: Phone): void {
    const talk = this.#talks.get(phone);
    if (talk === undefined) return;
    if (talk.connectedAt === 0) {
      this.#failed(phone, 'ended before both sides had it');
      return;
    }
    if (phone === talk.caller) talk.callerDone = true;
    else talk.calleeDone = true;
    if (!talk.callerDone || !talk.calleeDone) {
      this.#during(talk, HEAR_MS, () => this.#lost(phone, 'the other side never heard of the end'));
      return;
    }
    this.#count.ended++;
    if (talk.crossed) this.#count.survived++;
    this.#close(talk);
  }

  #failed(phone: Phone, why: string): void {
    const talk = this.#talks.get(phone);
    if (talk === undefined) return;
    if (talk.connectedAt > 0) {
      this.#lost(phone, why);
      return;
    }
    this.#count.failed++;
    this.#tell('failed', talk, phone, why);
    this.#close(talk);
  }

  #lost(phone: Phone, why: string): void {
    const talk = this.#talks.get(phone);
    if (talk === undefined) return;
    this.#count.lost++;
    this.#tell('lost', talk, phone, why);
    this.#close(talk);
  }

  #tell(what: 'failed' | 'lost', talk: Conversation, phone: Phone, why: string): void {
    const { caller, callee } = talk;
    const side = phone === caller ? 'caller' : 'callee';
    this.#event({
      ...{ type: 'call', what, from: caller.number, to: callee.number, why: `${side}: ${why}` },
    });
  }

  #close(talk: Conversation): void {
    talk.over = true;
    for (const timer of talk.timers) clearTimeout(timer);
    for (const phone of [talk.caller, talk.callee]) {
      phone.forget();
      this.#talks.delete(phone);
    }
    this.#later(between(this.#pace.idleMs), () => this.#next());
  }

  /** A switchover took place: calls connected before `at` are living through it. Gives how many. */
  crossed(at: number): number {
    let carried = 0;
    for (const [phone, talk] of this.#talks) {
      if (phone !== talk.caller || talk.connectedAt === 0 || talk.connectedAt >= at) continue;
      talk.crossed = true;
      carried++;
    }
    return carried;
  }

  counts(): Counts {
    let up = 0;
    for (const [phone, talk] of this.#talks)
      if (phone === talk.caller && talk.connectedAt > 0) up++;
    const sum = (of: (phone: Phone) => number) => this.phones.reduce((n, p) => n + of(p), 0);
    return {
      phones: this.phones.length,
      registered: sum((phone) => (phone.registered ? 1 : 0)),
      ...this.#count,
      up,
      faults: sum((phone) => phone.faults),
      retransmissions: sum((phone) => phone.endpoint.retransmissions),
    };
  }
}
