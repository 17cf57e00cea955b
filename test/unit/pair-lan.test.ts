/** The own service LAN as evidence: witnesses, agreed handover, isolation, flap guard (PAIR.md). */

import test from 'ava';
import type { PairSettings } from '../../src/pair/terms.ts';
import { arpRequest } from '../../src/wire/arp.ts';
import { type Box, Pair, started, WITNESS } from './pair-harness.ts';

const WITNESSED: Partial<PairSettings> = { witnesses: [{ address: WITNESS, by: 'arp' }] };

function witnessed(more: Partial<PairSettings> = {}): Pair {
  const pair = started(1, { ...WITNESSED, ...more });
  pair.run(1200);
  return pair;
}

function texts(pair: Pair): string {
  return pair.logs.map((l) => `${l.at.toFixed(1)} ${l.box} ${l.text}`).join('\n');
}

function active(box: Box): readonly string[] {
  return box.view().alarms.active.map((a) => a.code);
}

test('carrier of the primary lost: agreed handover over the crossover within 100 ms', (t) => {
  for (let offset = 0; offset < 30; offset += 3) {
    const pair = started(offset);
    pair.run(offset);
    pair.setCarrier(pair.a, 'l', false);
    const took = pair.run(1000, () => pair.b.lease > pair.now);
    t.true(took < 100, `took ${took} ms\n${texts(pair)}`);
    t.is(pair.b.view().cause, 'lan-lost');
    t.is(pair.b.view().epoch, 2);
    pair.run(500);
    t.is(pair.a.role(), 'backup');
    t.true(active(pair.a).includes('lan-down'));
    t.regex(pair.a.view().readiness.why, /no carrier/);
    pair.setCarrier(pair.a, 'l', true);
    pair.run(2000);
    t.is(pair.b.role(), 'primary', 'no preemption');
    t.true(pair.a.standing.inStep);
    t.deepEqual(active(pair.a), []);
    t.deepEqual(pair.broken, []);
  }
});

test('the switch behind the primary dies, carrier stays: the witness tells, within 150 ms', (t) => {
  for (let offset = 0; offset < 30; offset += 5) {
    const pair = witnessed();
    pair.run(offset);
    pair.a.witness = false;
    pair.apart = true;
    pair.filter = (_from, path) => path !== 'l';
    const took = pair.run(1000, () => pair.b.lease > pair.now);
    t.is(pair.b.view().cause, 'lan-lost', texts(pair));
    t.true(took < 150, `took ${took} ms\n${texts(pair)}`);
    t.true(active(pair.a).includes('witness-lost'));
    t.deepEqual(pair.broken, []);
  }
});

test('link case 5: the LAN is gone for both: roles stay', (t) => {
  for (const how of ['carrier', 'witness'] as const) {
    const pair = witnessed();
    for (const box of [pair.a, pair.b]) {
      if (how === 'carrier') pair.setCarrier(box, 'l', false);
      box.witness = false;
    }
    pair.apart = true;
    pair.filter = (_from, path) => path !== 'l';
    pair.run(5000);
    t.is(pair.a.role(), 'primary', texts(pair));
    t.is(pair.b.role(), 'backup');
    t.is(pair.a.view().epoch, 1);
    for (const box of [pair.a, pair.b]) {
      pair.setCarrier(box, 'l', true);
      box.witness = true;
    }
    pair.apart = false;
    pair.filter = () => true;
    pair.run(1000);
    t.is(pair.a.role(), 'primary');
    t.true(pair.a.view().readiness.ready, pair.a.view().readiness.why);
  }
});

test('link case 3: the backup alone sees no witness: not eligible, alarm, roles stay', (t) => {
  const pair = witnessed();
  pair.b.witness = false;
  pair.apart = true;
  pair.filter = (_from, path) => path !== 'l';
  pair.run(3000);
  t.is(pair.a.role(), 'primary');
  t.true(active(pair.b).includes('witness-lost'));
  t.true(active(pair.a).includes('lan-path-down'));
  t.regex(pair.b.view().readiness.why, /no witness/);
  t.false(pair.a.view().readiness.ready);
  pair.kill(pair.a);
  pair.run(3000);
  t.is(pair.b.role(), 'backup', 'never promote when the own service link is down');
  t.true(active(pair.b).includes('not-eligible'));
  pair.b.witness = true;
  pair.run(1000);
  t.is(pair.b.role(), 'primary', texts(pair));
  t.false(active(pair.b).includes('not-eligible'));
});

test('link case 6: the isolated backup is never promoted', (t) => {
  const pair = witnessed();
  pair.b.witness = false;
  pair.apart = true;
  pair.filter = (_from, path) => path !== 'l';
  pair.run(30);
  pair.cutX();
  pair.run(10_000);
  t.is(pair.b.role(), 'backup', texts(pair));
  t.is(pair.a.role(), 'primary');
  t.false(pair.b.orders.some((o) => o.kind === 'reign'));
});

test('link case 6, all in one moment', (t) => {
  const pair = witnessed();
  pair.b.witness = false;
  pair.apart = true;
  pair.filter = () => false;
  pair.cutX();
  pair.run(10_000);
  t.is(pair.b.role(), 'backup', texts(pair));
  t.is(pair.a.role(), 'primary');
});

test('link case 7: the primary sees no witness and no peer: it fences itself, the backup leads', (t) => {
  for (let offset = 0; offset < 30; offset += 5) {
    const pair = witnessed();
    pair.run(offset);
    pair.a.witness = false;
    pair.apart = true;
    pair.filter = () => false;
    pair.cutX();
    const took = pair.run(3000, () => pair.b.lease > pair.now);
    t.true(took < 300, `took ${took} ms`);
    pair.run(1500);
    t.is(pair.b.role(), 'primary', texts(pair));
    t.not(pair.a.role(), 'primary', texts(pair));
    t.true(active(pair.a).includes('fenced'));
    pair.run(10_000);
    t.not(pair.a.role(), 'primary', 'it does not come back while it sees nobody');
    pair.filter = () => true;
    pair.apart = false;
    pair.a.witness = true;
    pair.healX();
    pair.run(2000);
    t.is(pair.a.role(), 'backup');
    t.is(pair.b.role(), 'primary');
    t.is(pair.b.view().epoch, 2);
    t.true(pair.a.standing.inStep);
  }
});

test('a primary whose backup died long ago does not fence itself when the gateway restarts', (t) => {
  const pair = witnessed();
  pair.powerOff(pair.b);
  pair.run(5000);
  pair.a.witness = false;
  pair.run(30_000);
  t.is(pair.a.role(), 'primary', texts(pair));
  t.is(pair.a.view().counters.leasesLost, 0);
  t.true(active(pair.a).includes('witness-lost'));
});

test('a witness that dies alone is discounted: both boxes hear each other over the LAN', (t) => {
  const pair = witnessed();
  pair.a.witness = false;
  pair.b.witness = false;
  pair.run(8000);
  t.is(pair.a.view().witness.state, 'unknown', texts(pair));
  t.is(pair.b.view().witness.state, 'unknown');
  t.true(pair.a.view().readiness.ready, pair.a.view().readiness.why);
  pair.kill(pair.a);
  t.true(
    pair.run(500, () => pair.b.lease > pair.now) < 60,
    'a gateway that is off holds nobody back',
  );
  pair.b.witness = true;
  pair.run(1000);
  t.is(pair.b.view().witness.state, 'seen');
});

test('a witness that never answered counts for nothing', (t) => {
  const pair = started(1, { witnesses: [{ address: '192.0.2.99', by: 'icmp' }] });
  pair.a.witness = false;
  pair.b.witness = false;
  pair.run(3000);
  t.is(pair.b.view().witness.state, 'unknown');
  pair.kill(pair.a);
  t.true(pair.run(500, () => pair.b.lease > pair.now) < 60);
});

test('only the primary lost its witness, the LAN between the boxes works: handover by quality', (t) => {
  const pair = witnessed();
  pair.a.witness = false;
  pair.run(4000, () => pair.b.lease > pair.now);
  t.is(pair.b.role(), 'primary', texts(pair));
  t.is(pair.b.view().cause, 'lan-lost');
});

test('flap guard: held within a minute, after the third within ten minutes; a dead peer overrides', (t) => {
  const pair = witnessed();
  const swap = (from: Box): void => {
    from.witness = false;
    pair.run(5000);
    from.witness = true;
    pair.run(2000);
  };
  swap(pair.a);
  t.is(pair.b.role(), 'primary');
  pair.b.witness = false;
  pair.run(5000);
  t.is(pair.b.role(), 'primary', 'sooner than a minute after the first');
  t.true(active(pair.b).includes('flap-hold'), texts(pair));
  pair.b.witness = true;
  pair.run(60_000);
  t.false(active(pair.b).includes('flap-hold'));
  swap(pair.b);
  t.is(pair.a.role(), 'primary');
  pair.run(60_000);
  swap(pair.a);
  t.is(pair.b.role(), 'primary');
  pair.run(60_000);
  swap(pair.b);
  t.is(pair.b.role(), 'primary', 'the fourth within ten minutes is held');
  pair.kill(pair.b);
  pair.run(500);
  t.is(pair.a.role(), 'primary', 'nobody holds a dead box');
  t.deepEqual(pair.broken, []);
});

test('flap guard: a port without carrier is a dead face: held for two seconds only', (t) => {
  const pair = started();
  pair.setCarrier(pair.a, 'l', false);
  pair.run(500);
  pair.setCarrier(pair.a, 'l', true);
  pair.run(2000);
  t.is(pair.b.role(), 'primary');
  pair.setCarrier(pair.b, 'l', false);
  pair.run(1900);
  t.is(pair.b.role(), 'primary');
  pair.run(500);
  t.is(pair.a.role(), 'primary', texts(pair));
});

test('engine stuck: its own sentry drops the VIP, says so, ends the process; 400 ms', (t) => {
  for (let offset = 0; offset < 30; offset += 5) {
    const pair = started(offset);
    pair.run(offset);
    pair.a.engineStopped = true;
    const took = pair.run(2000, () => pair.b.lease > pair.now);
    t.true(took < 400, `took ${took} ms\n${texts(pair)}`);
    t.is(pair.b.view().cause, 'engine-stuck', texts(pair));
    t.is(pair.a.aborts, 1);
    t.deepEqual(pair.broken, []);
  }
});

test('engine stuck and nobody to take over: longer patience, then the box begins anew', (t) => {
  const pair = started();
  pair.powerOff(pair.b);
  pair.run(500);
  pair.a.engineStopped = true;
  pair.run(1000);
  t.is(pair.a.aborts, 0);
  pair.run(1500);
  t.is(pair.a.aborts, 1);
});

test('a sentry that was held up does not call its engine stuck', (t) => {
  const pair = started();
  pair.freeze(pair.a);
  pair.run(700);
  pair.thaw(pair.a);
  pair.run(1000);
  t.is(pair.a.aborts, 0, texts(pair));
});

test('fence: a peer that only fell silent is fenced before its VIP is taken', (t) => {
  const pair = started(1, { fence: true });
  pair.fence = (box) => {
    const peer = pair.other(box);
    pair.powerOff(peer);
    return { ok: true, text: '' };
  };
  // the residual case: hidden from each other on every path, both alive
  pair.apart = true;
  pair.filter = () => false;
  pair.cutX();
  pair.run(1000);
  t.is(pair.fences, 1, texts(pair));
  t.is(pair.b.role(), 'primary');
  t.is(pair.a.role(), 'off');
  t.deepEqual(pair.broken, []);
});

test('fence that fails or does not answer: nobody is promoted, alarm, tried again; operator decides', (t) => {
  for (const answer of [{ ok: false, text: 'relay: no route' }, undefined]) {
    const pair = started(1, { fence: true, fenceMs: 200 });
    pair.fence = () => answer;
    pair.powerOff(pair.a);
    pair.run(3000);
    t.not(pair.b.role(), 'primary');
    t.true(pair.fences > 1);
    t.true(active(pair.b).includes('fence-failed'), texts(pair));
    t.false(pair.b.orders.some((o) => o.kind === 'reign'));
  }
});

test('fence: not asked when the kernel said that the process is gone', (t) => {
  const pair = started(1, { fence: true });
  pair.kill(pair.a);
  pair.run(200);
  t.is(pair.b.role(), 'primary');
  t.is(pair.fences, 0);
});

test('resync and retire: answered with what was done', (t) => {
  const pair = started();
  pair.operator(pair.b, 1, { kind: 'resync' });
  pair.operator(pair.a, 2, { kind: 'resync' });
  t.deepEqual([pair.a.answers[0]?.ok, pair.b.answers[0]?.ok], [true, true]);
  t.is(pair.a.orders.at(-1)?.kind, 'resync');
  pair.operator(pair.a, 3, { kind: 'retire' });
  pair.run(100);
  t.true(pair.a.answers.at(-1)?.ok);
  t.is(pair.voice(), 'b', 'the goodbye of a sentry is enough');
});

test('flap guard: a port that shows neither witness nor peer is a dead face too', (t) => {
  const pair = witnessed();
  const dead = (box: Box, on: boolean): void => {
    box.witness = !on;
    pair.apart = on;
    pair.filter = (_from, path) => !on || path !== 'l';
  };
  dead(pair.a, true);
  pair.run(500);
  dead(pair.a, false);
  pair.run(2000);
  t.is(pair.b.role(), 'primary');
  dead(pair.b, true);
  pair.run(1900);
  t.is(pair.b.role(), 'primary', 'sooner than a minute after the first');
  t.true(active(pair.b).includes('flap-hold'));
  pair.run(700);
  t.is(pair.a.role(), 'primary', texts(pair));
});

test('a backup whose port was dead from its start is not fit, whoever asks', (t) => {
  const pair = witnessed();
  pair.kill(pair.b);
  pair.b.witness = false;
  pair.apart = true;
  pair.filter = (_from, path) => path !== 'l';
  pair.run(2000);
  pair.boot(pair.b);
  pair.run(2000);
  t.true(pair.b.standing.inStep, 'over the crossover everything is well');
  t.is(pair.b.view().witness.state, 'unknown');
  t.true(active(pair.b).includes('witness-lost'));
  pair.operator(pair.a, 1, { kind: 'switchover', force: false });
  pair.run(100);
  t.is(pair.a.answers.at(-1)?.ok, false);
  pair.cutX();
  pair.run(5000);
  t.is(pair.b.role(), 'backup', 'link case 6');
  pair.b.witness = true;
  pair.apart = false;
  pair.filter = () => true;
  pair.healX();
  pair.run(3000);
  t.is(pair.a.role(), 'primary');
  t.true(pair.a.view().readiness.ready, pair.a.view().readiness.why);
});

test('a witness that only the other box knows holds nobody back where the LAN showed the peer', (t) => {
  const pair = started(1, WITNESSED);
  pair.b.witness = false;
  pair.kill(pair.b);
  pair.run(1000);
  pair.boot(pair.b);
  pair.run(2000);
  t.is(pair.b.view().witness.state, 'unknown');
  pair.powerOff(pair.a);
  pair.run(1000);
  t.is(pair.b.role(), 'primary', texts(pair));
});

test('with a virtual MAC a frozen primary answers nothing: its lease is waited for', (t) => {
  const vrrp = { vrid: 51, priority: 200, intervalCs: 100, virtualMac: true };
  const pair = started(1, { vrrp });
  pair.deaf = true; // nobody answers for a frozen process
  pair.freeze(pair.a);
  const took = pair.run(3000, () => pair.b.lease > pair.now);
  t.true(took > 1400, `took ${took} ms: the frozen box might have spoken`);
  t.true(took < 2000, `took ${took} ms\n${texts(pair)} ${JSON.stringify(pair.b.view().phase)}`);
  pair.thaw(pair.a);
  pair.run(500);
  t.is(pair.a.role(), 'backup');
  t.deepEqual(
    pair.broken.filter((text) => /two leases/.test(text)),
    [],
  );

  const killed = started(1, { vrrp });
  killed.kill(killed.a);
  t.true(killed.run(500, () => killed.b.lease > killed.now) < 60, 'a kernel said that it is gone');
});

test('no witness, and the LAN did not show the peer before: silence proves nothing, unless somebody is seen', (t) => {
  for (const alive of [false, true]) {
    const pair = started();
    pair.filter = (_from, path) => path !== 'l';
    pair.apart = true;
    pair.run(1000);
    if (alive) {
      const bytes = arpRequest('02:00:00:00:00:77', '192.0.2.77', '192.0.2.78');
      pair.give(pair.b, { kind: 'frame', bytes });
    }
    pair.filter = () => false;
    pair.cutX();
    pair.run(3000);
    t.is(pair.b.role(), alive ? 'primary' : 'backup', texts(pair));
    if (!alive) t.true(active(pair.b).includes('not-eligible'));
  }
});

test('the LAN did not show the peer before, and then its kernel ended the stream: that proves silence', (t) => {
  const pair = started();
  pair.filter = (_from, path) => path !== 'l';
  pair.run(1000);
  pair.kill(pair.a);
  t.true(pair.run(500, () => pair.b.lease > pair.now) < 60, texts(pair));
});

test('an engine that reads its tables for long is not stuck when it has them', (t) => {
  const pair = new Pair();
  pair.boot(pair.a, 5000);
  pair.a.engineStopped = true;
  // the report comes before the count of the turn in which it was made
  pair.run(5030);
  pair.a.engineStopped = false;
  pair.run(500);
  t.is(pair.a.aborts, 0);
  pair.a.engineStopped = true;
  pair.run(2500);
  t.is(pair.a.aborts, 1, 'later it is');
});
