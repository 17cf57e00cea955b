/** States of a box for tests of what speaks from them: SNMP, metrics, syslog. */

import { LED_NAMES, type Leds } from '../../src/panel/leds.ts';
import type { AlarmRecord, BoxStatus, DaemonStatus } from '../../src/panel/monitor/box-status.ts';

export const AT = Date.UTC(2026, 10, 26, 22, 30, 15, 250);

/** Any field over what is said here. */
export function daemonOf(over: { readonly [field: string]: unknown } = {}): DaemonStatus {
  return {
    release: 'sipair 0.1.0',
    pid: 17,
    redundancy: 'hot-standby',
    vip: '192.0.2.10',
    upMs: 60_000,
    monoNow: 500_000,
    lan: { interface: 'lo', address: '192.0.2.11' },
    box: 'a',
    role: 'primary',
    phase: 'primary',
    epoch: 3,
    cause: 'peer-silent',
    since: 470_000,
    lease: 501_000,
    carrier: { x: true, l: true },
    peer: {
      box: 'b',
      seen: { x: true, l: true },
      role: 'backup',
      epoch: 3,
      lsn: 40,
      inStep: true,
      peerStale: false,
      fit: true,
      engineOk: true,
      pairNow: 0,
      heardMsAgo: 4,
    },
    readiness: { ready: true, why: '' },
    lastSwitchover: {
      cause: 'peer-silent',
      epoch: 3,
      suspectedAt: 469_900,
      provedAt: 469_950,
      durableAt: 469_980,
      claimedAt: 470_000,
      tookMs: 100,
    },
    automaticLately: 0,
    witness: { state: 'seen', each: [] },
    vrrp: {
      leads: true,
      vrid: 51,
      priority: 200,
      intervalCs: 100,
      vips: ['192.0.2.10'],
      sent: 30,
      heard: 2,
      faults: {
        'vrrp-length': 0,
        'vrrp-version': 1,
        'vrrp-type': 0,
        'vrrp-checksum': 5,
        'vrrp-count': 0,
        'vrrp-ttl': 2,
        'vrrp-vrid': 0,
        'vrrp-interval': 0,
      },
      neighbour: undefined,
    },
    alarms: { active: [], over: [] },
    lateness: { '<1ms': 100, '<2ms': 4, more: 1 },
    pairCounters: { heartbeatsSent: 2400, heartbeatsHeard: 2300, takeovers: 1, longestStallMs: 12 },
    refused: {},
    lsn: 45,
    chain: 1,
    inStep: true,
    peerStale: false,
    engineRole: 'primary',
    gate: 'peer',
    connections: 5,
    held: 2,
    mirror: 'feed-live',
    ackedLsn: 42,
    durableLsn: 41,
    ackLatency: { '<1ms': 30, '<2ms': 9, '<5ms': 2 },
    peerRelease: 'sipair 0.1.0',
    calls: 7,
    established: 6,
    registrations: 12,
    trunks: [
      {
        trunk: 'provider',
        calls: 3,
        inService: true,
        registration: 'registered',
        alarms: [],
        contacts: [],
      },
    ],
    programs: { sessions: 2, away: 1, monitors: 4, answers: 0, events: 0 },
    counters: {
      requestsIn: 100,
      responsesIn: 80,
      requestsOut: 70,
      responsesOut: 110,
      callsTried: 5_000_000_000,
      faultsDropped: 3,
      floodDropped: 4,
      registrations: 20,
    },
    ...over,
  } as unknown as DaemonStatus;
}

export function alarmOf(over: Partial<AlarmRecord> = {}): AlarmRecord {
  return {
    id: 8,
    code: 'crossover-down',
    subject: '',
    severity: 'major',
    text: 'the peer is not heard over the crossover',
    source: 'pair',
    raisedAt: AT - 5000,
    epoch: 3,
    ...over,
  };
}

const STEADY = Object.fromEntries(
  LED_NAMES.map((name) => [name, { colour: 'green', blink: 'steady' }]),
) as unknown as Leds;

export function boxOf(over: Partial<BoxStatus> = {}): BoxStatus {
  return {
    at: AT,
    phase: 'running',
    box: 'a',
    name: 'Käfertal',
    release: 'sipair 0.1.0',
    daemon: daemonOf(),
    daemonTimes: { began: 440_000, zero: AT - 500_000 },
    system: {
      revision: { number: 14, at: AT - 86_400_000, by: 'admin' },
      peer: { reachable: true, revision: 14 },
      image: { slot: 'A', confirmed: true },
    },
    health: {
      uptimeS: 4000,
      temperatureC: 48.5,
      memory: { totalBytes: 2 ** 32, availableBytes: 2 ** 31 },
      load1: 0.42,
      processors: 4,
      storage: {
        totalBytes: 8 * 2 ** 30,
        freeBytes: 6 * 2 ** 30,
        readOnly: false,
        wearPercent: 3,
        writtenBytes: 5_000_000_000,
      },
      certificate: { notAfter: AT + 40 * 86_400_000 + 1000 },
      clock: { synchronised: true, offsetMs: -0.25, source: 'chrony' },
      ports: [],
    },
    alarms: [],
    history: [],
    leds: STEADY,
    locate: undefined,
    ...over,
  };
}
