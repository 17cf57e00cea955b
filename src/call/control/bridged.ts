/** What becomes of bridges that programs' requests began, and what follows from it. */

import type { Context } from '../../proto/context.ts';
import { EMPTY_TAIL } from '../../proto/sip/text.ts';
import { bridgeTo, isUp } from '../bridge.ts';
import { BRIDGE, type Bridge } from '../bridge-rows.ts';
import type { BridgeOutcome } from '../bridged.ts';
import { causeOf } from '../csta/causes.ts';
import { ccallOf } from '../csta/ccall.ts';
import { nameOf } from '../csta/devices.ts';
import { emit } from '../csta/event.ts';
import { oneCall } from '../csta/merge.ts';
import { isRefusal } from '../csta/refusal.ts';
import { dismiss, endLeg, holdersOf } from '../parts.ts';
import { TRUSTED_CALLER } from '../route.ts';
import { CALL, LEG, type Leg } from '../rows.ts';
import { enter } from './enter.ts';
import { controlOf, otherLeg } from './find.ts';
import { callerAt, nameAddr, wayTo } from './make.ts';
import { musicFor, noMusic, quiet, ringbackFor } from './music.ts';
import { type Note, noteOf, noteText } from './note.ts';
import { answerLines, tellPhone } from './phone.ts';

export function controlBridged(
  cx: Context,
  b: Bridge,
  outcome: BridgeOutcome,
  status: number,
  left: readonly Leg[],
): void {
  const note = noteOf(b);
  if (note === undefined) return;
  switch (outcome) {
    case 'rings':
      rings(cx, b, note);
      return;
    case 'joined':
      for (const leg of left) if (leg.part === 'media') dismiss(cx, leg);
      joined(cx, b, note);
      return;
    case 'refused':
      refused(cx, b, note, status);
      return;
  }
}

function legOf(cx: Context, id: number): Leg | undefined {
  const leg = id === 0 ? undefined : cx.store.get(LEG, id);
  return leg !== undefined && isUp(cx, leg) ? leg : undefined;
}

/** The phone of the device that calls rings: it is told to answer, once. */
function rings(cx: Context, b: Bridge, note: Note): void {
  if (note.do !== 'make' || note.talked) return;
  if (controlOf(cx, note.device).answer !== 'talk') return;
  for (const leg of cx.store.all(LEG, 'call', b.call)) {
    if (leg.state !== 'early' || !tellPhone(cx, leg, 'talk')) continue;
    cx.store.patch(BRIDGE, b, { note: noteText({ ...note, talked: true }) });
    return;
  }
}

function joined(cx: Context, b: Bridge, note: Note): void {
  const stays = legOf(cx, b.stays);
  const other = legOf(cx, b.other);
  switch (note.do) {
    case 'make':
      if (other !== undefined) connect(cx, b, other, note.device, note.called, true);
      return;
    case 'predictive':
      if (other !== undefined) connect(cx, b, other, note.called, note.device, false);
      return;
    case 'connect':
    case 'deliver':
      if (stays !== undefined) noMusic(cx, stays);
      return;
    case 'retrieve': {
      const leg = legOf(cx, note.leg);
      if (leg !== undefined) cx.store.patch(LEG, leg, { held: false });
      return;
    }
    case 'transfer':
      if (stays && other) transferred(cx, note, stays, other);
      return;
    default:
  }
}

/** Whoever answered is connected with the next one. `by`: it is a device of ours that calls. */
function connect(cx: Context, b: Bridge, leg: Leg, from: string, to: string, by: boolean): void {
  const way = wayTo(cx, to, by ? callerAt(cx, from) : TRUSTED_CALLER);
  if (isRefusal(way)) {
    failed(cx, b, leg, to, 480);
    endLeg(cx, leg, reason(480));
    return;
  }
  if (way.kind !== 'targets') {
    enter(cx, leg, way, '');
    return;
  }
  const note: Note = by
    ? { do: 'connect', device: from, called: to }
    : { do: 'deliver', device: to, called: from };
  const lines = by ? '' : answerLines(cx, to);
  const how = { called: to, from: nameAddr(cx, from), lines, note: noteText(note) };
  bridgeTo(cx, leg, way, how, 'control', 0);
  ringbackFor(cx, leg);
}

/** They talk; who brought them together leaves. */
function transferred(
  cx: Context,
  note: Extract<Note, { do: 'transfer' }>,
  stays: Leg,
  other: Leg,
): void {
  const legs = note.legs.map((id) => legOf(cx, id)).filter((l) => l !== undefined);
  noMusic(cx, stays);
  for (const leg of legs) {
    noMusic(cx, leg);
    const heard = otherLeg(cx, leg);
    // not the media leg of a conference, in which the other one takes his place
    if (heard?.part === 'media' && heard !== stays) dismiss(cx, heard);
  }
  for (const leg of legs) cx.store.patch(LEG, leg, { peer: leg.id, held: false });
  const by = legs[0];
  oneCall(cx, stays, other, by, note.single ? 'singleStepTransfer' : 'transfer');
  for (const leg of legs) dismiss(cx, leg);
}

function refused(cx: Context, b: Bridge, note: Note, status: number): void {
  const stays = legOf(cx, b.stays);
  switch (note.do) {
    // what failed is told of the call that was to be answered (`csta/publish.ts`)
    case 'connect':
    case 'deliver':
      if (stays !== undefined) endLeg(cx, stays, reason(status));
      return;
    case 'music':
      // who is held hears nothing, then; who waits for an answer goes on waiting
      if (stays !== undefined && isHeld(cx, stays)) quiet(cx, stays);
      return;
    case 'retrieve':
    case 'transfer': {
      for (const leg of [stays, legOf(cx, b.other)]) {
        if (leg !== undefined && isHeld(cx, leg)) musicFor(cx, leg);
      }
      const by = legOf(cx, note.do === 'retrieve' ? note.leg : (note.legs[0] ?? 0));
      if (by !== undefined) failed(cx, b, by, nameOf(cx, by) ?? '', status);
      return;
    }
    default:
  }
}

/** Held by a program, with nothing to hear. */
function isHeld(cx: Context, leg: Leg): boolean {
  return leg.peer === leg.id && holdersOf(cx, leg).length > 0;
}

function ccallId(cx: Context, leg: Leg): number {
  const call = cx.store.get(CALL, leg.call);
  return call === undefined ? 0 : (ccallOf(cx, call)?.id ?? 0);
}

/** What was accepted did not come to be: told to whoever asked for it, though somebody else ends it. */
function failed(cx: Context, b: Bridge, leg: Leg, device: string, status: number): void {
  const own = nameOf(cx, leg) ?? '';
  const callId = ccallId(cx, leg);
  emit(cx, {
    event: 'failed',
    ccall: callId,
    devices: [...new Set([own, device])],
    cause: causeOf(status),
    session: b.session,
    request: b.request,
    body: { connection: { callId, deviceId: device } },
  });
}

/** RFC 3326: why it is hung up. */
function reason(status: number): string {
  return `Reason: SIP;cause=${status}\r\n${EMPTY_TAIL}`;
}
