/** The table of offers and answers is total, connected, and says what RFC 3264, 3311 and 6337 say. */

import test from 'ava';
import { OFFER_MACHINE, OFFER_STATES, type OfferEvent } from '../../src/proto/sip/offers.ts';

const EVENTS: readonly OfferEvent[] = ['answerIn', 'answerOut', 'failed', 'offerIn', 'offerOut'];

test('every state has a cell for every event, and a refused offer changes nothing', (t) => {
  t.deepEqual(Object.keys(OFFER_MACHINE), [...OFFER_STATES]);
  for (const state of OFFER_STATES) {
    t.deepEqual(Object.keys(OFFER_MACHINE[state]).sort(), [...EVENTS], state);
    for (const event of EVENTS) {
      const cell = OFFER_MACHINE[state][event];
      t.true(OFFER_STATES.includes(cell.to), `${state} ${event}`);
      if (cell.refuse !== 0) t.is(cell.to, state, `${state} ${event}`);
    }
  }
});

test('every state is reached from none, and from every state the sides can agree', (t) => {
  const next = (from: string): string[] =>
    EVENTS.map((e) => OFFER_MACHINE[from as 'none'][e].to).filter((s) => s !== from);
  const reached = new Set<string>(['none']);
  for (const state of reached) for (const to of next(state)) reached.add(to);
  t.deepEqual([...reached].sort(), [...OFFER_STATES].sort());
  for (const state of OFFER_STATES) {
    const ways = new Set<string>([state]);
    for (const s of ways) for (const to of next(s)) ways.add(to);
    t.true(ways.has('stable'), state);
  }
});

test('RFC 3264 4 at most one offer is outstanding, whichever side made it', (t) => {
  for (const state of ['local', 'remote'] as const) {
    t.not(OFFER_MACHINE[state].offerIn.refuse, 0);
    t.not(OFFER_MACHINE[state].offerOut.refuse, 0);
  }
  for (const state of ['none', 'stable'] as const) {
    t.is(OFFER_MACHINE[state].offerIn.refuse, 0);
    t.is(OFFER_MACHINE[state].offerOut.refuse, 0);
  }
});

test('RFC 3311 5.2 an offer that meets ours: 491; one that meets their own: 500', (t) => {
  t.is(OFFER_MACHINE.local.offerIn.refuse, 491);
  t.is(OFFER_MACHINE.remote.offerIn.refuse, 500);
});

test('RFC 3261 13.2.1 a second answer is ignored', (t) => {
  for (const event of ['answerIn', 'answerOut'] as const) {
    t.deepEqual(OFFER_MACHINE.stable[event], { to: 'stable', refuse: 0 });
  }
});

test('RFC 3261 14.1 an offer that failed leaves the session as it was', (t) => {
  t.is(OFFER_MACHINE.local.failed.to, 'stable');
  t.is(OFFER_MACHINE.remote.failed.to, 'stable');
});
