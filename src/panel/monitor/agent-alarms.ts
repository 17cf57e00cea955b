/**
 * Alarms that the system agent raises: severity, what they mean, what to do. It says the sentence of the
 * moment, this is what stands in the manual. A test finds every code in its sources.
 */

import type { AlarmSeverity } from './box-status.ts';

export const AGENT_ALARMS: {
  readonly [code: string]: readonly [AlarmSeverity, string, string];
} = {
  'first-boot': [
    'major',
    'what was said at first boot on the two boxes does not make a configuration',
    'the text says the place; say it again on that box, or `configure` and `commit`',
  ],
  'system-link': [
    'major',
    'the system agents of the two boxes do not reach each other: nothing is committed on both',
    'the crossover cable; the pair key (`pair` again)',
  ],
  'configuration-damaged': [
    'major',
    'the stored configuration could not be read; an earlier revision is in force, or none',
    'the other box gives its own when it is there; else `rollback` or `load`. The storage',
  ],
  'configuration-apply': [
    'major',
    'the configuration is committed and is not in force on this box',
    'the text says why; mend it and `commit`, or `rollback`',
  ],
  'configuration-conflict': [
    'major',
    'both boxes had committed separately: one revision stands, the other is kept',
    '`show configuration revisions`; what is missing: `load` it and `commit`',
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
};
