/** What Prometheus and load balancers are told. */

import test from 'ava';
import parse from 'parse-prometheus-text-format';
import type { BoxStatus } from '../../src/panel/monitor/box-status.ts';
import { FAMILIES, healthOf, metricsText } from '../../src/panel/telemetry/metrics.ts';
import { alarmOf, boxOf, daemonOf } from './status-scenes.ts';

type Read = {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly metrics: readonly {
    readonly value?: string;
    readonly labels?: { readonly [name: string]: string };
    readonly buckets?: { readonly [le: string]: string };
    readonly count?: string;
    readonly sum?: string;
  }[];
};

function read(status: BoxStatus): ReadonlyMap<string, Read> {
  return new Map((parse(metricsText(status)) as Read[]).map((f) => [f.name, f]));
}

function value(f: Read | undefined, labels: { readonly [name: string]: string } = {}): number {
  const found = f?.metrics.find((m) =>
    Object.entries(labels).every(([name, of]) => m.labels?.[name] === of),
  );
  return Number(found?.value);
}

test('every family is read back by a parser that is not ours', (t) => {
  const families = read(boxOf({ alarms: [alarmOf({ subject: 'a "b" \\ c\nd' })] }));
  for (const { name, type } of FAMILIES) {
    if (name === 'sipair_disk_rows_bytes_total') continue;
    t.is(families.get(name)?.type, type.toUpperCase(), name);
    t.true((families.get(name)?.help.length ?? 0) > 5);
  }
  t.is(value(families.get('sipair_sip_events_total'), { event: 'callsTried' }), 5_000_000_000);
  t.is(value(families.get('sipair_role'), { role: 'primary' }), 1);
  t.is(value(families.get('sipair_role'), { role: 'backup' }), 0);
  t.is(value(families.get('sipair_lag_records')), 3);
  t.is(value(families.get('sipair_alarm'), { code: 'crossover-down' }), 1);
  t.is(value(families.get('sipair_alarms'), { severity: 'major' }), 1);
  t.is(value(families.get('sipair_temperature_celsius')), 48.5);
  t.is(value(families.get('sipair_clock_offset_seconds')), -0.00025);
  t.is(families.get('sipair_info')?.metrics[0]?.labels?.['name'], 'Käfertal');
});

test('buckets are added up, as a histogram wants them', (t) => {
  const daemon = daemonOf({ ackLatency: { '<1ms': 30, '<2ms': 9, '<5ms': 2, more: 1, sum: 420 } });
  const f = read(boxOf({ daemon })).get('sipair_ack_latency_seconds');
  const { buckets, count, sum } = f?.metrics[0] ?? {};
  t.is(buckets?.['0.001'], '30');
  t.is(buckets?.['0.002'], '39');
  t.is(buckets?.['0.25'], '41');
  t.is(buckets?.['+Inf'], '42');
  t.is(count, '42');
  t.is(sum, '0.42');
});

test('names are Prometheus’ own, and each is there once', (t) => {
  const names = FAMILIES.map((f) => f.name);
  t.is(new Set(names).size, names.length);
  for (const { name, type } of FAMILIES) {
    t.regex(name, /^sipair_[a-z][a-z0-9_]*$/);
    t.is(name.endsWith('_total'), type === 'counter', name);
  }
});

test('a service that is silent has no numbers, and says so', (t) => {
  const families = read(boxOf({ daemon: undefined, phase: 'down' }));
  t.is(value(families.get('sipair_service_up')), 0);
  t.is(families.get('sipair_calls'), undefined);
  t.is(families.get('sipair_sip_events_total'), undefined);
  t.is(value(families.get('sipair_phase'), { phase: 'down' }), 1);
  t.is(value(families.get('sipair_load1')), 0.42);
});

const backup = (over: object = {}): Partial<BoxStatus> => ({
  daemon: daemonOf({ role: 'backup', ...over }),
});

const HEALTH: readonly (readonly [string, Partial<BoxStatus>, string, 200 | 503])[] = [
  ['primary', {}, '', 200],
  ['primary alone', { daemon: daemonOf({ inStep: false, peer: undefined }) }, '', 200],
  ['backup in step', backup(), '', 200],
  ['backup out of step', backup({ inStep: false }), '', 503],
  ['starting', { daemon: daemonOf({ role: 'starting' }) }, '', 503],
  ['no service', { daemon: undefined, phase: 'down' }, '', 503],
  ['engine stuck', { daemon: daemonOf({ engineRole: 'does not answer' }) }, '', 503],
  ['primary wanted and found', {}, 'primary', 200],
  ['primary wanted, backup found', backup(), 'primary', 503],
  ['backup wanted and found', backup(), 'backup', 200],
];

for (const [name, over, role, code] of HEALTH) {
  test(`health: ${name} is ${code}`, (t) => {
    const answer = healthOf(boxOf(over), role);
    t.is(answer.code, code);
    t.is(answer.body.ok, code === 200);
    t.is(answer.body.why === '', code === 200);
  });
}
