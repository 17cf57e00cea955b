/**
 * What an engine is told at its start, what of that two boxes must have in common to be one server,
 * and what an operator can do when they have not.
 */

import { createHmac } from 'node:crypto';
import type { TableSpec } from './base/row.ts';
import type { Millis } from './base/units.ts';
import type { LedgerSettings } from './ledger/ledger.ts';
import type { LinkSettings } from './pair/greeting.ts';
import type { PairSettings } from './pair/terms.ts';
import { PLAIN_CENTRE } from './proto/centre.ts';
import type { SipSettings } from './proto/context.ts';
import type { Site } from './proto/site.ts';

export type NodeSettings = {
  readonly pair: PairSettings;
  readonly sip: SipSettings;
  /** Hot standby: the disk is given what changed this often. */
  readonly diskGroupMs: Millis;
  /** Name and version of this software, told to the peer. */
  readonly release: string;
  /** Tables and sizes, where they differ from this release's: a pair of two releases, in tests. */
  readonly tables?: readonly TableSpec[];
  readonly ledger?: LedgerSettings;
};

/** What an operator can do about a greeting that failed. */
export const LINK_WORDS = {
  'link-key': ': the boxes do not have the same pair key',
  'link-self': ': both boxes have the same name',
  'link-config': ': the boxes are configured differently: ',
} as const;

/** What two boxes must have in common to be one server. */
export function linkSettings(s: NodeSettings): LinkSettings {
  const { port, tlsPort, wsPort, wssPort, userFrom, userTo, auth, digest } = s.sip;
  const { box, key, redundancy } = s.pair;
  // what a phone finds at one box it must find at the other
  const ports = `${port}${[tlsPort, wsPort, wssPort].some((p) => p > 0) ? ` tls ${tlsPort} ws ${wsPort} wss ${wssPort}` : ''}`;
  // What every box of an earlier release does needs no words.
  const narrow = digest.join() === 'SHA-256,MD5' ? '' : ` ${digest.join()}`;
  const users = `${userFrom}-${userTo}${auth ? ` with digest${narrow}` : ''}`;
  return {
    box,
    key,
    release: s.release,
    agreement: {
      vip: s.pair.vips.join(' '),
      redundancy,
      port: ports,
      users,
      site: siteDigest(s.sip.site, key) + (s.sip.csta ? '' : ' without programs'),
    },
  };
}

/** Trunks, dial plan and passwords in a word: keyed, for passwords can be guessed. */
function siteDigest(site: Site, key: Uint8Array): string {
  const { centre, ...rest } = site;
  // an earlier release knows no contact centre, and one that says nothing changes nothing
  const plain = JSON.stringify(centre) === JSON.stringify(PLAIN_CENTRE);
  const text = JSON.stringify(plain ? rest : site);
  return createHmac('sha256', key).update(text).digest('hex').slice(0, 12);
}
