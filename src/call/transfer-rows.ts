/** What transfers keep: re-INVITEs of our own, and the transfers themselves. */

import { type RowOf, table } from '../base/row.ts';
import { NEVER } from '../base/units.ts';

export const REOFFER = table({
  name: 'reoffer',
  about: 'Re-INVITEs of our own that wait for their turn or for an answer (RFC 3261 14.1).',
  number: 15,
  fields: {
    leg: 'int',
    /** Who wants to hear what became of it; `none`: nobody any more. */
    purpose: ['none', 'refresh', 'transfer'],
    /** The row of that purpose. */
    ref: 'int',
    /** Body headers, empty line and body; '' for an INVITE without an offer. */
    offer: 'text',
    /** The INVITE that is out; 0 while it waits. */
    ctx: 'int',
    /** INVITEs that were answered 491 so far. */
    tries: 'int',
    /** When it is sent, or looked at again. */
    retryAt: 'time',
    /** Then it is given up. */
    giveUpAt: 'time',
  },
  indexes: { leg: 'many' },
  deadline: (row) => (row.ctx === 0 ? Math.min(row.retryAt, row.giveUpAt) : NEVER),
  warm: false,
});

export type Reoffer = RowOf<typeof REOFFER.fields>;
