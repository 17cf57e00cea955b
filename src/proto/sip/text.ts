/**
 * Pieces of SIP text, made by concatenation and made once. A response is
 *
 *   status line  +  head (Via, From, Call-ID, CSeq, Record-Route, To)  +  tail (the rest and the
 * body)
 *
 * and a transaction row keeps head and tail, so a retransmission is the same octets as the first.
 */

import { hash } from 'node:crypto';
import type { Chance } from '../../base/chance.ts';
import { isReliable, type Peer, type Transport } from '../../base/peer.ts';
import {
  H,
  HEADERS,
  OTHER,
  reasonPhrase,
  type SipMessage,
  withoutParam,
} from '../../sip-parser/index.ts';
import { hereFor, type SipSettings } from '../context.ts';
import { bracketAt } from './address.ts';

/** Methods we take part in; `Allow` of every answer that has one (RFC 3261 20.5). */
export const ALLOW =
  'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, UPDATE, INFO, MESSAGE, PRACK, REFER, ' +
  'SUBSCRIBE, NOTIFY, PUBLISH\r\n';

/** Extensions a request may require of us (RFC 3261 8.2.2.3), by option tag. */
export const OPTION_TAGS: readonly string[] = ['100rel', 'timer', 'replaces', 'norefersub'];
export const SUPPORTED = `Supported: ${OPTION_TAGS.join(', ')}\r\n`;

/** Event packages (RFC 6665 8.2.2). */
export const ALLOW_EVENTS =
  'Allow-Events: dialog, message-summary, presence, reg, as-feature-event\r\n';

/** The tail of a response without anything more to say. */
export const EMPTY_TAIL = 'Content-Length: 0\r\n\r\n';

export const COOKIE = 'z9hG4bK';

/** 62 random bits as a word; small integers, because their conversion is cheap. */
export function randomWord(chance: Chance): string {
  return (chance.u32() >>> 1).toString(36) + (chance.u32() >>> 1).toString(36);
}

/** An id and a random part in one word: what our tags and branches are made of. */
export function word(id: number, rnd: string): string {
  return `${id.toString(36)}-${rnd}`;
}

/**
 * The id in a word that somebody sent back; 0 when it has none. The word is really ours if what
 * follows the dash is the random part of that row: see `isWord`.
 */
export function idIn(text: string, from: number): number {
  let id = 0;
  if (text.charCodeAt(from) === 48) return 0;
  for (let i = from; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 45) return id;
    const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 122 ? c - 87 : -1;
    if (digit < 0 || id > 1e12) return 0;
    id = id * 36 + digit;
  }
  return 0;
}

/** True when the word at `from`, whose id was read already, ends in the random part `rnd`. */
export function isWord(text: string, from: number, rnd: string): boolean {
  const dash = text.indexOf('-', from);
  return text.length - dash - 1 === rnd.length && text.endsWith(rnd);
}

/** Host without the brackets of an IPv6 reference. */
function bare(host: string): string {
  return host.charCodeAt(0) === 91 ? host.slice(1, -1) : host;
}

/** True when the sender says in its Via that it is not where its packets come from: a NAT. */
export function behindNat(m: SipMessage, ip: string): boolean {
  return bare(m.viaHost) !== ip;
}

/**
 * The top Via as a response carries it. RFC 3261 18.2.1: `received` when sent-by is not the source
 * address; RFC 3581 4: `rport` is filled in with the source port, and `received` is then always
 * set.
 */
function topVia(m: SipMessage, from: Peer): string {
  const [start, end] = m.viaSpan;
  let via = m.text.slice(start, end);
  if (/received/i.test(via)) via = via.replace(/;\s*received\s*=\s*[^;,\s]*/gi, '');
  if (m.viaRport) {
    if (via.endsWith(';rport')) return `${via}=${from.port};received=${from.ip}`;
    return `${via.replace(/;\s*rport(\s*=\s*[^;,\s]*)?(?=[;\s]|$)/i, `;rport=${from.port}`)};received=${from.ip}`;
  }
  return behindNat(m, from.ip) ? `${via};received=${from.ip}` : via;
}

/**
 * Where responses go: over a stream by the connection the request came by (RFC 3261 18.2.2), else by
 * RFC 3581 4. `maddr` is not obeyed: with it a stranger could point our answers at anybody.
 */
export function replyTo(m: SipMessage, from: Peer): Peer {
  if (m.viaRport || isReliable(from.transport)) return from;
  const sentBy = m.viaPort;
  return { transport: from.transport, ip: from.ip, port: sentBy === 0 ? 5060 : sentBy };
}

/**
 * The head of every response to `m` (RFC 3261 8.2.6.2), ending in the To value without CRLF.
 * `tag` is added to To if it has none; `dialog` copies Record-Route (12.1.1).
 */
export function responseHead(m: SipMessage, from: Peer, tag: string, dialog: boolean): string {
  const first = m.find(H.Via, 0);
  let head = `Via: ${topVia(m, from)}`;
  const [, topEnd] = m.viaSpan;
  const restEnd = m.valueEnd(first, m.valueStart(first));
  // More values in the same line, and more lines.
  if (restEnd > topEnd) head += m.text.slice(topEnd, restEnd);
  head += '\r\n';
  for (let i = m.find(H.Via, first + 1); i >= 0; i = m.find(H.Via, i + 1)) {
    head += `Via: ${m.valueAt(i)}\r\n`;
  }
  head += `From: ${m.header(H.From) ?? ''}\r\nCall-ID: ${m.callId}\r\nCSeq: ${m.header(H.CSeq) ?? ''}\r\n`;
  if (dialog && m.has(H.RecordRoute)) head += m.lines(H.RecordRoute);
  head += `To: ${m.header(H.To) ?? ''}`;
  return tag === '' || m.toTag !== '' ? head : `${head};tag=${tag}`;
}

/** @param reason '' for the phrase the status has by registration. */
export function responseText(status: number, reason: string, head: string, tail: string): string {
  const phrase = reason === '' ? reasonPhrase(status) : reason;
  return `SIP/2.0 ${status} ${phrase}\r\n${head}\r\n${tail === '' ? EMPTY_TAIL : tail}`;
}

/**
 * The To tag of a response that leaves no row behind: the same for every retransmission of the
 * request and on both boxes (RFC 3261 8.2.7: "generated in a stateless manner").
 */
export function statelessTag(m: SipMessage, settings: SipSettings): string {
  return hash('md5', `${settings.nonceKey}|${m.callId}|${m.branch}|${m.fromTag}|${m.cseq}`).slice(
    0,
    16,
  );
}

const PROTOCOL: { readonly [t in Transport]: string } = {
  udp: 'UDP',
  tcp: 'TCP',
  tls: 'TLS',
  ws: 'WS',
  wss: 'WSS',
};

/** What our Contact says of its transport; nothing for UDP (RFC 3261 19.1.1, RFC 7118 5.2). */
export const TRANSPORT_PARAM: { readonly [t in Transport]: string } = {
  udp: '',
  tcp: ';transport=tcp',
  tls: ';transport=tls',
  ws: ';transport=ws',
  wss: ';transport=ws',
};

/** Our Via towards `to`. */
export function viaTo(settings: SipSettings, to: Peer, branch: string): string {
  return `Via: SIP/2.0/${PROTOCOL[to.transport]} ${hereFor(settings, to)};branch=${branch};rport\r\n`;
}

// What goes through a back-to-back user agent unchanged. Everything that belongs to one side's own
// dealings with us (routing, dialogs, credentials, extensions we take no part in) does not.
const END_TO_END = [
  H.Subject,
  H.Priority,
  H.Organization,
  H.AlertInfo,
  H.CallInfo,
  H.InReplyTo,
  H.Privacy,
  H.Diversion,
  H.HistoryInfo,
  H.UserToUser,
  H.Reason,
  H.Warning,
  H.ErrorInfo,
  H.RetryAfter,
  H.Date,
  H.UserAgent,
  H.Server,
  H.AcceptLanguage,
];
const OF_BODY = [
  H.ContentType,
  H.ContentDisposition,
  H.ContentEncoding,
  H.ContentLanguage,
  H.MimeVersion,
];

const PASS = new Uint8Array(128);
for (const h of END_TO_END) PASS[h] = 1;
for (const h of OF_BODY) PASS[h] = 2;
PASS[OTHER] = 3;

/**
 * True when an INVITE brings no offer (RFC 3261 13.2.1), so that its answer does and the ACK has to
 * go the whole way. A body that is no session description is no offer.
 */
export function isOfferless(m: SipMessage): boolean {
  if (m.bodyStart === m.text.length) return true;
  const type = m.contentType;
  return type !== 'application/sdp' && type !== '' && !type.startsWith('multipart/');
}

/**
 * The header lines of `m` that the other side gets too, and its body (none when `body` is ''), as the
 * tail of a message.
 */
export function passedOn(m: SipMessage, own: string, body = m.body): string {
  const lines = m.lineCount;
  let out = own;
  for (let i = 0; i < lines; i += 1) {
    const id = m.lineId(i);
    const kind = PASS[id];
    if (kind === 0) continue;
    if (kind === 1 || (kind === 2 && body !== '')) {
      out += `${(HEADERS[id] as { name: string }).name}: ${m.valueAt(i)}\r\n`;
    } else if (kind === 3) {
      const name = m.lineName(i);
      const own = (name.charCodeAt(0) | 32) === 120 && name.charCodeAt(1) === 45;
      // RFC 6442: where a caller is must reach those who help him
      if (own || /^geolocation(?:-routing|-error)?$/i.test(name)) {
        out += `${name}: ${m.valueAt(i)}\r\n`;
      }
    }
  }
  return `${out}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** A tail made by `passedOn` of a message without a body, with `body` (a `bodyTail`) in its place. */
export function withBody(tail: string, body: string): string {
  return tail.endsWith(EMPTY_TAIL) ? tail.slice(0, -EMPTY_TAIL.length) + body : tail;
}

/** The body of a tail with its own headers only; '' when it has none. */
export function descriptionIn(tail: string): string {
  const end = tail.indexOf('\r\n\r\n');
  if (end < 0 || tail.length === end + 4) return '';
  let out = '';
  for (const line of tail.slice(0, end).split('\r\n')) {
    if (/^(?:Content-|MIME-)/i.test(line)) out += `${line}\r\n`;
  }
  return out + tail.slice(end + 2);
}

/** The body of `m` with its own headers only. */
export function bodyTail(m: SipMessage, body = m.body): string {
  if (body === '') return EMPTY_TAIL;
  let out = '';
  for (const h of OF_BODY) if (m.has(h)) out += m.lines(h);
  return `${out}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** A From or To value without its tag, for use as our side of another dialog. */
export function withoutTag(value: string): string {
  const lt = bracketAt(value);
  const from = value.indexOf(';', lt < 0 ? 0 : value.indexOf('>', lt));
  if (from < 0) return value;
  // Most often the tag is the only parameter.
  if (value.startsWith(';tag=', from) && value.indexOf(';', from + 1) < 0) {
    return value.slice(0, from);
  }
  return value.slice(0, from).trimEnd() + withoutParam(value.slice(from), 'tag');
}
