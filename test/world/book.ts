/**
 * The book of calls: what each call was meant to become, what each end says became of it, and every
 * deviation. Phones write it, oracles read it. It is how the world knows that a call was lost though
 * neither phone could say more than "no answer".
 */

import { type Manner, PLAIN } from './manner.ts';

export type Plan =
  /** Rings, is answered, perhaps held and retrieved, talks, one side hangs up. */
  | {
      readonly kind: 'answer';
      readonly ringMs: number;
      readonly talkMs: number;
      readonly hangUp: 'caller' | 'callee';
      /** Moments after the answer at which a re-INVITE is sent, by whom. */
      readonly updates: readonly { readonly at: number; readonly by: 'caller' | 'callee' }[];
      /** Early media (183) instead of ringing (180). */
      readonly early: boolean;
    }
  | { readonly kind: 'refuse'; readonly ringMs: number; readonly code: number }
  | { readonly kind: 'cancel'; readonly afterMs: number }
  /** A number that does not exist. */
  | { readonly kind: 'unknown' };

export type SideState = 'none' | 'early' | 'established' | 'ended';

export type Call = {
  readonly id: string;
  readonly caller: string;
  readonly callee: string;
  readonly plan: Plan;
  readonly startedAt: number;
  /** How its phones speak beyond RFC 3261. */
  manner: Manner;
  callerState: SideState;
  calleeState: SideState;
  /** The callee's final answer, 0 while it has given none. */
  calleeSaid: number;
  cancelled: boolean;
  /** Somebody hung up, and when. */
  hungBy: '' | 'caller' | 'callee';
  hungAt: number;
  establishedAt: number;
  /** A re-INVITE is under way: the other side does not start one. */
  updating: boolean;
  updates: number;
  /** Every session description an end sent. */
  readonly offers: Set<string>;
  failure: string;
};

export type Failure = { readonly at: number; readonly who: string; readonly what: string };

/** Something a phone saw that no correct server says. */
export type Observation = {
  readonly at: number;
  readonly phone: string;
  readonly what: string;
  readonly text: string;
};

export class Book {
  readonly calls = new Map<string, Call>();
  readonly failures: Failure[] = [];
  readonly observations: Observation[] = [];
  /** Both ends talk: whoever drives the call goes on from here. */
  onEstablished: (call: Call) => void = () => {};
  private next = 1;

  open(at: number, caller: string, callee: string, plan: Plan): Call {
    const call: Call = {
      id: `c${this.next}`,
      caller,
      callee,
      plan,
      startedAt: at,
      callerState: 'none',
      calleeState: 'none',
      calleeSaid: 0,
      cancelled: false,
      hungBy: '',
      hungAt: 0,
      establishedAt: 0,
      updating: false,
      updates: 0,
      manner: PLAIN,
      offers: new Set(),
      failure: '',
    };
    this.next += 1;
    this.calls.set(call.id, call);
    return call;
  }

  /** A call did not become what it was meant to. Only its first failure counts. */
  fail(at: number, call: Call, who: string, what: string): void {
    if (call.failure !== '') return;
    call.failure = what;
    this.failures.push({ at, who: `${call.id} ${call.caller}>${call.callee} at ${who}`, what });
  }

  failOther(at: number, who: string, what: string): void {
    this.failures.push({ at, who, what });
  }

  observe(at: number, phone: string, what: string, text: string): void {
    this.observations.push({ at, phone, what, text });
  }

  /** Calls both ends of which talk now. */
  established(): Call[] {
    return [...this.calls.values()].filter(isEstablished);
  }

  counts(): { calls: number; established: number; answered: number; failed: number } {
    let answered = 0;
    let failed = 0;
    let established = 0;
    for (const call of this.calls.values()) {
      if (call.establishedAt > 0) answered += 1;
      if (call.failure !== '') failed += 1;
      if (isEstablished(call)) established += 1;
    }
    return { calls: this.calls.size, established, answered, failed };
  }
}

export function isEstablished(call: Call): boolean {
  return (
    call.callerState === 'established' && call.calleeState === 'established' && call.hungBy === ''
  );
}
