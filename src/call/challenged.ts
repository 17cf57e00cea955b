/**
 * A trunk wants credentials of us (401 or 407 to our INVITE, re-INVITE, BYE or whatever else): the same
 * request once more, with the next CSeq, within the same turn. A second attempt is made for a nonce
 * that was stale, and no third.
 */

import type { Context } from '../proto/context.ts';
import { request } from '../proto/sip/client.ts';
import { again, bestChallenge, credentials, roundIn } from '../proto/sip/credentials.ts';
import { type Ctx, STX } from '../proto/sip/rows.ts';
import { trunkOf } from '../proto/site.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { digitAgain } from './control/tones.ts';
import { reofferOf } from './renegotiate.ts';
import { LEG, type Leg } from './rows.ts';
import { REOFFER, TRANSFER } from './transfer-rows.ts';

/**
 * @param sent the request `m` answers, as it was.
 * @returns true when it was sent again, and `m` means nothing to anybody else.
 */
export function challenged(cx: Context, ctx: Ctx, leg: Leg, m: SipMessage, sent: string): boolean {
  if ((m.status !== 401 && m.status !== 407) || sent === '' || ctx.cancel !== 'no') return false;
  const trunk = trunkOf(cx.settings.site, leg.trunk);
  const best = bestChallenge(m);
  const by = trunk?.auth ?? trunk?.register;
  if (by === undefined || best === undefined) return false;
  const tried = roundIn(sent);
  if (tried > 1 || (tried === 1 && !best.challenge.stale)) return false;
  if (leg.state === 'ending' && ctx.method !== 'BYE') return false;
  const cseq = leg.localCseq + 1;
  const proxy = m.status === 407;
  const line = credentials(
    cx.chance,
    best.challenge,
    by,
    { method: ctx.method, uri: ctx.uri, proxy },
    1,
    tried + 1,
  );
  const next = request(cx, {
    method: ctx.method,
    uri: ctx.uri,
    route: ctx.route,
    rest: again(sent, cseq, line),
    cseq,
    to: { transport: ctx.transport, ip: ctx.ip, port: ctx.port },
    leg: leg.id,
    onward: ctx.onward,
    offerless: ctx.offerless,
    refresh: ctx.refresh,
  });
  cx.store.patch(LEG, leg, {
    localCseq: cseq,
    ...(ctx.method === 'INVITE' ? { uac: next.id } : {}),
  });
  // a dialog that provisional responses began is over with the refusal of its INVITE
  if (ctx.method === 'INVITE' && leg.state === 'early') {
    cx.store.patch(LEG, leg, { state: 'inviting', remoteTag: '', rseq: 0 });
  }
  const stx = ctx.onward === 0 ? undefined : cx.store.get(STX, ctx.onward);
  if (stx !== undefined) cx.store.patch(STX, stx, { onward: next.id });
  const own = reofferOf(cx, ctx);
  if (own !== undefined) cx.store.patch(REOFFER, own, { ctx: next.id });
  const told = ctx.method === 'NOTIFY' ? cx.store.all(TRANSFER, 'transferor', leg.id) : [];
  for (const t of told) if (t.notify === ctx.id) cx.store.patch(TRANSFER, t, { notify: next.id });
  if (ctx.method === 'INFO') digitAgain(cx, ctx, next);
  return true;
}
