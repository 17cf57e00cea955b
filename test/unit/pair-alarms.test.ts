/** An alarm is over when its condition is, and one that comes and goes does not flood log and history. */

import test from 'ava';
import { Alarms } from '../../src/pair/alarms.ts';
import { started } from './pair-harness.ts';

const WORDS = 'the other box is heard over the crossover, but not over the service LAN';

test('a condition that comes and goes every 25 ms for a minute is a few lines and one memory', (t) => {
  const alarms = new Alarms();
  alarms.raise('vip-conflict', 'another one', 0, 1);
  alarms.clear('vip-conflict', 1);
  let lines = 0;
  for (let now = 0; now < 60_000; now += 50) {
    lines += Number(alarms.raise('lan-path-down', WORDS, now, 1));
    lines += Number(alarms.clear('lan-path-down', now + 25));
  }
  t.true(lines > 1 && lines <= 14, `${lines} lines`);
  const { active, over } = alarms.view();
  t.deepEqual(active, []);
  t.deepEqual(
    over.map((o) => o.code),
    ['vip-conflict', 'lan-path-down'],
  );
  t.like(over[1], { raisedAt: 0, clearedAt: 59_975 });
});

test('one that comes back and stays is said, and so is its end', (t) => {
  const alarms = new Alarms();
  t.true(alarms.raise('lan-path-down', WORDS, 0, 1));
  t.true(alarms.clear('lan-path-down', 100));
  const said: number[] = [];
  for (let now = 200; now < 100_000; now += 25) {
    if (alarms.raise('lan-path-down', WORDS, now, 1)) said.push(now);
  }
  t.deepEqual(said, [10_000, 70_000]);
  t.true(alarms.clear('lan-path-down', 100_000));
});

test('other words, and what happened in a later reign, are news', (t) => {
  const alarms = new Alarms();
  t.true(alarms.raise('fenced', 'the lease ended', 0, 1));
  t.true(alarms.clear('fenced', 10));
  t.true(alarms.raise('fenced', 'no carrier', 20, 2));
  t.true(alarms.clear('fenced', 30));
  t.is(alarms.view().over.length, 2);
});

test('a VIP that was lost with the lease and claimed anew is no longer held', (t) => {
  const pair = started(1);
  pair.kill(pair.b);
  pair.run(2000);
  pair.a.failClaims = 8;
  pair.a.vipUntil = 0; // the device went away
  pair.run(20_000);
  t.is(pair.a.role(), 'primary');
  t.true(pair.a.view().counters.leasesLost > 0, 'the renewals failed until the lease was over');
  const codes = pair.a.view().alarms.active.map((a) => a.code);
  t.false(codes.includes('vip-held'), codes.join());
  t.true(pair.a.view().alarms.over.some((a) => a.code === 'vip-held'));
});

test('a box that starts is not heard on one path only', (t) => {
  const pair = started(1);
  pair.run(3000);
  for (let i = 0; i < 3; i += 1) {
    pair.kill(pair.b);
    pair.run(500);
    pair.boot(pair.b);
    pair.run(1000);
  }
  const said = (): string[] =>
    pair.logs.filter((l) => /lan-path-down/.test(l.text)).map((l) => l.text);
  t.deepEqual(said(), []);
  pair.filter = (_from, path) => path !== 'l';
  pair.run(300);
  t.is(said().length, 2, 'both boxes see it when it is so');
});
