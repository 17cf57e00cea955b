/** SIPAIR-MIB: the pair, the calls, alarms, lamps and the machine. See terms.ts for how it is read. */

import { LATENESS_MS } from '../../pair/lateness.ts';
import { LED_NAMES } from '../leds.ts';
import { PHASES } from '../monitor/box-status.ts';
import { PEN } from '../pen.ts';
import { lagOfDaemon } from '../telemetry/metrics.ts';
import { ALARM_TABLES } from './sipair-alarms.ts';
import { MACHINE, SOFTWARE } from './sipair-machine.ts';
import { NOTIFY } from './sipair-told.ts';
import { type Group, type Scene, table } from './terms.ts';
import {
  counter64,
  dateAndTime,
  gauge,
  integer,
  type Oid,
  type SnmpValue,
  text,
  ticks,
  truth,
} from './values.ts';

export const SIPAIR: Oid = [1, 3, 6, 1, 4, 1, PEN, 1];
export const SIPAIR_NOTIFICATIONS: Oid = [...SIPAIR, 0];
export const SIPAIR_OBJECTS: Oid = [...SIPAIR, 1];

/** Names as SMI allows them: letters and digits, 0 for what is not known. */
export function numbered(names: readonly string[]): { readonly [name: string]: number } {
  return Object.fromEntries(['unknown', ...names].map((name, i) => [camel(name), i]));
}

function camel(name: string): string {
  return name.replace(/[-.](\w)/g, (_, c: string) => c.toUpperCase()).replace(/^(\d)/, 'n$1');
}

export function namedValue(names: readonly string[], name: string | undefined): SnmpValue {
  return integer(name === undefined ? 0 : names.indexOf(name) + 1);
}

const ROLES = ['none', 'starting', 'backup', 'promoting', 'primary', 'resigning'] as const;
const GATES = ['open', 'peer', 'disk', 'shut'] as const;
const BOXES = ['a', 'b'] as const;
const STANDBY = ['hot-standby', 'warm-standby'] as const;
const COLOURS = ['off', 'green', 'amber', 'red'] as const;
const BLINKS = ['steady', '1hz', '2hz', '4hz', 'double'] as const;

export function roleValue(role: (typeof ROLES)[number]): SnmpValue {
  return namedValue(ROLES, role);
}

const daemon = ({ status }: Scene) => status.daemon;

/** Of a count of the engine; nothing while the daemon or its engine is silent. */
function count(
  scene: Scene,
  of: (d: NonNullable<ReturnType<typeof daemon>>) => number | undefined,
) {
  const d = daemon(scene);
  const n = d === undefined ? undefined : of(d);
  return n === undefined ? undefined : gauge(n);
}

/** UTC of a moment of the daemon's own clock. */
function utcOf({ status }: Scene, moment: number | undefined): SnmpValue | undefined {
  const now = status.daemon?.monoNow;
  if (now === undefined || moment === undefined) return undefined;
  return dateAndTime(status.at - (now - moment));
}

const BOX: Group = {
  name: 'sipairBox',
  number: 1,
  help: 'Which box this is and what it runs.',
  scalars: [
    {
      name: 'sipairBoxId',
      number: 1,
      syntax: { named: numbered(BOXES) },
      help: 'Which of the two boxes of the pair.',
      of: ({ status }) => namedValue(BOXES, status.box),
    },
    {
      name: 'sipairBoxName',
      number: 2,
      syntax: 'text',
      help: 'Its name in the configuration.',
      of: ({ status }) => text(status.name),
    },
    {
      name: 'sipairBoxPhase',
      number: 3,
      syntax: { named: numbered(PHASES) },
      help:
        'booting: the service has not answered yet. unconfigured: it has nothing to begin with. running: ' +
        'it answers. down: it should answer and does not. updating: an image is being installed.',
      of: ({ status }) => namedValue(PHASES, status.phase),
    },
    {
      name: 'sipairBoxRelease',
      number: 4,
      syntax: 'text',
      help: 'Name and version of the software that the service runs.',
      of: ({ status }) => text(status.daemon?.release ?? status.release),
    },
    {
      name: 'sipairBoxServiceUpTime',
      number: 5,
      syntax: 'ticks',
      help: 'How long the service has run.',
      of: (s) => (daemon(s) === undefined ? undefined : ticks((daemon(s)?.upMs ?? 0) / 10)),
    },
    {
      name: 'sipairBoxLocate',
      number: 6,
      syntax: 'truth',
      help: 'All lamps blink so that somebody finds the box.',
      of: ({ status }) => truth(status.locate !== undefined),
    },
    {
      name: 'sipairBoxServiceAnswers',
      number: 7,
      syntax: 'truth',
      help: 'The service answers. While it does not, most objects of the pair do not exist.',
      of: (s) => truth(daemon(s) !== undefined),
    },
  ],
  tables: [],
};

const PAIR: Group = {
  name: 'sipairPair',
  number: 2,
  help: 'The pair as this box sees it.',
  scalars: [
    {
      name: 'sipairPairRole',
      number: 1,
      syntax: { named: numbered(ROLES) },
      help:
        'none: the service does not answer. starting: looks for its peer. backup: follows. promoting: is ' +
        'about to lead. primary: serves the virtual address. resigning: hands over.',
      of: (s) => namedValue(ROLES, daemon(s)?.role ?? 'none'),
    },
    {
      name: 'sipairPairEpoch',
      number: 2,
      syntax: 'unsigned',
      help: 'Number of the reign; grows with every change of the primary.',
      of: (s) => count(s, (d) => d.epoch),
    },
    {
      name: 'sipairPairRoleSince',
      number: 3,
      syntax: 'date',
      help: 'When the role became what it is, as far as it was seen.',
      of: (s) => utcOf(s, daemon(s)?.since),
    },
    {
      name: 'sipairPairReady',
      number: 4,
      syntax: 'truth',
      help: 'The roles may change without loss.',
      of: (s) => (daemon(s) === undefined ? undefined : truth(daemon(s)?.readiness.ready === true)),
    },
    {
      name: 'sipairPairReadyWhy',
      number: 5,
      syntax: 'text',
      help: 'If not, why not.',
      of: (s) => (daemon(s) === undefined ? undefined : text(daemon(s)?.readiness.why ?? '')),
    },
    {
      name: 'sipairPairInStep',
      number: 6,
      syntax: 'truth',
      help: 'Both boxes have the same state: calls are protected.',
      of: (s) => (daemon(s) === undefined ? undefined : truth(daemon(s)?.inStep === true)),
    },
    {
      name: 'sipairPairStandby',
      number: 7,
      syntax: { named: numbered(STANDBY) },
      help: 'Hot: calls are mirrored. Warm: registrations are.',
      of: (s) => namedValue(STANDBY, daemon(s)?.redundancy),
    },
    {
      name: 'sipairPairVirtualAddress',
      number: 8,
      syntax: 'text',
      help: 'The first virtual address.',
      of: (s) => (daemon(s) === undefined ? undefined : text(daemon(s)?.vip ?? '')),
    },
    {
      name: 'sipairPairGate',
      number: 9,
      syntax: { named: numbered(GATES) },
      help: 'What answers wait for: nothing, the other box, the own disk; or none leave.',
      of: (s) => (daemon(s)?.gate === undefined ? undefined : namedValue(GATES, daemon(s)?.gate)),
    },
    {
      name: 'sipairPairLag',
      number: 10,
      syntax: 'gauge',
      units: 'records',
      help: 'Records of the primary that the backup has not acknowledged, or that this backup lacks.',
      of: (s) => {
        const d = daemon(s);
        const lag = d === undefined ? undefined : lagOfDaemon(d);
        return lag === undefined ? undefined : gauge(lag);
      },
    },
    {
      name: 'sipairPairCarrierLan',
      number: 11,
      syntax: 'truth',
      help: 'The port to the service LAN has a carrier.',
      of: (s) => (daemon(s) === undefined ? undefined : truth(daemon(s)?.carrier.l === true)),
    },
    {
      name: 'sipairPairCarrierCrossover',
      number: 12,
      syntax: 'truth',
      help: 'The port to the other box has a carrier.',
      of: (s) => (daemon(s) === undefined ? undefined : truth(daemon(s)?.carrier.x === true)),
    },
    {
      name: 'sipairPairPeerSeenLan',
      number: 13,
      syntax: 'truth',
      help: 'The other box is heard over the service LAN.',
      of: (s) => (daemon(s) === undefined ? undefined : truth(daemon(s)?.peer?.seen.l === true)),
    },
    {
      name: 'sipairPairPeerSeenCrossover',
      number: 14,
      syntax: 'truth',
      help: 'The other box is heard over the crossover.',
      of: (s) => (daemon(s) === undefined ? undefined : truth(daemon(s)?.peer?.seen.x === true)),
    },
    {
      name: 'sipairPairPeerRole',
      number: 15,
      syntax: { named: numbered(ROLES) },
      help: 'Role of the other box, as it says.',
      of: (s) => (daemon(s) === undefined ? undefined : namedValue(ROLES, daemon(s)?.peer?.role)),
    },
    {
      name: 'sipairPairPeerRelease',
      number: 16,
      syntax: 'text',
      help: 'Name and version of the software of the other box; empty while it is not known.',
      of: (s) =>
        daemon(s)?.peerRelease === undefined ? undefined : text(daemon(s)?.peerRelease ?? ''),
    },
    {
      name: 'sipairPairChangeCause',
      number: 17,
      syntax: 'text',
      help: 'Why this box last became primary; does not exist before the first time.',
      of: (s) => {
        const last = daemon(s)?.lastSwitchover;
        return last === undefined ? undefined : text(last.cause);
      },
    },
    {
      name: 'sipairPairChangeEpoch',
      number: 18,
      syntax: 'unsigned',
      help: 'The epoch that this began.',
      of: (s) => count(s, (d) => d.lastSwitchover?.epoch),
    },
    {
      name: 'sipairPairChangeTook',
      number: 19,
      syntax: 'gauge',
      units: 'milliseconds',
      help: 'How long it took from the suspicion, or the order, until the virtual address was claimed.',
      of: (s) => count(s, (d) => d.lastSwitchover?.tookMs),
    },
    {
      name: 'sipairPairChangeAt',
      number: 20,
      syntax: 'date',
      help: 'When the virtual address was claimed then.',
      of: (s) => utcOf(s, daemon(s)?.lastSwitchover?.claimedAt),
    },
    {
      name: 'sipairPairAutomaticChanges',
      number: 21,
      syntax: 'gauge',
      help: 'Switchovers that nobody asked for, within the window of the flap guard.',
      of: (s) => count(s, (d) => d.automaticLately),
    },
    {
      name: 'sipairPairWitness',
      number: 22,
      syntax: 'text',
      help: 'Whether a witness on the service LAN answers.',
      of: (s) => (daemon(s) === undefined ? undefined : text(daemon(s)?.witness.state ?? '')),
    },
  ],
  tables: [
    histogram('sipairPairAckTable', 23, 'How long the backup took to acknowledge.', 'ackLatency'),
    histogram('sipairPairLatenessTable', 24, 'How late the sentry was run.', 'lateness'),
  ],
};

type Bucket = { readonly number: number; readonly below: number; readonly count: number };

/** Buckets as the daemon names them: "<5ms", and the open one "more". */
export function bucketsOf(view: { readonly [bucket: string]: number } | undefined): Bucket[] {
  if (view === undefined) return [];
  const bounds = [...LATENESS_MS, 0];
  return bounds.map((below, i) => ({
    number: i + 1,
    below,
    count: view[below === 0 ? 'more' : `<${below}ms`] ?? 0,
  }));
}

function histogram(name: string, number: number, help: string, of: 'ackLatency' | 'lateness') {
  const stem = name.replace(/Table$/, '');
  return table<Bucket>({
    name,
    number,
    help: `${help} A row a bucket; the counts are not added up.`,
    index: {
      name: `${stem}Bucket`,
      number: 1,
      syntax: 'id',
      help: 'Number of the bucket.',
      of: (b) => [b.number],
    },
    columns: [
      {
        name: `${stem}Below`,
        number: 2,
        syntax: 'gauge',
        units: 'milliseconds',
        help: 'Less than this; 0 in the last row, which has no bound.',
        of: (b) => gauge(b.below),
      },
      {
        name: `${stem}Count`,
        number: 3,
        syntax: 'counter64',
        help: 'So many.',
        of: (b) => counter64(b.count),
      },
    ],
    rows: (s) => bucketsOf(daemon(s)?.[of]),
  });
}

/** A string as the last index: its characters, without a length (RFC 2578 7.7, IMPLIED). */
export function impliedIndex(name: string): Oid {
  return [...new TextEncoder().encode(name)];
}

type Counted = readonly [name: string, value: number];

function counters(name: string, number: number, help: string, of: 'counters' | 'pairCounters') {
  const stem = name.replace(/Table$/, '');
  return table<Counted>({
    name,
    number,
    help,
    index: {
      name: `${stem}Name`,
      number: 1,
      syntax: 'text',
      help: 'Name of the counter, as the status of the box has it.',
      of: ([counter]) => impliedIndex(counter),
    },
    columns: [
      {
        name: `${stem}Value`,
        number: 2,
        syntax: 'counter64',
        help: 'Since the service was started: counters are no state and start at 0 on each box.',
        of: ([, value]) => counter64(value),
      },
    ],
    rows: (s) => Object.entries(daemon(s)?.[of] ?? {}),
  });
}

const CALLS: Group = {
  name: 'sipairCalls',
  number: 3,
  help: 'Calls, registrations, programs, trunks, and what is counted.',
  scalars: [
    ...(
      [
        ['sipairCallsNow', 1, 'calls', 'Calls that exist.'],
        ['sipairCallsEstablished', 2, 'established', 'Of these, answered.'],
        ['sipairCallsRegistrations', 3, 'registrations', 'Registered contacts.'],
        ['sipairCallsConnections', 4, 'connections', 'Connections of phones and trunks.'],
        ['sipairCallsHeld', 5, 'held', 'Answers that wait for the gate.'],
      ] as const
    ).map(([name, number, field, help]) => ({
      name,
      number,
      syntax: 'gauge' as const,
      help,
      of: (s: Scene) => count(s, (d) => d[field]),
    })),
    ...(
      [
        ['sipairProgramSessions', 6, 'sessions', 'Programs that have a session.'],
        ['sipairProgramAway', 7, 'away', 'Of these, without a connection.'],
        ['sipairProgramMonitors', 8, 'monitors', 'What they watch.'],
      ] as const
    ).map(([name, number, field, help]) => ({
      name,
      number,
      syntax: 'gauge' as const,
      help,
      of: (s: Scene) => count(s, (d) => d.programs?.[field]),
    })),
  ],
  tables: [
    counters('sipairSipCounterTable', 20, 'What SIP counts.', 'counters'),
    counters('sipairPairCounterTable', 21, 'What the pair counts.', 'pairCounters'),
    table({
      name: 'sipairTrunkTable',
      number: 22,
      help: 'Trunks.',
      index: {
        name: 'sipairTrunkName',
        number: 1,
        syntax: 'text',
        help: 'Its name in the configuration.',
        of: (t) => impliedIndex(t.trunk),
      },
      columns: [
        {
          name: 'sipairTrunkInService',
          number: 2,
          syntax: 'truth',
          help: 'One of its contacts serves.',
          of: (t) => truth(t.inService),
        },
        {
          name: 'sipairTrunkCalls',
          number: 3,
          syntax: 'gauge',
          help: 'Calls by it, in both directions.',
          of: (t) => gauge(t.calls),
        },
        {
          name: 'sipairTrunkRegistration',
          number: 4,
          syntax: 'text',
          help: 'State of our registration with it.',
          of: (t) => text(t.registration),
        },
      ],
      rows: (s: Scene) => daemon(s)?.trunks ?? [],
    }),
  ],
};

const LEDS: Group = {
  name: 'sipairLeds',
  number: 5,
  help: 'What the lamps on the front show.',
  scalars: [],
  tables: [
    table<(typeof LED_NAMES)[number]>({
      name: 'sipairLedTable',
      number: 1,
      help: 'The lamps: power, status, ha, alarm.',
      index: {
        name: 'sipairLedNumber',
        number: 1,
        syntax: 'id',
        help: 'Its place on the front.',
        of: (led) => [LED_NAMES.indexOf(led) + 1],
      },
      columns: [
        {
          name: 'sipairLedName',
          number: 2,
          syntax: 'text',
          help: 'What is printed beside it.',
          of: (led) => text(led),
        },
        {
          name: 'sipairLedColour',
          number: 3,
          syntax: { named: numbered(COLOURS) },
          help: 'Its colour.',
          of: (led, { status }) => namedValue(COLOURS, status.leds[led].colour),
        },
        {
          name: 'sipairLedPattern',
          number: 4,
          syntax: { named: numbered(BLINKS) },
          help: 'How it blinks: steady, once, twice or four times a second, or twice and a pause.',
          of: (led, { status }) => namedValue(BLINKS, status.leds[led].blink),
        },
      ],
      rows: () => LED_NAMES,
    }),
  ],
};

export const SIPAIR_GROUPS: readonly Group[] = [
  BOX,
  PAIR,
  CALLS,
  ALARM_TABLES,
  LEDS,
  MACHINE,
  SOFTWARE,
  NOTIFY,
];
