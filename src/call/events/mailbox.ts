/**
 * Mailboxes of the extensions. What waits in them is told by a voice mail service, in either of the
 * ways such services have: PUBLISH (RFC 3903), which lapses unless it is refreshed, or a NOTIFY that
 * nobody subscribed to (RFC 3842 practice), which stands until the next. Only services named in the
 * settings may: by the address they send from, or as an extension with its password.
 */

import type { Peer } from '../../base/peer.ts';
import type { Context } from '../../proto/context.ts';
import { uriOf, userOf } from '../../proto/sip/address.ts';
import { answer, answerStateless } from '../../proto/sip/server.ts';
import { EMPTY_TAIL, randomWord, word } from '../../proto/sip/text.ts';
import { H, M, type SipMessage, unescapeUser } from '../../sip-parser/index.ts';
import { refusal, whoIs } from '../admission.ts';
import { emit } from '../csta/event.ts';
import { mailboxView } from '../device/commands.ts';
import { isExtension } from '../dialplan.ts';
import { MAILBOX, type Mailbox } from './rows.ts';
import { BAD_EVENT, eventOf } from './subscribe.ts';

const TYPE = 'application/simple-message-summary';

type No = { readonly status: number; readonly headers: string };
const COUNTS = ['waiting', 'newMessages', 'oldMessages', 'newUrgent', 'oldUrgent'] as const;
type Counts = Pick<Mailbox, 'waiting' | 'newMessages' | 'oldMessages' | 'newUrgent' | 'oldUrgent'>;

/** PUBLISH, or a NOTIFY outside any dialog: both mean a mailbox, or nothing we know (489). */
export function mailboxWord(cx: Context, m: SipMessage, key: string, from: Peer): void {
  const bad = refusal(cx, m);
  if (bad !== undefined) {
    answerStateless(cx, m, from, bad.status, bad.tail);
    return;
  }
  const trusted = cx.settings.voicemail.includes(from.ip);
  const proof = trusted ? undefined : whoIs(cx, m, from);
  if (!trusted && proof === undefined) return;
  const said = unescapeUser(userOf(uriOf(m.header(H.From) ?? '')));
  const user = proof?.as === 'user' ? proof.user : said;
  const aor = unescapeUser(userOf(m.requestUri));
  const no = judge(cx, m, aor, trusted || cx.settings.voicemail.includes(user));
  if (no !== undefined) {
    answerStateless(cx, m, from, no.status, no.headers + EMPTY_TAIL);
    return;
  }
  if (m.methodId === M.PUBLISH) publish(cx, m, key, from, aor);
  else {
    keepMailbox(cx, aor, countsOf(m.body), '', 0);
    answer(cx, m, key, from, 200, EMPTY_TAIL);
  }
}

function judge(cx: Context, m: SipMessage, aor: string, may: boolean): No | undefined {
  const event = eventOf(m);
  if ('status' in event) return event;
  if (event.name !== 'message-summary') return BAD_EVENT;
  if (!may) return { status: 403, headers: '' };
  if (!isExtension(cx.settings, aor)) return { status: 404, headers: '' };
  if (m.body !== '' && m.contentType !== TYPE)
    return { status: 415, headers: `Accept: ${TYPE}\r\n` };
  return m.body === '' && m.methodId === M.NOTIFY ? { status: 400, headers: '' } : undefined;
}

/** RFC 3903 6. One publication a mailbox: a new one takes the place of what was there. */
function publish(cx: Context, m: SipMessage, key: string, from: Peer, aor: string): void {
  const s = cx.settings;
  const box = cx.store.find(MAILBOX, 'aor', aor);
  const match = m.header(H.SipIfMatch);
  const no = (status: number, headers = ''): void =>
    answerStateless(cx, m, from, status, headers + EMPTY_TAIL);
  if (match !== undefined && (box === undefined || match !== etagOf(box))) {
    no(412);
    return;
  }
  if (match === undefined && m.body === '') {
    no(400);
    return;
  }
  const asked = m.expires < 0 ? s.defaultExpiresS : m.expires;
  if (asked > 0 && asked < s.minExpiresS) {
    no(423, `Min-Expires: ${s.minExpiresS}\r\n`);
    return;
  }
  const expires = Math.min(asked, s.maxExpiresS);
  let etag = match ?? '';
  if (expires === 0) {
    if (box !== undefined) lapse(cx, box);
  } else {
    const counts = m.body === '' && box !== undefined ? box : countsOf(m.body);
    etag = etagOf(keepMailbox(cx, aor, counts, randomWord(cx.chance), cx.now + expires * 1000));
  }
  const tag = etag === '' ? '' : `SIP-ETag: ${etag}\r\n`;
  answer(cx, m, key, from, 200, `${tag}Expires: ${expires}\r\n${EMPTY_TAIL}`);
}

/** RFC 3903 4.1: changes with every publication. */
function etagOf(box: Mailbox): string {
  return box.etag === '' ? '' : word(box.id, box.etag);
}

/** Keeps what waits for an extension, and tells it. */
export function keepMailbox(
  cx: Context,
  aor: string,
  c: Counts,
  etag: string,
  expiresAt: number,
): Mailbox {
  const { waiting, newMessages, oldMessages, newUrgent, oldUrgent } = c;
  const values = {
    waiting,
    newMessages,
    oldMessages,
    newUrgent,
    oldUrgent,
    etag,
    expiresAt,
    updatedAt: cx.now,
  };
  cx.count('mailboxesTold');
  const box = cx.store.find(MAILBOX, 'aor', aor);
  const kept = box ?? cx.store.insert(MAILBOX, { aor });
  const same = box !== undefined && COUNTS.every((n) => box[n] === c[n]);
  cx.store.patch(MAILBOX, kept, values);
  if (!same) tellMailbox(cx, aor);
  return kept;
}

/** RFC 3842 5.2. Without counts only the lamp is known. */
function countsOf(body: string): Counts {
  const voice =
    /^voice-message[ \t]*:[ \t]*(\d{1,6})\/(\d{1,6})(?:[ \t]*\([ \t]*(\d{1,6})\/(\d{1,6})[ \t]*\))?/im.exec(
      body,
    );
  const at = (i: number): number => Number(voice?.[i] ?? 0);
  return {
    waiting: /^messages-waiting[ \t]*:[ \t]*yes\b/im.test(body),
    newMessages: at(1),
    oldMessages: at(2),
    newUrgent: at(3),
    oldUrgent: at(4),
  };
}

/** A publication lapsed (RFC 3903 6.4). */
export function lapse(cx: Context, box: Mailbox): void {
  cx.store.remove(MAILBOX, box);
  tellMailbox(cx, box.aor);
}

function tellMailbox(cx: Context, aor: string): void {
  const body = mailboxView(cx, aor);
  emit(cx, { event: 'messageWaiting', devices: [aor], ccall: 0, body });
}
