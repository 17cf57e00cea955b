/**
 * What the event notifier keeps: who watches what (RFC 6665), and what waits in the mailboxes of the
 * extensions (RFC 3842). A subscription is its dialog, what it was told last, and what it still has
 * to be told: a new primary goes on from the row alone.
 */

import { TRANSPORTS } from '../../base/peer.ts';
import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

/** Event packages served. Order is that of the rows: append only. */
export const EVENTS = ['dialog', 'presence', 'message-summary', 'reg', 'as-feature-event'] as const;

/** Feature keys of phones, and the documents they are told by. */
export const FEATURES = 'as-feature-event';
export const FEATURES_TYPE = 'application/x-as-feature-event+xml';

export type EventName = (typeof EVENTS)[number];

export const SUBSCRIPTION = table({
  name: 'subscription',
  about: 'Subscriptions: who watches which extension, and what he was told last (RFC 6665).',
  number: 6,
  fields: {
    event: EVENTS,
    /** The extension that is watched, and the `id` its watcher gave (RFC 6665 8.2.1). */
    aor: 'text',
    eventId: 'text',
    /** The extension that watches; what it calls itself where nobody has to prove it. */
    watcher: 'text',
    /** ending: only the NOTIFY that says `terminated` is left to be said or answered. */
    state: ['active', 'ending'],
    /** Why it ends (RFC 6665 4.1.3). */
    reason: ['timeout', 'noresource', 'deactivated'],
    callId: 'text',
    /** Random part of our tag; the tag is made of it and the id. */
    tag: 'text',
    remoteTag: 'text',
    /** From/To values without tag, for requests we send: localUri is our From. */
    localUri: 'text',
    remoteUri: 'text',
    localCseq: 'int',
    remoteCseq: 'int',
    remoteTarget: 'text',
    /** Route lines, ready to send; '' for none. */
    routeSet: 'text',
    /** Next hop, and whether it is fixed because a NAT lies between. */
    transport: TRANSPORTS,
    ip: 'text',
    port: 'int',
    nat: 'flag',
    /** The registration by which the watcher is reached; 0 for none. */
    binding: 'int',
    expiresAt: 'time',
    /** Documents made so far: the version the next one has. */
    version: 'int',
    /** Transaction of the NOTIFY that is not answered yet; 0 for none: there is at most one. */
    notify: 'int',
    /** It changed while that NOTIFY was out: it is said when that is answered. */
    changed: 'flag',
    /** When the next NOTIFY is made; 0 when there is nothing to say. */
    notifyAt: 'time',
    /** When the last one was made. */
    saidAt: 'time',
    /** Checksum of the state said last: the same is not said twice. 0: it is said in any case. */
    said: 'int',
    /** Ids of what stood in the last document, so that the next can say what ended. */
    known: 'text',
    /** Nobody subscribed: it follows a registration (`unsolicited.ts`). */
    unasked: 'flag',
  },
  indexes: { aor: 'many', watcher: 'many' },
  deadline: (row) => {
    const notifyAt = row.notifyAt === 0 ? NEVER : row.notifyAt;
    return row.state === 'active' && row.expiresAt < notifyAt ? row.expiresAt : notifyAt;
  },
  warm: true,
});

export const MAILBOX = table({
  name: 'mailbox',
  about:
    'Mailboxes: messages that wait for an extension, as its voice mail service says (RFC 3842).',
  number: 7,
  fields: {
    /** The extension. */
    aor: 'text',
    waiting: 'flag',
    newMessages: 'int',
    oldMessages: 'int',
    newUrgent: 'int',
    oldUrgent: 'int',
    /** Random part of the entity tag of a publication (RFC 3903); '' when it came by NOTIFY. */
    etag: 'text',
    updatedAt: 'time',
    /** When the publication lapses; 0 when it stands until the next word. */
    expiresAt: 'time',
  },
  indexes: { aor: 'unique' },
  deadline: (row) => (row.expiresAt === 0 ? NEVER : row.expiresAt),
  warm: true,
});

export type Subscription = RowOf<typeof SUBSCRIPTION.fields>;
export type Mailbox = RowOf<typeof MAILBOX.fields>;
