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
import type { Beginning } from '../csta/ccall.ts';
import { emit } from '../csta/event.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import { noteOf, noteText } from './note.ts';

/** The id of the call is in its events: the phone begins it. */
export function referCall(
  cx: Context,
  phones: Targets,
  device: string,
  called: string,
  made: Pick<Beginning, 'kind' | 'data' | 'primary'>,
): Done | Refusal {
  const [target] = phones.targets;
  if (target === undefined) return refuse('deviceOutOfService');
  const { session, request: reference } = cx.turn;
  const { kind, data = '', primary = 0 } = made;
  cx.store.insert(BRIDGE, {
    state: 'placing',
    purpose: 'control',
    note: noteText({ do: 'refer', device, called, kind, data, primary }),
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
  return { callingDevice: { callId: 0, deviceId: device } };
}

/** A device calls: is that a call that a program wants of it? How the call begins, then. */
export function referred(cx: Context, device: string, called: string): Beginning | undefined {
  if (device === '' || cx.store.count(BRIDGE) === 0) return undefined;
  for (const b of cx.store.all(BRIDGE, 'call', 0)) {
    const note = noteOf(b);
    if (note?.do !== 'refer' || note.device !== device || note.called !== called) continue;
    cx.turn.session = b.session;
    cx.turn.request = b.request;
    cx.store.remove(BRIDGE, b);
    return { kind: note.kind, data: note.data, primary: note.primary };
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
    ccall: 0,
    cause: 'noAnswer',
    session: b.session,
    request: b.request,
    body: { connection: { callId: 0, deviceId: note.device }, calledDevice: note.called },
  });
}
