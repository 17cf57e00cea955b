/**
 * What a protocol machine is given for one input: the moment, the rows, chance, the settings, and a
 * way to say something. Nothing else exists for it, so the same machine runs on a box, in the
 * simulator and in a unit test, and a copy of the rows is a copy of it.
 *
 * A send leaves only when the rows written up to the end of the same turn are safe in two places.
 * So the rule for everything that uses a `Context` is: write the fact, then say it, in one turn.
 */

import type { Chance } from '../base/chance.ts';
import type { Store } from '../base/row.ts';
import type { Instant, Millis } from '../base/units.ts';
import type { CounterName } from './sip/counters.ts';

export type SipSettings = {
  /** The address the world knows the pair by, and the port SIP is served at. */
  readonly vip: string;
  readonly port: number;
  /** `vip:port` as it stands in Via and Contact; made by `sipSettings`. */
  readonly here: string;
  /** Realm of digest challenges. */
  readonly realm: string;
  /** Extensions userFrom..userTo (whole numbers, inclusive) exist; every other user is 404. */
  readonly userFrom: number;
  readonly userTo: number;
  /** REGISTER and requests outside a dialog must be authenticated by digest. */
  readonly auth: boolean;
  /** The password of extension n is this prefix followed by n. */
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
  /** Phones of one address of record that ring at once. */
  readonly maxForks: number;
  /** Calls beyond this are refused 503 before anything is written. */
  readonly maxCalls: number;
  /** Value of Server and User-Agent. */
  readonly product: string;
};

/** Settings of a site that said nothing, for `vip`. */
export function sipSettings(
  given: Partial<Omit<SipSettings, 'here'>> & { readonly vip: string; readonly nonceKey: string },
): SipSettings {
  const port = given.port ?? 5060;
  return {
    port,
    here: `${given.vip.includes(':') ? `[${given.vip}]` : given.vip}:${port}`,
    realm: 'sipair',
    userFrom: 1000,
    userTo: 1999,
    auth: false,
    passwordPrefix: 'pw-',
    nonceLifeMs: 300_000,
    t1: 500,
    t2: 4000,
    t4: 5000,
    minExpiresS: 30,
    defaultExpiresS: 3600,
    maxExpiresS: 7200,
    maxContacts: 10,
    maxBindings: 100_000,
    noAnswerMs: 180_000,
    maxForks: 10,
    maxCalls: 100_000,
    product: 'sipair',
    ...given,
  };
}

export interface Context {
  /** The pair clock, whole milliseconds. */
  now: Instant;
  readonly store: Store;
  readonly chance: Chance;
  readonly settings: SipSettings;
  /** Sends a UDP datagram; held until what it rests on is safe; leaves in order of birth. */
  send(ip: string, port: number, text: string): void;
  count(name: CounterName): void;
}
