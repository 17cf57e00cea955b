/** `show ha`: the pair, as the daemon of this box sees it. */

import type { DaemonStatus } from '../monitor/box-status.ts';
import { clockOf, count, duration, type Pair, pairs, type ShowContext, wrap } from './kit.ts';

/** Why a box became primary, for people. */
const CAUSES = {
  'cold-start': 'start of the pair',
  switchover: 'planned switchover',
  'lan-lost': 'the other box lost its LAN',
  'engine-stuck': 'the engine of the other box stood still',
  'peer-closed': 'the other box died',
  'peer-silent': 'the other box fell silent',
  operator: 'promoted by the operator',
} as const;

const GATES = {
  peer: 'answers wait for the other box',
  disk: 'answers wait for the own disk',
  open: 'answers wait for nobody',
  shut: 'this box has no voice',
} as const;

/** How long ago a moment of the daemon's own clock was; '' where it does not say what that shows. */
function ago(s: DaemonStatus, at: number): string {
  return s.monoNow === undefined ? '' : clockOf((s.monoNow - at) / 1000);
}

export function showHa(s: DaemonStatus, cx: ShowContext): string[] {
  const step = s.inStep ? 'in step' : 'NOT in step';
  const head = `box ${s.box}: ${s.role}, ${step}, epoch ${s.epoch}`;
  const alone = s.engineRole === 'does not answer';
  const all: readonly Pair[] = [
    ['redundancy', s.redundancy],
    ['role since', ago(s, s.since) || '-'],
    ['last change', lastChange(s)],
    ['readiness', s.readiness.ready ? 'ready to change roles' : `NOT ready: ${s.readiness.why}`],
    ['VIP', `${s.vip}, ${s.lease > 0 ? 'held by this box' : 'not held here'}`],
    ['peer', peerOf(s)],
    ['crossover', pathOf(s, 'x')],
    ['LAN', pathOf(s, 'l')],
    ['witnesses', witnessesOf(s)],
    ...(s.vrrp === undefined ? [] : [['VRRP', vrrpOf(s.vrrp)] as const]),
    ...(alone ? [['engine', 'DOES NOT ANSWER'] as const] : engineOf(s)),
    ['counters', countersOf(s.pairCounters)],
    ['alarms', s.alarms.active.map(({ code }) => code).join(', ') || 'none'],
  ];
  return [...wrap(head, cx.width), ...pairs(all, cx, 2)];
}

function lastChange(s: DaemonStatus): string {
  const last = s.lastSwitchover;
  if (last === undefined) return 'this box was never primary since its start';
  const when = ago(s, last.claimedAt);
  const took = `epoch ${last.epoch}, took ${duration(last.tookMs)}`;
  return `${CAUSES[last.cause]}; ${took}${when === '' ? '' : `, ${when} ago`}`;
}

function peerOf({ peer }: DaemonStatus): string {
  if (peer === undefined) return 'not heard since the start';
  const step = peer.inStep
    ? 'in step'
    : peer.peerStale
      ? 'says that this box is stale'
      : 'not in step';
  const fit = peer.fit ? '' : ', not fit to lead';
  const engine = peer.engineOk ? '' : ', its engine stands still';
  const heard = `heard ${duration(peer.heardMsAgo)} ago`;
  return `box ${peer.box}, ${peer.role}, epoch ${peer.epoch}, ${step}${fit}${engine}, ${heard}`;
}

export function pathOf(s: DaemonStatus, path: 'x' | 'l'): string {
  if (!s.carrier[path]) return 'NO CARRIER';
  return `carrier, peer ${s.peer?.seen[path] === true ? 'heard' : 'NOT heard'}`;
}

export function witnessesOf({ witness }: DaemonStatus): string {
  if (witness.each.length === 0) return 'none configured';
  const each = witness.each.map(({ address, answeredMsAgo }) =>
    answeredMsAgo === undefined
      ? `${address} never answered`
      : `${address} answered ${duration(answeredMsAgo)} ago`,
  );
  return `${witness.state}: ${each.join(', ')}`;
}

function vrrpOf(vrrp: NonNullable<DaemonStatus['vrrp']>): string {
  const said = `sent ${vrrp.sent}, heard ${vrrp.heard}`;
  const stranger = vrrp.neighbour === undefined ? '' : ', ANOTHER ROUTER HAS OUR ID';
  return `${vrrp.leads ? 'active' : 'backup'}, ${said}${stranger}`;
}

function engineOf(s: DaemonStatus): readonly Pair[] {
  const gate = s.gate === undefined ? '-' : `${s.gate}: ${GATES[s.gate]}`;
  const lag = s.role === 'primary' && s.ackedLsn !== undefined ? s.lsn - s.ackedLsn : undefined;
  const position = [
    `lsn ${s.lsn}`,
    ...(lag === undefined ? [] : [`peer lags ${count(lag, 'record')}`]),
    `on disk to ${s.durableLsn ?? '-'}`,
  ];
  const again = `snapshots ${s.snapshots ?? 0}, catch-ups ${s.catchUps ?? 0}, resyncs ${s.resyncs ?? 0}`;
  const whose = s.role === 'primary' ? '' : ', mirrored';
  return [
    ['gate', `${gate}; ${s.held ?? 0} held`],
    ['position', position.join(', ')],
    ['mirror', `${s.mirror ?? '-'}; ${again}, drifts ${s.drifts ?? 0}`],
    [
      'went alone',
      `${count(s.wentAlone ?? 0, 'time')}; acknowledgements late ${count(s.lateTimes ?? 0, 'time')}`,
    ],
    ['disk', `${s.disk ?? '-'}, ${s.diskFaults ?? 0} faults, ${s.diskStalls ?? 0} stalls`],
    ['calls', `${s.calls ?? 0}, ${s.established ?? 0} established${whose}`],
    ['registrations', `${s.registrations ?? 0}, ${count(s.connections ?? 0, 'connection')}`],
  ];
}

/** heartbeatsIn becomes `heartbeats in`; what never happened is left out. */
function countersOf(counters: object): string {
  const said = Object.entries(counters as { readonly [name: string]: unknown })
    .filter(([, n]) => typeof n === 'number' && n > 0)
    .map(
      ([name, n]) =>
        `${name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)} ${Math.round(Number(n))}`,
    );
  return said.join(', ') || 'nothing yet';
}
