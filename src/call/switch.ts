/**
 * The switch: where messages, due rows and takeovers enter the SIP core. Each entry is one
 * synchronous turn over rows; nothing is remembered outside them.
 *
 *   message ─ parse ─┬ fault ─── answered or dropped by SIP_FAULTS
 *                    ├ response ─ client transaction ─ call event
 *                    └ request ── server transaction known? repeat
 *                                 ACK, CANCEL: their INVITE
 *                                 To tag: a subscription, a leg
 *                                 none: INVITE, REGISTER, OPTIONS, SUBSCRIBE, MESSAGE, ...
 */

import { isReliable, type Peer } from '../base/peer.ts';
import type { Store, TableSpec } from '../base/row.ts';
import type { Context, Resolved } from '../proto/context.ts';
import { isLocalMedia } from '../proto/media.ts';
import { isOurPort, isOurs } from '../proto/sip/address.ts';
import { clientDue } from '../proto/sip/client.ts';
import { CTX, type Ctx, STX, type Stx } from '../proto/sip/rows.ts';
import {
  answerStateless,
  findServer,
  repeatTo,
  serverDue,
  serverKey,
  serverReceives,
} from '../proto/sip/server.ts';
import { EMPTY_TAIL, replyTo, statelessTag } from '../proto/sip/text.ts';
import {
  isFault,
  M,
  parseMessage,
  SIP_FAULTS,
  type SipFault,
  type SipMessage,
  salvage,
  responseText as salvagedResponse,
  validateRequest,
  validateResponse,
} from '../sip-parser/index.ts';
import { admits, notAllowed, refusal, roomFor } from './admission.ts';
import { agentDue, resumeAgents } from './agent/agent.ts';
import { AGENT, type Agent } from './agent/rows.ts';
import { BRIDGE, type Bridge } from './bridge-rows.ts';
import { happen, SILENT } from './call.ts';
import { CONFERENCE, MEMBER, RECORDING, WATCH } from './conference/rows.ts';
import { bridgeDue } from './control/refer-out.ts';
import { TONES } from './control/tones.ts';
import { CDR, type Cdr, cdrDue } from './csta/cdr.ts';
import { publish } from './csta/publish.ts';
import { CCALL, EVENT, HOUSE, MONITOR, PARTY, REQUEST, SESSION } from './csta/rows.ts';
import { DEVICE } from './device/rows.ts';
import { ack, cancelled, inDialog, OPTIONS_TAIL } from './dialog.ts';
import { distributionDue } from './distribute/arrive.ts';
import { digitsDue } from './distribute/digits.ts';
import {
  DIGITS,
  DISTRIBUTION,
  type Digits,
  type Distribution,
  ROUTER,
  TURNS,
} from './distribute/rows.ts';
import { lapse, mailboxWord } from './events/mailbox.ts';
import { resumeSubscriptions, subscriptionDue } from './events/notifier.ts';
import { MAILBOX, type Mailbox, SUBSCRIPTION, type Subscription } from './events/rows.ts';
import { inSubscription, subscribe } from './events/subscribe.ts';
import { watched } from './events/watch.ts';
import { follow, resumeFlows } from './flow.ts';
import { huntDue } from './hunt.ts';
import { resumeMedia } from './media.ts';
import { newMessage } from './message.ts';
import { NAIL } from './nail/rows.ts';
import { hearOutcome } from './outcomes.ts';
import { parkDue } from './park/park.ts';
import { PARK, type Park } from './park/rows.ts';
import { forwardsSilence } from './redirect.ts';
import { outOfDialog } from './refer.ts';
import { registrarsFound, registrationDue, settleRegistrations } from './register-out.ts';
import { expire, register } from './registrar.ts';
import { provisionalDue, settled } from './reliable.ts';
import { reofferDue } from './renegotiate.ts';
import { expired, response, unanswered, unheard } from './responses.ts';
import { BINDING, type Binding, CALL, type Call, LEG, type Leg, RPR, type Rpr } from './rows.ts';
import { sessionDue } from './session.ts';
import { newCall } from './setup.ts';
import { transferDue } from './transfer.ts';
import { REDIRECT, REOFFER, type Reoffer, TRANSFER, type Transfer } from './transfer-rows.ts';
import { contactDue, contactsResolved, settleContacts } from './trunk.ts';
import { CONTACT, type Contact, HUNT, type Hunt, REGOUT, type Regout } from './trunk-rows.ts';
import { type TrunkView, trunkViews } from './trunk-view.ts';

/** Every table of the SIP core. */
export const CALL_TABLES: readonly TableSpec[] = [
  BINDING,
  CALL,
  LEG,
  STX,
  CTX,
  RPR,
  SUBSCRIPTION,
  MAILBOX,
  CONTACT,
  HUNT,
  REGOUT,
  REOFFER,
  TRANSFER,
  REDIRECT,
  CCALL,
  PARTY,
  EVENT,
  SESSION,
  MONITOR,
  REQUEST,
  AGENT,
  DEVICE,
  BRIDGE,
  CONFERENCE,
  MEMBER,
  WATCH,
  RECORDING,
  PARK,
  CDR,
  HOUSE,
  ROUTER,
  DISTRIBUTION,
  DIGITS,
  TURNS,
  NAIL,
  TONES,
] as unknown as readonly TableSpec[];

/** One SIP message; `text` is latin1, one character a byte. Never throws on it. */
export function onMessage(plain: Context, from: Peer, text: string): void {
  const cx = watched(plain);
  heard(cx, from, text);
  publish(cx);
}

function heard(cx: Context, from: Peer, text: string): void {
  // a packet that says it is from us is a forged one, and an answer to it would go round for ever
  if (isOurs(cx.settings, from.ip) && isOurPort(cx.settings, from.port)) {
    cx.count('fromOurselves');
    return;
  }
  if (!isLocalMedia(from) && !cx.guard.hears(cx.now, from.ip)) {
    cx.count('floodDropped');
    return;
  }
  const m = parseMessage(text);
  if (isFault(m)) {
    malformed(cx, from, salvage(text), m);
    return;
  }
  if (!m.isRequest) {
    cx.count('responsesIn');
    if (validateResponse(m) !== undefined) {
      cx.count('faultsDropped');
      return;
    }
    if (isReliable(from.transport)) follow(cx, m, from);
    response(cx, m);
    return;
  }
  cx.count('requestsIn');
  const bad = validateRequest(m);
  if (bad !== undefined) malformed(cx, from, m, bad);
  else {
    if (isReliable(from.transport)) follow(cx, m, from);
    request(cx, m, from);
  }
}

/**
 * What the table of faults says: answered, when it is a request that can be answered, or
 * dropped.
 */
function malformed(cx: Context, from: Peer, m: SipMessage | undefined, bad: SipFault): void {
  if (bad.fault === 'keepalive') {
    cx.count('keepalivesIn');
    return;
  }
  if (!cx.guard.admitsGarbage(cx.now, from.ip)) {
    cx.count('floodDropped');
    return;
  }
  const { status, text } = SIP_FAULTS[bad.fault];
  if (status === 0 || m === undefined || m.methodId === M.ACK || m.viaHost === '') {
    cx.count('faultsDropped');
    return;
  }
  cx.count('faultsAnswered');
  const answerText = salvagedResponse(m, status, text, {
    toTag: statelessTag(m, cx.settings),
    contact: '',
    extra: '',
    contentType: '',
    body: '',
    received: from.ip,
    rport: from.port,
  });
  cx.send(replyTo(m, from), answerText);
}

/** Requests that mean nothing outside a dialog. */
const INSIDE: ReadonlySet<number> = new Set([M.BYE, M.PRACK, M.UPDATE]);

function request(cx: Context, m: SipMessage, from: Peer): void {
  if (m.methodId === M.ACK) {
    ack(cx, m, from);
    return;
  }
  if (m.toTag === '' && !admits(cx, from)) return;
  // A ping must be cheap: it has no transaction, so there is none to look for.
  if (m.methodId === M.OPTIONS && m.toTag === '') {
    options(cx, m, from);
    return;
  }
  const key = serverKey(m, m.method);
  const known = findServer(cx, key);
  if (known !== undefined) {
    serverReceives(cx, known, m, from);
    return;
  }
  if (m.methodId === M.CANCEL) cancelled(cx, m, key, from);
  else if (m.toTag !== '') {
    if (!inSubscription(cx, m, key, from)) inDialog(cx, m, key, from);
  } else if (m.methodId === M.INVITE) newCall(cx, m, key, from);
  else if (m.methodId === M.REGISTER) register(cx, m, key, from);
  else if (m.methodId === M.REFER) outOfDialog(cx, m, from);
  else if (INSIDE.has(m.methodId)) answerStateless(cx, m, from, 481, EMPTY_TAIL);
  else if (m.methodId === M.SUBSCRIBE) subscribe(cx, m, key, from);
  else if (m.methodId === M.MESSAGE) newMessage(cx, m, key, from);
  else if (m.methodId === M.PUBLISH || m.methodId === M.NOTIFY) mailboxWord(cx, m, key, from);
  else notAllowed(cx, m, from);
}

/** OPTIONS to us (RFC 3261 11.2); no state, whoever asks and however often. */
function options(cx: Context, m: SipMessage, from: Peer): void {
  const bad = refusal(cx, m);
  if (bad !== undefined) answerStateless(cx, m, from, bad.status, bad.tail);
  else {
    const all = OPTIONS_TAIL.length <= roomFor(cx, m, from);
    answerStateless(cx, m, from, 200, all ? OPTIONS_TAIL : EMPTY_TAIL);
  }
}

/** The name service answered. */
export function onResolved(plain: Context, answer: Resolved): void {
  const cx = watched(plain);
  contactsResolved(cx, answer);
  registrarsFound(cx);
  publish(cx);
}

/**
 * A row's moment has come: `table.deadline(row) <= cx.now`. Afterwards it has another, or is
 * gone.
 */
export function onDue(plain: Context, table: TableSpec, row: { readonly id: number }): void {
  const cx = watched(plain);
  due(cx, table, row);
  publish(cx);
}

function due(cx: Context, table: TableSpec, row: { readonly id: number }): void {
  // Of several rows due at once, one may have taken another with it.
  if (cx.store.get(table, row.id) !== row || table.deadline(row as never) > cx.now) return;
  switch (table.number) {
    case BINDING.number:
      expire(cx, row as Binding);
      return;
    case CALL.number: {
      const call = row as Call;
      if (forwardsSilence(cx, call)) return;
      cx.store.patch(CALL, call, { noAnswerAt: 0 });
      happen(cx, call, 'silence', SILENT);
      return;
    }
    case LEG.number: {
      const leg = row as Leg;
      if (sessionDue(cx, leg)) expired(cx, leg);
      return;
    }
    case RPR.number: {
      const rpr = row as Rpr;
      const leg = provisionalDue(cx, rpr) ? cx.store.get(LEG, rpr.leg) : undefined;
      if (leg !== undefined) unheard(cx, leg);
      return;
    }
    case STX.number: {
      const stx = row as Stx;
      if (serverDue(cx, stx) !== 'timeout') return;
      cx.count('timeoutsAck');
      const leg = stx.leg === 0 ? undefined : cx.store.get(LEG, stx.leg);
      if (leg !== undefined) unheard(cx, leg);
      return;
    }
    case CTX.number: {
      const ctx = row as Ctx;
      if (clientDue(cx, ctx) === 'timeout') unanswered(cx, ctx);
      return;
    }
    case SUBSCRIPTION.number:
      subscriptionDue(cx, row as Subscription);
      return;
    case MAILBOX.number:
      lapse(cx, row as Mailbox);
      return;
    case CONTACT.number:
      contactDue(cx, row as Contact);
      return;
    case HUNT.number:
      huntDue(cx, row as Hunt);
      return;
    case REGOUT.number:
      registrationDue(cx, row as Regout);
      return;
    case TRANSFER.number:
      transferDue(cx, row as Transfer);
      return;
    case CDR.number:
      cdrDue(cx, row as Cdr);
      return;
    case PARK.number:
      parkDue(cx, row as Park);
      return;
    case BRIDGE.number:
      bridgeDue(cx, row as Bridge);
      return;
    case REOFFER.number:
      hearOutcome(cx, reofferDue(cx, row as Reoffer));
      return;
    case DISTRIBUTION.number:
      distributionDue(cx, row as Distribution);
      return;
    case DIGITS.number:
      digitsDue(cx, row as Digits);
      return;
    case AGENT.number:
      agentDue(cx, row as Agent);
      return;
    default:
  }
}

/**
 * Once, on a new primary, with all rows there: says again what is in flight, for the old primary
 * may have died between writing it down and saying it. Nothing else is needed: who waits for us
 * repeats himself and is answered from the rows.
 */
export function resume(plain: Context): void {
  const cx = watched(plain);
  const { store, now } = cx;
  // a guard that knows nobody would take those who come back for strangers
  for (const binding of store.rows(BINDING)) cx.guard.know(now, binding.sourceIp);
  for (const leg of store.rows(LEG)) cx.guard.know(now, leg.ip);
  settleContacts(cx);
  settleRegistrations(cx);
  for (const ctx of store.rows(CTX)) {
    if (ctx.resendAt > now) store.patch(CTX, ctx, { resendAt: now });
  }
  for (const stx of store.rows(STX)) {
    if (stx.resendAt > now) store.patch(STX, stx, { resendAt: now });
    // A caller who heard 100 repeats nothing: ringing must not be lost. 100 itself he asks for.
    else if (stx.state === 'proceeding' && stx.status > 100 && !settled(cx, stx)) {
      repeatTo(cx, stx);
    }
  }
  resumeFlows(cx);
  resumeSubscriptions(cx);
  resumeAgents(cx);
  resumeMedia(cx);
  publish(cx);
}

export type SipSummary = {
  /** Calls in any state, and those answered and not yet hung up. */
  readonly calls: number;
  readonly established: number;
  readonly registrations: number;
  readonly transactions: number;
  readonly trunks: readonly TrunkView[];
};

/** Counts for status. Walks the calls: not for the hot path. */
export function summary(store: Store): SipSummary {
  let established = 0;
  for (const call of store.rows(CALL)) if (call.state === 'talking') established += 1;
  return {
    calls: store.count(CALL),
    established,
    registrations: store.count(BINDING),
    transactions: store.count(STX) + store.count(CTX),
    trunks: trunkViews(store),
  };
}
