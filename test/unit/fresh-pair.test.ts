/**
 * What a person sees at a new pair: nothing is an alarm that is only a beginning, and nothing that stays
 * wrong is kept back.
 */

import test from 'ava';
import type { DaemonStatus, Health, SystemState } from '../../src/panel/monitor/box-status.ts';
import { Bench, codes, DAEMON, HEALTH, SYSTEM } from './monitor-kit.ts';

/** A machine that has just booted, and whose time server does not answer. */
const BUSY: Health = {
  ...HEALTH,
  uptimeS: 30,
  load1: 9,
  certificate: {},
  clock: { synchronised: false, source: 'none' },
  ports: [],
};
const CALM: Health = { ...BUSY, uptimeS: 1000, load1: 0.3 };

/** Out of its carton: the agent is there, and knows nothing. */
const CARTON: SystemState = {
  paired: false,
  revision: { number: 0 },
  peer: { reachable: false, revision: -1, release: '' },
  image: {},
  upgrade: {},
  applying: { step: 'settled' },
  alarms: [],
};

type PairAlarm = DaemonStatus['alarms']['active'][number];

function alarm(code: PairAlarm['code'], raisedAt: number): PairAlarm {
  return { code, severity: 'major', text: code, epoch: 1, raisedAt, clearedAt: undefined };
}

function carton(): Bench {
  const bench = new Bench();
  bench.say({ kind: 'configured', configured: false, name: '' });
  bench.daemon = undefined;
  bench.system = CARTON;
  bench.health = BUSY;
  return bench;
}

/** What a daemon says in the first seconds of a pair, all that can be at once. */
function coming(bench: Bench, upMs: number): DaemonStatus {
  const raisedAt = bench.mono;
  const active = (['not-protected', 'crossover-down', 'lan-path-down'] as const).map((code) =>
    alarm(code, raisedAt),
  );
  return {
    ...DAEMON,
    upMs,
    inStep: false,
    peer: undefined,
    engineRole: 'does not answer',
    alarms: { active, over: [] },
  };
}

/** So many seconds of a daemon. */
function serve(bench: Bench, from: number, seconds: number, says: (upMs: number) => DaemonStatus) {
  let status = bench.say({ kind: 'tick' });
  for (let s = 0; s < seconds; s += 1) {
    bench.daemon = says(1000 * (from + s));
    status = bench.run(1000);
  }
  return status;
}

test('a box that waits for the wizard has no alarm, however long it waits', (t) => {
  const bench = carton();
  t.deepEqual(codes(bench.run(120_000)), []);
  bench.health = CALM;
  const status = bench.run(3_600_000);
  t.deepEqual(codes(status), []);
  t.is(status.phase, 'unconfigured');
  t.deepEqual(status.leds.status, { colour: 'green', blink: '1hz' });
  t.is(status.leds.alarm.colour, 'off');
  t.deepEqual(bench.told(), ['phase']);
});

/** The agents do not find each other to be a pair. */
function otherKeys(at: number) {
  return { code: 'system-link', severity: 'major', text: 'other keys', at } as const;
}

test('from the wizard to a pair in step: no alarm on the way, and none but the time server after', (t) => {
  const bench = carton();
  bench.run(600_000);
  // it knows who it is, and its key is made
  bench.system = { ...CARTON, identity: { box: 'a' } };
  t.deepEqual(codes(bench.run(60_000)), []);
  bench.system = {
    ...CARTON,
    identity: { box: 'a' },
    paired: true,
    alarms: [otherKeys(bench.utc)],
  };
  t.deepEqual(codes(bench.run(3000)), []);
  // revision 1: the service is started, which takes its time
  bench.system = { ...SYSTEM, revision: { number: 1 }, peer: { reachable: true, revision: 1 } };
  bench.say({ kind: 'configured', configured: true, name: 'north-a' });
  const starts = bench.run(20_000);
  t.is(starts.phase, 'booting');
  t.deepEqual(codes(starts), []);
  t.deepEqual(starts.leds.status, { colour: 'green', blink: '1hz' });

  bench.health = CALM;
  t.deepEqual(codes(serve(bench, 0, 20, (upMs) => coming(bench, upMs))), []);
  const late = { '<250ms': 7, more: 2 };
  const young = serve(bench, 20, 10, (upMs) => ({ ...DAEMON, upMs, lateness: late }));
  t.deepEqual(codes(young), []);
  t.deepEqual(young.leds.ha, { colour: 'green', blink: 'steady' });
  const old = serve(bench, 30, 900, (upMs) => ({ ...DAEMON, upMs, lateness: late }));
  t.deepEqual(
    old.alarms.map((a) => `${a.code} ${a.severity}`),
    ['clock-unsynchronised warning'],
  );
  t.deepEqual(old.history, []);
});

test('an alarm that came and went while the pair came together is in no history', (t) => {
  const bench = carton();
  bench.system = SYSTEM;
  bench.say({ kind: 'configured', configured: true, name: 'north-a' });
  bench.run(1000);
  bench.daemon = { ...DAEMON, upMs: 4000, inStep: false };
  bench.run(1000);
  const over = [{ ...alarm('not-protected', bench.mono + 10), clearedAt: bench.mono + 400 }];
  bench.daemon = { ...DAEMON, upMs: 6000, inStep: false, alarms: { active: [], over } };
  t.deepEqual(bench.run(2000).history, []);
});

test('what stays wrong is told: the other box does not come', (t) => {
  const bench = new Bench();
  bench.health = CALM;
  t.deepEqual(codes(serve(bench, 0, 30, (upMs) => coming(bench, upMs))), []);
  const status = serve(bench, 30, 5, (upMs) => coming(bench, upMs));
  t.deepEqual(codes(status).sort(), [
    'crossover-down',
    'engine-silent',
    'lan-path-down',
    'not-protected',
  ]);
});

test('a pair that was in step has lost it: told at once, however young it is', (t) => {
  const bench = new Bench();
  serve(bench, 0, 5, (upMs) => ({ ...DAEMON, upMs }));
  const lost = (upMs: number): DaemonStatus => ({ ...coming(bench, upMs), engineRole: 'primary' });
  t.true(codes(serve(bench, 5, 1, lost)).includes('not-protected'));
  // it begins anew, alone as before: what was told is not taken back in between
  bench.told();
  serve(bench, 0, 10, lost);
  t.deepEqual(bench.told(), []);
});

test('the service does not come: down, in its own time', (t) => {
  const bench = carton();
  bench.run(600_000);
  bench.system = SYSTEM;
  bench.say({ kind: 'configured', configured: true, name: 'north-a' });
  t.is(bench.run(60_000).phase, 'booting');
  t.deepEqual(codes(bench.run(60_000)), ['service-down']);
});

test('a service that has only begun is silent for seconds: it starts; one that dies for good is down', (t) => {
  const bench = carton();
  bench.run(600_000);
  bench.system = SYSTEM;
  bench.health = CALM;
  bench.say({ kind: 'configured', configured: true, name: 'north-a' });
  bench.run(10_000);
  serve(bench, 0, 3, (upMs) => ({ ...DAEMON, upMs, inStep: false }));
  bench.daemon = undefined;
  const silent = bench.run(8000);
  t.is(silent.phase, 'booting');
  t.deepEqual(codes(silent), []);
  serve(bench, 11, 2, (upMs) => ({ ...DAEMON, upMs, inStep: false }));
  // it falls again and again: that is no start any more
  for (let i = 0; i < 8; i += 1) {
    bench.daemon = undefined;
    bench.run(9000);
    serve(bench, 0, 2, (upMs) => ({ ...DAEMON, upMs, inStep: false }));
  }
  bench.daemon = undefined;
  const dead = bench.run(3000);
  t.is(dead.phase, 'down');
  t.deepEqual(codes(dead), ['service-down']);
});

test('a configured box without its key waits for pairing: that is no service that is down', (t) => {
  const bench = new Bench();
  bench.daemon = undefined;
  bench.system = { ...SYSTEM, paired: false };
  const status = bench.run(600_000);
  t.is(status.phase, 'unconfigured');
  t.deepEqual(codes(status), []);
  // paired again: it may start now
  bench.system = SYSTEM;
  t.is(bench.run(30_000).phase, 'booting');
});

test('later on nothing is kept back: late runs, load, keys that stay different', (t) => {
  const bench = new Bench();
  bench.run(2000);
  bench.daemon = { ...DAEMON, lateness: { '<250ms': 1, more: 0 } };
  bench.health = { ...HEALTH, load1: 9 };
  bench.system = { ...SYSTEM, alarms: [otherKeys(bench.utc)] };
  t.deepEqual(codes(bench.run(2000)), ['run-late']);
  t.deepEqual(codes(bench.run(57_000)).sort(), ['run-late', 'system-link']);
  t.true(codes(bench.run(5000)).includes('load-high'));
});
