/**
 * Takeovers that must wait and must not be lost: a reign that takes long to become durable, a box that
 * has more and cannot serve yet.
 */

import test from 'ava';
import { arpReply } from '../../src/wire/arp.ts';
import { MAC, Pair, started, VIP } from './pair-harness.ts';

test('a late answer for the VIP while the disk is slow delays a takeover and does not end it', (t) => {
  const pair = started();
  pair.engineMs = 300;
  pair.powerOff(pair.a);
  pair.run(1000, () => pair.b.view().phase === 'reigning');
  t.is(pair.b.view().phase, 'reigning');
  pair.run(5);
  const bytes = arpReply(MAC.a, VIP, MAC.b, '192.0.2.12');
  pair.give(pair.b, { kind: 'frame', bytes });
  t.is(pair.b.view().phase, 'waiting');
  pair.run(2000, () => pair.b.role() === 'primary');
  t.is(pair.b.role(), 'primary', pair.logs.map((l) => l.text).join());
  t.deepEqual(pair.broken, []);
});

/** Both were off; a knows more, and its LAN port is not up yet. */
function portDown(): Pair {
  const pair = new Pair();
  Object.assign(pair.a.disk, { epoch: 3, lsn: 70, wasPrimary: true, fresh: false });
  Object.assign(pair.b.disk, { epoch: 3, lsn: 60, fresh: false });
  pair.setCarrier(pair.a, 'l', false);
  pair.boot(pair.a);
  pair.boot(pair.b);
  return pair;
}

test('a box that knows more, and whose port comes up late, is waited for', (t) => {
  const pair = portDown();
  pair.run(900);
  t.is(pair.b.view().phase, 'looking');
  t.regex(pair.b.view().readiness.why, /has what this box has not/);
  pair.setCarrier(pair.a, 'l', true);
  pair.run(500);
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.role(), 'backup');
});

test('… not for ever: the box with older tables begins, with an alarm until both are in step', (t) => {
  const pair = portDown();
  const alarmed = (): boolean =>
    pair.b.view().alarms.active.some((alarm) => alarm.code === 'older-tables');
  const took = pair.run(1500, () => pair.b.role() === 'primary');
  t.true(took > 1000, `${took}`);
  t.is(pair.b.role(), 'primary');
  t.true(alarmed());
  pair.run(1500);
  t.is(pair.a.role(), 'backup', 'it follows over the crossover');
  t.false(alarmed());
});

test('a box that said it is gone for good does not lead again while it is being switched off', (t) => {
  const pair = started();
  pair.powerOff(pair.b);
  pair.run(2000);
  pair.give(pair.a, { kind: 'operator', id: 1, command: { kind: 'retire' } });
  pair.run(5000);
  t.is(pair.a.role(), 'starting');
  t.is(pair.voice(), 'none');
  t.regex(pair.a.view().readiness.why, /gone for good/);
  pair.powerOff(pair.a);
  pair.boot(pair.a);
  pair.run(3000);
  t.is(pair.a.role(), 'primary');
});

test('a box that slept while it proved silence proves it anew', (t) => {
  const pair = started();
  pair.kill(pair.a);
  pair.run(100, () => pair.b.view().phase === 'probing');
  pair.run(12);
  pair.freeze(pair.b);
  pair.run(900);
  pair.thaw(pair.b);
  pair.run(15);
  t.is(pair.b.view().phase, 'probing', 'somebody may have begun meanwhile');
  pair.run(100);
  t.is(pair.b.role(), 'primary');
  t.deepEqual(pair.broken, []);
});

test('a box about to begin alone waits for one that is heard to load: it may know more', (t) => {
  const pair = new Pair();
  Object.assign(pair.a.disk, { epoch: 3, lsn: 1, wasPrimary: true, fresh: false });
  Object.assign(pair.b.disk, { epoch: 3, lsn: 60, fresh: false });
  pair.boot(pair.a);
  pair.run(2000, () => pair.a.view().phase === 'probing');
  t.is(pair.a.view().phase, 'probing');
  pair.boot(pair.b, 200);
  pair.run(100);
  t.is(pair.a.view().phase, 'looking');
  pair.run(500);
  t.is(pair.b.role(), 'primary');
  t.is(pair.a.role(), 'backup');
});
