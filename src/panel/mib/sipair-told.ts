/** What a box tells by itself: the notifications of SIPAIR-MIB, and what they carry besides. */

import type { Group, NotificationSpec, Sent } from './terms.ts';

/** Of notifications only. */
const SENT: readonly Sent[] = [
  ['sipairSentText', 1, 'text', 'What happened, as a sentence.'],
  ['sipairSentPath', 2, { named: { unknown: 0, crossover: 1, lan: 2 } }, 'Over which way.'],
  ['sipairSentResource', 3, 'text', 'What is nearly used up.'],
  ['sipairSentUsed', 4, 'gauge', 'So much of it is used.'],
  ['sipairSentLimit', 5, 'gauge', 'Of so much.'],
  ['sipairSentActive', 6, 'truth', 'It began; false: it is over.'],
].map(([name, number, syntax, help]) => ({ name, number, syntax, help, sent: true }) as Sent);

export const NOTIFY: Group = {
  name: 'sipairSent',
  number: 9,
  help: 'What notifications carry besides.',
  scalars: SENT,
  tables: [],
};

const WHO = ['sipairBoxId', 'sipairBoxName'];
const ALARM = ['sipairAlarmCode', 'sipairAlarmSubject', 'sipairAlarmSeverity', 'sipairAlarmText'];

export const SIPAIR_TRAPS: readonly NotificationSpec[] = (
  [
    [
      'sipairRoleChange',
      1,
      ['sipairPairRole', 'sipairPairEpoch', 'sipairSentText'],
      'The role changed.',
    ],
    ['sipairPeerLost', 2, ['sipairSentText'], 'The other box is heard over no way.'],
    ['sipairPeerBack', 3, ['sipairSentText'], 'The other box is heard again.'],
    [
      'sipairLinkLost',
      4,
      ['sipairSentPath', 'sipairSentText'],
      'The other box is not heard that way.',
    ],
    ['sipairLinkBack', 5, ['sipairSentPath', 'sipairSentText'], 'It is heard that way again.'],
    [
      'sipairInStep',
      6,
      ['sipairPairRole', 'sipairSentText'],
      'Both boxes have the same state: protected.',
    ],
    [
      'sipairOutOfStep',
      7,
      ['sipairPairRole', 'sipairSentText'],
      'They do not: calls are on one box.',
    ],
    [
      'sipairVipConflict',
      8,
      ['sipairSentActive', 'sipairSentText'],
      'Another host has the virtual address.',
    ],
    [
      'sipairCapacity',
      9,
      ['sipairSentResource', 'sipairSentUsed', 'sipairSentLimit', 'sipairSentText'],
      'Something is nearly used up.',
    ],
    [
      'sipairConfiguration',
      10,
      ['sipairSoftwareRevision', 'sipairSentText'],
      'Another configuration is active.',
    ],
    [
      'sipairImage',
      11,
      ['sipairSentText'],
      'An image was installed, started, confirmed or given up.',
    ],
    [
      'sipairCertificate',
      12,
      ['sipairMachineCertificateDays', 'sipairSentText'],
      'The certificate ends soon.',
    ],
    ['sipairWear', 13, ['sipairMachineWear', 'sipairSentText'], 'The medium is nearly worn out.'],
    ['sipairAlarmRaised', 14, [...ALARM], 'An alarm was raised.'],
    ['sipairAlarmCleared', 15, [...ALARM], 'An alarm is over.'],
    [
      'sipairPhase',
      16,
      ['sipairBoxPhase', 'sipairSentText'],
      'The service began or ceased to answer.',
    ],
  ] as const
).map(([name, number, objects, help]) => ({ name, number, objects: [...WHO, ...objects], help }));
