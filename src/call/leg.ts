/**
 * A leg is our side of one dialog (RFC 3261 12). Here it is found, fed by what the other side says
 * about itself, and spoken through: requests inside the dialog, ACK, BYE.
 *
 * Our tag is made of the row's id and a random part: a request that carries it finds its row by
 * number, and is ours only if the random part, the Call-ID and the other side's tag agree too.
 */

import { isReliable, type Peer } from '../base/peer.ts';
import { type Context, hereFor } from '../proto/context.ts';
import { literalHop, nextHop, targetOf, uriOf } from '../proto/sip/address.ts';
import { awaitsAck, branchOf, hush, outstanding, request } from '../proto/sip/client.ts';
import { reach, samePeer, sentBy } from '../proto/sip/reach.ts';
import { CTX, type Ctx, type Method, STX } from '../proto/sip/rows.ts';
import { acknowledged, respond, unsettled } from '../proto/sip/server.ts';
import { EMPTY_TAIL, idIn, isWord, TRANSPORT_PARAM, viaTo, word } from '../proto/sip/text.ts';
import { H, type SipMessage } from '../sip-parser/index.ts';
import { leaveCall } from './csta/ccall.ts';
import { wayFor } from './large.ts';
import { nailOver } from './nail/nail.ts';
import { exchange } from './offer.ts';
import { BINDING, CALL, type Call, LEG, type Leg } from './rows.ts';

/** Our side of any dialog: a leg, a subscription. */
export type Side = Pick<
  Leg,
  'id' | 'tag' | 'remoteTag' | 'callId' | 'localUri' | 'remoteUri' | 'remoteTarget' | 'routeSet'
>;

/** The local tag of a leg. */
export function tagOf(leg: Pick<Leg, 'id' | 'tag'>): string {
  return word(leg.id, leg.tag);
}

/** The leg a request inside a dialog is for (RFC 3261 12.2.2); undefined when there is none. */
export function findLeg(cx: Context, m: SipMessage): Leg | undefined {
  const tag = m.toTag;
  const id = idIn(tag, 0);
  const leg = id === 0 ? undefined : cx.store.get(LEG, id);
  if (leg === undefined || !isWord(tag, 0, leg.tag) || leg.callId !== m.callId) return undefined;
  // A callee that nobody heard of yet has no tag here; its first request then tells it.
  return leg.remoteTag === m.fromTag || (leg.remoteTag === '' && leg.side === 'callee')
    ? leg
    : undefined;
}

/** The Contact line we give on a leg: plain and the same for the whole dialog. */
export function contactOf(cx: Context, leg: Leg): string {
  const user = leg.user === '' ? '' : `${leg.user}@`;
  return `Contact: <sip:${user}${hereFor(cx.settings, leg)}${TRANSPORT_PARAM[leg.transport]}>\r\n`;
}

/** From, To and Call-ID lines of a request on a leg; `tagged` false as before the dialog stood. */
export function dialogLines(leg: Side, tagged: boolean): string {
  const tag = tagged && leg.remoteTag !== '' ? `;tag=${leg.remoteTag}` : '';
  return (
    `From: ${leg.localUri};tag=${tagOf(leg)}\r\nTo: ${leg.remoteUri}${tag}\r\n` +
    `Call-ID: ${leg.callId}\r\n`
  );
}

/** From, To and Call-ID lines of the INVITE of `leg.uac`, which its CANCEL repeats (9.1). */
export function inviteLines(leg: Leg): string {
  return dialogLines(leg, leg.state !== 'inviting' && leg.state !== 'early');
}

/** The route set of a dialog as Route lines: in order as callee, reversed as caller (12.1). */
export function routeLines(m: SipMessage, reversed: boolean): string {
  if (!m.has(H.RecordRoute)) return '';
  const values = m.values(H.RecordRoute);
  if (reversed) values.reverse();
  let out = '';
  for (const value of values) out += `Route: ${value}\r\n`;
  return out;
}

/** Where the next request of a dialog goes: its first route, else the remote target. */
export function hopFor(
  cx: Context,
  routeSet: string,
  target: string,
  source: Peer,
  nat: boolean,
): Peer {
  if (routeSet === '') return nextHop(cx.settings, target, source, nat);
  return nextHop(cx.settings, uriOf(routeSet.slice(7, routeSet.indexOf('\r\n'))), source, nat);
}

/**
 * Request-URI and Route lines of a request in the dialog. RFC 3261 12.2.1.1: when the first URI of
 * the route set has no lr parameter, it becomes the Request-URI and the remote target goes last.
 */
export function routed(leg: Side): { readonly uri: string; readonly route: string } {
  if (leg.routeSet === '') return { uri: leg.remoteTarget, route: '' };
  const end = leg.routeSet.indexOf('\r\n');
  const first = uriOf(leg.routeSet.slice(7, end));
  if (/;lr(?=[;=?]|$)/i.test(first)) return { uri: leg.remoteTarget, route: leg.routeSet };
  return { uri: first, route: `${leg.routeSet.slice(end + 2)}Route: <${leg.remoteTarget}>\r\n` };
}

/** The remote target a message gives; '' for none. "*" is for registrations only (20.10). */
export function contactIn(m: SipMessage): string {
  const uri = m.contactUri;
  return uri === '*' ? '' : targetOf(uri);
}

/** The session timer of a leg. */
export type Timer = Pick<Leg, 'sessionS' | 'refresher' | 'refreshAt' | 'expiresAt'>;

/** A 1xx with a tag, or the 2xx with what it makes of the session timer, makes the callee's dialog (RFC 3261 12.1.2, 13.2.2.4). */
export function establish(
  cx: Context,
  leg: Leg,
  m: SipMessage,
  state: 'early' | 'confirmed',
  timer: Timer = leg,
): void {
  const target = contactIn(m) || leg.remoteTarget;
  const routeSet = routeLines(m, true);
  if (target === leg.remoteTarget && routeSet === leg.routeSet) {
    // The usual phone says what its registration said.
    if (timer === leg) cx.store.patch(LEG, leg, { state, remoteTag: m.toTag });
    else {
      const { sessionS, refresher, refreshAt, expiresAt } = timer;
      const remoteTag = m.toTag;
      cx.store.patch(LEG, leg, { state, remoteTag, sessionS, refresher, refreshAt, expiresAt });
    }
    return;
  }
  const hop = hopFor(cx, routeSet, target, leg, leg.nat);
  cx.store.patch(LEG, leg, {
    state,
    remoteTag: m.toTag,
    remoteTarget: target,
    routeSet,
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
    sessionS: timer.sessionS,
    refresher: timer.refresher,
    refreshAt: timer.refreshAt,
    expiresAt: timer.expiresAt,
  });
}

/**
 * A target refresh: re-INVITE, UPDATE, or a 2xx to one, with a Contact (RFC 3261 12.2.1.2,
 * .2.2).
 */
export function refreshTarget(cx: Context, leg: Leg, m: SipMessage): void {
  const target = contactIn(m);
  if (target === '' || target === leg.remoteTarget) return;
  const hop = hopFor(cx, leg.routeSet, target, leg, leg.nat);
  cx.store.patch(LEG, leg, {
    remoteTarget: target,
    transport: hop.transport,
    ip: hop.ip,
    port: hop.port,
  });
}

/**
 * Sends a request inside the dialog, with the next CSeq. `tail` are further headers and the body.
 * `onward` is the server transaction it passes on, 0 for none; `refresh`: a session refresh of ours.
 */
export function sendInDialog(
  cx: Context,
  leg: Leg,
  method: Method,
  hops: number,
  tail: string,
  onward: number,
  offerless: boolean,
  refresh = false,
): Ctx {
  const cseq = leg.localCseq + 1;
  const { uri, route } = routed(leg);
  const contact = method === 'INVITE' || method === 'UPDATE' ? contactOf(cx, leg) : '';
  cx.store.patch(LEG, leg, {
    localCseq: cseq,
    state: method === 'BYE' ? 'ending' : leg.state,
  });
  const rest = `Max-Forwards: ${hops}\r\n${dialogLines(leg, true)}CSeq: ${cseq} ${method}\r\n${contact}${tail}`;
  return request(cx, {
    method,
    uri,
    route,
    rest,
    cseq,
    to: wayFor(cx, leg, uri, route, rest),
    ear: earOf(cx, leg),
    leg: leg.id,
    onward,
    offerless,
    refresh,
  });
}

/**
 * Where the phone of a leg listens, as it registered: in dialogs many a phone gives the port of its
 * connection, where nobody can connect to it once that is gone. '' over UDP, and of strangers.
 */
export function earOf(cx: Context, leg: Leg): string {
  if (!isReliable(leg.transport)) return '';
  if (leg.binding !== 0) return cx.store.get(BINDING, leg.binding)?.contact ?? '';
  if (leg.side !== 'caller' || leg.aor === '') return '';
  let found = '';
  for (const binding of cx.store.all(BINDING, 'aor', leg.aor)) {
    if (binding.transport !== leg.transport || binding.ip !== leg.ip) continue;
    if (samePeer(binding, leg)) return binding.contact;
    const hop = literalHop(binding.contact);
    if (hop !== undefined && samePeer(hop, leg)) found = binding.contact;
  }
  return found;
}

/**
 * The ACK to a 2xx (RFC 3261 13.2.2.4), or the same once more: it is made of the leg and the
 * INVITE's row. `toTag` is the tag of the 2xx, which may be another than the leg's when a proxy
 * forked.
 */
export function sendAck(cx: Context, leg: Leg, ctx: Ctx, toTag: string): void {
  const { uri, route } = routed(leg);
  const via = viaTo(cx.settings, leg, `${branchOf(ctx)}.ack`);
  const tail = ctx.ackBody === '' ? EMPTY_TAIL : ctx.ackBody;
  cx.send(
    reach(cx, leg, sentBy(route, earOf(cx, leg), uri)),
    `ACK ${uri} SIP/2.0\r\n${via}${route}Max-Forwards: 70\r\n` +
      `From: ${leg.localUri};tag=${tagOf(leg)}\r\nTo: ${leg.remoteUri};tag=${toTag}\r\n` +
      `Call-ID: ${leg.callId}\r\nCSeq: ${ctx.cseq} ACK\r\n${tail}`,
  );
}

/** Requests to strangers behind one INVITE: each costs us a transaction. */
const STRANGERS = 32;

/** The dialog of another phone behind `leg` that said `m`. It has no row. */
export function strangerOf(cx: Context, leg: Leg, m: SipMessage): Leg {
  const target = contactIn(m) || leg.remoteTarget;
  const routeSet = routeLines(m, true);
  const { transport, ip, port } = hopFor(cx, routeSet, target, leg, leg.nat);
  return { ...leg, remoteTag: m.toTag, remoteTarget: target, routeSet, transport, ip, port };
}

/** A request to a stranger: only the CSeq is remembered, by the leg whose INVITE it was. */
export function askStranger(
  cx: Context,
  leg: Leg,
  stranger: Leg,
  ctx: Ctx,
  method: Method,
  tail: string,
): void {
  if (leg.localCseq - ctx.cseq >= STRANGERS) return;
  const cseq = leg.localCseq + 1;
  cx.store.patch(LEG, leg, { localCseq: cseq });
  const { uri, route } = routed(stranger);
  request(cx, {
    method,
    uri,
    route,
    rest: `Max-Forwards: 70\r\n${dialogLines(stranger, true)}CSeq: ${cseq} ${method}\r\n${tail}`,
    cseq,
    to: stranger,
    leg: 0,
    onward: 0,
    offerless: false,
  });
}

/** Thanks and hangs up a second phone that answered the same INVITE (RFC 3261 13.2.2.4). */
export function hangUpStranger(cx: Context, leg: Leg, ctx: Ctx, m: SipMessage): void {
  const stranger = strangerOf(cx, leg, m);
  sendAck(cx, stranger, ctx, m.toTag);
  askStranger(cx, leg, stranger, ctx, 'BYE', EMPTY_TAIL);
}

/** The leg that began a call, while it is there. */
export function callerOf(cx: Context, call: Call): Leg | undefined {
  for (const leg of cx.store.all(LEG, 'call', call.id)) if (leg.side === 'caller') return leg;
  return undefined;
}

/** The other leg of a conversation; before an answer, the only one there is to talk to. */
export function partner(cx: Context, call: Call, leg: Leg): Leg | undefined {
  if (leg.peer !== 0) return leg.peer === leg.id ? undefined : cx.store.get(LEG, leg.peer);
  let found: Leg | undefined;
  for (const other of cx.store.all(LEG, 'call', call.id)) {
    if (other.side === leg.side) continue;
    if (other.side === 'callee') {
      if (call.winner !== 0) {
        if (other.id === call.winner) return other;
        continue;
      }
      if (found !== undefined) return undefined;
    }
    found = other;
  }
  return found;
}

/** Ends a leg by BYE, as soon as that is allowed. */
export function hangUp(cx: Context, leg: Leg, tail: string): void {
  if (leg.state === 'ending' || leg.state === 'closing' || leg.state === 'subscribed') return;
  const stx = leg.uas === 0 ? undefined : cx.store.get(STX, leg.uas);
  if (leg.side === 'caller' && leg.state === 'inviting') {
    // The answer waits for a PRACK of his (RFC 3262 3): he never heard it, and there is no dialog.
    dropLeg(cx, leg);
    return;
  }
  const ctx = leg.uac === 0 ? undefined : cx.store.get(CTX, leg.uac);
  if (ctx !== undefined && outstanding(ctx)) {
    if (awaitsAck(ctx)) {
      cx.store.patch(CTX, ctx, { acked: true });
      sendAck(cx, leg, ctx, leg.remoteTag);
    } else hush(cx, ctx);
  }
  if (stx !== undefined && unsettled(stx)) {
    if (stx.state === 'accepted') {
      // RFC 3261 15: "the callee's UA MUST NOT send a BYE on a confirmed dialog until it has
      // received an ACK for its 2xx response or until the server transaction times out."
      cx.store.patch(LEG, leg, { state: 'closing' });
      return;
    }
    respond(cx, stx, 487, '', EMPTY_TAIL);
  }
  sendBye(cx, leg, tail);
}

/** Sends the BYE; the leg lasts until it is answered. */
export function sendBye(cx: Context, leg: Leg, tail: string): void {
  sendInDialog(cx, leg, 'BYE', 70, tail, 0, false);
}

/** The other side ended the leg by BYE: what is open on it is settled, and it is gone. */
export function dropLeg(cx: Context, leg: Leg): void {
  closeLeg(cx, leg);
  cx.store.remove(LEG, leg);
}

/** Settles what is open on a leg whose session is over. */
export function closeLeg(cx: Context, leg: Leg): void {
  const stx = leg.uas === 0 ? undefined : cx.store.get(STX, leg.uas);
  if (stx !== undefined && unsettled(stx)) {
    // RFC 3261 15.1.2: "The UAS MUST still respond to any pending requests received for that
    // dialog. It is RECOMMENDED that a 487 (Request Terminated) response be generated".
    if (stx.state === 'proceeding') respond(cx, stx, 487, '', EMPTY_TAIL);
    else acknowledged(cx, stx);
  }
  const ctx = leg.uac === 0 ? undefined : cx.store.get(CTX, leg.uac);
  if (ctx === undefined || !outstanding(ctx)) return;
  hush(cx, ctx);
  // who passed it on to this leg may go on without it, and waits for nobody's answer
  const asker = ctx.onward === 0 ? undefined : cx.store.get(STX, ctx.onward);
  if (asker?.state !== 'proceeding') return;
  const other = asker.leg === 0 ? undefined : cx.store.get(LEG, asker.leg);
  if (other?.offer === 'remote') exchange(cx, other, 'failed');
  respond(cx, asker, 487, '', EMPTY_TAIL);
}

/** Removes a call whose last leg is gone; safe to ask twice. */
export function tidy(cx: Context, call: Call): void {
  if (cx.store.all(LEG, 'call', call.id).length > 0) return;
  if (cx.store.get(CALL, call.id) === undefined) return;
  cx.store.remove(CALL, call);
  nailOver(cx, call.id);
  // one that was ending was none for programs any more
  if (call.state !== 'ending') leaveCall(cx, call);
  cx.count('callsEnded');
}
