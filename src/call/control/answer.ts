/** Answering for a program, tones and muting: what is done with one leg. */

import type { Context } from '../../proto/context.ts';
import { muteMember } from '../conference/commands.ts';
import { emit } from '../csta/event.ts';
import { type Done, isRefusal, type Refusal, refuse } from '../csta/refusal.ts';
import { directed } from '../held.ts';
import { type Outcome, reoffer } from '../renegotiate.ts';
import { LEG } from '../rows.ts';
import { controlOf, legOf, type OneCall, partyOf, remember } from './find.ts';
import { connected, isBusy } from './hold.ts';
import { tellPhone } from './phone.ts';
import { tellDigits } from './tones.ts';

/** CSTA Answer Call (ECMA-269 17.1.4): the phone that rings is told to lift. */
export function answerCall(cx: Context, p: OneCall): Done | Refusal {
  const c = p.connection;
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

export type GenerateDigits = OneCall & {
  readonly digits: string;
  readonly toneMs?: number | undefined;
};

/** Digits of one request. */
const DIGITS = 64;

/**
 * CSTA Generate Digits (ECMA-269 17.2.10): tones to the other side, in INFO: what RFC 4733 would send is
 * media, which does not pass here.
 */
export function generateDigits(cx: Context, p: GenerateDigits): Done | Refusal {
  const digits = p.digits.toUpperCase().replace(/,/g, '');
  if (!/^[0-9*#A-D]+$/.test(digits) || digits.length > DIGITS) return refuse('invalidParameter');
  const found = connected(cx, p.connection, 'connected');
  if (isRefusal(found)) return found;
  const { party, leg, other } = found;
  // while somebody rings there is only what the caller hears meanwhile
  if (isBusy(cx, leg)) return refuse('resourceBusy');
  const ms = Math.min(6000, Math.max(40, p.toneMs ?? 160));
  if (!tellDigits(cx, other, digits, ms)) return refuse('resourceBusy');
  emit(cx, {
    event: 'digitsGenerated',
    ccall: party.ccall,
    devices: [party.device],
    body: { connection: { callId: party.ccall, deviceId: party.device }, digits },
  });
  return {};
}

/** `reoffer.ref` of re-INVITEs that hold. */
const MUTES = 1;
const UNMUTES = 2;

/** What became of a re-INVITE that holds or mutes. */
export function holdOutcome(cx: Context, ref: number, { kind, leg }: Outcome): void {
  const over = kind === 'answered' ? UNMUTES : MUTES;
  if (ref === over && leg.muted) cx.store.patch(LEG, leg, { muted: false });
}

export type SetMute = OneCall & { readonly mute: boolean };

/** The microphone of the device: its phone is told that nothing of it is wanted, or again all. */
export function setMute(cx: Context, p: SetMute): Done | Refusal {
  const found = connected(cx, p.connection, 'connected');
  if (isRefusal(found)) return found;
  const { party, leg, other } = found;
  const own = muteMember(cx, party, p.mute);
  if (own !== undefined) return own;
  if (leg.muted === p.mute) return refuse('invalidConnectionState');
  if (isBusy(cx, leg, other)) return refuse('resourceBusy');
  const offer = directed(cx, leg, p.mute ? 'sendonly' : 'sendrecv');
  if (offer === '') return refuse('requestIncompatibleWithCall');
  // what it was told is what counts: it is muted until it was told otherwise
  if (p.mute) cx.store.patch(LEG, leg, { muted: true });
  reoffer(cx, leg, offer, 'hold', p.mute ? MUTES : UNMUTES);
  emit(cx, {
    event: p.mute ? 'muted' : 'unmuted',
    ccall: party.ccall,
    devices: [party.device],
    body: { connection: { callId: party.ccall, deviceId: party.device } },
  });
  return {};
}
