/**
 * The relations between the times of a pair. Each inequality is what some argument elsewhere rests
 * on; a configuration that breaks one is refused with the reason, because a pair whose lease
 * outlives its address has two voices one day, and nobody finds out why.
 */

import { isIp4 } from '../wire/arp.ts';
import type { PairSettings } from './terms.ts';

/** The kernel may end an address this much before its lifetime (it counts in coarse ticks). */
const LIFETIME_SLACK_MS = 100;

type Relation = {
  readonly holds: (s: PairSettings) => boolean;
  readonly why: (s: PairSettings) => string;
};

const RELATIONS: readonly Relation[] = [
  {
    holds: (s) => s.heartbeatMs >= 5 && s.heartbeatMs <= 1000,
    why: (s) => `heartbeat ${s.heartbeatMs} ms: must be from 5 to 1000 ms`,
  },
  {
    holds: (s) => Number.isInteger(s.missed) && s.missed >= 2,
    why: (s) => `missed ${s.missed}: one late heartbeat is not a dead peer, at least 2`,
  },
  {
    holds: (s) => s.renewMs >= 1 && s.renewMs * 3 <= s.leaseMs,
    why: (s) =>
      `renew ${s.renewMs} ms: two renewals may fail before the lease of ${s.leaseMs} ms ends, ` +
      'so three must fit into it',
  },
  {
    holds: (s) => Number.isInteger(s.vipLifetimeS) && s.vipLifetimeS >= 1,
    why: (s) => `VIP lifetime ${s.vipLifetimeS} s: the kernel counts whole seconds, at least 1`,
  },
  {
    holds: (s) => s.leaseMs + LIFETIME_SLACK_MS <= s.vipLifetimeS * 1000,
    why: (s) =>
      `lease ${s.leaseMs} ms: must end ${LIFETIME_SLACK_MS} ms before the VIP's lifetime of ` +
      `${s.vipLifetimeS} s, or a frozen box could still speak when its VIP has fallen silent`,
  },
  {
    holds: (s) => s.probeMs >= 1 && s.probeMs * 2 <= 60,
    why: (s) => `probe ${s.probeMs} ms: two probes and their waits must fit into 60 ms`,
  },
  {
    holds: (s) => s.holdMs >= 3 * s.missed * s.heartbeatMs,
    why: (s) =>
      `hold ${s.holdMs} ms: a starting box must listen three times as long as it takes to call ` +
      `a path red (${s.missed} × ${s.heartbeatMs} ms)`,
  },
  {
    holds: (s) => s.mirrorWaitMaxMs >= 1 && s.mirrorWaitMaxMs * 2 <= s.leaseMs,
    why: (s) =>
      `mirror wait ${s.mirrorWaitMaxMs} ms: going alone must be settled within half a lease ` +
      `(${s.leaseMs} ms)`,
  },
  {
    holds: (s) => s.garpAtMs.every((at, i) => at >= 0 && (i === 0 || at > s.garpAtMs[i - 1]!)),
    why: (s) => `gratuitous ARP at ${s.garpAtMs.join(', ')} ms: must rise`,
  },
  {
    holds: (s) => s.garpRefreshMs >= 1000 && s.garpRefreshMs > (s.garpAtMs.at(-1) ?? 0),
    why: (s) => `gratuitous ARP refresh ${s.garpRefreshMs} ms: at least 1 s and after the burst`,
  },
  {
    holds: (s) => s.key.length === 32,
    why: (s) => `pair key of ${s.key.length} bytes: must be 32`,
  },
  {
    holds: (s) => isIp4(s.vip) && isIp4(s.lanAddress) && isIp4(s.peerLanAddress),
    why: (s) => `addresses ${s.vip}, ${s.lanAddress}, ${s.peerLanAddress}: must be IPv4`,
  },
  {
    holds: (s) => new Set([s.vip, s.lanAddress, s.peerLanAddress]).size === 3,
    why: (s) => `addresses ${s.vip}, ${s.lanAddress}, ${s.peerLanAddress}: must differ`,
  },
];

/** @returns the reason why a pair must not run with these settings, or undefined when it may. */
export function settingsFault(settings: PairSettings): string | undefined {
  for (const relation of RELATIONS) {
    if (!relation.holds(settings)) return relation.why(settings);
  }
  return undefined;
}
