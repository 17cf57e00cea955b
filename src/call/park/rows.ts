/** What parking keeps: who waits where, for whom, and until when. */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

export const PARK = table({
  name: 'park',
  about: 'Parked calls: somebody hears music until he is picked up, or recalled.',
  number: 30,
  fields: {
    /** Where it is parked: a number or an extension; several calls may be. */
    number: 'text',
    /** The call, and the leg that waits. */
    ccall: 'int',
    leg: 'int',
    /** Who parked it, and his leg until it is released; 0 afterwards. */
    by: 'text',
    parker: 'int',
    /** parking: music is being connected. taking: a device is called for it. */
    state: ['parking', 'parked', 'taking'],
    /** The way to the device that is called for it (a row of `bridge`), and which that is. */
    bridge: 'int',
    taker: 'text',
    /** The leg that plays music to it. */
    music: 'int',
    /** Recalls so far; the device is called back then. */
    recalls: 'int',
    recallAt: 'time',
    /** What it did not hear of yet: whose request is to be named by the next event; 0 and ''. */
    session: 'int',
    request: 'text',
  },
  indexes: { number: 'many' },
  deadline: (row) => (row.state === 'parked' ? row.recallAt : NEVER),
  warm: false,
});

export type Park = RowOf<typeof PARK.fields>;
