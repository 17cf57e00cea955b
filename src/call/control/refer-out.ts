/**
 * Calls made by REFER to a phone that is set so: it calls by itself, as if its user had dialled. Outside
 * any dialog (RFC 3515), without a subscription (RFC 4488): what comes of it we see by its INVITE, which
 * becomes the program's call.
 */

import type { Context } from '../../proto/context.ts';
import { request } from '../../proto/sip/client.ts';
import { EMPTY_TAIL, randomWord } from '../../proto/sip/text.ts';
import { giveUpAfter } from '../../proto/sip/timers.ts';
import { escapeUser } from '../../sip-parser/index.ts';
import type { Targets } from '../bridge.ts';
import { BRIDGE, type Bridge } from '../bridge-rows.ts';
import { type Beginning, newCcall } from '../csta/ccall.ts';
import { emit } from '../csta/event.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import { CCALL, type Ccall } from '../csta/rows.ts';
import { noteOf, noteText } from './note.ts';

/** The call is there at once, without any device in it. */
export function referCall(
  cx: Context,
  phones: Targets,
  device: string,
  called: string,
  made: Beginning,
): Done | Refusal {
  const [target] = phones.targets;
  if (target === undefined) return refuse('deviceOutOfService');
  const { session, request: reference } = cx.turn;
  const ccall = newCcall(cx, {}, made);
  // it has no row of `call` until the phone calls
  cx.store.patch(CCALL, ccall, { calls: 0 });
  cx.store.insert(BRIDGE, {
    state: 'placing',
    purpose: 'control',
    note: noteText({ do: 'refer', device, called, ccall: ccall.id }),
    session,
    request: reference,
    startedAt: cx.now,
    giveUpAt: cx.now + giveUpAfter(cx.settings),
  });
  const here = `sip:${escapeUser(device)}@${cx.settings.here}`;
  const rest =
    `Max-Forwards: 70\r\nFrom: <${here}>;tag=${randomWord(cx.chance)}\r\nTo: <${here}>\r\n` +
    `Call-ID: ${randomWord(cx.chance)}${randomWord(cx.chance)}@${cx.settings.vip}\r\nCSeq: 1 REFER\r\n` +
    `Contact: <sip:${cx.settings.here}>\r\nRefer-To: <sip:${escapeUser(called)}@${cx.settings.here}>\r\n` +
    `Refer-Sub: false\r\nSupported: norefersub\r\n${EMPTY_TAIL}`;
  request(cx, {
    method: 'REFER',
    uri: target.uri,
    route: target.route,
    rest,
    cseq: 1,
    to: target.peer,
    leg: 0,
    onward: 0,
    offerless: false,
  });
  return { connection: { callId: ccall.id, deviceId: device }, globalCallId: ccall.guid };
}

/** A device calls: is that a call that a program wants of it? */
export function referred(cx: Context, device: string, called: string): Ccall | undefined {
  if (device === '' || cx.store.count(BRIDGE) === 0) return undefined;
  for (const b of cx.store.all(BRIDGE, 'call', 0)) {
    const note = noteOf(b);
    if (note?.do !== 'refer' || note.device !== device || note.called !== called) continue;
    cx.turn.session = b.session;
    cx.turn.request = b.request;
    cx.store.remove(BRIDGE, b);
    return cx.store.get(CCALL, note.ccall);
  }
  return undefined;
}

/** The phone did not call. */
export function bridgeDue(cx: Context, b: Bridge): void {
  const note = noteOf(b);
  cx.store.remove(BRIDGE, b);
  if (note?.do !== 'refer') return;
  emit(cx, {
    event: 'failed',
    devices: [note.device],
    ccall: note.ccall,
    cause: 'noAnswer',
    session: b.session,
    request: b.request,
    body: { connection: { callId: note.ccall, deviceId: note.device }, calledDevice: note.called },
  });
  cx.turn.ended.add(note.ccall);
}
