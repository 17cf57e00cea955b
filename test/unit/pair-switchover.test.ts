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
  pair.operator(pair.a, 3, { kind: 'switchover', force: true });
  t.regex(pair.a.answers[0]?.text ?? '', /crossover link is down/);
  t.false(pair.a.answers[1]?.ok);

  pair.kill(pair.b);
  pair.run(300);
  pair.operator(pair.a, 4, { kind: 'switchover', force: true });
  t.regex(pair.a.answers[2]?.text ?? '', /backup is not heard/);
  pair.operator(pair.a, 5, { kind: 'promote' });
  t.regex(pair.a.answers[3]?.text ?? '', /primary already/);
  t.is(pair.a.role(), 'primary');
});

test('switchover to a backup that fell out of step: forced, the engine refuses, stays primary', (t) => {
  const pair = started();
  pair.a.standing.inStep = false;
  pair.operator(pair.a, 1, { kind: 'switchover', force: false });
  t.regex(pair.a.answers[0]?.text ?? '', /not in step/);
  pair.operator(pair.a, 2, { kind: 'switchover', force: true });
  pair.run(100);
  t.deepEqual(pair.a.answers[1], {
    id: 2,
    ok: false,
    text: 'switchover failed: the backup is not in step',
  });
  t.is(pair.a.role(), 'primary');
  t.is(pair.a.orders.at(-1)?.kind, 'stay');
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
