/** States of a transfer: REFER (RFC 3515) without and with Replaces (RFC 3891). */

import { VIP } from '../world/box.ts';
import type { Client } from './hand-parts.ts';
import type { Scene, Script } from './scene.ts';
import { eitherEnds, over, talking } from './scripts.ts';
import type { State } from './states.ts';

/** Answers to a REFER in a call that has ended meanwhile. */
const CROSSED = [481, 487] as const;

/** Asks that the callee be connected to the third. */
function refer(s: Scene, query = ''): Client {
  const [talk] = s.a.dialogs;
  if (talk === undefined) throw new Error('nobody to transfer');
  return s.a.request(talk, 'REFER', {
    headers: [
      s.a.contact,
      `Refer-To: <sip:${s.c.number}@${VIP}${query}>`,
      `Referred-By: <sip:${s.a.number}@${VIP}>`,
    ],
    // it and the BYE of who was to be transferred may cross
    allow: CROSSED,
  });
}

/** Status the transferor was told last (RFC 3515 §2.4.5), 0 before. */
function told(s: Scene): number {
  const fragments = (s.a.dialogs[0]?.heard ?? []).filter((m) => m.method === 'NOTIFY');
  return Number(/^SIP\/2\.0 (\d+)/.exec(fragments.at(-1)?.body ?? '')?.[1] ?? 0);
}

function* referred(s: Scene): Script {
  yield* talking(s);
  s.c.expected += 1;
  refer(s);
  yield* s.until('the target is called', () => s.c.call !== undefined);
}

/** The transferor was told 200 and leaves; who was transferred and the target talk, and end it. */
function* transferred(s: Scene): Script {
  yield* s.until('the target talks', () => s.c.talk.state === 'confirmed');
  yield* s.until('the transferor is told', () => told(s) >= 200 || ended(s, 'a'));
  for (const dialog of s.a.dialogs) {
    if (dialog.state === 'confirmed') s.a.request(dialog, 'BYE', { allow: [481] });
    dialog.state = 'ended';
  }
  yield* s.pause(1500);
  s.expect(!ended(s, 'b') && !ended(s, 'c'), 'the transferred call ended with the transferor');
  if (s.dice.odds(0.5)) s.b.bye();
  else s.c.bye();
  yield* over(s);
}

function ended(s: Scene, who: 'a' | 'b' | 'c'): boolean {
  return s[who].dialogs.every((d) => d.state === 'ended');
}

/** The target answers; from then on the transferor's leg may end by either side's word. */
function* targetAnswers(s: Scene): Script {
  yield* s.until('the target is called', () => s.c.call !== undefined);
  s.stage.over = true;
  s.c.accept();
  yield* transferred(s);
}

/** The transferor hangs up before anything has come of it. */
function* transferorLeaves(s: Scene): Script {
  // after a success he is hung up unless he did it himself, and the two may cross
  s.stage.over = true;
  if (s.a.talk.state === 'confirmed') s.a.bye(CROSSED);
  yield* s.until('his BYE is answered', () => s.a.waits().length === 0);
  yield* s.until('the target is called', () => s.c.call !== undefined);
  if (s.c.talk.state !== 'confirmed' && s.c.talk.state !== 'answered') s.c.accept();
  yield* s.until('the target talks', () => s.c.talk.state === 'confirmed');
  yield* s.pause(1500);
  s.expect(!ended(s, 'b'), 'the transferred side was hung up with the transferor');
  s.b.bye();
  yield* over(s);
}

/** Who is being transferred hangs up: nothing rings on. */
function* transfereeLeaves(s: Scene): Script {
  s.b.bye();
  yield* s.until('his BYE is answered', () => s.b.waits().length === 0);
  yield* s.pause(1000);
  if (s.c.call?.state === 'inviting') s.c.ring(180);
  yield* over(s);
}

/** The target never answers: the transferor is told, and still has his call. */
function* nobodyThere(s: Scene): Script {
  yield* s.until('the target is called', () => s.c.call !== undefined);
  if (s.c.talk.state === 'inviting') s.c.ring(180);
  s.stage.over = true;
  yield* s.until('the transferor is told', () => told(s) >= 300, 60_000);
  yield* s.until('the target stops ringing', () => ended(s, 'c'));
  s.expect(!ended(s, 'a') && !ended(s, 'b'), 'the call ended with the transfer');
  yield* eitherEnds(s);
}

export const TRANSFER_STATES: readonly State[] = [
  {
    name: 'refer',
    about: 'REFER sent, the target has not been called',
    needs: 'transfer',
    three: true,
    *before(s) {
      yield* talking(s);
      s.c.expected += 1;
    },
    into: (s) => refer(s),
    next: {
      *caller(s) {
        yield* s.until('REFER is accepted', () => s.a.waits().length === 0);
        yield* transferorLeaves(s);
      },
      *time(s) {
        yield* s.until('the target is called', () => s.c.call !== undefined);
        yield* nobodyThere(s);
      },
      third: targetAnswers,
    },
  },
  {
    name: 'refer-ringing',
    about: 'REFER accepted, the target rings',
    needs: 'transfer',
    three: true,
    before: referred,
    into: (s) => s.c.ring(180),
    next: {
      caller: transferorLeaves,
      callee: transfereeLeaves,
      time: nobodyThere,
      third: targetAnswers,
    },
  },
  {
    name: 'refer-notify',
    about: 'the target answered, NOTIFY of it outstanding',
    needs: 'transfer',
    three: true,
    *before(s) {
      yield* referred(s);
      s.c.ring(180);
      yield* s.pause(1000);
      s.stage.over = true;
      s.a.keeps.add('NOTIFY');
    },
    into: (s) => s.c.accept(),
    next: {
      caller: transferorLeaves,
      *time(s) {
        yield* s.pause(3000);
        s.a.release('NOTIFY');
        yield* transferred(s);
      },
      *third(s) {
        yield* s.until('the target talks', () => s.c.talk.state === 'confirmed');
        s.c.bye();
        s.a.release('NOTIFY');
        yield* s.pause(3000);
        for (const hand of [s.a, s.b]) if (hand.talk.state === 'confirmed') hand.bye([481]);
        yield* over(s);
      },
    },
  },
  {
    name: 'refer-replaces',
    about: 'attended transfer: REFER with Replaces sent',
    needs: 'transfer',
    three: true,
    *before(s) {
      yield* talking(s);
      s.a.reinvite('sendonly');
      yield* s.until('held', () => s.a.waits().length === 0 && s.b.talk.unacked.size === 0);
      s.c.expected += 1;
      s.a.invite(s.c.number);
      yield* s.until('the third is called', () => s.c.call !== undefined);
      s.c.accept();
      yield* s.until('they consult', () => s.a.talk.state === 'confirmed');
      yield* s.until('they consult', () => s.c.talk.state === 'confirmed');
    },
    into(s) {
      const { callId, remoteTag, localTag } = s.a.talk;
      const replaces = `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
      s.stage.over = true;
      // the target may be called anew, with Replaces, or be joined where it is
      s.c.expected += 1;
      refer(s, `?Replaces=${encodeURIComponent(replaces)}`);
    },
    next: {
      caller: replaced,
      time: replaced,
      *callee(s) {
        s.b.bye();
        yield* s.until('his BYE is answered', () => s.b.waits().length === 0);
        yield* s.pause(2000);
        for (const hand of [s.a, s.c]) {
          for (const dialog of hand.dialogs) {
            if (dialog.state !== 'confirmed') continue;
            dialog.state = 'ended';
            hand.request(dialog, 'BYE', { allow: [481] });
          }
        }
        yield* over(s);
      },
    },
  },
];

function* replaced(s: Scene): Script {
  yield* s.until('the transferor is told', () => told(s) >= 200 || ended(s, 'a'));
  s.c.expected = 0;
  for (const dialog of s.a.dialogs) {
    if (dialog.state === 'confirmed') s.a.request(dialog, 'BYE', { allow: [481] });
    dialog.state = 'ended';
  }
  yield* s.pause(2000);
  s.expect(!ended(s, 'b') && !ended(s, 'c'), 'the transferred call ended with the transferor');
  if (s.dice.odds(0.5)) s.b.bye();
  else s.c.bye();
  yield* over(s);
}
