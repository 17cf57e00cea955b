/**
 * SIP-COMMON-MIB and SIP-SERVER-MIB (RFC 4780) and VRRPV3-MIB (RFC 6527) at their standard places: what
 * the product knows. What it does not count does not exist; SERVED and LEFT_OUT say which is which.
 */

import type { Mono } from '../../base/units.ts';
import { ALLOW, OPTION_TAGS } from '../../proto/sip/text.ts';
import type { VrrpFault } from '../../wire/vrrp.ts';
import type { BoxStatus } from '../monitor/box-status.ts';
import type { Scene } from './terms.ts';
import {
  bits,
  counter32,
  counter64,
  gauge,
  inetAddress,
  integer,
  type Oid,
  octets,
  type SnmpValue,
  text,
  ticks,
  truth,
  type Varbind,
} from './values.ts';

export const SIP_COMMON: Oid = [1, 3, 6, 1, 2, 1, 149];
export const SIP_SERVER: Oid = [1, 3, 6, 1, 2, 1, 151];
export const VRRPV3: Oid = [1, 3, 6, 1, 2, 1, 207];

/** applIndex of NETWORK-SERVICES-MIB: there is one SIP server on a box. */
const APPL = 1;

type Columns = readonly (readonly [column: number, value: SnmpValue | undefined])[];

function row(entry: Oid, index: Oid, columns: Columns): Varbind[] {
  return columns.flatMap(([column, value]) =>
    value === undefined ? [] : [{ oid: [...entry, column, ...index], value }],
  );
}

/** A moment of the monotonic clock, on the agent's sysUpTime. */
function stamp(scene: Scene, moment: Mono): SnmpValue {
  return ticks(scene.upTimeAt(moment));
}

/** sysUpTime when the service was started: counters begin there. */
function started({ status, upTimeAt }: Scene): SnmpValue | undefined {
  const { daemonTimes } = status;
  return daemonTimes === undefined ? undefined : ticks(upTimeAt(daemonTimes.began));
}

// ── SIP-COMMON-MIB ─────────────────────────────────────────────────────────────────────────────

/** sipCommonCfgServiceOperStatus. */
const OPERATION = {
  unknown: 1,
  up: 2,
  down: 3,
  congested: 4,
  restarting: 5,
  quiescing: 6,
} as const;

export function operationOf({ phase, daemon }: BoxStatus): number {
  if (daemon === undefined) return phase === 'booting' ? OPERATION.restarting : OPERATION.down;
  switch (daemon.role) {
    case 'primary':
      return OPERATION.up;
    case 'resigning':
      return OPERATION.quiescing;
    // it has no voice: the other box processes SIP
    case 'backup':
    case 'promoting':
      return OPERATION.down;
    case 'starting':
      return OPERATION.restarting;
  }
}

/** SipTCEntityRole: userAgent(1), registrarServer(4): a back-to-back user agent, and a registrar. */
const ENTITY = [1, 4];
/** SipTCOptionTagHeaders: supported(2). */
const SUPPORTED = [2];

function sum(counters: { readonly [name: string]: number }, names: readonly string[]): number {
  return names.reduce((n, name) => n + (counters[name] ?? 0), 0);
}

/** Taken in and neither answered nor looked at. */
const DISCARDED = ['faultsDropped', 'floodDropped', 'fromOurselves', 'responsesStray', 'acksStray'];

function sipCommon(scene: Scene): Varbind[] {
  const { status } = scene;
  const d = status.daemon;
  const at: Oid = [...SIP_COMMON, 1];
  const methods = ALLOW.trim().slice('Allow: '.length).split(', ');
  const counters = d?.counters;
  return [
    ...row(
      [...at, 1, 1, 1],
      [APPL],
      [
        [1, text('SIP/2.0')],
        [2, integer(operationOf(status))],
        [3, started(scene)],
        [4, d === undefined ? undefined : stamp(scene, d.since)],
        // no Organization header is made
        [5, text('')],
        [8, bits(ENTITY)],
      ],
    ),
    ...OPTION_TAGS.flatMap((tag, i) =>
      row(
        [...at, 1, 3, 1],
        [APPL, i + 1],
        [
          [2, text(tag)],
          [3, bits(SUPPORTED)],
        ],
      ),
    ),
    ...methods.flatMap((name, i) => row([...at, 1, 4, 1], [APPL, i + 1], [[2, text(name)]])),
    ...(d === undefined || counters === undefined
      ? []
      : [
          ...row(
            [...at, 3, 1, 1],
            [APPL],
            [
              [1, counter32(sum(counters, ['requestsIn']))],
              [2, counter32(sum(counters, ['requestsOut']))],
              [3, counter32(sum(counters, ['responsesIn']))],
              [4, counter32(sum(counters, ['responsesOut']))],
              [6, started(scene)],
            ],
          ),
          ...row(
            [...at, 8, 1, 1],
            [APPL],
            [
              [3, counter32(sum(counters, DISCARDED))],
              [4, started(scene)],
            ],
          ),
        ]),
  ];
}

// ── SIP-SERVER-MIB ─────────────────────────────────────────────────────────────────────────────

function sipServer(scene: Scene): Varbind[] {
  const d = scene.status.daemon;
  if (d === undefined) return [];
  const at: Oid = [...SIP_SERVER, 1];
  const host = inetAddress(d.vip);
  return [
    ...row(
      [...at, 1, 1, 1],
      [APPL],
      [
        [1, host === undefined ? undefined : integer(host.type)],
        [2, host === undefined ? undefined : octets(host.bytes)],
      ],
    ),
    ...row(
      [...at, 5, 1, 1],
      [APPL],
      [[3, d.registrations === undefined ? undefined : gauge(d.registrations)]],
    ),
    ...row(
      [...at, 6, 1, 1],
      [APPL],
      [
        [1, d.counters === undefined ? undefined : counter32(sum(d.counters, ['registrations']))],
        [3, started(scene)],
      ],
    ),
  ];
}

// ── VRRPV3-MIB ─────────────────────────────────────────────────────────────────────────────────

const VRRP_STATE = { initialize: 1, backup: 2, master: 3 } as const;
/** vrrpv3StatisticsNewMasterReason. */
const REASON = { notMaster: 0, priority: 1, preempted: 2, masterNoResponse: 3 } as const;

export function vrrpReason(cause: string | undefined): number {
  if (cause === undefined) return REASON.notMaster;
  if (cause === 'peer-silent' || cause === 'peer-closed' || cause === 'engine-stuck') {
    return REASON.masterNoResponse;
  }
  return cause === 'cold-start' ? REASON.priority : REASON.preempted;
}

export type VrrpRow = {
  readonly index: Oid;
  readonly master: SnmpValue | undefined;
  readonly reason: SnmpValue;
};

/** One virtual router a family; nothing where there is no VRRP, or the interface is not known. */
export function vrrpRows(scene: Scene): VrrpRow[] {
  const d = scene.status.daemon;
  const { vrrp } = d ?? {};
  if (d === undefined || vrrp === undefined || scene.lanIfIndex === 0) return [];
  const families = [...new Set(vrrp.vips.map((vip) => inetAddress(vip)?.type ?? 0))];
  return families.map((type) => {
    const own = inetAddress(d.lan?.address ?? '');
    const known = vrrp.leads && own?.type === type ? own.bytes : undefined;
    return {
      index: [scene.lanIfIndex, vrrp.vrid, type],
      master: known === undefined ? undefined : octets(known),
      reason: integer(vrrp.leads ? vrrpReason(d.lastSwitchover?.cause) : REASON.notMaster),
    };
  });
}

export const VRRP_MASTER: Oid = [...VRRPV3, 1, 1, 1, 1, 3];
export const VRRP_REASON: Oid = [...VRRPV3, 1, 2, 5, 1, 2];

/** Which refusal counts where: in the statistics of the router, by their number. */
const ROUTER_ERRORS: readonly (readonly [number, readonly VrrpFault[]])[] = [
  [1, ['vrrp-checksum']],
  [2, ['vrrp-version']],
  [3, ['vrrp-vrid']],
];
/** In the statistics of the virtual router, by column. */
const ROW_ERRORS: readonly (readonly [number, readonly VrrpFault[]])[] = [
  [4, ['vrrp-interval']],
  [5, ['vrrp-ttl']],
  [9, ['vrrp-type']],
  [10, ['vrrp-count']],
  [11, ['vrrp-length']],
];

function vrrp(scene: Scene): Varbind[] {
  const d = scene.status.daemon;
  const v = d?.vrrp;
  if (d === undefined || v === undefined) return [];
  const errors = (faults: readonly VrrpFault[]): SnmpValue =>
    counter64(faults.reduce((n, f) => n + v.faults[f], 0));
  const at: Oid = [...VRRPV3, 1];
  const state = v.leads ? 'master' : d.role === 'backup' ? 'backup' : 'initialize';
  const own = inetAddress(d.lan?.address ?? '');
  const began = started(scene);
  return [
    ...ROUTER_ERRORS.map(([n, faults]) => ({ oid: [...at, 2, n, 0], value: errors(faults) })),
    ...(began === undefined ? [] : [{ oid: [...at, 2, 4, 0], value: began }]),
    ...vrrpRows(scene).flatMap(({ index, master, reason }) => {
      const type = index[2] as number;
      const vips = v.vips.map(inetAddress).filter((vip) => vip?.type === type);
      // RFC 9568 7.3: 00-00-5E-00-01 for IPv4, -02 for IPv6, and the router id
      const mac = Uint8Array.from([0, 0, 0x5e, 0, type, v.vrid]);
      return [
        ...row([...at, 1, 1, 1], index, [
          [3, master],
          [4, own?.type === type ? octets(own.bytes) : undefined],
          [5, octets(mac)],
          [6, integer(VRRP_STATE[state])],
          [7, gauge(v.priority)],
          [8, integer(vips.length)],
          [9, integer(v.intervalCs)],
          // no box takes the address from one that leads
          [10, truth(false)],
          [11, truth(true)],
          [12, ticks(v.leads && d.monoNow !== undefined ? (d.monoNow - d.since) / 10 : 0)],
          // RowStatus active(1)
          [13, integer(1)],
        ]),
        ...vips.flatMap((vip) =>
          vip === undefined
            ? []
            : row([...at, 1, 2, 1], [...index, vip.bytes.length, ...vip.bytes], [[2, integer(1)]]),
        ),
        ...row([...at, 2, 5, 1], index, [
          [1, counter32(d.pairCounters.takeovers)],
          [2, reason],
          [3, counter64(v.heard)],
          ...ROW_ERRORS.map(([n, faults]) => [n, errors(faults)] as const),
          [12, started(scene)],
          [13, gauge(v.intervalCs * 10)],
        ]),
      ];
    }),
  ];
}

export function standardInstances(scene: Scene): Varbind[] {
  return [...sipCommon(scene), ...sipServer(scene), ...vrrp(scene)];
}

/** For the manual: what is served of each module. */
export const SERVED: readonly (readonly [module: string, place: string, what: string])[] = [
  [
    'SIP-COMMON-MIB (RFC 4780)',
    '1.3.6.1.2.1.149',
    'sipCommonCfgTable without MaxTransactions and NotifEnable',
  ],
  ['', '', 'sipCommonOptionTagTable, sipCommonMethodSupportedTable'],
  ['', '', 'sipCommonSummaryStatsTable without TotalTransactions'],
  ['', '', 'sipCommonOtherStatsTable: OtherwiseDiscardedMsgs, DisconTime'],
  ['SIP-SERVER-MIB (RFC 4780)', '1.3.6.1.2.1.151', 'sipServerCfgTable'],
  ['', '', 'sipServerRegCfgTable: sipServerRegCurrentUsers, which counts registered contacts'],
  ['', '', 'sipServerRegStatsTable without RejectedRegs'],
  [
    'VRRPV3-MIB (RFC 6527)',
    '1.3.6.1.2.1.207',
    'where the pair has a router id: vrrpv3OperationsTable,',
  ],
  [
    '',
    '',
    'vrrpv3AssociatedIpAddrTable, vrrpv3Statistics without ProtoErrReason and PriZeroPackets',
  ],
];

export const LEFT_OUT: readonly string[] = [
  'sipCommonPortTable, sipCommonCfgTimerTable: they are in the configuration',
  'sipCommonMethodStatsTable, sipCommonStatusCodeTable, sipCommonStatsRetryTable: not counted by method',
  'sipCommonTransCurrentTable: transactions that wait are not counted',
  'sipServerProxy*: the box is a back-to-back user agent, not a proxy',
  'sipServerRegUserTable, sipServerRegContactTable: who is registered is shown by the console only',
  'SIP-UA-MIB: of telephones',
];
