/**
 * Recording: the call becomes a conference, and a recorder is one more member that only hears (RFC 7866).
 * It is called with what it may know of the call (`siprec.ts`) and a session in which nothing is sent
 * yet; its first re-INVITE brings the sound. Paused, it is out of the conference and its session
 * inactive. Whatever becomes of the recorder, the call goes on.
 *
 *   waiting ─ two talk, nobody holds ─ calling ─ it is in ─ recording ⇄ paused
 */

import { hex } from '../../base/chance.ts';
import type { MediaService } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { targetOf } from '../../proto/sip/address.ts';
import { inOrder, serviceKey } from '../addresses.ts';
import { agentAt, loginOf } from '../agent/agent.ts';
import type { Targets } from '../bridge.ts';
import { type Connection, type OneCall, partyOf } from '../control/find.ts';
import { nameAddr } from '../control/make.ts';
import type { Cause } from '../csta/causes.ts';
import { emit } from '../csta/event.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, type Ccall, PARTY } from '../csta/rows.ts';
import { CONTACT } from '../trunk-rows.ts';
import { callIn, conferenceToBe } from './called.ts';
import { advance, sendAway, type Why } from './conference.ts';
import { conferenceOf, part, rejoin, talkersIn } from './members.ts';
import { MEMBER, type Member, RECORDING, type Recording } from './rows.ts';
import { metadataPart } from './siprec.ts';

type Told = 'started' | 'paused' | 'resumed' | 'stopped' | 'failed';

/** Records the call of a connection, from the moment on at which two devices talk. */
export function startRecording(cx: Context, p: OneCall): Done | Refusal {
  const party = partyOf(cx, p.connection);
  if (isRefusal(party)) return party;
  const ccall = cx.store.get(CCALL, party.ccall) as Ccall;
  if (recordingOf(cx, ccall.id) !== undefined) {
    return refuse('resourceBusy', 'The call is recorded already.');
  }
  const why = cannotRecord(cx);
  if (why !== undefined) return why;
  return { recordingId: begin(cx, ccall, party.device, false).word };
}

export function pauseRecording(cx: Context, p: OneCall): Done | Refusal {
  const r = recordingBy(cx, p.connection);
  if (isRefusal(r)) return r;
  if (r.paused) return refuse('requestIncompatibleWithCall', 'It is paused already.');
  cx.store.patch(RECORDING, r, { paused: true });
  const m = memberFor(cx, r);
  if (m !== undefined && r.state === 'recording') {
    part(cx, m);
    tell(cx, r, 'paused', 'normal');
  }
  return {};
}

export function resumeRecording(cx: Context, p: OneCall): Done | Refusal {
  const r = recordingBy(cx, p.connection);
  if (isRefusal(r)) return r;
  if (!r.paused) return refuse('requestIncompatibleWithCall', 'It is not paused.');
  cx.store.patch(RECORDING, r, { paused: false });
  const m = memberFor(cx, r);
  if (m !== undefined && r.state === 'recording') {
    rejoin(cx, m);
    tell(cx, r, 'resumed', 'normal');
  }
  return {};
}

export function stopRecording(cx: Context, p: { readonly connection: Connection }): Done | Refusal {
  const r = recordingBy(cx, p.connection);
  if (isRefusal(r)) return r;
  const m = memberFor(cx, r);
  if (m === undefined) over(cx, r, 'stopped', 'normal');
  else sendAway(cx, m);
  return {};
}

/** The recording of a call. */
export function recordingOf(cx: Context, ccall: number): Recording | undefined {
  if (cx.store.count(RECORDING) === 0) return undefined;
  const conf = conferenceOf(cx, ccall);
  for (const r of cx.store.rows(RECORDING)) {
    if (r.ccall === ccall) return r;
    // calls that became one: it goes on in that
    if (conf !== undefined && memberFor(cx, r)?.conference === conf.id) return r;
  }
  return undefined;
}

function recordingBy(cx: Context, connection: Connection): Recording | Refusal {
  const party = partyOf(cx, connection);
  if (isRefusal(party)) return party;
  const r = recordingOf(cx, party.ccall);
  return r ?? refuse('requestIncompatibleWithCall', 'The call is not recorded.');
}

function memberFor(cx: Context, r: Recording): Member | undefined {
  return r.member === 0 ? undefined : cx.store.get(MEMBER, r.member);
}

function recordingFor(cx: Context, m: Member): Recording | undefined {
  for (const r of cx.store.rows(RECORDING)) if (r.member === m.id) return r;
  return undefined;
}

// ── recorders ────────────────────────────────────────────────────────────────────────────────────

function recorders(cx: Context): readonly MediaService[] {
  return cx.settings.site.centre.services.filter((s) => s.kinds.includes('recorder'));
}

/** Recorders in service; the first is called, the others when it refuses. */
function wayToRecorder(cx: Context): Targets | undefined {
  const groups = recorders(cx).flatMap((s) => {
    const row = cx.store.find(CONTACT, 'key', serviceKey(s.name));
    if (row === undefined || row.state === 'down') return [];
    const uri = targetOf(row.uri);
    const common = { uri, nat: false, route: '', binding: 0, extension: '' };
    return inOrder(cx.chance, row).map(({ transport, ip, port }) => [
      { ...common, peer: { transport, ip, port } },
    ]);
  });
  const [first, ...later] = groups;
  return first === undefined ? undefined : { kind: 'targets', targets: first, later };
}

function cannotRecord(cx: Context): Refusal | undefined {
  if (recorders(cx).length === 0) return refuse('notSupported', 'There is no recorder.');
  if (wayToRecorder(cx) === undefined) return refuse('resourceOutOfService', 'No recorder serves.');
  return undefined;
}

// ── what becomes of it ───────────────────────────────────────────────────────────────────────────

function begin(cx: Context, ccall: Ccall, device: string, auto: boolean): Recording {
  const { session, request } = cx.turn;
  const r = cx.store.insert(RECORDING, {
    ccall: ccall.id,
    device,
    word: hex(cx.chance, 4),
    auto,
    startedAt: cx.now,
    session,
    request,
  });
  callRecorder(cx, r);
  return r;
}

function callRecorder(cx: Context, r: Recording): void {
  const ccall = cx.store.get(CCALL, r.ccall);
  const all = ccall === undefined ? [] : talkersIn(cx, ccall.id);
  if (ccall === undefined || all.length < 2 || all.some((p) => p.state === 'hold')) return;
  const way = wayToRecorder(cx);
  if (way === undefined) {
    over(cx, r, 'failed', 'resourcesNotAvailable');
    return;
  }
  const known = conferenceOf(cx, ccall.id);
  const conf = conferenceToBe(cx, ccall.id, known);
  const calling = {
    called: 'recorder',
    from: nameAddr(cx, r.device),
    part: 'media',
    lines: 'Require: siprec\r\n',
    feature: '+sip.src',
    besides: metadataPart({
      word: r.word,
      guid: ccall.guid,
      startedAt: r.startedAt,
      host: cx.settings.here,
      participants: all.map(({ device }) => ({
        device,
        agent: agentAt(cx, device)?.agent ?? '',
      })),
    }),
  } as const;
  const m = callIn(cx, conf, ccall, way, calling, { role: 'recorder', mode: 'listen' });
  cx.store.patch(RECORDING, r, { state: 'calling', member: m.id });
  advance(cx, conf);
}

/** It hears the call. */
export function recorderIn(cx: Context, m: Member): void {
  const r = recordingFor(cx, m);
  if (r === undefined || r.state === 'recording') return;
  cx.store.patch(RECORDING, r, { state: 'recording' });
  tell(cx, r, 'started', 'normal');
  if (!r.paused) return;
  part(cx, m);
  tell(cx, r, 'paused', 'normal');
}

export function recorderGone(cx: Context, m: Member, why: Why): void {
  const r = recordingFor(cx, m);
  if (r === undefined) return;
  if (why === 'dismissed' || why === 'over') over(cx, r, 'stopped', 'normal');
  else over(cx, r, 'failed', why === 'left' ? 'networkOutOfOrder' : 'resourcesNotAvailable');
}

function over(cx: Context, r: Recording, state: 'stopped' | 'failed', cause: Cause): void {
  if (state === 'failed') {
    cx.log('alarm', `recording of call ${r.ccall} at ${r.device} failed: ${cause}`);
  }
  tell(cx, r, state, cause);
  cx.store.remove(RECORDING, r);
}

function tell(cx: Context, r: Recording, state: Told, cause: Cause): void {
  const m = memberFor(cx, r);
  const party = cx.store.all(PARTY, 'device', r.device).find((p) => p.ccall === r.ccall);
  const all = cx.store.all(PARTY, 'ccall', r.ccall);
  emit(cx, {
    event: 'recording',
    devices: [...new Set([r.device, ...all.map((p) => p.device)])],
    ccall: r.ccall,
    cause,
    session: r.session,
    request: r.request,
    body: {
      connection: { callId: r.ccall, deviceId: party?.device ?? r.device },
      recordingId: r.word,
      state,
      ...(m === undefined ? {} : { conference: m.conference }),
      automatic: r.auto,
    },
  });
}

// ── what the calls tell ──────────────────────────────────────────────────────────────────────────

/** Somebody talks now in a call: a recording that waited for that begins. */
export function recordedTalks(cx: Context, ccall: number): void {
  if (cx.store.count(RECORDING) === 0) return;
  for (const r of [...cx.store.rows(RECORDING)]) {
    if (r.ccall === ccall && r.state === 'waiting') callRecorder(cx, r);
  }
}

/** Somebody new talks in a call: it is recorded when one of its agents is one who is. */
export function recordAgents(cx: Context, ccall: number): void {
  const all = talkersIn(cx, ccall);
  if (all.length < 2) return;
  const party = all.find((t) => {
    const agent = agentAt(cx, t.device);
    return agent !== undefined && loginOf(cx, agent.agent).record;
  });
  const row = party === undefined ? undefined : cx.store.get(CCALL, ccall);
  if (party !== undefined && row !== undefined) record(cx, row, party.device, true);
}

/** Its router wants a call recorded as soon as two talk in it. */
export function recordRouted(cx: Context, ccall: Ccall, device: string): void {
  record(cx, ccall, device, false);
}

/** What stands in the way is said aloud, and the call goes on. */
function record(cx: Context, ccall: Ccall, device: string, auto: boolean): void {
  if (recordingOf(cx, ccall.id) !== undefined) return;
  const why = cannotRecord(cx);
  if (why === undefined) begin(cx, ccall, device, auto);
  else cx.log('alarm', `call ${ccall.id} at ${device} is not recorded: ${why.text}`);
}

/** The call is over, or became part of `now`. */
export function recordedMoves(cx: Context, ccall: number, now: number): void {
  if (cx.store.count(RECORDING) === 0) return;
  for (const r of [...cx.store.rows(RECORDING)]) {
    if (r.ccall !== ccall) continue;
    if (now !== 0) cx.store.patch(RECORDING, r, { ccall: now });
    else if (memberFor(cx, r) === undefined) over(cx, r, 'stopped', 'normalClearing');
  }
}
