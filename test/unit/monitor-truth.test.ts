/** What the monitor must not say because it is not so, and what it must not keep to itself. */

import test from 'ava';
import { instancesNow } from '../../src/panel/mib/agent.ts';
import { standardInstances } from '../../src/panel/mib/standard.ts';
import type { Scene } from '../../src/panel/mib/terms.ts';
import type { AlarmRecord, DaemonStatus } from '../../src/panel/monitor/box-status.ts';
import { Bench, codes, DAEMON, HEALTH, SYSTEM, UTC } from './monitor-kit.ts';

function pair(code: 'vip-conflict', raisedAt: number): DaemonStatus['alarms']['active'][number] {
  return { code, severity: 'critical', text: code, epoch: 5, raisedAt, clearedAt: undefined };
}

type TrunkCode = 'trunk-out-of-service' | 'trunk-not-registered';

function trunks(names: readonly string[], alarms: readonly TrunkCode[]): Partial<DaemonStatus> {
  const rows = names.map((trunk) => ({
    trunk,
    calls: 0,
    inService: false,
    registration: 'none',
    alarms: alarms.map((code) => ({ code, severity: 'major' })),
    contacts: [],
  }));
  return { trunks: rows as unknown as DaemonStatus['trunks'] & {} };
}

test('a service that dies while an update is under way is down, whatever the lamp says', (t) => {
  const bench = new Bench();
  bench.run(2000);
  bench.system = { ...SYSTEM, upgrade: { step: 'installing' } };
  bench.run(2000);
  bench.told();
  bench.daemon = undefined;
  const status = bench.run(5000);
  t.is(status.phase, 'updating');
  t.deepEqual(codes(status), ['service-down']);
  t.is(status.leds.alarm.colour, 'red');
  t.deepEqual(bench.told(), ['role-change', 'out-of-step', 'alarm-raised service-down']);
});

test('a box that leaves for its new image has some minutes, and no more', (t) => {
  for (const step of ['leaving', 'reverting']) {
    const bench = new Bench();
    bench.run(2000);
    bench.told();
    bench.system = { ...SYSTEM, upgrade: { step } };
    bench.daemon = undefined;
    t.deepEqual(codes(bench.run(170_000)), [], step);
    t.deepEqual(bench.told(), ['phase', 'image']);
    t.deepEqual(codes(bench.run(20_000)), ['service-down'], step);
  }
});

test('many trunks in trouble leave room for what is worse', (t) => {
  const bench = new Bench();
  bench.run(2000);
  const names = Array.from({ length: 400 }, (_, i) => `t${i}`);
  const both = ['trunk-out-of-service', 'trunk-not-registered'] as const;
  const alarms = { active: [pair('vip-conflict', bench.mono)], over: [] };
  bench.daemon = { ...DAEMON, ...trunks(names, both) };
  const many = bench.run(2000).alarms.length;
  t.true(many >= 200 && many <= 400, `${many}`);
  bench.daemon = { ...bench.daemon, alarms };
  bench.health = { ...HEALTH, storage: { ...HEALTH.storage, readOnly: true } };
  const status = bench.run(30_000);
  const worst = status.alarms.filter((a) => a.severity === 'critical').map((a) => a.code);
  t.deepEqual(worst.sort(), ['storage-read-only', 'vip-conflict']);
  // a monitor that begins anew finds all of them
  const again = new Bench({ ...bench.monitor.kept(), nextId: 10_000 });
  t.is(again.run(0).alarms.length, status.alarms.length);
});

test('a trunk by the name of a limit is no limit', (t) => {
  const bench = new Bench();
  bench.run(2000);
  bench.told();
  bench.daemon = { ...DAEMON, ...trunks(['calls'], ['trunk-out-of-service']) };
  bench.run(2000);
  t.deepEqual(bench.told(), ['alarm-raised trunk-out-of-service']);
});

test('alarms of trunks are over when the service is down, and stay while only its engine is silent', (t) => {
  const bench = new Bench();
  bench.daemon = { ...DAEMON, ...trunks(['t1'], ['trunk-out-of-service']) };
  bench.run(2000);
  const { trunks: _, ...silent } = bench.daemon;
  bench.daemon = silent;
  t.deepEqual(codes(bench.run(20_000)), ['trunk-out-of-service t1']);
  bench.daemon = undefined;
  t.deepEqual(codes(bench.run(20_000)), ['service-down']);
});

test('a monitor that begins beside a service that has led for long tells no takeover', (t) => {
  const bench = new Bench();
  bench.daemon = { ...DAEMON, since: bench.mono - 1 };
  bench.run(2000);
  t.deepEqual(bench.told(), ['phase']);
  bench.daemon = { ...bench.daemon, role: 'backup', since: bench.mono };
  bench.run(2000);
  t.deepEqual(bench.told(), ['role-change']);
  // a service that was started after the monitor
  const young = new Bench();
  young.daemon = { ...DAEMON, since: young.mono + 100 };
  young.run(2000);
  t.deepEqual(young.told(), ['phase', 'role-change', 'in-step']);
});

test('locate ends in its time, whatever is done to the clock', (t) => {
  const bench = new Bench();
  bench.run(1000);
  bench.say({ kind: 'locate', forMs: 600_000 });
  bench.utc -= 86_400_000;
  const status = bench.run(500_000);
  t.true(Math.abs((status.locate?.until ?? 0) - (bench.utc + 100_000)) < 1000);
  t.is(bench.run(120_000).locate, undefined);
});

test('wear that cannot be told is neither raised nor over', (t) => {
  const worn: AlarmRecord = {
    id: 7,
    code: 'storage-worn',
    subject: '',
    severity: 'major',
    text: '96 % of the life of the storage is used',
    source: 'health',
    raisedAt: UTC - 1e9,
    epoch: 5,
  };
  const { wearPercent: _, ...storage } = HEALTH.storage;
  const bench = new Bench({ active: [worn], history: [], nextId: 8 });
  bench.health = { ...HEALTH, storage };
  t.deepEqual(codes(bench.run(60_000)), ['storage-worn']);
  bench.health = { ...HEALTH, storage: { ...storage, wearPercent: 96 } };
  t.deepEqual(codes(bench.run(1000)), ['storage-worn', 'storage-wear']);
  t.deepEqual(
    bench.told().filter((line) => line.includes('worn')),
    [],
  );
});

test('times of what is past are the same with every poll, however late an answer is read', (t) => {
  const bench = new Bench();
  bench.run(1000);
  const scene = (status: Scene['status']): Scene => ({
    status,
    upTimeAt: (mono) => (mono - 100_000) / 10,
    lanIfIndex: 2,
  });
  const seen = new Set<string>();
  for (let i = 0; i < 40; i += 1) {
    bench.mono += 517;
    bench.utc += 517 + (i % 3) * 20 - 20;
    const daemon = {
      ...DAEMON,
      upMs: Math.round(bench.mono - 900_000.4),
      monoNow: bench.mono - (i % 5) * 30,
      since: 950_000,
      lastSwitchover: { claimedAt: 949_000, cause: 'cold-start', epoch: 5, tookMs: 1 },
    } as unknown as DaemonStatus;
    bench.daemon = { ...daemon, upMs: Math.round((daemon.monoNow ?? 0) - 900_000.4) };
    bench.say({ kind: 'daemon', answer: bench.daemon });
    bench.mono += 7 * (i % 11);
    bench.utc += 7 * (i % 11);
    const now = scene(bench.say({ kind: 'tick' }));
    const standard = standardInstances(now);
    const at = (oid: string): unknown =>
      standard.find((v) => v.oid.join('.') === `1.3.6.1.2.1.149.1.${oid}`)?.value;
    const all = instancesNow(now);
    const dates = [3, 20].map((n) => all.get([1, 3, 6, 1, 4, 1, 32473, 1, 1, 2, n, 0])?.value);
    t.false(dates.includes(undefined));
    seen.add(JSON.stringify([at('3.1.1.6.1'), at('1.1.1.4.1'), dates]));
  }
  t.is(seen.size, 1, [...seen].join('\n'));
  // a service that was started anew, and a clock that was set
  bench.daemon = { ...(bench.daemon as DaemonStatus), upMs: 10 };
  const began = bench.say({ kind: 'daemon', answer: bench.daemon }).daemonTimes?.began;
  t.is(began, (bench.daemon.monoNow ?? 0) - 10);
  const before = bench.say({ kind: 'tick' }).daemonTimes?.zero ?? 0;
  bench.utc += 3_600_000;
  const after = bench.say({ kind: 'daemon', answer: bench.daemon }).daemonTimes?.zero ?? 0;
  t.true(Math.abs(after - before - 3_600_000) < 2000);
});
