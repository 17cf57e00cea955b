/** The agent's table of states: total, without dead ends, and what programs see of it. */

import test from 'ava';
import { AGENT_EVENTS, AGENT_MACHINE, isBusy, SEEN } from '../../src/call/agent/machine.ts';
import { AGENT_STATES } from '../../src/call/agent/rows.ts';

test('every state says what every event means', (t) => {
  t.deepEqual(Object.keys(AGENT_MACHINE).sort(), [...AGENT_STATES].sort());
  for (const state of AGENT_STATES) {
    t.deepEqual(Object.keys(AGENT_MACHINE[state]).sort(), [...AGENT_EVENTS].sort(), state);
  }
});

test('busy begins and ends with calls alone', (t) => {
  for (const state of AGENT_STATES) {
    for (const event of AGENT_EVENTS) {
      const to = AGENT_MACHINE[state][event];
      if (to === 'same' || to === 'back') continue;
      const [was, is] = [isBusy(state), isBusy(to)];
      t.is(was && !is, was && event.startsWith('callEnds'), `${state} ${event}`);
      t.is(!was && is, !was && event === 'callBegins', `${state} ${event}`);
    }
  }
});

test('every state is reached, and every agent can be made ready', (t) => {
  const seen = new Set<string>(['notReady']);
  for (let i = 0; i < AGENT_STATES.length; i += 1) {
    for (const state of AGENT_STATES.filter((s) => seen.has(s))) {
      for (const to of Object.values(AGENT_MACHINE[state])) seen.add(to);
    }
  }
  // the guard stands in for ready while it runs
  t.deepEqual(
    [...AGENT_STATES, 'guard'].filter((s) => !seen.has(s) && s !== 'guard'),
    [],
  );
  for (const state of AGENT_STATES) {
    const to = AGENT_MACHINE[state].askReady;
    t.is(to, isBusy(state) ? 'busyReady' : 'ready');
    const told = SEEN[state].state.replace(/^./, (c) => c.toUpperCase());
    t.is(`agent${told}`, SEEN[state].event);
  }
});
