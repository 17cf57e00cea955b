/**
 * A leg with nobody at its other side (held by a program, or between two bridges) describes or refreshes
 * its session: we answer in the place of the one who is not there, with every stream inactive. What it
 * asks does not reach whom it talked with.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { outstanding } from '../proto/sip/client.ts';
import { CTX, STX } from '../proto/sip/rows.ts';
import {
  acknowledged,
  answer,
  answerStateless,
  openServer,
  respond,
  unsettled,
} from '../proto/sip/server.ts';
import { ALLOW, EMPTY_TAIL } from '../proto/sip/text.ts';
import { M, type SipMessage } from '../sip-parser/index.ts';
import { directed, heldAnswer } from './held.ts';
import { contactOf, refreshTarget, tagOf } from './leg.ts';
import { describes, exchange, move, refusesOffer } from './offer.ts';
import { continuedTail } from './origin.ts';
import { LEG, type Leg } from './rows.ts';
import { grantSession, learn, termsFor } from './session.ts';

/** True when nobody is there who could answer for the other side. */
export function isAlone(leg: Leg): boolean {
  return leg.state === 'confirmed' && (leg.peer === leg.id || leg.held);
}

/** A request of a leg that is alone, which would be passed on otherwise. */
export function answerAlone(cx: Context, m: SipMessage, key: string, leg: Leg, from: Peer): void {
  const invite = m.methodId === M.INVITE;
  if (!invite && m.methodId !== M.UPDATE) {
    // INFO, MESSAGE: for somebody who is not there
    answerStateless(cx, m, from, m.methodId === M.INFO ? 200 : 480, EMPTY_TAIL);
    return;
  }
  const busy = invite ? inviteRefused(cx, leg) : 0;
  const offers = describes(m);
  const refused = busy !== 0 ? busy : offers ? refusesOffer(leg, 'offerIn') : 0;
  const text = offers ? heldAnswer(cx, leg, m.body) : directed(cx, leg, 'inactive');
  const status = refused !== 0 ? refused : text === '' ? 488 : 200;
  const stx = invite ? openServer(cx, m, key, from, leg.id, tagOf(leg)) : undefined;
  if (status !== 200) {
    const wait = status === 500 ? `Retry-After: 5\r\n${EMPTY_TAIL}` : EMPTY_TAIL;
    if (stx === undefined) answer(cx, m, key, from, status, wait);
    else {
      // not the leg's: what is open on it stays
      cx.store.patch(STX, stx, { leg: 0 });
      respond(cx, stx, status, '', wait);
    }
    return;
  }
  const before = stx !== undefined && leg.uas !== 0 ? cx.store.get(STX, leg.uas) : undefined;
  if (before !== undefined && unsettled(before)) acknowledged(cx, before);
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq, uas: stx?.id ?? leg.uas });
  refreshTarget(cx, leg, m);
  learn(cx, leg, m);
  const said = continuedTail(cx, leg, text);
  const terms = termsFor(cx, leg, m);
  const tail = contactOf(cx, leg) + ALLOW + grantSession(cx, leg, terms) + said;
  if (offers) {
    exchange(cx, leg, 'offerIn');
    move(cx, leg, 'answerOut', said);
  } else move(cx, leg, 'offerOut', said);
  if (stx === undefined) answer(cx, m, key, from, 200, tail);
  else respond(cx, stx, 200, '', tail);
}

/** RFC 3261 14.2, as `dialog.ts` has it for legs with another side. */
function inviteRefused(cx: Context, leg: Leg): 0 | 491 | 500 {
  const stx = leg.uas === 0 ? undefined : cx.store.get(STX, leg.uas);
  if (stx?.state === 'proceeding') return 500;
  return leg.uac !== 0 && outstanding(cx.store.get(CTX, leg.uac)) ? 491 : 0;
}
