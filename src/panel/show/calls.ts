/** `show calls` and `show call <id>`. */

import type { CallDetail, CallRow, LegView } from '../../call/view/terms.ts';
import { type Answer, listed } from './answer.ts';
import { clean, cut, left, type Pair, pairs, type ShowContext, since, table, utc } from './kit.ts';

export function showCalls(a: Answer<'calls'>, cx: ShowContext): string[] {
  return listed<'calls'>(
    a,
    [
      { head: 'call', value: (r) => String(r.id), right: true },
      { head: 'place', value: (r) => r.place },
      { head: 'from', value: (r) => r.caller, least: 4 },
      { head: 'to', value: (r) => r.called, least: 4 },
      { head: 'since', value: (r) => since(r.startedAt, a.at), right: true, drop: 1 },
      { head: 'talking', value: (r) => since(r.answeredAt, a.at), right: true, drop: 2 },
      { head: 'trunk', value: (r) => r.trunks.join(' '), least: 5, drop: 3 },
      { head: 'CSTA', value: (r) => (r.csta === 0 ? '-' : String(r.csta)), right: true, drop: 4 },
      { head: 'parties', value: (r) => r.parties.join(' '), least: 7, drop: 5 },
    ],
    cx,
    ['call', 'calls'],
  );
}

/** What a call goes through; where it is stands in brackets. */
const LADDER = [
  'trying',
  'ringing',
  'talking',
  'ending',
] as const satisfies readonly CallRow['state'][];

export function showCall(a: Answer<'call'>, cx: ShowContext): string[] {
  const call = a.rows[0];
  if (call === undefined) return ['no call'];
  const { width } = cx;
  const whose = a.mirrored ? ' (mirrored from the primary)' : '';
  const ladder = LADDER.map((s) => (s === call.state ? `[${s}]` : s)).join(' > ');
  return [
    cut(clean(`call ${call.id}: ${call.caller} to ${call.called}, ${call.place}${whose}`), width),
    ...pairs(factsOf(call, a.at), cx, 2),
    ...pairs([['state', ladder]], cx, 2),
    ...section(
      'devices',
      table(
        call.connections,
        [
          { head: 'device', value: (c) => c.device, least: 6 },
          { head: 'state', value: (c) => c.state },
          { head: 'side', value: (c) => c.side },
          { head: 'since', value: (c) => since(c.since, a.at), right: true },
          { head: 'via', value: (c) => c.via, drop: 1 },
        ],
        { ...cx, width: width - 2 },
        'none',
      ),
    ),
    ...call.legs.flatMap((leg) => legLines(leg, a.at, cx)),
    ...section(
      'transactions',
      table(
        call.transactions,
        [
          { head: 'leg', value: (t) => String(t.leg), right: true },
          { head: 'request', value: (t) => `${t.cseq} ${t.method}` },
          { head: 'we are', value: (t) => t.kind },
          { head: 'state', value: (t) => (t.status === 0 ? t.state : `${t.state} ${t.status}`) },
          { head: 'next', value: (t) => left(t.nextAt, a.at), right: true, drop: 1 },
          { head: 'with', value: (t) => `${t.transport} ${t.ip}:${t.port}`, drop: 2 },
        ],
        { ...cx, width: width - 2 },
        'none',
      ),
    ),
    ...section(
      'events',
      call.events.map((e) => cut(clean(`${utc(e.at)} ${e.event} ${e.devices}`), width - 2)),
    ),
  ];
}

function section(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${head}:`, ...lines.map((line) => `  ${line}`)];
}

function factsOf(call: CallDetail, at: number): readonly Pair[] {
  const csta = call.csta === 0 ? 'none' : `${call.csta} (${call.kind}), global ${call.global}`;
  const began = `${utc(call.startedAt)} UTC, ${since(call.startedAt, at)} ago`;
  return [
    ['began', began],
    ['answered', call.answeredAt === 0 ? 'no' : `${since(call.answeredAt, at)} ago`],
    ['CSTA call', csta],
    ...(call.trunks.length === 0 ? [] : [['trunks', call.trunks.join(', ')] as const]),
    ...(call.noAnswerAt === 0 ? [] : [['no answer in', left(call.noAnswerAt, at)] as const]),
    ...(call.refusal === 0 ? [] : [['best refusal', String(call.refusal)] as const]),
    ...(call.data === '' ? [] : [['user data', call.data] as const]),
    ...(call.cdr === '' ? [] : [['CDR so far', call.cdr] as const]),
  ];
}

function legLines(leg: LegView, at: number, cx: ShowContext): string[] {
  const marks = [leg.held ? 'held' : '', leg.muted ? 'muted' : '', leg.nat ? 'behind NAT' : ''];
  const state = [leg.state, ...(leg.part === 'device' ? [] : [leg.part]), ...marks.filter(Boolean)];
  const host = leg.ip.includes(':') ? `[${leg.ip}]` : leg.ip;
  const all: Pair[] = [
    ['state', `${state.join(', ')}; offer ${leg.offer}`],
    ['at', `${leg.transport} ${host}:${leg.port}${leg.trunk === '' ? '' : `, trunk ${leg.trunk}`}`],
    ['remote', leg.remoteUri],
    ['contact', leg.contact || '-'],
    ['Call-ID', leg.callId],
    ['tags', `ours ${leg.localTag}, theirs ${leg.remoteTag || '-'}`],
  ];
  for (const stream of leg.media) all.push(['media', stream]);
  if (leg.sessionS > 0) all.push(['session', sessionOf(leg, at)]);
  const head = `leg ${leg.id}: ${leg.side} ${leg.device}`;
  return [cut(clean(head), cx.width), ...pairs(all, cx, 2)];
}

function sessionOf(leg: LegView, at: number): string {
  const who = { us: 'we refresh', them: 'they refresh', none: 'nobody refreshes' }[leg.refresher];
  const next = leg.refreshAt === 0 ? '' : ` in ${left(leg.refreshAt, at)}`;
  const ends = leg.expiresAt === 0 ? '' : `, ends in ${left(leg.expiresAt, at)}`;
  return `${leg.sessionS} s, ${who}${next}${ends}`;
}
