/**
 * Supervision: a supervisor listens in on an agent's calls, coaches him, or talks with both. His phone is
 * called (a call of its own for programs), and the agent's call becomes a conference in which he takes
 * part as he wants; he can change that while he listens. The devices are not told unless that was asked
 * for.
 *
 *   waiting ─ the device talks, nobody holds ─ calling ─ he answers, is in ─ watching
 *      └──────────────── nextCalls: until the next ──────────────────────────────┘ the call ends
 */

import type { Context } from '../../proto/context.ts';
import { AGENT } from '../agent/rows.ts';
import { nameAddr, phonesOf } from '../control/make.ts';
import { answerLines } from '../control/phone.ts';
import type { Cause } from '../csta/causes.ts';
import { emit } from '../csta/event.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, PARTY, type Party } from '../csta/rows.ts';
import { isExtension } from '../dialplan.ts';
import { CALL, LEG } from '../rows.ts';
import { callIn, conferenceToBe } from './called.ts';
import { advance, sendAway, type Why } from './conference.ts';
import { conferenceOf, memberOf, setMode, talkersIn } from './members.ts';
import { MEMBER, type Member, type Mode, WATCH, type Watch } from './rows.ts';

export type WatchMode = Watch['mode'];

const HEARD: { readonly [m in WatchMode]: Mode } = {
  silent: 'listen',
  coach: 'coach',
  join: 'talk',
};

/** Supervisions at once, of one supervisor. */
const MOST = 16;

export type StartMonitoring = {
  readonly supervisorDevice: string;
  /** One of them: the device listened to, or the agent, at whichever device he is. */
  readonly device?: string | undefined;
  readonly agentId?: string | undefined;
  readonly mode?: WatchMode | undefined;
  readonly scope?: Watch['scope'] | undefined;
  /** The device listened to is told; left out: it is not. */
  readonly tellDevice?: boolean | undefined;
};

export type StopMonitoring = {
  readonly supervisorDevice: string;
  /** Left out: all he listens to. */
  readonly device?: string | undefined;
};

export type ChangeMonitoring = StopMonitoring & { readonly mode: WatchMode };

/** Begins at once when the device talks; else with its next call. */
export function startMonitoring(cx: Context, p: StartMonitoring): Done | Refusal {
  const { supervisorDevice: supervisor, agentId = '' } = p;
  const logged = agentId === '' ? undefined : cx.store.find(AGENT, 'agent', agentId);
  if (agentId !== '' && logged === undefined) return refuse('invalidAgentId', agentId);
  const device = logged?.device ?? p.device ?? '';
  const known = cx.store.all(WATCH, 'supervisor', supervisor);
  if (!isExtension(cx.settings, supervisor)) return refuse('invalidDeviceId', supervisor);
  if (!isExtension(cx.settings, device)) return refuse('invalidDeviceId', device);
  if (supervisor === device) return refuse('invalidParameter', 'Nobody supervises himself.');
  if (known.some((w) => w.device === device)) return refuse('resourceBusy');
  if (known.length >= MOST) return refuse('limitReached');
  const { session, request } = cx.turn;
  const w = cx.store.insert(WATCH, {
    supervisor,
    device,
    agent: agentId,
    mode: p.mode ?? 'silent',
    scope: p.scope ?? 'call',
    told: p.tellDevice ?? false,
    startedAt: cx.now,
    session,
    request,
  });
  const party = talkingAt(cx, w);
  const phones = phonesOf(cx, supervisor);
  if (party !== undefined && isRefusal(phones)) {
    cx.store.remove(WATCH, w);
    return phones;
  }
  if (party !== undefined) begin(cx, w, party);
  return { supervisor, deviceId: device, mode: w.mode, waiting: w.state === 'waiting' };
}

export function stopMonitoring(cx: Context, p: StopMonitoring): Done | Refusal {
  const all = ofSupervisor(cx, p.supervisorDevice, p.device);
  if (all.length === 0) return refuse('invalidMonitor');
  for (const w of all) {
    const m = memberFor(cx, w);
    if (m === undefined) over(cx, w, 'normal', true);
    else sendAway(cx, m);
  }
  return {};
}

/** Switches between listening, coaching and talking; the supervisor's phone stays in its call. */
export function changeMonitoring(cx: Context, p: ChangeMonitoring): Done | Refusal {
  const all = ofSupervisor(cx, p.supervisorDevice, p.device);
  if (all.length === 0) return refuse('invalidMonitor');
  for (const w of all) {
    if (w.mode === p.mode) continue;
    cx.store.patch(WATCH, w, { mode: p.mode });
    const m = memberFor(cx, w);
    if (m === undefined) continue;
    hear(cx, w, m);
    if (w.state === 'watching') tell(cx, w, 'monitoringStarted', 'normal');
  }
  return { mode: p.mode };
}

function ofSupervisor(cx: Context, supervisor: string, device: string | undefined): Watch[] {
  const all = cx.store.all(WATCH, 'supervisor', supervisor);
  return all.filter((w) => device === undefined || w.device === device);
}

function memberFor(cx: Context, w: Watch): Member | undefined {
  return w.member === 0 ? undefined : cx.store.get(MEMBER, w.member);
}

function watchOf(cx: Context, m: Member): Watch | undefined {
  for (const w of cx.store.rows(WATCH)) if (w.member === m.id) return w;
  return undefined;
}

/** The connection of a device that talks in a call of at least two, where nobody is on hold. */
function talkingAt(cx: Context, w: Watch): Party | undefined {
  const logged = w.agent === '' ? undefined : cx.store.find(AGENT, 'agent', w.agent);
  // an agent may sit elsewhere now; who is logged off has no calls to listen to
  if (w.agent !== '' && logged === undefined) return undefined;
  for (const party of cx.store.all(PARTY, 'device', logged?.device ?? w.device)) {
    const leg = party.leg === 0 ? undefined : cx.store.get(LEG, party.leg);
    if (party.state !== 'connected' || leg?.part !== 'device') continue;
    const all = talkersIn(cx, party.ccall);
    if (all.length > 1 && all.every((p) => p.state === 'connected')) return party;
  }
  return undefined;
}

function begin(cx: Context, w: Watch, party: Party): void {
  // a call he refused to listen to is not offered to him again
  if (party.ccall === w.ccall) return;
  const way = phonesOf(cx, w.supervisor);
  cx.store.patch(WATCH, w, { ccall: party.ccall, device: party.device });
  if (isRefusal(way)) {
    over(cx, w, 'destNotObtainable', false);
    return;
  }
  const known = conferenceOf(cx, party.ccall);
  const conf = conferenceToBe(cx, party.ccall, known);
  const calling = {
    called: w.supervisor,
    from: nameAddr(cx, w.device),
    part: 'monitor',
    lines: answerLines(cx, w.supervisor),
  } as const;
  const m = callIn(cx, conf, { kind: 'internal' }, way, calling, { role: 'supervisor' });
  cx.store.patch(WATCH, w, { state: 'calling', member: m.id });
  hear(cx, w, m);
  advance(cx, conf);
}

/** As the supervisor wants to be heard. */
function hear(cx: Context, w: Watch, m: Member): void {
  const party = cx.store.all(PARTY, 'device', w.device).find((p) => p.ccall === w.ccall);
  const leg = party === undefined ? undefined : cx.store.get(LEG, party.leg);
  const agent = leg === undefined ? undefined : memberOf(cx, leg);
  setMode(cx, m, HEARD[w.mode], w.mode === 'coach' ? (agent?.id ?? 0) : 0);
}

/** He is about to be connected: whom he coaches has a name in the conference only now. */
export function supervisorJoins(cx: Context, m: Member): void {
  const w = watchOf(cx, m);
  if (w !== undefined) hear(cx, w, m);
}

export function supervisorIn(cx: Context, m: Member): void {
  const w = watchOf(cx, m);
  if (w === undefined) return;
  cx.store.patch(WATCH, w, { state: 'watching' });
  tell(cx, w, 'monitoringStarted', 'silentMonitor');
}

export function supervisorGone(cx: Context, m: Member, why: Why): void {
  const w = watchOf(cx, m);
  if (w === undefined) return;
  const cause: Cause = why === 'refused' ? 'destNotObtainable' : 'normalClearing';
  // his own hanging up ends it for good, like the program's wish; the end of a call does not
  over(cx, w, cause, why === 'left' || why === 'dismissed');
}

/** Listening ended. With `nextCalls` the next call begins it anew, unless it is `final`. */
function over(cx: Context, w: Watch, cause: Cause, final: boolean): void {
  tell(cx, w, 'monitoringEnded', cause);
  if (final || w.scope === 'call') cx.store.remove(WATCH, w);
  else cx.store.patch(WATCH, w, { state: 'waiting', member: 0 });
}

/** A device talks now: who waits for that begins. */
export function watchedTalks(cx: Context, ccall: number): void {
  if (cx.store.count(WATCH) === 0) return;
  for (const w of [...cx.store.rows(WATCH)]) {
    const party = w.state === 'waiting' ? talkingAt(cx, w) : undefined;
    if (party?.ccall === ccall) begin(cx, w, party);
  }
}

/** The call listened to became part of `now`. */
export function watchedMoves(cx: Context, ccall: number, now: number): void {
  if (cx.store.count(WATCH) === 0) return;
  for (const w of cx.store.rows(WATCH)) {
    if (w.ccall === ccall && w.state !== 'waiting') cx.store.patch(WATCH, w, { ccall: now });
  }
}

function tell(
  cx: Context,
  w: Watch,
  event: 'monitoringStarted' | 'monitoringEnded',
  cause: Cause,
): void {
  const m = memberFor(cx, w);
  const own = m === undefined ? undefined : cx.store.get(CALL, m.call);
  const watched = cx.store.get(CCALL, w.ccall);
  emit(cx, {
    event,
    devices: w.told ? [w.supervisor, w.device] : [w.supervisor],
    ccall: (w.told ? w.ccall : own?.ccall) ?? 0,
    cause,
    session: w.session,
    request: w.request,
    body: {
      supervisorDevice: w.supervisor,
      monitoredDevice: w.device,
      ...(w.agent === '' ? {} : { agentId: w.agent }),
      mode: w.mode,
      scope: w.scope,
      ...(watched === undefined ? {} : { monitoredCall: watched.id }),
    },
  });
}
