/** SIPAIR-MIB: the pair, the calls, alarms, lamps and the machine. See terms.ts for how it is read. */

import { LATENESS_MS } from '../../pair/lateness.ts';
import { LED_NAMES } from '../leds.ts';
import { type BoxStatus, type DaemonStatus, PHASES } from '../monitor/box-status.ts';
import { PEN } from '../pen.ts';
import { lagOfDaemon } from '../telemetry/metrics.ts';
import {
  aCounter,
  aDate,
  aGauge,
  aNumber,
  aText,
  aTicks,
  aTruth,
  columnsOf,
  type Line,
  oneOf,
  scalarsOf,
} from './rows.ts';
import { ALARM_TABLES } from './sipair-alarms.ts';
import { MACHINE, SOFTWARE } from './sipair-machine.ts';
import { NOTIFY } from './sipair-told.ts';
import { type Group, type Scene, table } from './terms.ts';
import { integer, type Oid, type SnmpValue } from './values.ts';

export const SIPAIR: Oid = [1, 3, 6, 1, 4, 1, PEN, 1];
export const SIPAIR_NOTIFICATIONS: Oid = [...SIPAIR, 0];
export const SIPAIR_OBJECTS: Oid = [...SIPAIR, 1];

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

const statusOf = ({ status }: Scene): BoxStatus => status;
const daemon = ({ status }: Scene): DaemonStatus | undefined => status.daemon;

/** UTC of a moment of the daemon's own clock. */
function utcOf({ status }: Scene, moment: number | undefined): number | undefined {
  const { daemonTimes } = status;
  return daemonTimes === undefined || moment === undefined ? undefined : daemonTimes.zero + moment;
}

const BOX: Group = {
  name: 'sipairBox',
  number: 1,
  help: 'Which box this is and what it runs.',
  scalars: scalarsOf('sipairBox', statusOf, [
    oneOf(BOXES)('Id', 1, 'Which of the two boxes of the pair.', (s) => s.box ?? ''),
    aText('Name', 2, 'Its name in the configuration.', (s) => s.name),
    oneOf(PHASES)(
      'Phase',
      3,
      'booting: the service has not answered yet. unconfigured: it has nothing to begin with. running: ' +
        'it answers. down: it should answer and does not. updating: an image is being installed.',
      (s) => s.phase,
    ),
    aText(
      'Release',
      4,
      'Name and version of the software that the service runs.',
      (s) => s.daemon?.release ?? s.release,
    ),
    aTicks(
      'ServiceUpTime',
      5,
      'How long the service has run.',
      (s) => s.daemon && s.daemon.upMs / 10,
    ),
    aTruth(
      'Locate',
      6,
      'All lamps blink so that somebody finds the box.',
      (s) => s.locate !== undefined,
    ),
    aTruth(
      'ServiceAnswers',
      7,
      'The service answers. While it does not, most objects of the pair do not exist.',
      (s) => s.daemon !== undefined,
    ),
  ]),
  tables: [],
};

/** These say something while the service is silent, too. */
const ALWAYS: readonly Line<BoxStatus>[] = [
  oneOf(ROLES)(
    'Role',
    1,
    'none: the service does not answer. starting: looks for its peer. backup: follows. promoting: is ' +
      'about to lead. primary: serves the virtual address. resigning: hands over.',
    (s) => s.daemon?.role ?? 'none',
  ),
  oneOf(STANDBY)(
    'Standby',
    7,
    'Hot: calls are mirrored. Warm: registrations are.',
    (s) => s.daemon?.redundancy ?? '',
  ),
];

const SEEN: readonly Line<DaemonStatus>[] = [
  aNumber(
    'Epoch',
    2,
    'Number of the reign; grows with every change of the primary.',
    (d) => d.epoch,
  ),
  aDate('RoleSince', 3, 'When the role became what it is, as far as it was seen.', (d, s) =>
    utcOf(s, d.since),
  ),
  aTruth('Ready', 4, 'The roles may change without loss.', (d) => d.readiness.ready),
  aText('ReadyWhy', 5, 'If not, why not.', (d) => d.readiness.why),
  aTruth('InStep', 6, 'Both boxes have the same state: calls are protected.', (d) => d.inStep),
  aText('VirtualAddress', 8, 'The first virtual address.', (d) => d.vip),
  oneOf(GATES)(
    'Gate',
    9,
    'What answers wait for: nothing, the other box, the own disk; or none leave.',
    (d) => d.gate,
  ),
  aGauge(
    'Lag',
    10,
    'Records of the primary that the backup has not acknowledged, or that this backup lacks.',
    (d) => lagOfDaemon(d),
    'records',
  ),
  aTruth('CarrierLan', 11, 'The port to the service LAN has a carrier.', (d) => d.carrier.l),
  aTruth('CarrierCrossover', 12, 'The port to the other box has a carrier.', (d) => d.carrier.x),
  aTruth(
    'PeerSeenLan',
    13,
    'The other box is heard over the service LAN.',
    (d) => d.peer?.seen.l === true,
  ),
  aTruth(
    'PeerSeenCrossover',
    14,
    'The other box is heard over the crossover.',
    (d) => d.peer?.seen.x === true,
  ),
  oneOf(ROLES)('PeerRole', 15, 'Role of the other box, as it says.', (d) => d.peer?.role ?? ''),
  aText(
    'PeerRelease',
    16,
    'Name and version of the software of the other box; empty while it is not known.',
    (d) => d.peerRelease,
  ),
  aText(
    'ChangeCause',
    17,
    'Why this box last became primary; does not exist before the first time.',
    (d) => d.lastSwitchover?.cause,
  ),
  aNumber('ChangeEpoch', 18, 'The epoch that this began.', (d) => d.lastSwitchover?.epoch),
  aGauge(
    'ChangeTook',
    19,
    'How long it took from the suspicion, or the order, until the virtual address was claimed.',
    (d) => d.lastSwitchover?.tookMs,
    'milliseconds',
  ),
  aDate('ChangeAt', 20, 'When the virtual address was claimed then.', (d, s) =>
    utcOf(s, d.lastSwitchover?.claimedAt),
  ),
  aGauge(
    'AutomaticChanges',
    21,
    'Switchovers that nobody asked for, within the window of the flap guard.',
    (d) => d.automaticLately,
  ),
  aText('Witness', 22, 'Whether a witness on the service LAN answers.', (d) => d.witness.state),
];

const PAIR: Group = {
  name: 'sipairPair',
  number: 2,
  help: 'The pair as this box sees it.',
  scalars: [
    ...scalarsOf('sipairPair', statusOf, ALWAYS),
    ...scalarsOf('sipairPair', daemon, SEEN),
  ].sort((a, b) => a.number - b.number),
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
    columns: columnsOf(stem, [
      aGauge(
        'Below',
        2,
        'Less than this; 0 in the last row, which has no bound.',
        (b) => b.below,
        'milliseconds',
      ),
      aCounter('Count', 3, 'So many.', (b) => b.count),
    ]),
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
    columns: columnsOf(stem, [
      aCounter(
        'Value',
        2,
        'Since the service was started: counters are no state and start at 0 on each box.',
        ([, value]) => value,
      ),
    ]),
    rows: (s) => Object.entries(daemon(s)?.[of] ?? {}),
  });
}

/** Of the engine; nothing while it is silent. */
const CALL_COUNTS: readonly Line<DaemonStatus>[] = [
  aGauge('CallsNow', 1, 'Calls that exist.', (d) => d.calls),
  aGauge('CallsEstablished', 2, 'Of these, answered.', (d) => d.established),
  aGauge('CallsRegistrations', 3, 'Registered contacts.', (d) => d.registrations),
  aGauge('CallsConnections', 4, 'Connections of phones and trunks.', (d) => d.connections),
  aGauge('CallsHeld', 5, 'Answers that wait for the gate.', (d) => d.held),
  aGauge('ProgramSessions', 6, 'Programs that have a session.', (d) => d.programs?.sessions),
  aGauge('ProgramAway', 7, 'Of these, without a connection.', (d) => d.programs?.away),
  aGauge('ProgramMonitors', 8, 'What they watch.', (d) => d.programs?.monitors),
];

type Trunk = NonNullable<DaemonStatus['trunks']>[number];

const CALLS: Group = {
  name: 'sipairCalls',
  number: 3,
  help: 'Calls, registrations, programs, trunks, and what is counted.',
  scalars: scalarsOf('sipair', daemon, CALL_COUNTS),
  tables: [
    counters('sipairSipCounterTable', 20, 'What SIP counts.', 'counters'),
    counters('sipairPairCounterTable', 21, 'What the pair counts.', 'pairCounters'),
    table<Trunk>({
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
      columns: columnsOf('sipairTrunk', [
        aTruth('InService', 2, 'One of its contacts serves.', (t) => t.inService),
        aGauge('Calls', 3, 'Calls by it, in both directions.', (t) => t.calls),
        aText('Registration', 4, 'State of our registration with it.', (t) => t.registration),
      ]),
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
      columns: columnsOf('sipairLed', [
        aText('Name', 2, 'What is printed beside it.', (led) => led),
        oneOf(COLOURS)('Colour', 3, 'Its colour.', (led, { status }) => status.leds[led].colour),
        oneOf(BLINKS)(
          'Pattern',
          4,
          'How it blinks: steady, once, twice or four times a second, or twice and a pause.',
          (led, { status }) => status.leds[led].blink,
        ),
      ]),
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
