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
    purpose: ['none', 'transfer', 'media', 'bridge', 'hold', 'conference', 'nail'],
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

export const TRANSFER = table({
  name: 'transfer',
  about: 'Transfers under way: who is connected with whom, and what the transferor was told.',
  number: 9,
  fields: {
    /** replace: somebody takes the place of the transferor by himself (RFC 3891). */
    kind: ['blind', 'attended', 'replace'],
    state: ['calling', 'asking', 'joining', 'joined', 'failed'],
    /** The leg that goes, 0 for none; the one that stays; the one it is connected with. */
    transferor: 'int',
    transferee: 'int',
    /** 0 while nobody has answered. */
    target: 'int',
    /** The call that leads to the target; once he has answered, the one his leg is in. */
    targetCall: 'int',
    /** The transferor's leg by which he consulted the target; 0 for none. */
    consult: 'int',
    /** CSeq of the REFER, which is the id of its subscription (RFC 3515 2.4.6). */
    event: 'int',
    subscription: ['none', 'active', 'ended'],
    /** What became of the target so far, the last of it that was told, and the NOTIFY that is out. */
    status: 'int',
    said: 'int',
    notify: 'int',
    /** The end of the subscription. */
    expiresAt: 'time',
    /** Then the transferor is hung up, unless he did; 0: no more. */
    byeAt: 'time',
    startedAt: 'time',
  },
  indexes: { transferor: 'many', transferee: 'many', targetCall: 'many', consult: 'many' },
  deadline: (row) => {
    const ends = row.subscription === 'active' ? row.expiresAt : NEVER;
    return row.byeAt === 0 ? ends : Math.min(ends, row.byeAt);
  },
  warm: false,
});

export type Transfer = RowOf<typeof TRANSFER.fields>;

export const REDIRECT = table({
  name: 'redirect',
  about:
    'Calls that a phone redirected (3xx), or its extension forwards: whom else to try, and with which offer.',
  number: 16,
  fields: {
    call: 'int',
    /** Redirections so far. */
    count: 'int',
    /** Numbers that were called, with spaces between. */
    tried: 'text',
    /** Numbers still to be called: groups with line ends between, numbers of one with spaces. */
    later: 'text',
    /**
     * The INVITE that is sent to them: user part of Contact, From value, Max-Forwards, further
     * headers, the index of its History-Info, empty line and body.
     */
    caller: 'text',
    localUri: 'text',
    hops: 'int',
    lines: 'text',
    index: 'text',
    body: 'text',
    offerless: 'flag',
    /** The extension that redirected last: its class of service holds. */
    by: 'text',
    /** It did not: it has calls forwarded (`device/`). */
    forwarded: 'flag',
  },
  indexes: { call: 'unique' },
  deadline: () => NEVER,
  warm: false,
});

export type Redirect = RowOf<typeof REDIRECT.fields>;
