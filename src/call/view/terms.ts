/**
 * What the rows look like to an operator: the answers to `show`. Moments are those of the pair clock (UTC
 * ms since 1970); durations are worked out by whoever prints. The same on both boxes: a backup shows what
 * is mirrored to it.
 */

import type { Transport } from '../../base/peer.ts';
import type { Instant } from '../../base/units.ts';
import type { TrunkView } from '../trunk-view.ts';

export const SHOWN = [
  'calls',
  'call',
  'registrations',
  'subscriptions',
  'queues',
  'routing-points',
  'agents',
  'devices',
  'programs',
  'trunks',
  'conferences',
  'parks',
  'tables',
  'counters',
] as const;
export type Shown = (typeof SHOWN)[number];

export type ShowRequest = {
  readonly what: Shown;
  /** call: which one, by its number, its global call id or a SIP Call-ID. Others: '' for all. */
  readonly id: string;
  /** The `next` of the answer before; 0 to begin. */
  readonly from: number;
  /** Rows an answer, at most MOST_SHOWN. */
  readonly limit: number;
};

/** Rows an answer at most, and where nobody says. */
export const MOST_SHOWN = 1000;
export const USUALLY_SHOWN = 200;

/** setting-up: nobody is told of it yet. queued: it waits in a queue or at a routing point. */
export const PLACES = [
  'setting-up',
  'ringing',
  'queued',
  'parked',
  'up',
  'held',
  'ending',
] as const;
export type Place = (typeof PLACES)[number];

export type CallRow = {
  /** By which `show call` and `clear call` find it. */
  readonly id: number;
  readonly state: 'trying' | 'ringing' | 'talking' | 'ending';
  readonly place: Place;
  readonly caller: string;
  readonly called: string;
  /** Devices in it besides, as programs see them. */
  readonly parties: readonly string[];
  /** Trunks it uses. */
  readonly trunks: readonly string[];
  readonly startedAt: Instant;
  /** 0: not answered. */
  readonly answeredAt: Instant;
  /** CSTA call id, and the global one that CDRs and Homer know it by; 0 and '' where there is none. */
  readonly csta: number;
  readonly global: string;
};

export type LegView = {
  readonly id: number;
  readonly side: 'caller' | 'callee';
  readonly state: string;
  readonly part: string;
  readonly device: string;
  readonly trunk: string;
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly remoteUri: string;
  readonly contact: string;
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  readonly nat: boolean;
  /** Streams of the session description we sent last: kind, direction, codecs in order. */
  readonly media: readonly string[];
  readonly offer: string;
  readonly held: boolean;
  readonly muted: boolean;
  /** Session timer: seconds, who refreshes, when, and when the session ends; 0: none. */
  readonly sessionS: number;
  readonly refresher: 'none' | 'us' | 'them';
  readonly refreshAt: Instant;
  readonly expiresAt: Instant;
};

export type TransactionView = {
  readonly kind: 'server' | 'client';
  readonly leg: number;
  readonly method: string;
  readonly state: string;
  readonly cseq: number;
  /** The last response sent; 0 for none, and for client transactions. */
  readonly status: number;
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  /** When it is looked at next; 0 for never. */
  readonly nextAt: Instant;
};

export type PartyView = {
  readonly device: string;
  readonly state: string;
  readonly side: string;
  readonly via: string;
  readonly since: Instant;
  readonly startedAt: Instant;
  readonly answeredAt: Instant;
};

export type EventView = {
  readonly id: number;
  readonly at: Instant;
  readonly event: string;
  readonly devices: string;
};

export type CallDetail = CallRow & {
  readonly kind: string;
  readonly noAnswerAt: Instant;
  readonly refusal: number;
  readonly data: string;
  readonly business: boolean;
  readonly connections: readonly PartyView[];
  readonly legs: readonly LegView[];
  readonly transactions: readonly TransactionView[];
  readonly events: readonly EventView[];
  /** What its CDR tells so far, as JSON; '' for nothing yet. */
  readonly cdr: string;
};

export type RegistrationRow = {
  readonly id: number;
  readonly number: string;
  readonly contact: string;
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  readonly nat: boolean;
  readonly registeredAt: Instant;
  readonly expiresAt: Instant;
  readonly userAgent: string;
  readonly instance: string;
  /** Flow of RFC 5626; 0: none. */
  readonly regId: number;
  readonly path: string;
};

export type SubscriptionRow = {
  readonly id: number;
  readonly event: string;
  readonly number: string;
  readonly watcher: string;
  readonly state: 'active' | 'ending';
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  readonly expiresAt: Instant;
  readonly version: number;
  /** It follows a registration: nobody subscribed. */
  readonly unasked: boolean;
};

export type QueueRow = {
  readonly id: number;
  readonly number: string;
  readonly name: string;
  readonly waiting: number;
  readonly offering: number;
  /** Since when the first one waits; 0: nobody does. */
  readonly longestSince: Instant;
  readonly loggedOn: number;
  readonly ready: number;
  readonly busy: number;
  readonly notReady: number;
};

export type PointRow = {
  readonly id: number;
  readonly number: string;
  readonly waiting: number;
  readonly asked: number;
  readonly longestSince: Instant;
  /** Programs that say where its calls go. */
  readonly routers: number;
  readonly defaults: string;
};

export type AgentRow = {
  readonly id: number;
  readonly agent: string;
  readonly device: string;
  readonly state: string;
  readonly reason: string;
  readonly queues: string;
  readonly since: Instant;
  readonly loggedOnAt: Instant;
  readonly wrapUpEnd: Instant;
};

export type DeviceRow = {
  readonly id: number;
  readonly device: string;
  readonly dnd: boolean;
  readonly immediate: string;
  readonly busy: string;
  readonly noAnswer: string;
  readonly noAnswerS: number;
  /** Mailbox: messages that wait; undefined: it has none. */
  readonly mailbox?: { readonly new: number; readonly old: number };
};

export type ProgramRow = {
  readonly id: number;
  readonly program: string;
  readonly startedAt: Instant;
  readonly monitors: number;
  /** Routing points and queues it routes for. */
  readonly routes: string;
  readonly seen: number;
  /** It has no connection, and ends then; 0 while it has one. */
  readonly endsAt: Instant;
};

export type TrunkRow = TrunkView & { readonly id: number };

export type ConferenceRow = {
  readonly id: number;
  readonly state: string;
  readonly csta: number;
  readonly host: string;
  readonly members: readonly {
    readonly device: string;
    readonly role: string;
    readonly state: string;
    readonly mode: string;
  }[];
};

export type ParkRow = {
  readonly id: number;
  readonly number: string;
  readonly state: string;
  readonly parked: string;
  readonly by: string;
  readonly recalls: number;
  readonly recallAt: Instant;
};

export type TableRow = {
  readonly id: number;
  readonly table: string;
  readonly count: number;
  readonly hash: number;
};

/** Counted since the counters were cleared, or since the start. */
export type CounterRow = { readonly id: number; readonly counter: string; readonly count: number };

/** Rows by what was asked for. */
export type ShownRows = {
  readonly calls: CallRow;
  readonly call: CallDetail;
  readonly registrations: RegistrationRow;
  readonly subscriptions: SubscriptionRow;
  readonly queues: QueueRow;
  readonly 'routing-points': PointRow;
  readonly agents: AgentRow;
  readonly devices: DeviceRow;
  readonly programs: ProgramRow;
  readonly trunks: TrunkRow;
  readonly conferences: ConferenceRow;
  readonly parks: ParkRow;
  readonly tables: TableRow;
  readonly counters: CounterRow;
};

export type ShowAnswer<W extends Shown = Shown> = {
  readonly what: W;
  /** The pair clock of the box that answers. */
  readonly at: Instant;
  /** The rows are those of the other box, as mirrored to this one. */
  readonly mirrored: boolean;
  readonly rows: readonly ShownRows[W][];
  /** Rows there are in all. */
  readonly total: number;
  /** To be said as `from` for the rows after these; missing: these are the last. */
  readonly next?: number;
};

export type ShowFault = { readonly error: string; readonly text: string };
