/**
 * Alarms that the system agent raises: severity, what they mean, what to do. It says the sentence of the
 * moment, this is what stands in the manual. A test finds every code in its sources.
 */

import type { AlarmSeverity } from './box-status.ts';

export const AGENT_ALARMS = {
  'data-unusable': [
    'critical',
    'the data partition cannot be used: this box has no configuration and takes no calls',
    'switch it off and on once; then `factory-reset` and pair it again; else the storage is broken',
  ],
  'first-boot': [
    'major',
    'what was said at first boot on the two boxes does not make a configuration',
    'the text says the place; `factory-reset` on that box, and answer again',
  ],
  'system-link': [
    'major',
    'the system agents of the two boxes do not reach each other: nothing is committed on both',
    'the text says which. `not the same pair key`: `request pair` on both; both services ' +
      'start anew and callers notice: at a quiet hour. Anything else: the crossover cable, ' +
      'the other box; do not pair',
  ],
  'configuration-damaged': [
    'major',
    'the stored configuration could not be read; an earlier revision is in force, or none',
    'the other box gives its own when it is there; else `configure`, `rollback` with a ' +
      'number of `run show configuration revisions`, or `load`; `commit`. The storage',
  ],
  'configuration-apply': [
    'major',
    'the configuration is committed and is not in force on this box',
    'the text says why; `configure`, mend it and `commit`, or `rollback 1` and `commit`',
  ],
  'configuration-conflict': [
    'major',
    'both boxes had committed separately: one revision stands, the other is kept',
    '`configure`, `run show configuration revisions` has its number in column *back*; with ' +
      'it `compare rollback`, then `rollback` takes it whole, or type what is missing; `commit`',
  ],
  'configuration-peer-refuses': [
    'major',
    'the other box cannot use the configuration of this one',
    'the text says why: another release or other interfaces there',
  ],
  'configuration-refused': [
    'major',
    'this box cannot use the configuration of the other one, and keeps its own',
    'the text says why; `commit` what both can use',
  ],
  'configuration-disk': [
    'critical',
    'the configuration cannot be stored: after a restart an earlier one is in force',
    'the storage of this box: full, read-only or broken',
  ],
  'image-failed': [
    'major',
    'an update of the pair ended half-way: this box is back in the slot it came from',
    '`show system image` has the step and the reason; mend it and install again',
  ],
  'image-unproved': [
    'major',
    'this box leads from an image that has not proved itself, so it does not go back by itself',
    'bring the other box back; or `request system image confirm`, or `... rollback`',
  ],
} as const satisfies { readonly [code: string]: readonly [AlarmSeverity, string, string] };

export type AgentAlarmCode = keyof typeof AGENT_ALARMS;
