/** A takeover whose reign takes long to become durable: it may be delayed, and must not be lost. */

import test from 'ava';
import { arpReply } from '../../src/wire/arp.ts';
import { MAC, started, VIP } from './pair-harness.ts';

test('a late answer for the VIP while the disk is slow delays a takeover and does not end it', (t) => {
  const pair = started();
  pair.engineMs = 300;
  pair.powerOff(pair.a);
  pair.run(1000, () => pair.b.view().phase === 'reigning');
  t.is(pair.b.view().phase, 'reigning');
  pair.run(5);
  const bytes = arpReply(MAC.a, VIP, MAC.b, '192.0.2.12');
  pair.give(pair.b, { kind: 'arp', bytes });
  t.is(pair.b.view().phase, 'waiting');
  pair.run(2000, () => pair.b.role() === 'primary');
  t.is(pair.b.role(), 'primary', pair.logs.map((l) => l.text).join());
  t.deepEqual(pair.broken, []);
});
