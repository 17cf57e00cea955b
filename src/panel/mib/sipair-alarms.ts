/** Alarms in SIPAIR-MIB: the active ones, and the newest of those that are over. */

import { type AlarmRecord, SEVERITIES } from '../monitor/box-status.ts';
import { type AnyTable, type Column, type Group, table } from './terms.ts';
import { dateAndTime, gauge, integer, text } from './values.ts';

/** Of what is over, the newest so many are served: a walk stays short. */
const HISTORY_SERVED = 100;

const SOURCES = ['pair', 'system', 'health'] as const;
/** As ITU-T X.733 orders them, without what it calls indeterminate. */
const NAMED = { unknown: 0, critical: 1, major: 2, minor: 3, warning: 4 };

/** SMI has 32 bits for an index. */
function index(alarm: AlarmRecord): number {
  return (alarm.id % 0xffff_ffff) + 1;
}

export const ALARM_INDEX = index;

function columns(stem: string): readonly Column<AlarmRecord>[] {
  return [
    {
      name: `${stem}Code`,
      number: 2,
      syntax: 'text',
      help: 'Its stable code.',
      of: (a) => text(a.code),
    },
    {
      name: `${stem}Subject`,
      number: 3,
      syntax: 'text',
      help: 'Which one, where there are several: a trunk, a limit; empty else.',
      of: (a) => text(a.subject),
    },
    {
      name: `${stem}Severity`,
      number: 4,
      syntax: { named: NAMED },
      help: 'Critical: callers may notice now. Major: one more failure and they do.',
      of: (a) => integer(NAMED[a.severity]),
    },
    {
      name: `${stem}Text`,
      number: 5,
      syntax: 'text',
      help: 'What is the matter.',
      of: (a) => text(a.text),
    },
    {
      name: `${stem}Source`,
      number: 6,
      syntax: { named: { unknown: 0, pair: 1, system: 2, health: 3 } },
      help: 'Who found it: the pair, the services of the box, the machine.',
      of: (a) => integer(SOURCES.indexOf(a.source) + 1),
    },
    {
      name: `${stem}RaisedAt`,
      number: 7,
      syntax: 'date',
      help: 'Since when.',
      of: (a) => dateAndTime(a.raisedAt),
    },
    {
      name: `${stem}Epoch`,
      number: 8,
      syntax: 'unsigned',
      help: 'The epoch it was raised in.',
      of: (a) => gauge(a.epoch),
    },
  ];
}

function alarms(
  name: string,
  number: number,
  help: string,
  of: 'alarms' | 'history',
  more: readonly Column<AlarmRecord>[],
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
    columns: [...columns(stem), ...more],
    rows: ({ status }) => status[of].slice(of === 'history' ? -HISTORY_SERVED : 0),
  });
}

export const ALARM_TABLES: Group = {
  name: 'sipairAlarms',
  number: 4,
  help: 'Alarms: conditions that last and that somebody should do something about.',
  scalars: [
    {
      name: 'sipairAlarmsActive',
      number: 1,
      syntax: 'gauge',
      help: 'Alarms that are active.',
      of: ({ status }) => gauge(status.alarms.length),
    },
    {
      name: 'sipairAlarmsWorst',
      number: 2,
      syntax: { named: NAMED },
      help: 'The gravest of them; unknown(0) when there is none.',
      of: ({ status }) => {
        const found = SEVERITIES.find((s) => status.alarms.some((a) => a.severity === s));
        return integer(found === undefined ? 0 : NAMED[found]);
      },
    },
  ],
  tables: [
    alarms('sipairAlarmTable', 3, 'Active alarms.', 'alarms', []),
    alarms('sipairAlarmPastTable', 4, 'The newest hundred that are over.', 'history', [
      {
        name: 'sipairAlarmPastClearedAt',
        number: 9,
        syntax: 'date',
        help: 'Until when.',
        of: (a) => (a.clearedAt === undefined ? undefined : dateAndTime(a.clearedAt)),
      },
    ]),
  ],
};
