/**
 * Tables of what leads out of the site. A row of each is made for everything configured when a box
 * becomes primary (`trunk.ts`), so both boxes know the same at any moment.
 */

import { type RowOf, table } from '../base/row.ts';
import { NEVER } from '../base/units.ts';
import { soonest } from '../proto/sip/timers.ts';

export const CONTACT = table({
  name: 'contact',
  about:
    'Configured contacts of trunks, registrars and extensions: their addresses and whether they serve.',
  number: 10,
  fields: {
    /** trunk#0, trunk#1 (first backup), trunk#registrar, or the extension. */
    key: 'text',
    /** The trunk; '' for an extension. */
    trunk: 'text',
    uri: 'text',
    state: ['up', 'down'],
    since: 'time',
    /** Why it is down. */
    cause: 'text',
    /** What its URI resolves to, in order: `transport ip port priority weight`, joined by commas. */
    addresses: 'text',
    /** When the name is asked for again; 0 for a literal address. */
    resolveAt: 'time',
    /** The address that answered the last check, by its place in `addresses`. */
    at: 'int',
    /** The check in flight: its transaction (0: none), the address asked, and the end of patience. */
    probe: 'int',
    probing: 'int',
    forceAt: 'time',
    /** The next check; 0 when there are none. */
    checkAt: 'time',
    /** The dialogless conversation of the checks: its Call-ID, our tag, the last CSeq. */
    callId: 'text',
    tag: 'text',
    cseq: 'int',
    /** A call heard nothing from it: others are tried first until then. */
    avoidUntil: 'time',
    /** The last call it was given, for trunks that take turns. */
    lastUsed: 'int',
  },
  indexes: { key: 'unique' },
  deadline: (row) => soonest(row.resolveAt, row.forceAt, row.checkAt),
  warm: true,
});

export const HUNT = table({
  name: 'hunt',
  about:
    'What is still to be tried for a call, and what its caller said (RFC 3261 16.7 in series).',
  number: 11,
  fields: {
    call: 'int',
    /** Groups of targets, as JSON. */
    rest: 'text',
    /** The offer, as JSON. */
    offer: 'text',
    /** Nothing was heard from those tried now: at this moment the next ones are tried too. */
    nextAt: 'time',
  },
  indexes: { call: 'many' },
  deadline: (row) => (row.nextAt === 0 ? NEVER : row.nextAt),
  warm: false,
});

export const REGOUT = table({
  name: 'regout',
  about: 'Registrations of ours at the registrars of trunks (RFC 3261 10.2).',
  number: 12,
  fields: {
    trunk: 'text',
    state: ['asking', 'registered', 'failed'],
    since: 'time',
    cause: 'text',
    callId: 'text',
    tag: 'text',
    cseq: 'int',
    /** The REGISTER in flight: its transaction; 0 for none. */
    asking: 'int',
    /** When it ends, when it is refreshed or tried again, how long is asked for. */
    expiresAt: 'time',
    nextAt: 'time',
    askS: 'int',
    /** Attempts that failed in a row. */
    fails: 'int',
    /** The last challenge and how often its nonce was used; the header it came in. */
    challenge: 'text',
    nonceCount: 'int',
    proxy: 'flag',
  },
  indexes: { trunk: 'unique' },
  deadline: (row) => (row.nextAt === 0 ? NEVER : row.nextAt),
  warm: true,
});

export type Contact = RowOf<typeof CONTACT.fields>;
export type Hunt = RowOf<typeof HUNT.fields>;
export type Regout = RowOf<typeof REGOUT.fields>;
