/**
 * Legs that lead to the media service of the box (RFC 4240). The service keeps nothing over a
 * switchover: what it needs to go on stands in the dialog, which is ours. So a new primary offers each
 * of those legs once more what it offered last, and the service of the new box takes the sound up where
 * it was, from the same address and port.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { isLocalMedia, type MediaWord, mediaWord } from '../proto/media.ts';
import { answer } from '../proto/sip/server.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { type Outcome, reoffer } from './renegotiate.ts';
import { LEG, type Leg } from './rows.ts';
import { REOFFER, type Reoffer } from './transfer-rows.ts';

/**
 * Something else is played on a confirmed leg at the service, or the same from its beginning; or a
 * member of a conference takes part in another way. Nothing is heard of it in the caller's dialog.
 */
export function playInstead(cx: Context, leg: Leg, uri: string): Reoffer {
  // so that a service that does not know the dialog can go on with it (media/treatment.ts)
  const at = /;at=\d+/.exec(leg.remoteTarget)?.[0] ?? '';
  const rtp = /;rtp=\d+/.exec(leg.remoteTarget)?.[0] ?? '';
  cx.store.patch(LEG, leg, { remoteTarget: `${uri}${at};since=${cx.now}${rtp}` });
  return reoffer(cx, leg, leg.sdp, 'media', leg.id);
}

/** On a new primary: the sessions of the old one are made again. */
export function resumeMedia(cx: Context): void {
  for (const leg of [...cx.store.rows(LEG)]) {
    if (leg.state !== 'confirmed' || !isLocalMedia(leg)) continue;
    // one that was under way at the last switchover is under way still
    const before = [...cx.store.all(REOFFER, 'leg', leg.id)].find((r) => r.purpose === 'media');
    if (before === undefined) reoffer(cx, leg, leg.sdp, 'media', leg.id);
    else if (before.ctx === 0) cx.store.patch(REOFFER, before, { retryAt: cx.now });
  }
}

/** A session was made again, or was not: then its caller hears nothing, but his call goes on. */
export function mediaResumed(cx: Context, outcome: Outcome): void {
  if (outcome.kind === 'answered') return;
  cx.log('warning', `media: leg ${outcome.leg.id} was not taken up again: ${outcome.status}`);
}

/**
 * An INFO of the media service: answered here, for it is between the service and us. What it says is
 * for whoever treats the call; the other side of the leg has pressed that key itself.
 */
export function mediaSays(
  cx: Context,
  m: SipMessage,
  key: string,
  leg: Leg,
  from: Peer,
): MediaWord | undefined {
  answer(cx, m, key, from, 200, '');
  cx.store.patch(LEG, leg, { remoteCseq: m.cseq });
  return mediaWord(m);
}
