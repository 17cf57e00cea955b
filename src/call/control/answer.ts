/** Answering for a program, tones and muting: what is done with one leg. */

import type { Context } from '../../proto/context.ts';
import { emit } from '../csta/event.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { directed } from '../held.ts';
import { sendInDialog } from '../leg.ts';
import { reoffer } from '../renegotiate.ts';
import { LEG } from '../rows.ts';
import { type Connection, controlOf, legOf, partyOf, remember } from './find.ts';
import { connected, isBusy } from './hold.ts';
import { tellPhone } from './phone.ts';

/** CSTA Answer Call (ECMA-269 17.1.4): the phone that rings is told to lift. */
export function answerCall(cx: Context, c: Connection): Done | Refusal {
  const party = partyOf(cx, c);
  if (isRefusal(party)) return party;
  const leg = legOf(cx, party);
  const rings = party.state === 'alerting' || party.state === 'initiated';
  if (!rings || leg?.state !== 'early') return refuse('noCallToAnswer');
  if (controlOf(cx, c.deviceId).answer !== 'talk') return refuse('requestIncompatibleWithDevice');
  if (!tellPhone(cx, leg, 'talk')) return refuse('invalidConnectionState');
  remember(cx, party);
  return {};
}

export type GenerateDigits = Connection & { readonly digits: string; readonly durationMs?: number };

/** Digits of one request. */
const DIGITS = 32;

/**
 * CSTA Generate Digits (ECMA-269 17.2.10): tones to the other side, in INFO: what RFC 4733 would send is
 * media, which does not pass here.
 */
export function generateDigits(cx: Context, p: GenerateDigits): Done | Refusal {
  if (!/^[0-9*#A-D]+$/.test(p.digits) || p.digits.length > DIGITS)
    return refuse('invalidParameter');
  const found = connected(cx, p, 'connected');
  if (isRefusal(found)) return found;
  const { party, leg, other } = found;
  const ms = Math.min(6000, Math.max(40, p.durationMs ?? 160));
  for (const digit of p.digits) {
    const body = `Signal=${digit}\r\nDuration=${ms}\r\n`;
    const type = 'Content-Type: application/dtmf-relay\r\n';
    const tail = `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
    sendInDialog(cx, other, 'INFO', 70, tail, 0, false);
  }
  emit(cx, {
    event: 'digitsGenerated',
    ccall: party.ccall,
    devices: [party.device],
    body: { connection: { callId: party.ccall, deviceId: party.device }, digits: p.digits },
  });
  cx.guard.know(cx.now, leg.ip);
  return {};
}

export type SetMute = Connection & { readonly muted: boolean };

/** The microphone of the device: its phone is told that nothing of it is wanted, or again all. */
export function setMute(cx: Context, p: SetMute): Done | Refusal {
  const found = connected(cx, p, 'connected');
  if (isRefusal(found)) return found;
  const { party, leg, other } = found;
  if (leg.muted === p.muted) return refuse('invalidConnectionState');
  if (isBusy(cx, leg, other)) return refuse('resourceBusy');
  const offer = directed(cx, leg, p.muted ? 'sendonly' : 'sendrecv');
  if (offer === '') return refuse('requestIncompatibleWithCall');
  cx.store.patch(LEG, leg, { muted: p.muted });
  reoffer(cx, leg, offer, 'hold', 0);
  emit(cx, {
    event: p.muted ? 'muted' : 'unmuted',
    ccall: party.ccall,
    devices: [party.device],
    body: { connection: { callId: party.ccall, deviceId: party.device } },
  });
  return {};
}
