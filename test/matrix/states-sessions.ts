/**
 * States of RFC 3262 (reliable provisional responses), RFC 3311 (UPDATE) and RFC 4028 (session
 * timers).
 */

import type { Scene, Script } from './scene.ts';
import {
  calleeEnds,
  callerCancels,
  callerEnds,
  ENDS,
  eitherEnds,
  HUNG_UP,
  inCall,
  nobodyAnswers,
  over,
  talking,
} from './scripts.ts';
import type { State } from './states.ts';

const ALLOW =
  'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK, INFO, MESSAGE, NOTIFY, REFER';

/** The caller supports 100rel and calls. */
function* reliablyOffered(s: Scene): Script {
  s.b.expected += 1;
  s.a.invite(s.b.number, { headers: ['Supported: 100rel', ALLOW], allow: ENDS });
  yield* s.until('the callee is called', () => s.b.call !== undefined);
}

/** Whoever was told reliably has acknowledged, and the callee answers. */
function* answersAcknowledged(s: Scene): Script {
  s.a.prack();
  yield* s.until('183 is acknowledged', () => !s.b.unpracked);
  s.b.accept();
  yield* inCall(s);
  yield* eitherEnds(s);
}

/** RFC 4028: an interval of 90 s, refreshed by whom the caller says. */
function* timed(s: Scene, refresher: 'uac' | 'uas'): Script {
  s.b.expected += 1;
  const headers = ['Supported: timer', `Session-Expires: 90;refresher=${refresher}`, ALLOW];
  s.a.invite(s.b.number, { headers });
  s.a.acceptHeaders = ['Supported: timer', 'Require: timer', 'Session-Expires: 90;refresher=uac'];
  yield* s.until('the callee is called', () => s.b.call !== undefined);
  s.b.accept();
  yield* inCall(s);
  const agreed = s.a.talk.client?.answer?.headers.get('session-expires')?.[0] ?? '';
  s.expect(agreed.startsWith('90') && agreed.includes(`refresher=${refresher}`), `timer ${agreed}`);
}

/** When the call was answered. */
function since(s: Scene): number {
  return s.now - (s.a.talk.client?.doneAt ?? 0);
}

function pendingUpdate(name: string, who: 'a' | 'b'): State {
  const other = who === 'a' ? 'b' : 'a';
  function* answered(s: Scene): Script {
    yield* s.until('the UPDATE comes', () => s[other].kept.length > 0);
    s[other].release('UPDATE');
    yield* s.until('it is answered', () => s[who].waits().length === 0);
    yield* eitherEnds(s);
  }
  return {
    name,
    about: `UPDATE of the ${who === 'a' ? 'caller' : 'callee'} not answered yet`,
    needs: 'calls',
    *before(s) {
      yield* talking(s);
      s[other].keeps.add('UPDATE');
    },
    into: (s) => s[who].update(HUNG_UP),
    next: {
      caller: who === 'a' ? callerEnds : answered,
      callee: who === 'a' ? answered : calleeEnds,
      *time(s) {
        s[other].silent = true;
        yield* s.until('the UPDATE comes', () => s[other].kept.length > 0);
        yield* s.pause(20_000);
        s.expect(!s.stage.over, 'the call ended by itself');
        // RFC 5057 §5.1: what changes the session and is not answered ends it
        s.stage.over = true;
        yield* s.until('it is given up', () => s[who].waits().length === 0);
        if (s.a.talk.state === 'confirmed') s.a.bye();
        yield* over(s);
      },
    },
  };
}

export const SESSION_STATES: readonly State[] = [
  pendingUpdate('update-caller', 'a'),
  pendingUpdate('update-callee', 'b'),
  {
    name: 'prack',
    about: 'early media by a reliable 183, not acknowledged yet',
    needs: 'sessions',
    *before(s) {
      yield* reliablyOffered(s);
      s.a.keeps.add('PRACK');
    },
    into: (s) => s.b.ringReliably(183),
    next: {
      *caller(s) {
        yield* s.until('the caller hears 183', () => s.a.talk.statuses.includes(183));
        yield* answersAcknowledged(s);
      },
      *callee(s) {
        s.b.refuse(486);
        s.a.prack();
        yield* over(s);
        s.expect(s.a.talk.statuses.at(-1) === 486, `refused ${s.a.talk.statuses.at(-1)}`);
      },
      time: nobodyAnswers,
    },
  },
  {
    name: 'pracked',
    about: 'PRACK sent, not answered yet',
    needs: 'sessions',
    *before(s) {
      yield* reliablyOffered(s);
      s.a.keeps.add('PRACK');
      s.b.keeps.add('PRACK');
      s.b.ringReliably(183);
      yield* s.until('the caller hears 183', () => s.a.talk.statuses.includes(183));
    },
    into: (s) => s.a.prack(),
    next: {
      *caller(s) {
        s.b.release('PRACK');
        yield* callerCancels(s);
      },
      *callee(s) {
        yield* s.until('PRACK comes', () => s.b.kept.length > 0);
        s.b.release('PRACK');
        yield* answersAcknowledged(s);
      },
      *time(s) {
        yield* s.until('PRACK comes', () => s.b.kept.length > 0);
        yield* s.pause(5000);
        s.b.release('PRACK');
        yield* answersAcknowledged(s);
      },
    },
  },
  {
    name: 'session-phone',
    about: 'the session is about to expire, the caller is to refresh it',
    needs: 'sessions',
    lead: 50_000,
    before: (s) => timed(s, 'uac'),
    into: () => {},
    next: {
      *caller(s) {
        const client = s.a.request(s.a.talk, 'UPDATE', {
          headers: [s.a.contact, 'Supported: timer', 'Session-Expires: 90;refresher=uac'],
        });
        yield* s.until('refreshed', () => client.final === 200);
        yield* s.until('it would have ended', () => since(s) > 75_000, 60_000);
        s.expect(!s.stage.over && s.a.talk.state === 'confirmed', 'a refreshed session ended');
        yield* eitherEnds(s);
      },
      callee: calleeEnds,
      *time(s) {
        yield* s.until('it is nearly over', () => since(s) > 57_000, 60_000);
        s.expect(s.a.talk.state === 'confirmed', 'the session ended early');
        s.stage.over = true;
        yield* over(s);
        s.expect(since(s) < 91_000, `the session ended after ${since(s).toFixed(0)} ms`);
      },
    },
  },
  {
    name: 'session-server',
    about: 'the session is about to be refreshed by the server',
    needs: 'sessions',
    lead: 47_700,
    before: (s) => timed(s, 'uas'),
    into: () => {},
    next: {
      caller: callerEnds,
      callee: calleeEnds,
      *time(s) {
        const refreshes = (): number =>
          s.a.talk.heard.filter((m) => ['UPDATE', 'INVITE'].includes(m.method)).length;
        yield* s.until('the server refreshes', () => refreshes() > 0);
        s.expect(since(s) < 62_000, `refreshed after ${since(s).toFixed(0)} ms`);
        yield* s.until('it would have ended', () => since(s) > 95_000, 70_000);
        s.expect(!s.stage.over && s.a.talk.state === 'confirmed', 'a refreshed session ended');
        yield* eitherEnds(s);
      },
    },
  },
];
