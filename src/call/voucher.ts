/**
 * Who speaks inside a dialog. Its words (Call-ID and tags) are random, but they are no secret: a lamp
 * shows them to everybody who watches the extension (RFC 4235), and a proxy has read them. So on a site
 * with passwords a request that comes from elsewhere than its side lives must prove itself as that
 * side; who moved is asked once, by a challenge that every phone knows.
 *
 * Trunks cannot prove themselves so; their dialogs are shown to nobody.
 */

import type { Peer } from '../base/peer.ts';
import type { Context } from '../proto/context.ts';
import { answerStateless } from '../proto/sip/server.ts';
import { EMPTY_TAIL } from '../proto/sip/text.ts';
import type { SipMessage } from '../sip-parser/index.ts';
import { admits, whoIs } from './admission.ts';
import { BINDING } from './rows.ts';

/**
 * May `m` speak for `user` ('' for nobody of ours), who is spoken to at `ip`? False when it was
 * answered instead.
 */
export function vouched(cx: Context, m: SipMessage, from: Peer, user: string, ip: string): boolean {
  if (!cx.settings.auth || user === '' || from.ip === ip || livesAt(cx, user, from.ip)) return true;
  if (!admits(cx, from)) return false;
  const proof = whoIs(cx, m, from);
  if (proof === undefined) return false;
  if (proof.as === 'user' && proof.user === user) return true;
  cx.count('requestsForged');
  answerStateless(cx, m, from, 403, EMPTY_TAIL);
  return false;
}

function livesAt(cx: Context, user: string, ip: string): boolean {
  return cx.store.all(BINDING, 'aor', user).some((b) => b.sourceIp === ip || b.ip === ip);
}
