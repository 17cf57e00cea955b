/** States of subscriptions (RFC 6665): the third watches the callee. */

import { BRIEF_S } from './measures.ts';
import type { Scene, Script } from './scene.ts';
import { eitherEnds, inCall, over, ringing, talking } from './scripts.ts';
import type { State } from './states.ts';

const ACCEPTS: { readonly [event: string]: string } = {
  dialog: 'application/dialog-info+xml',
  presence: 'application/pidf+xml',
  reg: 'application/reginfo+xml',
};

function subscribe(s: Scene, event: string, expires: number): void {
  s.c.subscribe(s.b.number, expires, [`Event: ${event}`, `Accept: ${ACCEPTS[event]}`]);
}

/** What the watcher heard last in its subscription. */
function last(s: Scene): string {
  return s.c.talk.heard.at(-1)?.body ?? '';
}

function lamp(s: Scene): boolean {
  return last(s).includes('<state>confirmed</state>');
}

/** The watcher is subscribed, and was told. */
function* watching(s: Scene): Script {
  yield* s.until('the watcher is told', () => s.c.call !== undefined && s.c.talk.heard.length > 0);
  yield* s.until('subscribed', () => s.c.waits().length === 0);
}

/** The watcher has enough. */
function* unsubscribes(s: Scene): Script {
  s.stage.over = true;
  s.c.refresh(0);
  yield* s.until('it is told the end', () => s.c.talk.state === 'ended');
  yield* over(s);
}

/** Lamp off, lamp on, lamp off. */
function* lampFollows(s: Scene): Script {
  yield* watching(s);
  yield* talking(s);
  yield* s.until('the lamp is lit', () => lamp(s));
  yield* lampGoesOut(s);
}

function* lampGoesOut(s: Scene): Script {
  if (s.dice.odds(0.5)) s.a.bye();
  else s.b.bye();
  yield* s.until('both hung up', () => s.a.talk.state === 'ended' && s.b.talk.state === 'ended');
  const began = s.now;
  yield* s.until('the lamp goes out', () => !lamp(s));
  s.expect(s.now - began < 8000, `the lamp went out after ${(s.now - began).toFixed(0)} ms`);
  yield* unsubscribes(s);
}

export const EVENT_STATES: readonly State[] = [
  {
    name: 'subscribed',
    about: 'SUBSCRIBE sent',
    needs: 'events',
    three: true,
    before: (s) => s.pause(0),
    into: (s) => subscribe(s, 'dialog', 300),
    next: {
      caller: lampFollows,
      *callee(s) {
        yield* watching(s);
        s.a.expected += 1;
        s.b.invite(s.a.number);
        yield* s.until('the other is called', () => s.a.call !== undefined);
        s.a.accept();
        yield* inCall(s);
        yield* s.until('the lamp is lit', () => lamp(s));
        yield* lampGoesOut(s);
      },
      *time(s) {
        yield* watching(s);
        yield* s.pause(15_000);
        yield* lampFollows(s);
      },
      *third(s) {
        yield* watching(s);
        const n = s.c.talk.heard.length;
        s.c.refresh(200);
        yield* s.until('it is told again', () => s.c.talk.heard.length > n);
        yield* unsubscribes(s);
      },
    },
  },
  {
    name: 'subscription-ending',
    about: 'the subscription is about to expire',
    needs: 'events',
    three: true,
    *before(s) {
      yield* s.until('it is time', () => s.now > s.faultAt - 3000);
      subscribe(s, s.dice.pick(['dialog', 'presence', 'reg']), BRIEF_S + 7);
      yield* watching(s);
    },
    into: () => {},
    next: {
      *third(s) {
        s.c.refresh(300);
        yield* s.until('refreshed', () => s.c.waits().length === 0);
        yield* s.pause(15_000);
        s.expect(s.c.talk.state === 'confirmed', 'a refreshed subscription ended');
        yield* unsubscribes(s);
      },
      *time(s) {
        const ends = s.c.subscribedAt + (BRIEF_S + 7) * 1000;
        s.stage.over = true;
        yield* s.until('it is told the end', () => s.c.talk.state === 'ended');
        const late = Math.max(0, s.now - Math.max(ends, s.faultAt + 6000));
        s.expect(s.now > ends - 1000 && late < 4500, `ended ${(s.now - ends).toFixed(0)} ms late`);
        yield* over(s);
      },
      *caller(s) {
        // the end of the subscription and a call of the watched one come together
        s.stage.over = true;
        yield* ringing(s);
        s.b.accept();
        yield* inCall(s);
        yield* s.until('it is told the end', () => s.c.talk.state === 'ended');
        yield* eitherEnds(s);
      },
    },
  },
  {
    name: 'notify',
    about: 'NOTIFY of a lit lamp not answered, and the call ends',
    needs: 'events',
    three: true,
    *before(s) {
      subscribe(s, 'dialog', 300);
      yield* watching(s);
      yield* ringing(s);
      yield* s.pause(500);
      s.c.keeps.add('NOTIFY');
      s.b.accept();
      yield* inCall(s);
      yield* s.until('the lamp is lit', () => lamp(s));
    },
    into: (s) => s.a.bye(),
    next: {
      *third(s) {
        s.c.release('NOTIFY');
        yield* s.until('the lamp goes out', () => !lamp(s));
        yield* unsubscribes(s);
      },
      *time(s) {
        yield* s.pause(4000);
        s.c.release('NOTIFY');
        yield* s.until('the lamp goes out', () => !lamp(s));
        yield* unsubscribes(s);
      },
    },
  },
];
