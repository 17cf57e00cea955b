/**
 * What a protocol machine is given for one input: the moment, the rows, chance, the settings, and a
 * way to say something. Nothing else exists for it, so the same machine runs on a box, in the
 * simulator and in a unit test, and a copy of the rows is a copy of it.
 *
 * A send leaves only when the rows written up to the end of the same turn are safe in two places.
 * So the rule for everything that uses a `Context` is: write the fact, then say it, in one turn.
 */

import type { Chance } from '../base/chance.ts';
import { FewMap, FewSet } from '../base/few.ts';
import type { Peer, Transport } from '../base/peer.ts';
import type { Store } from '../base/row.ts';
import type { Instant, Millis } from '../base/units.ts';
import type { CounterName } from './sip/counters.ts';
import { GUARD_DEFAULTS, type Guard, type GuardSettings } from './sip/guard.ts';
import type { Overload } from './sip/overload.ts';
import { PLAIN_SITE, type Site } from './site.ts';

export type DigestName = 'SHA-256' | 'MD5';

export type SipSettings = {
  /** The address the world knows the pair by. */
  readonly vip: string;
  /** The same for IPv6; '' for none. */
  readonly vip6: string;
  /** Every other address of the two boxes: nobody is sent there because somebody says so. */
  readonly own: readonly string[];
  /** The ports SIP is served at: UDP and TCP; TLS; WebSocket; WebSocket inside TLS. 0: not served. */
  readonly port: number;
  readonly tlsPort: number;
  readonly wsPort: number;
  readonly wssPort: number;
  /** `vip:port` as it stands in Via and Contact; made by `sipSettings`. Use `hereFor`. */
  readonly here: string;
  readonly heres: { readonly [t in Transport]: { readonly 4: string; readonly 6: string } };
  /** Realm of digest challenges. */
  readonly realm: string;
  /** Extensions userFrom..userTo (whole numbers, inclusive) exist; every other user is 404. */
  readonly userFrom: number;
  readonly userTo: number;
  /** REGISTER and requests outside a dialog must be authenticated by digest. */
  readonly auth: boolean;
  /** Algorithms of digest that are offered and accepted, the preferred one first. */
  readonly digest: readonly DigestName[];
  /**
   * The password of an extension n that has none of its own is this prefix followed by n; '' where there is no such password, as
   * on an appliance: everybody could guess it. Labs have one.
   */
  readonly passwordPrefix: string;
  /** Shared by both boxes: nonces and stateless tags of one are understood by the other. */
  readonly nonceKey: string;
  /** How long a nonce is good; then the client is told `stale=true`. */
  readonly nonceLifeMs: Millis;
  /** RFC 3261 17.1.1.1: estimate of the round trip. */
  readonly t1: Millis;
  /** RFC 3261 17.1.2.2: longest interval between retransmissions of a non-INVITE or a 2xx. */
  readonly t2: Millis;
  /** RFC 3261 17.1.2.2: how long a message stays in the network. */
  readonly t4: Millis;
  /** An INVITE waits so long for a phone that has no connection: it is coming back, or it is not. */
  readonly flowWaitMs: Millis;
  /** Registration expiry in seconds: shortest accepted, when none is asked for, longest given. */
  readonly minExpiresS: number;
  readonly defaultExpiresS: number;
  readonly maxExpiresS: number;
  /** Contacts one address of record may have. */
  readonly maxContacts: number;
  /** Registrations in all. */
  readonly maxBindings: number;
  /** A call nobody answers ends after this. */
  readonly noAnswerMs: Millis;
  /**
   * Session timers (RFC 4028), seconds: the interval we ask for on each leg, 0: we begin none but
   * honour the other side's; and the shortest we accept.
   */
  readonly sessionExpiresS: number;
  readonly minSeS: number;
  /** Phones of one address of record that ring at once. */
  readonly maxForks: number;
  /** Calls beyond this are refused 503 before anything is written. */
  readonly maxCalls: number;
  /** At most one NOTIFY a subscription in so long. */
  readonly notifyGapMs: Millis;
  /** Subscriptions in all, and of one watcher. */
  readonly maxSubscriptions: number;
  readonly maxWatches: number;
  /** Voice mail services that may tell of mailboxes: addresses they send from, or extensions. */
  readonly voicemail: readonly string[];
  /** What one source may ask how often, and how often guess. */
  readonly guard: GuardSettings;
  /** Calls are shown to programs: connections and events are kept (`call/csta`). */
  readonly csta: boolean;
  /** Value of Server and User-Agent. */
  readonly product: string;
  /** Trunks, dial plan, classes of service. */
  readonly site: Site;
};

export type LogLevel = 'debug' | 'info' | 'warning' | 'alarm';

function hostPort(ip: string, port: number): string {
  return `${ip.includes(':') ? `[${ip}]` : ip}:${port}`;
}

/** `host:port` at which `peer` speaks with us: by its transport and address family. */
export function hereFor(settings: SipSettings, peer: Peer): string {
  return settings.heres[peer.transport][peer.ip.includes(':') ? 6 : 4];
}

/** Settings of a site that said nothing, for `vip`. */
export function sipSettings(
  given: Partial<Omit<SipSettings, 'here' | 'heres'>> & {
    readonly vip: string;
    readonly nonceKey: string;
  },
): SipSettings {
  const { port = 5060, tlsPort = 0, wsPort = 0, wssPort = 0, vip, vip6 = '' } = given;
  const at = (p: number): { readonly 4: string; readonly 6: string } => ({
    4: hostPort(vip, p),
    6: hostPort(vip6 === '' ? vip : vip6, p),
  });
  return {
    port,
    tlsPort,
    wsPort,
    wssPort,
    vip6,
    own: [],
    here: hostPort(vip, port),
    heres: { udp: at(port), tcp: at(port), tls: at(tlsPort), ws: at(wsPort), wss: at(wssPort) },
    realm: 'sipair',
    userFrom: 1000,
    userTo: 1999,
    auth: false,
    digest: ['SHA-256', 'MD5'],
    passwordPrefix: '',
    nonceLifeMs: 300_000,
    t1: 500,
    t2: 4000,
    t4: 5000,
    flowWaitMs: 12_000,
    minExpiresS: 30,
    defaultExpiresS: 3600,
    maxExpiresS: 7200,
    maxContacts: 10,
    maxBindings: 100_000,
    noAnswerMs: 180_000,
    sessionExpiresS: 1800,
    minSeS: 90,
    maxForks: 10,
    maxCalls: 100_000,
    notifyGapMs: 300,
    maxSubscriptions: 100_000,
    maxWatches: 1000,
    voicemail: [],
    guard: GUARD_DEFAULTS,
    csta: false,
    product: 'sipair',
    site: PLAIN_SITE,
    ...given,
  };
}

/** Notes of one turn, forgotten at its end: never state. */
export type Turn = {
  /** Session and reference of the request that is being done; 0 and '' for none. */
  session: number;
  request: string;
  /** Rows of `call` whose connections may have changed. */
  readonly calls: FewSet;
  /** Rows of `cstacall` that lost their last row of `call`. */
  readonly ended: FewSet;
  /** Why: by the row of `call`, a cause of `call/csta/causes.ts`. */
  readonly causes: FewMap<string>;
  /** By the leg, the queue or routing point that sent its call there. */
  readonly via: FewMap<string>;
  /** Whom a caller did not get, of calls that failed in this turn: by the row of `call`. */
  readonly failed: FewMap<{ readonly ccall: number; readonly called: string }>;
  /** Which leg ended it: by the row of `call`. */
  readonly ender: FewMap<number>;
  /**
   * What the CDRs of calls will tell besides, and how their last connection ended: by the row of
   * `cstacall`, pieces of JSON and a cause. Those that go on get it into their rows.
   */
  readonly logs: FewMap<string>;
  readonly ends: FewMap<string>;
  /** Devices whose registrations came or went, and whether they were in service before. */
  readonly devices: Map<string, boolean>;
};

export function newTurn(): Turn {
  return {
    session: 0,
    request: '',
    calls: new FewSet(),
    ended: new FewSet(),
    causes: new FewMap(),
    via: new FewMap(),
    failed: new FewMap(),
    ender: new FewMap(),
    logs: new FewMap(),
    ends: new FewMap(),
    devices: new Map(),
  };
}

export interface Context {
  /** The pair clock, whole milliseconds. */
  now: Instant;
  readonly store: Store;
  readonly chance: Chance;
  /** Another object after a reload. */
  settings: SipSettings;
  /** Sends a SIP message; held until what it rests on is safe; leaves in order of birth. */
  send(to: Peer, text: string): void;
  /**
   * A connection to this peer stands, so that what is said now leaves by it. Each box knows its own:
   * nothing that is written may depend on it but what is said and when.
   */
  isOpen(peer: Peer): boolean;
  count(name: CounterName): void;
  /** This box's own memory, never a row: who asks too often, and how much there is to do. */
  readonly guard: Guard;
  readonly overload: Overload;
  /** A line for the operator's log; leaves at once. */
  log(level: LogLevel, text: string): void;
  /**
   * Says something to the programs (CTI): a line of JSON for the hub, a line end, and a body. Held and
   * ordered like a SIP message.
   */
  tell(text: string): void;
  /** What a program asked for in this turn, and what is known of why things happen in it. */
  readonly turn: Turn;
  /** Asks the name service where `uri` leads; `onResolved` is told. Asked again by whoever needs it. */
  resolve(uri: string): void;
}

/** What the name service said of a SIP URI (RFC 3263 4). */
export type Resolved = {
  readonly uri: string;
  /** In the order of RFC 3263 and, within a priority, as found. Empty when there are none. */
  readonly addresses: readonly Address[];
  /** How long that is good, seconds. */
  readonly ttlS: number;
  /** Why there are none; '' otherwise. */
  readonly cause: string;
};

/** One target of RFC 2782; 0 and 0 where no SRV record spoke. */
export type Address = Peer & { readonly priority: number; readonly weight: number };
