/** A job and what a box may be, as tests of the upgrade machine begin with them. */

import type { Job, PairView } from '../../src/panel/system/upgrade-terms.ts';

export const JOB: Job = {
  id: 'j',
  kind: 'install',
  version: '2',
  digest: 'd',
  bytes: 1,
  alone: false,
  by: '',
  at: 0,
};

export const LEADS: PairView = {
  service: 'up',
  role: 'primary',
  inStep: true,
  vip: true,
  vipAsked: true,
};
export const BACKUP: PairView = { ...LEADS, role: 'backup', vip: false, vipAsked: false };
