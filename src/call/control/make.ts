/**
 * Calls made for programs (RFC 3725 flow IV): the device is called with a held session; once its user
 * is there he hears ringback, and the one he calls is bridged to him. A predictive call begins at the
 * other end: whoever answers outside is connected with the device, queue or routing point.
 */

import { asciiJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import type { Context } from '../../proto/context.ts';
import { extensionOf } from '../../proto/site.ts';
import { escapeUser } from '../../sip-parser/index.ts';
import { type Calling, placeCall, type Targets } from '../bridge.ts';
import { ccallOf } from '../csta/ccall.ts';
import { type Done, isRefusal, type Refusal, type RefusalCode, refuse } from '../csta/refusal.ts';
import { CCALL } from '../csta/rows.ts';
import { isExtension } from '../dialplan.ts';
import { type Caller, classOf, type Route, route, TRUSTED_CALLER, toPhones } from '../route.ts';
import { CALL } from '../rows.ts';
import { type Connection, controlOf, partiesAt } from './find.ts';
import { connected, hold, isBusy } from './hold.ts';
import { noteText } from './note.ts';
import { answerLines } from './phone.ts';
import { referCall } from './refer-out.ts';

export type UserData = { readonly [name: string]: string };

export type MakeCall = {
  readonly callingDevice: string;
  readonly calledDevice: string;
  readonly userData?: UserData | undefined;
  /** false: the phone only rings, whatever it can; its user lifts. */
  readonly autoOriginate?: boolean | undefined;
};

/** From value of a device of ours: its number, and its name where the site knows one. */
export function nameAddr(cx: Context, device: string): string {
  const name = extensionOf(cx.settings.site, device)?.name ?? '';
  const uri = `<sip:${escapeUser(device)}@${cx.settings.here}>`;
  return name === '' ? uri : `"${name.replace(/["\\]/g, '\\$&')}" ${uri}`;
}

/** Why a number cannot be called, of the status a caller would hear. */
function codeOf(status: number): RefusalCode {
  if (status === 403) return 'privilegeViolation';
  if (status === 480 || status === 503) return 'deviceOutOfService';
  // it does not want to be disturbed
  if (status === 486 || status === 603) return 'requestIncompatibleWithDevice';
  return 'invalidCalledDevice';
}

/** What cannot be refused at once is found out by calling. */
export function wayTo(
  cx: Context,
  number: string,
  caller: Caller,
): Exclude<Route, { kind: 'refuse' }> | Refusal {
  if (number === '' || /[^!-~]/.test(number)) return refuse('invalidCalledDevice');
  const way = route(cx, number, caller);
  return way.kind === 'refuse' ? refuse(codeOf(way.status)) : way;
}

export function callerAt(cx: Context, device: string): Caller {
  return { classOfService: classOf(cx, device), trunk: '' };
}

/** The way to the phones of a device that is to be steered: it calls though it takes no calls. */
export function phonesOf(cx: Context, device: string): Targets | Refusal {
  if (!isExtension(cx.settings, device)) return refuse('invalidDeviceId');
  const way = toPhones(cx, device);
  return way.kind === 'targets' ? way : refuse('deviceOutOfService');
}

export function roomLeft(cx: Context): boolean {
  return cx.store.count(CALL) < cx.settings.maxCalls;
}

/** User data of a request as a call keeps it; '' for none. */
function dataText(data: UserData | undefined): string {
  return data === undefined || Object.keys(data).length === 0 ? '' : asciiJson(data);
}

/** CSTA Make Call (ECMA-269 17.1.20). */
export function makeCall(cx: Context, p: MakeCall): Done | Refusal {
  const kind = isExtension(cx.settings, p.calledDevice) ? 'internal' : 'outbound';
  return begin(cx, p, { kind, data: dataText(p.userData) }, false);
}

type Kind = { readonly kind: 'internal' | 'outbound' | 'consult' };

function begin(
  cx: Context,
  p: MakeCall,
  how: Kind & { readonly data: string; readonly primary?: number },
  consult: boolean,
): Done | Refusal {
  const { callingDevice: device, calledDevice: called } = p;
  const phones = phonesOf(cx, device);
  if (isRefusal(phones)) return phones;
  const way = wayTo(cx, called, callerAt(cx, device));
  if (isRefusal(way)) return way;
  const active = partiesAt(cx, device).filter((x) => x.state !== 'hold' && x.ccall !== how.primary);
  if (active.length > 0) return refuse('resourceBusy');
  if (!roomLeft(cx)) return refuse('overload');
  if (how.data.length > LIMITS.userDataBytes) return refuse('limitReached');
  const made = { ...how, calling: device, called };
  if (controlOf(cx, device).make === 'refer') return referCall(cx, phones, device, called, made);
  const asked = p.autoOriginate !== false;
  const note = { do: 'make', device, called, consult, talked: !asked } as const;
  const calling: Calling & { readonly from: string } = {
    called: device,
    from: nameAddr(cx, called),
    lines: asked ? answerLines(cx, device) : '',
    note: noteText(note),
  };
  const b = placeCall(cx, made, phones, calling, 'control', 0);
  return callMade(cx, b.call, device);
}

/** What the maker of a call is told of it. */
function callMade(cx: Context, id: number, device: string): Done {
  const call = cx.store.get(CALL, id);
  const ccall = call === undefined ? undefined : ccallOf(cx, call);
  return {
    connection: { callId: ccall?.id ?? 0, deviceId: device },
    globalCallId: ccall?.guid ?? '',
  };
}

export type ConsultationCall = {
  readonly connection: Connection;
  readonly calledDevice: string;
  readonly userData?: UserData | undefined;
};

/** CSTA Consultation Call (ECMA-269 17.1.10): the call is held, and a new one made from the device. */
export function consultationCall(cx: Context, p: ConsultationCall): Done | Refusal {
  const { connection: c, calledDevice } = p;
  const active = connected(cx, c, 'connected');
  const found = isRefusal(active) ? connected(cx, c, 'hold') : active;
  if (isRefusal(found)) return active;
  const { party, leg, other } = found;
  if (isBusy(cx, leg, other)) return refuse('resourceBusy');
  const own = cx.store.get(CCALL, party.ccall);
  const data = p.userData === undefined ? (own?.data ?? '') : dataText(p.userData);
  const asked = { callingDevice: c.deviceId, calledDevice };
  const made = begin(cx, asked, { kind: 'consult', primary: party.ccall, data }, true);
  if (isRefusal(made)) return made;
  cx.turn.causes.set(leg.call, 'consultation');
  if (party.state === 'connected') hold(cx, party, leg, other);
  return made;
}

export type PredictiveCall = {
  /** The extension, queue or routing point that whoever answers is connected with. */
  readonly callingDevice: string;
  readonly calledDevice: string;
  readonly userData?: UserData | undefined;
  /** So long it may ring, seconds. */
  readonly ringS?: number | undefined;
};

/** CSTA Make Predictive Call (ECMA-269 17.1.21). */
export function makePredictiveCall(cx: Context, p: PredictiveCall): Done | Refusal {
  const { callingDevice: device, calledDevice: called } = p;
  const own = route(cx, device, TRUSTED_CALLER);
  if (own.kind === 'refuse') return refuse('invalidDeviceId');
  const caller = isExtension(cx.settings, device) ? callerAt(cx, device) : TRUSTED_CALLER;
  const way = wayTo(cx, called, caller);
  if (isRefusal(way)) return way;
  if (way.kind !== 'targets') return refuse('invalidCalledDevice');
  if (!roomLeft(cx)) return refuse('overload');
  const data = dataText(p.userData);
  if (data.length > LIMITS.userDataBytes) return refuse('limitReached');
  const made = { kind: 'outbound', data, calling: device, called } as const;
  const wait = p.ringS === undefined ? {} : { noAnswerMs: p.ringS * 1000 };
  const note = noteText({ do: 'predictive', device, called });
  const calling = { called, from: nameAddr(cx, device), note, ...wait };
  return callMade(cx, placeCall(cx, made, way, calling, 'control', 0).call, called);
}
