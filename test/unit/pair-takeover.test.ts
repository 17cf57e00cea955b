import test from 'ava';
import { encodeHeartbeat, type Heartbeat } from '../../src/wire/heartbeat.ts';
import { heartbeatOf } from './heartbeat-of.ts';
import { KEY, MAC, Pair, settingsOf, started, VIP } from './pair-harness.ts';

function texts(pair: Pair): string {
  return pair.logs.map((l) => `${l.at.toFixed(1)} ${l.box} ${l.text}`).join('\n');
}

test('cold start of two new boxes: a begins, b follows, both come in step', (t) => {
  const pair = started();
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.role(), 'backup');
  t.is(pair.a.view().epoch, 1);
  t.is(pair.a.view().cause, 'cold-start');
  t.is(pair.cache, MAC.a);
  t.true(pair.a.view().readiness.ready, pair.a.view().readiness.why);
  t.true(pair.b.view().readiness.ready, pair.b.view().readiness.why);
  t.deepEqual(pair.b.view().peer?.seen, { x: true, l: true });
  t.true(pair.now < 1000, `took ${pair.now} ms`);
  t.deepEqual(pair.broken, []);
});

test('cold start the other way round: b first, and long before a; a new box waits', (t) => {
  const pair = new Pair();
  pair.boot(pair.b);
  pair.run(5000);
  t.is(pair.b.role(), 'starting');
  t.regex(pair.b.view().readiness.why, /never paired/);
  pair.boot(pair.a);
  pair.run(1000);
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.role(), 'backup');
});

test('cold start: higher epoch goes first, then higher position', (t) => {
  for (const [epochB, lsnB, winner] of [
    [5, 10, 'b'],
    [4, 11, 'b'],
    [4, 10, 'a'],
    [4, 9, 'a'],
    [3, 99, 'a'],
  ] as const) {
    const pair = new Pair();
    Object.assign(pair.a.disk, { epoch: 4, lsn: 10, fresh: false });
    Object.assign(pair.b.disk, { epoch: epochB, lsn: lsnB, fresh: false });
    pair.boot(pair.a);
    pair.boot(pair.b, 60);
    pair.run(1000);
    t.is(pair.voice(), winner, `b at ${epochB}/${lsnB}`);
    const box = winner === 'a' ? pair.a : pair.b;
    t.is(box.view().epoch, Math.max(4, epochB) + 1);
  }
});

test('alone at boot: the last primary promotes after the hold, the last backup waits', (t) => {
  const pair = new Pair();
  Object.assign(pair.a.disk, { epoch: 4, lsn: 10, fresh: false, wasPrimary: true });
  pair.boot(pair.a);
  pair.run(990);
  t.is(pair.a.role(), 'starting');
  pair.run(100);
  t.is(pair.a.role(), 'primary');

  const lone = new Pair();
  Object.assign(lone.b.disk, { epoch: 4, lsn: 10, fresh: false });
  lone.boot(lone.b);
  lone.run(10_000);
  t.is(lone.b.role(), 'starting');
  lone.operator(lone.b, 7, { kind: 'promote' });
  lone.run(100);
  t.is(lone.b.role(), 'primary');
  t.is(lone.b.view().cause, 'operator');
  t.true(lone.b.answers[0]?.ok);
});

test('kill -9: the backup has the VIP within 50 ms, at any moment of the heartbeat', (t) => {
  for (let offset = 0; offset < 30; offset += 1) {
    const pair = started(offset);
    pair.run(offset);
    pair.latency = () => 0.2 + 3 * pair.random();
    const at = pair.now;
    pair.kill(pair.a);
    const took = pair.run(500, () => pair.b.lease > pair.now);
    t.is(pair.b.role(), 'primary', texts(pair));
    t.true(took < 50, `took ${took} ms`);
    t.is(pair.b.view().epoch, 2);
    t.is(pair.b.view().cause, 'peer-closed');
    t.deepEqual(
      pair.b.orders.slice(-2).map((o) => o.kind),
      ['reign', 'speak'],
    );
    t.is(pair.cache, MAC.b);
    t.true(pair.b.view().lastSwitchover!.suspectedAt - at < 4);
    t.deepEqual(pair.broken, []);
  }
});

test('both forms of gratuitous ARP go out with the claim and along the burst', (t) => {
  const pair = started();
  pair.kill(pair.a);
  pair.run(500, () => pair.b.lease > pair.now);
  const claimed = pair.now;
  pair.garps = [];
  pair.run(61_500);
  const at = pair.garps.map((g) => `${Math.round((g.at - claimed) / 10) * 10} ${g.op}`);
  t.deepEqual(
    at,
    [50, 150, 400, 1000, 61_000].flatMap((ms) => [`${ms} request`, `${ms} reply`]),
  );
});

test('power off: silence on both paths and a silent VIP, within 250 ms', (t) => {
  for (let offset = 0; offset < 30; offset += 3) {
    const pair = started(offset);
    pair.run(offset);
    pair.powerOff(pair.a);
    const took = pair.run(1000, () => pair.b.lease > pair.now);
    t.true(took > 87, `took ${took} ms: not before four were missed`);
    t.true(took < 250, `took ${took} ms`);
    t.is(pair.b.view().cause, 'peer-silent');
    t.deepEqual(pair.broken, []);
  }
});

test('the old primary returns and follows: no preemption', (t) => {
  const pair = started();
  pair.kill(pair.a);
  pair.run(100);
  pair.boot(pair.a);
  pair.run(3000);
  t.is(pair.b.role(), 'primary');
  t.is(pair.a.role(), 'backup');
  t.true(pair.b.standing.inStep);
  t.is(pair.b.view().epoch, 2);
  pair.kill(pair.b);
  t.true(pair.run(500, () => pair.a.lease > pair.now) < 50);
  t.is(pair.a.view().epoch, 3);
});

test('link case 2, crossover cut: roles stay, the backup is stale, later in step again', (t) => {
  const pair = started();
  pair.cutX();
  pair.run(5000);
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.role(), 'backup');
  t.false(pair.a.view().readiness.ready);
  t.regex(pair.b.view().readiness.why, /went on without/);
  t.deepEqual(pair.b.view().peer?.seen, { x: false, l: true });

  // dead now: a stale box never takes over
  pair.powerOff(pair.a);
  pair.run(5000);
  t.is(pair.b.role(), 'backup');
  t.true(pair.logs.some((l) => l.box === 'b' && /must not take over/.test(l.text)));
  pair.boot(pair.a);
  pair.run(3000);
  t.is(pair.a.role(), 'primary');
  pair.healX();
  pair.run(500);
  t.true(pair.b.view().readiness.ready, texts(pair));
  t.deepEqual(pair.broken, []);
});

test('link case 3, LAN of the backup cut: never promoted, even when the primary dies', (t) => {
  const pair = started();
  pair.setCarrier(pair.b, 'l', false);
  pair.run(2000);
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.role(), 'backup');
  pair.kill(pair.a);
  pair.run(5000);
  t.is(pair.b.role(), 'backup');
  pair.setCarrier(pair.b, 'l', true);
  pair.run(200);
  t.is(pair.b.role(), 'primary');
});

test('link closed while the primary lives (the stream broke): stays backup', (t) => {
  const pair = started();
  pair.give(pair.b, { kind: 'report', report: { kind: 'link-closed' } });
  pair.run(2000);
  t.is(pair.b.role(), 'backup');
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.view().counters.falseAlarms, 1);
  t.false(pair.b.orders.some((o) => o.kind === 'reign'));
});

test('link closed, queries lost on one way, primary lives: late heartbeats are life', (t) => {
  // two questions and their waits are longer than a heartbeat's interval
  const pair = started(1, { probeMs: 15 });
  pair.filter = (from) => from !== 'b';
  pair.deaf = true; // even the VIP does not help
  pair.give(pair.b, { kind: 'report', report: { kind: 'link-closed' } });
  pair.run(150);
  t.is(pair.b.role(), 'backup', texts(pair));
  t.false(pair.b.orders.some((o) => o.kind === 'reign'));
});

test('a heartbeat that was under way when the primary died delays, but does not cancel', (t) => {
  for (const late of [0.5, 5, 9, 12, 18]) {
    const pair = started();
    const held = pair.tape.length;
    pair.filter = () => false;
    pair.run(25);
    pair.filter = () => true;
    const frames = pair.tape.slice(held).filter((f) => f.from === 'a');
    pair.kill(pair.a);
    pair.after(late, () => {
      for (const f of frames.slice(0, 2)) {
        pair.give(pair.b, { kind: 'heartbeat', path: f.path, bytes: f.bytes });
      }
    });
    const took = pair.run(500, () => pair.b.lease > pair.now);
    t.is(pair.b.role(), 'primary', texts(pair));
    t.true(took < (late < 10 ? 50 : 70), `${late}: took ${took} ms`);
  }
});

test('link case 8, both cut for heartbeats but the VIP answers: no takeover, an alarm', (t) => {
  const pair = started();
  pair.filter = () => false;
  pair.setCarrier(pair.a, 'x', false);
  pair.setCarrier(pair.b, 'x', false);
  pair.run(10_000);
  t.is(pair.a.role(), 'primary');
  t.is(pair.b.role(), 'backup');
  t.is(pair.voice(), 'a');
  t.true(pair.logs.some((l) => l.box === 'b' && /alarm: .*still answered/.test(l.text)));
  t.deepEqual(pair.broken, []);
  pair.filter = () => true;
  pair.run(200);
  t.is(pair.b.view().phase, 'following');
});

test('frozen primary: its address ends by itself, then the backup has it; thawed it follows', (t) => {
  const pair = started();
  pair.run(123);
  pair.freeze(pair.a);
  const took = pair.run(5000, () => pair.b.lease > pair.now);
  t.true(took < 2500, `took ${took} ms`);
  pair.run(3000);
  const garps = pair.garps.length;
  const orders = pair.a.orders.length;
  pair.thaw(pair.a);
  pair.run(2000);
  t.is(pair.a.role(), 'backup');
  t.is(pair.b.role(), 'primary');
  t.is(pair.voice(), 'b');
  t.deepEqual(
    pair.a.orders.slice(orders).map((o) => o.kind),
    ['follow'],
  );
  t.is(pair.garps.slice(garps).filter((g) => g.mac === MAC.a).length, 0);
  t.is(pair.a.view().counters.leasesLost, 1);
  t.deepEqual(pair.broken, []);
});

test('frozen for less than the lease: nothing happens; for less than the lifetime: no lost box', (t) => {
  const short = started();
  short.freeze(short.a);
  short.run(900);
  short.thaw(short.a);
  short.run(1000);
  t.is(short.a.role(), 'primary', texts(short));
  t.is(short.b.role(), 'backup');
  t.is(short.a.view().epoch, 1);

  const middle = started();
  middle.freeze(middle.a);
  middle.run(1850);
  middle.thaw(middle.a);
  middle.run(2000);
  t.not(middle.voice(), 'none', texts(middle));
  t.deepEqual([middle.a.role(), middle.b.role()].sort(), ['backup', 'primary']);
  t.deepEqual(middle.broken, []);
});

test('replay, reflection, forgery, wrong path and rubbish are counted and move nothing', (t) => {
  const pair = started();
  const fromA = pair.tape.filter((f) => f.from === 'a');
  const fromB = pair.tape.filter((f) => f.from === 'b');
  pair.kill(pair.a);
  pair.run(200);
  pair.give(pair.b, { kind: 'tick' });
  const before = pair.b.view();
  const sane = { ...before, refused: undefined, counters: undefined };
  for (const f of fromA) pair.give(pair.b, { kind: 'heartbeat', path: f.path, bytes: f.bytes });
  for (const f of fromB) pair.give(pair.b, { kind: 'heartbeat', path: f.path, bytes: f.bytes });
  const forged = Uint8Array.from(fromA.at(-1)!.bytes);
  forged[20]! ^= 1;
  pair.give(pair.b, { kind: 'heartbeat', path: 'x', bytes: forged });
  pair.give(pair.b, { kind: 'heartbeat', path: 'l', bytes: new Uint8Array(12) });
  const wrong = fromA.find((f) => f.path === 'x')!;
  pair.give(pair.b, { kind: 'heartbeat', path: 'l', bytes: wrong.bytes });
  const after = pair.b.view();
  t.deepEqual({ ...after, refused: undefined, counters: undefined }, sane);
  const more = (reason: string): number =>
    (after.refused[reason] ?? 0) - (before.refused[reason] ?? 0);
  t.is(more('replayed'), fromA.length);
  t.is(more('reflected'), fromB.length);
  t.is(more('heartbeat-forged'), 1);
  t.is(more('heartbeat-length'), 1);
  t.is(more('wrong-path'), 1);
});

test('a recording of an earlier life does not become the peer, before or after our own restart', (t) => {
  const pair = started();
  const first = pair.tape.filter((f) => f.from === 'a');
  pair.kill(pair.a);
  pair.run(200);
  pair.boot(pair.a);
  pair.run(500);
  const replay = (): void => {
    for (const f of first) pair.give(pair.b, { kind: 'heartbeat', path: f.path, bytes: f.bytes });
  };
  replay();
  pair.run(200);
  t.is(pair.b.view().peer?.role, 'backup');
  t.is(pair.b.role(), 'primary');

  // a restarts into recordings of a "primary" while the real one is off
  const reign = pair.tape.filter((f) => f.from === 'b').slice(-100);
  pair.powerOff(pair.b);
  pair.run(1000);
  t.is(pair.a.role(), 'primary');
  pair.kill(pair.a);
  pair.boot(pair.a);
  pair.run(100);
  for (const f of reign) pair.give(pair.a, { kind: 'heartbeat', path: f.path, bytes: f.bytes });
  t.is(pair.a.role(), 'starting');
  t.is(pair.a.view().peer, undefined);
  t.true((pair.a.view().refused['stranger'] ?? 0) > 0);
  pair.run(2000);
  t.is(pair.a.role(), 'primary');
});

/** A heartbeat as another primary would send it, adopted because it continues box b's numbers. */
function rival(pair: Pair, change: Partial<Heartbeat>): void {
  const last = pair.tape.filter((f) => f.from === 'b').at(-1)!;
  const view = new DataView(last.bytes.buffer);
  const boot = Buffer.from(last.bytes.subarray(8, 16)).toString('hex');
  const h = heartbeatOf({
    role: 'primary',
    inStep: false,
    peerStale: true,
    alone: true,
    chain: 0,
    boot,
    sequence: view.getUint32(16, true) + 1,
    ...change,
  });
  pair.powerOff(pair.b);
  pair.give(pair.a, { kind: 'heartbeat', path: 'x', bytes: encodeHeartbeat(h, KEY) });
}

test('two primaries: the higher epoch keeps, the other drops at once and follows', (t) => {
  const loses = started();
  rival(loses, { epoch: 2 });
  t.is(loses.a.role(), 'backup');
  t.is(loses.a.lease, 0);
  t.deepEqual(loses.a.orders.at(-1), { kind: 'follow', epoch: 2 });
  loses.run(1);
  t.is(loses.a.vipUntil, 0);

  const keeps = started();
  keeps.garps = [];
  rival(keeps, { epoch: 0 });
  t.is(keeps.a.role(), 'primary');
  t.deepEqual(
    keeps.garps.map((g) => g.op),
    ['request', 'reply'],
  );
});

test('two primaries of one epoch: higher position, then lower box', (t) => {
  const ahead = started();
  rival(ahead, { lsn: 1 });
  t.is(ahead.a.role(), 'primary');
  const behind = started();
  rival(behind, { lsn: 1_000_000 });
  t.is(behind.a.role(), 'backup');
  const equal = started();
  rival(equal, { lsn: equal.a.standing.lsn + 1 });
  t.is(equal.a.role(), 'primary');
});

test('a stranger that announces our VIP is answered, at most once a second, with an alarm', async (t) => {
  const { arpAnnouncement } = await import('../../src/wire/arp.ts');
  const pair = started();
  pair.run(2000);
  pair.garps = [];
  const thief = arpAnnouncement('02:00:00:00:00:99', VIP);
  for (let i = 0; i < 5; i += 1) {
    pair.give(pair.a, { kind: 'frame', bytes: thief });
    pair.run(100);
  }
  t.is(pair.garps.length, 2);
  t.is(pair.a.view().counters.conflicts, 5);
  t.true(pair.logs.some((l) => /alarm: .*also claimed by 02:00:00:00:00:99/.test(l.text)));
});

test('claim fails: alarm, release, probe and claim again', (t) => {
  const pair = started();
  pair.b.failClaims = 3;
  pair.kill(pair.a);
  pair.run(1000);
  t.is(pair.b.role(), 'primary', texts(pair));
  t.is(pair.b.view().counters.claimsFailed, 3);
  t.is(pair.b.view().epoch, 2, 'the epoch was durable already');
  t.deepEqual(pair.broken, []);
});

test('renewals that fail: the lease ends before the address, the box steps down by itself', (t) => {
  const pair = started();
  pair.powerOff(pair.b);
  pair.run(300);
  pair.a.failClaims = 8;
  pair.a.vipUntil = 0; // the device went away
  pair.broken.length = 0;
  pair.run(1800);
  t.is(pair.a.view().counters.leasesLost, 1, texts(pair));
  pair.run(5000);
  t.is(pair.a.role(), 'primary', 'alone and last known primary: stands again');
  t.deepEqual(
    pair.a.orders.slice(-3).map((o) => o.kind),
    ['follow', 'reign', 'speak'],
    'the old voice is laid down before the new reign',
  );
});

test('link case 7: the isolated primary gives up its face before the backup takes it', (t) => {
  const pair = started();
  pair.setCarrier(pair.a, 'l', false);
  pair.cutX();
  pair.run(2000);
  t.is(pair.a.role(), 'starting', texts(pair));
  t.is(pair.b.role(), 'primary');
  t.true(pair.b.claims.at(-1)! > 0);
  pair.setCarrier(pair.a, 'l', true);
  pair.run(500);
  t.is(pair.a.role(), 'backup');
});

test('peerPairNow follows the newest heartbeat of a primary', (t) => {
  const pair = started();
  const sentry = pair.b.sentry!;
  const now = pair.now;
  const pairNow = sentry.peerPairNow(now);
  t.true(Math.abs((pairNow ?? 0) - (now + 5000)) < 2, `${pairNow} at ${now}`);
  t.is(sentry.peerPairNow(now + 1000), pairNow! + 1000);
});

test('the settings of the tests are lawful', async (t) => {
  const { settingsFault } = await import('../../src/pair/settings.ts');
  t.is(settingsFault(settingsOf('a')), undefined);
  t.regex(settingsFault({ ...settingsOf('a'), leaseMs: 2000 }) ?? '', /lease 2000 ms/);
  t.regex(settingsFault({ ...settingsOf('a'), renewMs: 600 }) ?? '', /renew/);
  t.regex(settingsFault({ ...settingsOf('a'), holdMs: 200 }) ?? '', /hold/);
  t.regex(settingsFault({ ...settingsOf('a'), key: new Uint8Array(16) }) ?? '', /key/);
  t.regex(settingsFault({ ...settingsOf('a'), vips: ['192.0.2.11'] }) ?? '', /differ/);
  t.regex(settingsFault({ ...settingsOf('a'), vips: ['192.0.2.300'] }) ?? '', /IPv4/);
});
