/**
 * The pair as other routers of the LAN see it: one VRRP router whose priority and addresses both
 * boxes share. Who of the two speaks is decided by the sentry, never by VRRP.
 */

import { SECOND } from '../base/units.ts';
import { VrrpSpeaker, type VrrpVerdict } from '../proto/vrrp.ts';
import { isIp4 } from '../wire/arp.ts';
import { leads } from './peer.ts';
import type { Core } from './sentry-core.ts';
import type { PairEvent } from './takeover-words.ts';
import type { PairSettings, SentryInput } from './terms.ts';

type Vrrp = NonNullable<PairSettings['vrrp']>;

/** @returns the virtual router's MAC address for IPv4 (RFC 9568 7.3). */
export function virtualMac(vrid: number): string {
  return `00:00:5e:00:01:${vrid.toString(16).padStart(2, '0')}`;
}

export function speaker(
  settings: PairSettings,
  { vrid, priority, intervalCs }: Vrrp,
  linkLocal: string | undefined,
): VrrpSpeaker {
  const four = settings.vips.filter(isIp4);
  const six = settings.vips.filter((vip) => !isIp4(vip));
  return new VrrpSpeaker({
    vrid,
    priority,
    intervalCs,
    families: {
      4: { source: settings.lanAddress, vips: four },
      ...(six.length > 0 && linkLocal !== undefined ? { 6: { source: linkLocal, vips: six } } : {}),
    },
    peers: [settings.peerLanAddress],
  });
}

/** A VRRP packet. @returns the event it is, if any. */
export function hearRouter(
  c: Core,
  packet: Extract<SentryInput, { kind: 'vrrp' }>,
): PairEvent | undefined {
  if (c.router === undefined) return undefined;
  const verdict: VrrpVerdict = c.router.hear(c.now, packet);
  if (typeof verdict !== 'string' || verdict === 'peer') return undefined;
  if (verdict === 'equal' && mayBePeer(c)) return undefined;
  if (verdict === 'lower') return 'router-leads';
  c.raise(
    'vrrp-conflict',
    `router ${packet.from} uses our router id ${c.settings.vrrp?.vrid} with ${words(verdict)} priority`,
  );
  return undefined;
}

/**
 * The other box has a link-local address that nobody told us, and our priority. Unless we have led for
 * a while, it may have spoken.
 */
function mayBePeer(c: Core): boolean {
  const peer = c.peer.state;
  if (peer !== undefined && c.peer.present(c.now) && leads(peer)) return true;
  return !c.leading() || c.now - c.roleSince < SECOND;
}

function words(verdict: 'own' | 'equal' | 'higher'): string {
  return verdict === 'own'
    ? 'our own address and some'
    : verdict === 'equal'
      ? 'the same'
      : 'a higher';
}

/** What is due: advertisements go out, and an alarm is over when its router is gone. */
export function settleRouter(c: Core): void {
  const { router } = c;
  if (router === undefined) return;
  if (router.due(c.now)) {
    for (const { family, bytes } of router.takeOut()) c.out.push({ kind: 'vrrp', family, bytes });
  }
  const stranger = router.neighbour(c.now);
  const worse = stranger !== undefined && stranger.priority >= (c.settings.vrrp?.priority ?? 0);
  if (!worse) c.clear('vrrp-conflict');
}
