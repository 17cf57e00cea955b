import test from 'ava';
import { MAC, type Pair, started } from './pair-harness.ts';

function texts(pair: Pair): string {
  return pair.logs.map((l) => `${l.at.toFixed(1)} ${l.box} ${l.text}`).join('\n');
}

test('planned switchover: without a timer in the way', (t) => {
  const pair = started();
  const at = pair.now;
  pair.operator(pair.a, 5, { kind: 'switchover', force: false });
  const took = pair.run(500, () => pair.b.lease > pair.now);
  t.true(took < 20 + 2 * pair.engineMs, `took ${took} ms`);
  t.is(pair.b.view().cause, 'switchover');
  t.true(pair.b.view().lastSwitchover!.claimedAt - at < 20 + 2 * pair.engineMs);
  pair.run(500);
  t.is(pair.a.role(), 'backup');
  t.deepEqual(pair.a.answers, [{ id: 5, ok: true, text: 'box b is primary, epoch 2' }]);
  t.deepEqual(
    pair.a.orders.slice(-3).map((o) => o.kind),
    ['resign', 'hand-over', 'follow'],
  );
  t.is(pair.cache, MAC.b);
  t.deepEqual(pair.broken, []);

  // and back
  pair.operator(pair.b, 6, { kind: 'switchover', force: false });
  pair.run(200);
  t.is(pair.voice(), 'a');
  t.is(pair.a.view().epoch, 3);
});

test('switchover is refused with the reason', (t) => {
  const pair = started();
  pair.operator(pair.b, 1, { kind: 'switchover', force: false });
  t.false(pair.b.answers[0]?.ok);
  t.regex(pair.b.answers[0]?.text ?? '', /box a is the primary: ask it/);

  pair.cutX();
  pair.run(200);
  pair.operator(pair.a, 2, { kind: 'switchover', force: false });
  t.regex(pair.a.answers[0]?.text ?? '', /crossover link is down/);

  pair.kill(pair.b);
  pair.run(300);
  pair.operator(pair.a, 4, { kind: 'switchover', force: true });
  t.regex(pair.a.answers[1]?.text ?? '', /backup is not heard/);
  pair.operator(pair.a, 5, { kind: 'promote' });
  t.regex(pair.a.answers[2]?.text ?? '', /primary already/);
  t.is(pair.a.role(), 'primary');
});

test('switchover to a backup that fell out of step: refused, by force it is done', (t) => {
  const pair = started();
  pair.cutX();
  pair.run(500);
  pair.operator(pair.a, 1, { kind: 'switchover', force: false });
  t.regex(pair.a.answers[0]?.text ?? '', /crossover link is down/);
  pair.operator(pair.a, 2, { kind: 'switchover', force: true });
  const took = pair.run(500, () => pair.b.lease > pair.now);
  t.true(took < 100, `took ${took} ms`);
  pair.run(200);
  t.is(pair.b.role(), 'primary');
  t.is(pair.b.view().cause, 'operator');
  t.is(pair.a.role(), 'backup');
  t.true(pair.a.answers[1]?.ok, pair.a.answers[1]?.text);
  pair.healX();
  pair.run(1000);
  t.true(pair.a.standing.inStep);
  t.deepEqual(pair.broken, []);
});

test('switchover by force to a box that cannot serve: refused, or taken back', (t) => {
  const pair = started();
  pair.setCarrier(pair.b, 'l', false);
  pair.run(100);
  pair.operator(pair.a, 1, { kind: 'switchover', force: true });
  t.regex(pair.a.answers[0]?.text ?? '', /no carrier/);
  pair.setCarrier(pair.b, 'l', true);
  pair.cutX();
  pair.run(100);
  // it dies in this moment: what it said of itself is old
  pair.powerOff(pair.b);
  pair.operator(pair.a, 2, { kind: 'switchover', force: true });
  pair.run(2500);
  t.is(pair.a.role(), 'primary', 'nobody took it');
  t.false(pair.a.answers[1]?.ok);
});

test('switchover: the engine does not flush in a second: stays primary, lease unbroken', (t) => {
  const pair = started();
  pair.engineMs = 60_000;
  pair.operator(pair.a, 9, { kind: 'switchover', force: false });
  pair.run(990);
  t.is(pair.a.role(), 'resigning');
  pair.run(20);
  t.is(pair.a.role(), 'primary');
  t.false(pair.a.answers[0]?.ok);
  pair.run(5000);
  t.is(pair.voice(), 'a');
});

test('switchover: the goodbye is lost and the other does not take it: stands again', (t) => {
  const pair = started();
  pair.operator(pair.a, 9, { kind: 'switchover', force: false });
  pair.run(100, () => pair.a.view().phase === 'dropping');
  pair.powerOff(pair.b);
  pair.run(1200);
  t.is(pair.a.role(), 'primary', texts(pair));
  t.is(pair.a.view().epoch, 2);
  t.false(pair.a.answers[0]?.ok);
});
