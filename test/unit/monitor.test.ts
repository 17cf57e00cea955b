/** The monitor: phases, changes, alarms of all sources, and what it remembers over its own death. */

import test from 'ava';
import { HISTORY, linesOf, readAlarmLog } from '../../src/panel/monitor/alarm-log.ts';
import { BOX_ALARMS, type BoxAlarmCode } from '../../src/panel/monitor/box-alarms.ts';
import type { DaemonStatus, Health, SystemState } from '../../src/panel/monitor/box-status.ts';
import { Bench, codes, DAEMON, DAY, HEALTH, SYSTEM, UTC } from './monitor-kit.ts';

test('a pair in good health: no alarm, and the lamps say so', (t) => {
  const bench = new Bench();
  const status = bench.run(120_000);
  t.is(status.phase, 'running');
  t.deepEqual(codes(status), []);
  t.is(status.box, 'a');
  t.is(status.name, 'berlin-1');
  t.deepEqual(status.leds.ha, { colour: 'green', blink: 'steady' });
  t.deepEqual(status.leds.alarm.colour, 'off');
  t.deepEqual(bench.told(), ['phase']);
});

test('the service dies and comes back: red at once, one alarm, and the story is told', (t) => {
  const bench = new Bench();
  bench.run(5000);
  bench.told();
  bench.daemon = undefined;
  t.is(bench.run(500).phase, 'running', 'one question may be lost');
  const down = bench.run(1000);
  t.is(down.phase, 'down');
  t.deepEqual(down.leds.status, { colour: 'red', blink: 'steady' });
  t.is(down.leds.ha.colour, 'off');
  t.deepEqual(codes(down), ['service-down']);
  t.deepEqual(bench.told(), ['phase', 'role-change', 'out-of-step', 'alarm-raised service-down']);
  bench.daemon = { ...DAEMON, role: 'backup', cause: undefined };
  const back = bench.run(5000);
  t.deepEqual(codes(back), []);
  t.deepEqual(back.leds.ha, { colour: 'green', blink: 'double' });
  t.deepEqual(bench.told(), ['phase', 'role-change', 'in-step', 'alarm-cleared service-down']);
  t.is(back.history.at(-1)?.code, 'service-down');
});

test('a service that is slow is not down: only a question without an answer tells', (t) => {
  const bench = new Bench();
  bench.run(5000);
  bench.told();
  bench.mono += 1900;
  bench.utc += 1900;
  t.is(bench.say({ kind: 'tick' }).phase, 'running');
  t.is(bench.say({ kind: 'daemon', answer: undefined }).phase, 'down');
  t.is(bench.say({ kind: 'daemon', answer: DAEMON }).phase, 'running');
});

test('phases of a start: booting, unconfigured, and down after patience', (t) => {
  const boot = new Bench();
  boot.daemon = undefined;
  t.is(boot.run(5000).phase, 'booting');
  t.is(boot.run(100_000).phase, 'down');

  const fresh = new Bench();
  fresh.daemon = undefined;
  fresh.system = { ...SYSTEM, paired: false, revision: { number: 0 } };
  fresh.say({ kind: 'configured', configured: false, name: '' });
  const waits = fresh.run(200_000);
  t.is(waits.phase, 'unconfigured');
  t.deepEqual(codes(waits), []);
  t.is(waits.leds.ha.colour, 'off');

  const update = new Bench();
  update.system = { ...SYSTEM, upgrade: { step: 'install' } };
  const status = update.run(1000);
  t.is(status.phase, 'updating');
  t.deepEqual(status.leds.status, { colour: 'amber', blink: '2hz' });

  const restart = new Bench();
  restart.run(2000);
  restart.daemon = undefined;
  restart.system = { ...SYSTEM, applying: { step: 'restart' } };
  t.is(restart.run(5000).phase, 'booting', 'restarted on purpose');
  t.is(restart.run(30_000).phase, 'down', 'but not for ever');
});

const HA: readonly (readonly [string, Partial<DaemonStatus>, string])[] = [
  ['alone', { inStep: false, peer: undefined }, 'amber steady'],
  ['resyncing', { inStep: false }, 'amber 1hz'],
  ['a start', { role: 'starting', inStep: false, peer: undefined }, 'amber steady'],
  ['conflict', { alarms: { active: [pair('vip-conflict')], over: [] } }, 'red 4hz'],
  ['fenced', { role: 'starting', alarms: { active: [pair('fenced')], over: [] } }, 'red 4hz'],
];

function pair(
  code: 'vip-conflict' | 'fenced' | 'not-protected',
  times: { raisedAt?: number; clearedAt?: number } = {},
): DaemonStatus['alarms']['active'][number] {
  return {
    code,
    severity: 'critical',
    text: code,
    epoch: 5,
    raisedAt: times.raisedAt ?? 1_000_000,
    clearedAt: times.clearedAt,
  };
}

for (const [name, daemon, lamp] of HA) {
  test(`HA lamp: ${name}`, (t) => {
    const bench = new Bench();
    bench.daemon = { ...DAEMON, ...daemon };
    const { colour, blink } = bench.run(1000).leds.ha;
    t.is(`${colour} ${blink}`, lamp);
  });
}

test('HA is off while the box is not paired', (t) => {
  const bench = new Bench();
  bench.system = { ...SYSTEM, paired: false };
  t.is(bench.run(1000).leds.ha.colour, 'off');
});

test('links, peer and configuration: each change is told once', (t) => {
  const bench = new Bench();
  bench.run(2000);
  bench.told();
  const seen = { x: false, l: true };
  bench.daemon = { ...DAEMON, inStep: false, peer: { ...DAEMON.peer!, seen } };
  bench.run(3000);
  t.deepEqual(bench.told(), ['link-lost', 'out-of-step']);
  bench.daemon = { ...DAEMON, inStep: false, peer: undefined };
  bench.run(3000);
  t.deepEqual(bench.told(), ['peer-lost', 'link-lost']);
  bench.daemon = DAEMON;
  bench.system = { ...SYSTEM, revision: { number: 8, by: 'admin' }, peer: { reachable: false } };
  bench.run(3000);
  t.deepEqual(bench.told(), ['peer-back', 'link-back', 'link-back', 'in-step', 'configuration']);
});

test('alarms of the pair keep their moment and epoch; one that was missed is told too', (t) => {
  const bench = new Bench();
  bench.run(2000);
  bench.told();
  const raisedAt = bench.mono - 200;
  bench.daemon = { ...DAEMON, alarms: { active: [pair('not-protected', { raisedAt })], over: [] } };
  const raised = bench.run(500).alarms[0];
  t.like(raised, { code: 'not-protected', source: 'pair', epoch: 5, severity: 'critical' });
  t.is(raised?.raisedAt, bench.utc - 700);
  const over = [pair('not-protected', { raisedAt, clearedAt: bench.mono + 100 })];
  bench.daemon = { ...DAEMON, alarms: { active: [], over } };
  t.is(bench.run(2000).alarms.length, 1, 'it may come again');
  t.is(bench.run(3000).alarms.length, 0);
  t.deepEqual(bench.told(), ['alarm-raised not-protected', 'alarm-cleared not-protected']);
  const short = pair('fenced', { raisedAt: bench.mono + 10, clearedAt: bench.mono + 20 });
  bench.daemon = { ...DAEMON, alarms: { active: [], over: [...over, short] } };
  bench.run(2000);
  t.deepEqual(bench.told(), ['alarm-raised fenced', 'alarm-cleared fenced']);
});

test('alarms of trunks and of the agent are in the same book', (t) => {
  const bench = new Bench();
  const alarms = [{ code: 'trunk-out-of-service', severity: 'major' }] as const;
  const trunk = {
    trunk: 'provider',
    calls: 0,
    inService: false,
    registration: 'none',
    contacts: [],
  };
  bench.daemon = {
    ...DAEMON,
    trunks: [{ ...trunk, alarms }] as unknown as DaemonStatus['trunks'] & {},
  };
  const commit = { code: 'commit-lost', severity: 'minor', text: 'kept as 9', at: UTC } as const;
  bench.system = { ...SYSTEM, alarms: [commit] };
  t.deepEqual(codes(bench.run(1000)), ['trunk-out-of-service provider', 'commit-lost']);
  bench.daemon = DAEMON;
  bench.system = SYSTEM;
  t.deepEqual(codes(bench.run(5000)), []);
});

/** For every row of the table: what raises it (and nothing else), as long as it needs. */
const RAISED: { readonly [code in BoxAlarmCode]: (bench: Bench) => void } = {
  'service-down': (b) => {
    b.daemon = undefined;
  },
  'engine-silent': daemonSays({ engineRole: 'does not answer' }),
  'agent-down': (b) => {
    b.system = undefined;
  },
  'disk-fails': daemonSays({ disk: 'stalls' }),
  'cdr-backlog': daemonSays({ cdrWaiting: 12 }),
  'media-exhausted': daemonSays({ mediaFull: 1 }),
  overload: daemonSays({ counters: { callsOverload: 9 } }),
  'run-late': daemonSays({ lateness: { '<250ms': 0, more: 1 } }),
  capacity: daemonSays({ connections: 16_500 }),
  'capacity-full': daemonSays({ connections: 19_900 }),
  'config-unconfirmed': systemSays({ revision: { number: 7, confirmBy: UTC + DAY } }),
  'config-differs': systemSays({ peer: { reachable: true, revision: 6 } }),
  'image-unconfirmed': systemSays({ image: { slot: 'B', confirmed: false } }),
  'update-failed': systemSays({ upgrade: { failed: 'the bundle is signed by a stranger' } }),
  'release-differs': daemonSays({ peerRelease: 'sipair 0.0.9' }),
  'temperature-high': healthSays({ temperatureC: 86 }),
  'temperature-critical': healthSays({ temperatureC: 97 }),
  'memory-low': healthSays({ memory: { totalBytes: 100, availableBytes: 9 } }),
  'storage-low': storageSays({ totalBytes: 100, freeBytes: 19 }),
  'storage-full': storageSays({ totalBytes: 100, freeBytes: 4 }),
  'storage-read-only': storageSays({ readOnly: true }),
  'storage-wear': storageSays({ wearPercent: 80 }),
  'storage-worn': storageSays({ wearPercent: 95 }),
  'load-high': healthSays({ load1: 5 }),
  'clock-unsynchronised': healthSays({ clock: { synchronised: false, source: 'none' } }),
  'certificate-expires': healthSays({ certificate: { notAfter: UTC + 20 * DAY } }),
  'certificate-soon': healthSays({ certificate: { notAfter: UTC + 5 * DAY } }),
  'certificate-expired': healthSays({ certificate: { notAfter: UTC - DAY } }),
  'certificate-unusable': healthSays({ certificate: { fault: 'the key is another one' } }),
};

/** The graver one stands beside the lesser one of the same thing. */
const BESIDE: { readonly [code: string]: readonly string[] } = {
  'capacity-full': ['capacity'],
  'temperature-critical': ['temperature-high'],
  'storage-full': ['storage-low'],
  'storage-worn': ['storage-wear'],
};

function daemonSays(part: Partial<DaemonStatus>): (b: Bench) => void {
  return (b) => {
    b.daemon = { ...DAEMON, ...part };
  };
}
function systemSays(part: Partial<SystemState>): (b: Bench) => void {
  return (b) => {
    b.system = { ...SYSTEM, ...part };
  };
}
function healthSays(part: Partial<Health>): (b: Bench) => void {
  return (b) => {
    b.health = { ...HEALTH, ...part };
  };
}
function storageSays(part: Partial<Health['storage']>): (b: Bench) => void {
  return healthSays({ storage: { ...HEALTH.storage, ...part } });
}

/** The last thing, or growth of a counter, is remembered for a minute. */
const SETTLE_MS = 5 * 60_000;

for (const code of Object.keys(BOX_ALARMS) as BoxAlarmCode[]) {
  test(`alarm ${code}: raised after its time, over after its time, once each`, (t) => {
    const bench = new Bench();
    // growth is seen against what was before
    bench.daemon = { ...DAEMON, mediaFull: 0 };
    bench.run(2000);
    bench.told();
    RAISED[code](bench);
    const { afterMs, severity } = BOX_ALARMS[code];
    if (afterMs >= 2000) t.false(codes(bench.run(afterMs - 1000)).some((c) => c.startsWith(code)));
    // the lesser one may take longer
    const status = bench.run(code in BESIDE ? 30_000 : 8000);
    const active = new Set(status.alarms.map((a) => a.code));
    t.deepEqual(active, new Set([code, ...(BESIDE[code] ?? [])]));
    t.is(status.alarms.find((a) => a.code === code)?.severity, severity);
    bench.daemon = DAEMON;
    bench.system = SYSTEM;
    bench.health = HEALTH;
    t.deepEqual(codes(bench.run(SETTLE_MS)), []);
    const told = bench.told().filter((line) => line.endsWith(` ${code}`));
    t.deepEqual(told, [`alarm-raised ${code}`, `alarm-cleared ${code}`]);
  });
}

test('every alarm has words for people, in their width', (t) => {
  for (const [code, { about, cure }] of Object.entries(BOX_ALARMS)) {
    t.regex(code, /^[a-z]+(-[a-z]+)*$/);
    t.true(about.length > 4 && about.length < 110, about);
    t.true(cure.length > 4 && cure.length < 240, cure);
  }
});

test('a value that swings around its threshold is one alarm', (t) => {
  const bench = new Bench();
  bench.run(1000);
  bench.told();
  for (let i = 0; i < 200; i += 1) {
    bench.health = { ...HEALTH, temperatureC: i % 2 === 0 ? 86 : 84 };
    bench.run(500);
  }
  // 84 is below 85, and over only below 78; before it lasted, it was not raised
  bench.health = { ...HEALTH, temperatureC: 86 };
  bench.run(30_000);
  for (let i = 0; i < 200; i += 1) {
    bench.health = { ...HEALTH, temperatureC: i % 2 === 0 ? 86 : 79 };
    bench.run(500);
  }
  t.deepEqual(bench.told(), ['alarm-raised temperature-high']);
});

test('capacity, certificate and wear are changes of their own', (t) => {
  const bench = new Bench();
  bench.run(1000);
  bench.changes.length = 0;
  bench.daemon = { ...DAEMON, registrations: 8500 };
  bench.health = {
    ...HEALTH,
    certificate: { notAfter: UTC + 5 * DAY + 60_000 },
    storage: { ...HEALTH.storage, wearPercent: 81 },
  };
  bench.run(8000);
  const found = (kind: string) => bench.changes.find((c) => c.kind === kind);
  t.like(found('capacity'), { what: 'registrations', used: 8500, limit: 10_000 });
  t.like(found('certificate'), { daysLeft: 5 });
  t.like(found('wear'), { percent: 81 });
});

test('locate: all lamps blink until its time is over, or it is taken back', (t) => {
  const bench = new Bench();
  bench.run(1000);
  bench.say({ kind: 'locate', forMs: 10_000 });
  t.is(bench.run(9000).leds.power.blink, '2hz');
  t.is(bench.run(1500).leds.power.blink, 'steady');
  bench.say({ kind: 'locate', forMs: 10_000 });
  t.is(bench.say({ kind: 'locate', forMs: 0 }).locate, undefined);
});

test('a monitor that dies goes on with the alarms of the file, whatever is in its last line', (t) => {
  const before = new Bench();
  before.health = { ...HEALTH, temperatureC: 90 };
  before.daemon = { ...DAEMON, disk: 'fails' };
  before.run(40_000);
  before.daemon = DAEMON;
  before.run(10_000);
  const file = linesOf(before.monitor.kept());
  const torn = `${file}\nnot json\n{"id":99,"code":"x"}\n${file.slice(0, 40)}`;
  const kept = readAlarmLog(torn);
  t.deepEqual([kept.active.length, kept.history.length, kept.nextId], [1, 1, 3]);

  const after = new Bench(kept);
  after.health = { ...HEALTH, temperatureC: 90 };
  const status = after.run(5000);
  t.deepEqual(status.alarms, before.monitor.kept().active);
  t.deepEqual(
    after.told().filter((line) => line.startsWith('alarm')),
    [],
    'it is not new',
  );
  // what is no more, is over now
  const cooled = new Bench(kept);
  t.deepEqual(codes(cooled.run(70_000)), []);
  t.true(cooled.told().includes('alarm-cleared temperature-high'));
});

test('the file of alarms has an end, and ids go on', (t) => {
  const record = (id: number) => ({
    id,
    code: 'fenced',
    subject: '',
    severity: 'critical' as const,
    text: 'x',
    source: 'pair' as const,
    raisedAt: id,
    clearedAt: id + 1,
    epoch: 1,
  });
  const history = Array.from({ length: HISTORY + 50 }, (_, i) => record(i + 1));
  const kept = readAlarmLog(linesOf({ active: [], history }));
  t.is(kept.history.length, HISTORY);
  t.is(kept.history[0]?.id, 51);
  t.is(kept.nextId, HISTORY + 51);
});
