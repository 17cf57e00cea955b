/** What bridges keep: legs about to be connected with each other (`bridge.ts`). */

import { type RowOf, table } from '../base/row.ts';
import { NEVER } from '../base/units.ts';

export const BRIDGE = table({
  name: 'bridge',
  about: 'Legs that are being connected with each other by re-INVITEs of ours (RFC 3725).',
  number: 27,
  fields: {
    state: ['placing', 'calling', 'asking', 'offering'],
    /** Who hears what becomes of it (`bridged.ts`); `none`: nobody. */
    purpose: [
      'none',
      'control',
      'route',
      'conference',
      'supervise',
      'record',
      'park',
      'nail',
      'media',
    ],
    /** The row of that purpose, and what else it wants to know again. */
    ref: 'int',
    note: 'text',
    /** The leg that is there; 0 when somebody is only called (`placing`). */
    stays: 'int',
    /** The row of `call` by which the other one is reached, and his leg, 0 until he answers. */
    call: 'int',
    other: 'int',
    /** That row of `call` is there for this bridge only, and ends with it. */
    fresh: 'flag',
    /** Whose request it is for: 0 and '' for nobody's. */
    session: 'int',
    request: 'text',
    startedAt: 'time',
    /** It is given up then; 0: what it waits for has its own end. */
    giveUpAt: 'time',
  },
  indexes: { stays: 'many', call: 'many' },
  deadline: (row) => (row.giveUpAt === 0 ? NEVER : row.giveUpAt),
  warm: false,
});

export type Bridge = RowOf<typeof BRIDGE.fields>;
export type BridgePurpose = Bridge['purpose'];
