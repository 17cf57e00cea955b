/**
 * The state of the box for Prometheus, as text (exposition format 0.0.4), and for load balancers as yes or
 * no. Families are data: name, type, help, and the samples that the state gives.
 */

import { LATENESS_MS } from '../../pair/lateness.ts';
import type { BoxStatus, DaemonStatus } from '../monitor/box-status.ts';
import { PHASES, SEVERITIES } from '../monitor/box-status.ts';

type Labels = { readonly [name: string]: string };
type Sample = { readonly labels?: Labels; readonly value: number; readonly suffix?: string };

export type Family = {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  readonly of: (status: BoxStatus) => readonly Sample[];
};

const ROLES = ['starting', 'backup', 'promoting', 'primary', 'resigning'] as const;
const PATHS = { x: 'crossover', l: 'lan' } as const;

/** One sample, or none for what is not known. */
function one(value: number | boolean | undefined, labels?: Labels): readonly Sample[] {
  if (value === undefined) return [];
  return [{ value: Number(value), ...(labels === undefined ? {} : { labels }) }];
}

function gauge(
  name: string,
  help: string,
  of: (status: BoxStatus) => number | boolean | undefined,
): Family {
  return { name: `sipair_${name}`, type: 'gauge', help, of: (s) => one(of(s)) };
}

function counter(name: string, help: string, of: (s: BoxStatus) => number | undefined): Family {
  return { name: `sipair_${name}_total`, type: 'counter', help, of: (s) => one(of(s)) };
}

function perPath(
  name: string,
  help: string,
  of: (d: DaemonStatus, path: 'x' | 'l') => boolean,
): Family {
  return {
    name: `sipair_${name}`,
    type: 'gauge',
    help,
    of: ({ daemon }) =>
      daemon === undefined
        ? []
        : (['x', 'l'] as const).flatMap((p) => one(of(daemon, p), { path: PATHS[p] })),
  };
}

type View = { readonly [bucket: string]: number } | undefined;

/** Buckets that are not added up, as the daemon has them, to such that are. */
function buckets(view: View): readonly Sample[] {
  if (view === undefined) return [];
  let all = 0;
  const samples = LATENESS_MS.map((ms): Sample => {
    all += view[`<${ms}ms`] ?? 0;
    return { suffix: '_bucket', labels: { le: `${ms / 1000}` }, value: all };
  });
  all += view['more'] ?? 0;
  return [
    ...samples,
    { suffix: '_bucket', labels: { le: '+Inf' }, value: all },
    { suffix: '_sum', value: (view['sum'] ?? 0) / 1000 },
    { suffix: '_count', value: all },
  ];
}

function histogram(name: string, help: string, of: (d: DaemonStatus) => View): Family {
  return {
    name: `sipair_${name}_seconds`,
    type: 'histogram',
    help,
    of: ({ daemon }) => (daemon === undefined ? [] : buckets(of(daemon))),
  };
}

/** Not a counter: the greatest that was seen. */
const GREATEST = 'longestStallMs';

function events(name: string, help: string, of: (d: DaemonStatus) => View): Family {
  return {
    name: `sipair_${name}_events_total`,
    type: 'counter',
    help,
    of: ({ daemon }) =>
      Object.entries(daemon === undefined ? {} : (of(daemon) ?? {}))
        .filter(([event]) => event !== GREATEST)
        .flatMap(([event, n]) => one(n, { event })),
  };
}

const PAIR: readonly Family[] = [
  {
    name: 'sipair_info',
    type: 'gauge',
    help: 'Which box this is and what it runs; always 1.',
    of: ({ box, name, release, daemon }) =>
      one(1, {
        box: box ?? '',
        name,
        release: daemon?.release ?? release,
        peer_release: daemon?.peerRelease ?? '',
        vip: daemon?.vip ?? '',
      }),
  },
  gauge('service_up', 'The service answers.', (s) => s.daemon !== undefined),
  {
    name: 'sipair_phase',
    type: 'gauge',
    help: 'The phase of the box: 1 for the one it is in.',
    of: ({ phase }) => PHASES.flatMap((p) => one(p === phase, { phase: p })),
  },
  {
    name: 'sipair_role',
    type: 'gauge',
    help: 'The role of the box: 1 for the one it has.',
    of: ({ daemon }) => ROLES.flatMap((r) => one(daemon?.role === r, { role: r })),
  },
  gauge('epoch', 'Number of the reign.', (s) => s.daemon?.epoch),
  gauge('in_step', 'Both boxes have the same state: calls are protected.', (s) => s.daemon?.inStep),
  gauge('ready', 'The roles may change without loss.', (s) => s.daemon?.readiness.ready),
  gauge('lag_records', 'Records the backup did not acknowledge, or this backup lacks.', lag),
  gauge('uptime_seconds', 'How long the service has run.', (s) => maybe(s.daemon?.upMs, 1000)),
  perPath('carrier', 'The port has a carrier.', (d, p) => d.carrier[p]),
  perPath('peer_seen', 'The other box is heard that way.', (d, p) => d.peer?.seen[p] === true),
  gauge('change_duration_seconds', 'How long the last takeover of this box took.', (s) =>
    maybe(s.daemon?.lastSwitchover?.tookMs, 1000),
  ),
  gauge(
    'automatic_changes',
    'Switchovers nobody asked for, lately.',
    (s) => s.daemon?.automaticLately,
  ),
  gauge('longest_stall_seconds', 'The longest time the sentry was not run.', (s) =>
    maybe(s.daemon?.pairCounters[GREATEST], 1000),
  ),
  histogram('ack_latency', 'How long the backup took to acknowledge.', (d) => d.ackLatency),
  histogram('sentry_lateness', 'How late the sentry was run.', (d) => d.lateness),
  events('pair', 'What the pair counts.', (d) => d.pairCounters),
  {
    name: 'sipair_alarm',
    type: 'gauge',
    help: 'An active alarm; always 1.',
    of: ({ alarms }) =>
      alarms.flatMap(({ code, subject, severity }) => one(1, { code, subject, severity })),
  },
  {
    name: 'sipair_alarms',
    type: 'gauge',
    help: 'Active alarms by severity.',
    of: ({ alarms }) =>
      SEVERITIES.flatMap((severity) =>
        one(alarms.filter((a) => a.severity === severity).length, { severity }),
      ),
  },
];

const CALLS: readonly Family[] = [
  gauge('calls', 'Calls that exist.', (s) => s.daemon?.calls),
  gauge('calls_established', 'Of these, answered.', (s) => s.daemon?.established),
  gauge('registrations', 'Registered contacts.', (s) => s.daemon?.registrations),
  gauge('connections', 'Connections of phones and trunks.', (s) => s.daemon?.connections),
  gauge('held_answers', 'Answers that wait for the other box or the disk.', (s) => s.daemon?.held),
  gauge('program_sessions', 'Programs that have a session.', (s) => s.daemon?.programs?.sessions),
  gauge(
    'program_sessions_away',
    'Of these, without a connection.',
    (s) => s.daemon?.programs?.away,
  ),
  gauge('program_monitors', 'What programs watch.', (s) => s.daemon?.programs?.monitors),
  events('sip', 'What SIP counts, by the names of the status.', (d) => d.counters),
  {
    name: 'sipair_trunk_in_service',
    type: 'gauge',
    help: 'A contact of the trunk serves.',
    of: ({ daemon }) =>
      (daemon?.trunks ?? []).flatMap(({ trunk, inService }) => one(inService, { trunk })),
  },
  {
    name: 'sipair_trunk_calls',
    type: 'gauge',
    help: 'Calls by the trunk.',
    of: ({ daemon }) => (daemon?.trunks ?? []).flatMap(({ trunk, calls }) => one(calls, { trunk })),
  },
  counter('disk_rows_bytes', 'Bytes of rows given to the disk.', (s) => s.daemon?.diskBytes),
];

const MACHINE: readonly Family[] = [
  gauge('temperature_celsius', 'The hottest sensor.', ({ health }) => health.temperatureC),
  gauge('memory_bytes', 'Memory.', ({ health }) => health.memory.totalBytes),
  gauge(
    'memory_available_bytes',
    'Memory that programs can have.',
    ({ health }) => health.memory.availableBytes,
  ),
  gauge('load1', 'Load of the last minute.', ({ health }) => health.load1),
  gauge('processors', 'Processors.', ({ health }) => health.processors),
  gauge('storage_bytes', 'The data partition.', ({ health }) => health.storage.totalBytes),
  gauge('storage_free_bytes', 'Of it, free.', ({ health }) => health.storage.freeBytes),
  gauge('storage_read_only', 'It can only be read.', ({ health }) => health.storage.readOnly),
  gauge('storage_wear_ratio', 'Used of the life its maker promises.', ({ health }) =>
    maybe(health.storage.wearPercent, 100),
  ),
  counter(
    'storage_written_bytes',
    'Written to the medium since the machine was started.',
    ({ health }) => health.storage.writtenBytes,
  ),
  gauge(
    'certificate_expiry_timestamp_seconds',
    'When the certificate of SIP over TLS ends.',
    ({ health }) => maybe(health.certificate.notAfter, 1000),
  ),
  gauge(
    'clock_synchronised',
    'The clock follows a time server.',
    ({ health }) => health.clock.synchronised,
  ),
  gauge('clock_offset_seconds', 'How far the clock is off.', ({ health }) =>
    maybe(health.clock.offsetMs, 1000),
  ),
  gauge(
    'configuration_revision',
    'The active configuration.',
    ({ system }) => system?.revision?.number,
  ),
];

export const FAMILIES: readonly Family[] = [...PAIR, ...CALLS, ...MACHINE];

function maybe(value: number | undefined, divisor: number): number | undefined {
  return value === undefined ? undefined : value / divisor;
}

function lag({ daemon }: BoxStatus): number | undefined {
  return daemon === undefined ? undefined : lagOfDaemon(daemon);
}

/** Records that the backup does not have yet. */
export function lagOfDaemon(d: DaemonStatus): number | undefined {
  if (d.role === 'primary') {
    return d.ackedLsn === undefined || !d.inStep ? undefined : d.lsn - d.ackedLsn;
  }
  return d.peer === undefined ? undefined : Math.max(0, d.peer.lsn - d.lsn);
}

function labelText(labels: Labels | undefined): string {
  if (labels === undefined) return '';
  const escaped = (value: string): string =>
    value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `{${pairs.join(',')}}`;
}

/** A family without a sample is left out. */
export function metricsText(status: BoxStatus): string {
  const lines: string[] = [];
  for (const { name, type, help, of } of FAMILIES) {
    const samples = of(status);
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { labels, value, suffix } of samples) {
      lines.push(`${name}${suffix ?? ''}${labelText(labels)} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

// ── health ─────────────────────────────────────────────────────────────────────────────────────

export type HealthAnswer = {
  readonly code: 200 | 503;
  readonly body: {
    readonly ok: boolean;
    readonly why: string;
    readonly box: string;
    readonly role: string;
    readonly epoch: number;
    readonly inStep: boolean;
    readonly ready: boolean;
    readonly alarms: number;
  };
};

/**
 * Fine is a primary, alone or not, and a backup that is in step. `role`: and only in that role, for load
 * balancers that look for the primary.
 */
export function healthOf({ phase, box, daemon, alarms }: BoxStatus, role: string): HealthAnswer {
  const why = whyNot(phase, daemon, role);
  return {
    code: why === '' ? 200 : 503,
    body: {
      ok: why === '',
      why,
      box: box ?? '',
      role: daemon?.role ?? 'none',
      epoch: daemon?.epoch ?? 0,
      inStep: daemon?.inStep === true,
      ready: daemon?.readiness.ready === true,
      alarms: alarms.length,
    },
  };
}

function whyNot(phase: string, daemon: DaemonStatus | undefined, role: string): string {
  if (daemon === undefined) return `the service does not answer: ${phase}`;
  if (daemon.engineRole === 'does not answer') return 'its engine does not answer';
  if (role !== '' && daemon.role !== role) return `it is ${daemon.role}, not ${role}`;
  if (daemon.role === 'primary') return '';
  if (daemon.role !== 'backup') return `it is ${daemon.role}`;
  if (daemon.inStep) return '';
  return daemon.readiness.why === '' ? 'it is out of step' : `out of step: ${daemon.readiness.why}`;
}
