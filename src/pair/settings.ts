/**
 * The relations between the times of a pair. Each inequality is what some argument elsewhere rests
 * on; a configuration that breaks one is refused with the reason, because a pair whose lease
 * outlives its address has two voices one day, and nobody finds out why.
 */

import { isIp4 } from '../wire/arp.ts';
import { isVip } from './face.ts';
import type { PairSettings } from './terms.ts';

/** What has a good value for every pair; the rest is the pair's own. */
export const PAIR_DEFAULTS = {
  heartbeatMs: 25,
  missed: 4,
  leaseMs: 1500,
  vipLifetimeS: 2,
  renewMs: 250,
  probeMs: 5,
  holdMs: 3000,
  mirrorWaitMaxMs: 50,
  garpAtMs: [0, 50, 150, 400, 1000, 5000],
  garpRefreshMs: 60_000,
  engineStuckMs: 250,
  engineStuckAloneMs: 2000,
  witnesses: [],
  witnessMs: 500,
  witnessFastMs: 10,
  witnessMissed: 4,
  flapMs: 60_000,
  flapMost: 3,
  flapWindowMs: 600_000,
  lanDeadMs: 2000,
  fence: false,
  fenceMs: 3000,
  carrierBounce: false,
  vrrp: undefined,
} as const satisfies Partial<PairSettings>;

/** Settings of a pair: what is given, and the defaults for the rest. */
export function pairSettings(
  given: Omit<PairSettings, keyof typeof PAIR_DEFAULTS> & Partial<PairSettings>,
): PairSettings {
  return { ...PAIR_DEFAULTS, ...given };
}

/** The kernel may end an address this much before its lifetime (it counts in coarse ticks). */
const LIFETIME_SLACK_MS = 100;

const MOST_VIPS = 8;
const MOST_WITNESSES = 8;

function inRange(n: number, least: number, most: number): boolean {
  return Number.isInteger(n) && n >= least && n <= most;
}

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
    holds: (s) => s.engineStuckMs >= 100 && s.engineStuckAloneMs >= s.engineStuckMs,
    why: (s) =>
      `engine stuck after ${s.engineStuckMs} ms (alone ${s.engineStuckAloneMs} ms): an idle engine ` +
      'turns every 50 ms, so at least 100 ms, and alone not sooner than with a backup',
  },
  {
    holds: (s) => s.witnessFastMs >= 5 && s.witnessMs >= s.witnessFastMs && s.witnessMissed >= 2,
    why: (s) =>
      `witness every ${s.witnessMs} ms, ${s.witnessFastMs} ms in doubt, ${s.witnessMissed} missed: ` +
      'at least 5 ms apart, in doubt not slower, and one lost question proves nothing',
  },
  {
    holds: (s) => s.witnessMs * s.witnessMissed <= 60_000 && s.witnesses.length <= MOST_WITNESSES,
    why: (s) =>
      `${s.witnesses.length} witnesses, ${s.witnessMissed} × ${s.witnessMs} ms: at most ` +
      `${MOST_WITNESSES}, lost within a minute`,
  },
  {
    holds: (s) => s.flapMost >= 1 && s.flapWindowMs >= s.flapMs && s.flapMs >= 0,
    why: (s) =>
      `flap guard ${s.flapMost} in ${s.flapWindowMs} ms, ${s.flapMs} ms apart: at least one ` +
      'switchover, and the window is the longer of the two',
  },
  {
    holds: (s) => s.fenceMs >= 100,
    why: (s) => `fence ${s.fenceMs} ms: a relay needs at least 100 ms`,
  },
  {
    holds: (s) =>
      s.vrrp === undefined ||
      (inRange(s.vrrp.vrid, 1, 255) &&
        inRange(s.vrrp.priority, 1, 254) &&
        inRange(s.vrrp.intervalCs, 1, 4095)),
    why: () =>
      'VRRP: router id 1 to 255, priority 1 to 254, interval 1 to 4095 centiseconds (RFC 9568 5.2)',
  },
  {
    holds: (s) => isIp4(s.lanAddress) && isIp4(s.peerLanAddress),
    why: (s) => `addresses ${s.lanAddress}, ${s.peerLanAddress}: must be IPv4`,
  },
  {
    holds: (s) =>
      s.vips.length > 0 &&
      s.vips.length <= MOST_VIPS &&
      isIp4(s.vips[0] as string) &&
      s.vips.every(isVip),
    why: (s) =>
      `virtual addresses ${s.vips.join(', ')}: from 1 to ${MOST_VIPS}, the first one IPv4, IPv6 ` +
      'ones not of the link only and in canonical text (RFC 5952)',
  },
  {
    holds: (s) =>
      new Set([...s.vips, s.lanAddress, s.peerLanAddress]).size === s.vips.length + 2 &&
      !s.witnesses.some((w) => [...s.vips, s.lanAddress, s.peerLanAddress].includes(w.address)),
    why: (s) =>
      `addresses ${[...s.vips, s.lanAddress, s.peerLanAddress].join(', ')}: must differ, and ` +
      'neither a box nor a virtual address can be a witness',
  },
];

/** @returns the reason why a pair must not run with these settings, or undefined when it may. */
export function settingsFault(settings: PairSettings): string | undefined {
  for (const relation of RELATIONS) {
    if (!relation.holds(settings)) return relation.why(settings);
  }
  return undefined;
}
