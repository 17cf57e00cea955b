/** A revision upon another one, as tests of the configuration begin with them. */

import { type Active, committed, type Given, upon } from '../../src/panel/system/revision.ts';

export const GIVEN: Given = {
  number: 1,
  epoch: 1,
  led: true,
  box: 'a',
  by: 'admin',
  at: 1,
  comment: '',
  tree: { x: 1 },
};

export function after(active: Active, given: Partial<Given>): Active {
  return upon(active, committed(active.entry, { ...GIVEN, ...given }));
}
