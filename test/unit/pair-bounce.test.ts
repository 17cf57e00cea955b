/**
 * A new primary takes its own port down for a moment (carrier bounce): what it does not see meanwhile
 * proves nothing about the LAN, and decides nothing.
 */

import test from 'ava';
import { type Pair, started, WITNESS } from './pair-harness.ts';

/** Autonegotiation of a copper port. */
const PORT_MS = 1800;

function bouncing(): Pair {
  const pair = started(1, { witnesses: [{ address: WITNESS, by: 'arp' }], carrierBounce: true });
  pair.run(1200);
  return pair;
}

/** The port of b is down, and up again. */
function bounce(pair: Pair): void {
  const { filter } = pair;
  pair.b.witness = false;
  pair.apart = true;
  pair.filter = (_from, path) => path !== 'l';
  pair.setCarrier(pair.b, 'l', false);
  pair.after(PORT_MS, () => {
    pair.b.witness = true;
    pair.apart = false;
    pair.filter = filter;
    pair.setCarrier(pair.b, 'l', true);
  });
}

test('after a planned switchover the bounced port does not hand the face back', (t) => {
  const pair = bouncing();
  pair.operator(pair.a, 5, { kind: 'switchover', force: false });
  pair.run(1000, () => pair.b.role() === 'primary');
  t.is(pair.b.role(), 'primary');
  bounce(pair);
  pair.run(5000);
  t.is(pair.b.role(), 'primary');
  t.is(pair.b.view().epoch, 2);
  t.is(pair.b.view().counters.lanHandovers, 0);
  t.deepEqual(pair.broken, []);
});

test('after the death of the other box the bounced port does not isolate the survivor', (t) => {
  const pair = bouncing();
  pair.kill(pair.a);
  pair.run(1000, () => pair.b.role() === 'primary');
  t.is(pair.b.role(), 'primary');
  bounce(pair);
  pair.run(5000);
  t.is(pair.b.view().counters.takeovers, 1, 'once, and kept');
  t.is(pair.b.role(), 'primary');
  t.deepEqual(pair.broken, []);
});
