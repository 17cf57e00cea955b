/** Scripts that several states of the matrix share. */

import { PATIENT_MS } from './measures.ts';
import type { Scene, Script } from './scene.ts';

/** The caller has called, the callee has heard of it and is silent. */
export function* offered(s: Scene): Script {
  const { call } = s.b;
  s.b.expected += 1;
  s.a.invite(s.b.number, { allow: ENDS });
  yield* s.until('the callee is called', () => s.b.call !== call);
}

export function* ringing(s: Scene): Script {
  yield* offered(s);
  s.b.ring(180);
  yield* s.until('the caller hears ringing', () => s.a.talk.statuses.includes(180));
}

export function* talking(s: Scene): Script {
  yield* ringing(s);
  s.b.accept();
  yield* inCall(s);
}

export function* inCall(s: Scene): Script {
  yield* s.until(
    'both talk',
    () => s.a.talk.state === 'confirmed' && s.b.talk.state === 'confirmed',
  );
}

/** The call is over at both ends, and nobody waits for an answer. */
export function* over(s: Scene): Script {
  yield* s.until('the call is over everywhere', () =>
    s.hands.every((hand) => hand.dialogs.every((d) => d.state === 'ended')),
  );
  yield* s.until('everybody has his answer', () => s.hands.every((h) => h.waits().length === 0));
}

export function* callerEnds(s: Scene): Script {
  s.a.bye();
  yield* over(s);
}

export function* calleeEnds(s: Scene): Script {
  s.b.bye();
  yield* over(s);
}

/** Either of them, by the seed. */
export function* eitherEnds(s: Scene): Script {
  yield* s.dice.odds(0.5) ? callerEnds(s) : calleeEnds(s);
}

export function* calleeAnswers(s: Scene): Script {
  yield* s.until('the callee is called', () => s.b.call !== undefined);
  s.b.accept();
  yield* inCall(s);
  yield* eitherEnds(s);
}

/** The caller gives up: he hears 487, and whoever rings is told at once. */
export function* callerCancels(s: Scene): Script {
  s.a.cancel();
  yield* s.until('the caller hears 487', () => s.a.talk.statuses.includes(487));
  yield* s.until('the callee is called', () => s.b.call !== undefined);
  // a phone that has said nothing cannot be sent a CANCEL (§9.1): it says something now
  if (s.b.talk.state === 'inviting') s.b.ring(180);
  yield* s.until('the callee stops ringing', () => s.b.talk.cancelled);
  yield* over(s);
}

/** Nobody answers: the call ends when it would have, counted from when the caller was heard. */
export function* nobodyAnswers(s: Scene): Script {
  const before = s.a.history.some((h) => h.at < s.faultAt && h.text.includes('< SIP/2.0 100'));
  s.stage.over = true;
  yield* s.until('the caller is told', () => s.a.talk.state === 'ended', PATIENT_MS + 20_000);
  s.expect([480, 408].includes(s.a.talk.statuses.at(-1) ?? 0), `ends ${s.a.talk.statuses.at(-1)}`);
  const took = s.now - (s.a.talk.client?.sentAt ?? 0);
  const slack = before ? 1200 : 9000;
  const early = took < PATIENT_MS - 100;
  s.expect(!early && took < PATIENT_MS + slack, `no answer after ${took.toFixed(0)} ms`);
  yield* s.until('the callee is called', () => s.b.call !== undefined);
  if (s.b.talk.state === 'inviting') s.b.ring(180);
  yield* s.until('the callee stops ringing', () => s.b.talk.cancelled);
  yield* over(s);
}

/** Final answers of an INVITE that no script is surprised by; which one is right it says itself. */
export const ENDS = [408, 480, 486, 487, 500, 504] as const;
/** How a request that is pending ends when the call is hung up under it. */
export const HUNG_UP = [408, 481, 487, 500] as const;

export function* twentySeconds(s: Scene): Script {
  yield* s.pause(20_000);
  s.expect(!s.stage.over, 'the call ended by itself');
  yield* eitherEnds(s);
}
