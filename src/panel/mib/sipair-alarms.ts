/** Alarms in SIPAIR-MIB: the active ones, and the newest of those that are over. */

import { type AlarmRecord, SEVERITIES } from '../monitor/box-status.ts';
import { aDate, aGauge, aNumber, aText, columnsOf, type Line, scalarsOf } from './rows.ts';
import { type AnyTable, type Group, table } from './terms.ts';
import { integer } from './values.ts';

/** Of what is over, the newest so many are served: a walk stays short. */
const HISTORY_SERVED = 100;

const SOURCES = ['pair', 'system', 'health'] as const;
/** As ITU-T X.733 orders them, without what it calls indeterminate. */
const NAMED = { unknown: 0, critical: 1, major: 2, minor: 3, warning: 4 };

/** Its number, as syslog and console say it. SMI has 32 bits for an index, and numbers begin at 1. */
function index(alarm: AlarmRecord): number {
  return ((alarm.id - 1) % 0xffff_ffff) + 1;
}

export const ALARM_INDEX = index;

const COLUMNS: readonly Line<AlarmRecord>[] = [
  aText('Code', 2, 'Its stable code.', (a) => a.code),
  aText(
    'Subject',
    3,
    'Which one, where there are several: a trunk, a limit; empty else.',
    (a) => a.subject,
  ),
  [
    'Severity',
    4,
    { named: NAMED },
    '',
    'Critical: callers may notice now. Major: one more failure and they do.',
    (a) => integer(NAMED[a.severity]),
  ],
  aText('Text', 5, 'What is the matter.', (a) => a.text),
  [
    'Source',
    6,
    { named: { unknown: 0, pair: 1, system: 2, health: 3 } },
    '',
    'Who found it: the pair, the services of the box, the machine.',
    (a) => integer(SOURCES.indexOf(a.source) + 1),
  ],
  aDate('RaisedAt', 7, 'Since when.', (a) => a.raisedAt),
  aNumber('Epoch', 8, 'The epoch it was raised in.', (a) => a.epoch),
];

const PAST: readonly Line<AlarmRecord>[] = [
  ...COLUMNS,
  aDate('ClearedAt', 9, 'Until when.', (a) => a.clearedAt),
];

function alarms(
  name: string,
  number: number,
  help: string,
  of: 'alarms' | 'history',
  columns: readonly Line<AlarmRecord>[],
): AnyTable {
  const stem = name.replace(/Table$/, '');
  return table<AlarmRecord>({
    name,
    number,
    help,
    index: {
      name: `${stem}Id`,
      number: 1,
      syntax: 'id',
      help: 'Grows by one with each alarm of this box.',
      of: (a) => [index(a)],
    },
    columns: columnsOf(stem, columns),
    rows: ({ status }) => status[of].slice(of === 'history' ? -HISTORY_SERVED : 0),
  });
}

export const ALARM_TABLES: Group = {
  name: 'sipairAlarms',
  number: 4,
  help: 'Alarms: conditions that last and that somebody should do something about.',
  scalars: scalarsOf<readonly AlarmRecord[]>('sipairAlarms', ({ status }) => status.alarms, [
    aGauge('Active', 1, 'Alarms that are active.', (active) => active.length),
    [
      'Worst',
      2,
      { named: NAMED },
      '',
      'The gravest of them; unknown(0) when there is none.',
      (active) => {
        const found = SEVERITIES.find((s) => active.some((a) => a.severity === s));
        return integer(found === undefined ? 0 : NAMED[found]);
      },
    ],
  ]),
  tables: [
    alarms('sipairAlarmTable', 3, 'Active alarms.', 'alarms', COLUMNS),
    alarms('sipairAlarmPastTable', 4, 'The newest hundred that are over.', 'history', PAST),
  ],
};
