// Bodies of several parts (RFC 5621; the syntax is RFC 2046 5.1): SDP beside an ISUP message, a
// location or a token. Parts are cut out, not decoded: a transfer encoding is named, for SIP sends
// binary (RFC 3261 7.4.1).

import { HT, paramsStart, SP, skipClass, skipWs, TOKEN, trimEnd } from './chars.ts';
import { isFault, type SipFault, sipFault } from './faults.ts';
import { H } from './headers.ts';
import { LIMITS } from './limits.ts';
import type { SipMessage } from './message.ts';
import { param } from './name-addr.ts';

/** One part. Header values are '' when absent. */
export type BodyPart = {
  /** Complete Content-Type value; `text/plain` when absent (RFC 2046 5.1). */
  readonly contentType: string;
  /** Complete Content-Disposition value. */
  readonly disposition: string;
  /** Content-ID without its brackets. */
  readonly id: string;
  /** Content-Transfer-Encoding in lower case; '' is binary. */
  readonly encoding: string;
  readonly body: string;
};

/** How deep `bodyOfType` looks into parts that are multipart themselves. */
const DEPTH = 3;

/**
 * Splits `body` by the boundary in `contentType`. Preamble and epilogue are left out. Fault
 * `bad-multipart`: no usable boundary, no delimiter or none that closes, a malformed head of a
 * part, more than `LIMITS.bodyParts`.
 */
export function parseMultipart(contentType: string, body: string): readonly BodyPart[] | SipFault {
  const boundary = param(contentType, 'boundary') ?? '';
  // RFC 2046 5.1.1: 1 to 70 characters, the last no space.
  if (boundary === '' || boundary.length > 70 || boundary.endsWith(' ')) {
    return sipFault('bad-multipart', 0);
  }
  const delimiter = `\r\n--${boundary}`;
  const parts: BodyPart[] = [];
  let from = -1;
  let search = 0;
  // The first delimiter may be the very beginning of the body.
  let at = body.startsWith(delimiter.slice(2)) ? -2 : body.indexOf(delimiter, search);
  while (at !== -1) {
    const after = at + delimiter.length;
    const closes = body.startsWith('--', after);
    const line = skipWs(body, closes ? after + 2 : after, body.length);
    const ends = body.startsWith('\r\n', line) || (closes && line === body.length);
    search = after;
    if (ends) {
      if (from >= 0) {
        const part = readPart(body, from, at);
        if (part === undefined || parts.length >= LIMITS.bodyParts) {
          return sipFault('bad-multipart', from);
        }
        parts.push(part);
      }
      if (closes) return parts.length > 0 ? parts : sipFault('bad-multipart', search);
      from = line + 2;
      // The CRLF that ends this delimiter line may begin the next: an empty part has no head.
      search = line;
    }
    at = body.indexOf(delimiter, search);
  }
  return sipFault('bad-multipart', Math.max(from, 0));
}

/**
 * The body of type `type` (lower case, `application/sdp`) of a message: the body itself, or the
 * first part of that type. Undefined when there is none, or it is encoded, or the parts are
 * malformed.
 */
export function bodyOfType(m: SipMessage, type: string): string | undefined {
  const whole = m.header(H.ContentType) ?? '';
  if (m.bodyStart >= m.text.length) return undefined;
  return find(whole, m.body, type, DEPTH);
}

function find(contentType: string, body: string, type: string, depth: number): string | undefined {
  const own = mediaType(contentType);
  if (own === type) return body;
  if (depth === 0 || !own.startsWith('multipart/')) return undefined;
  const parts = parseMultipart(contentType, body);
  if (isFault(parts)) return undefined;
  for (const part of parts) {
    if (part.encoding !== '' && !PLAIN.includes(part.encoding)) continue;
    const found = find(part.contentType, part.body, type, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

const PLAIN: readonly string[] = ['binary', '8bit', '7bit'];

function mediaType(value: string): string {
  const end = paramsStart(value, 0, value.length);
  return value.slice(0, trimEnd(value, 0, end)).toLowerCase();
}

/** The part in [from, at); undefined when its head is malformed. */
function readPart(text: string, from: number, at: number): BodyPart | undefined {
  const found = new Map<string, string>();
  let pos = from;
  for (let lines = 0; lines <= LIMITS.partHeaders; lines += 1) {
    // A part may be a head alone, with or without a CRLF of its own before the delimiter's.
    if (pos >= at) return bodyPart(found, '');
    if (text.startsWith('\r\n', pos)) return bodyPart(found, text.slice(pos + 2, at));
    let eol = text.indexOf('\r\n', pos);
    const nameEnd = skipClass(text, pos, eol, TOKEN);
    const colon = skipWs(text, nameEnd, eol);
    if (nameEnd === pos || text.charCodeAt(colon) !== 58) return undefined;
    const name = text.slice(pos, nameEnd).toLowerCase();
    const value = colon + 1;
    // Folded lines belong to the value (RFC 5322 2.2.3).
    while (eol < at && (text.charCodeAt(eol + 2) === SP || text.charCodeAt(eol + 2) === HT)) {
      eol = text.indexOf('\r\n', eol + 2);
    }
    if (eol - value > LIMITS.lineBytes) return undefined;
    const joined = text.slice(value, eol).replace(/\r\n[ \t]+/g, ' ');
    const first = skipWs(joined, 0, joined.length);
    if (!found.has(name))
      found.set(name, joined.slice(first, trimEnd(joined, first, joined.length)));
    pos = eol + 2;
  }
  return undefined;
}

function bodyPart(found: ReadonlyMap<string, string>, body: string): BodyPart {
  const id = found.get('content-id') ?? '';
  return {
    contentType: found.get('content-type') || 'text/plain',
    disposition: found.get('content-disposition') ?? '',
    id: id.startsWith('<') && id.endsWith('>') ? id.slice(1, -1) : id,
    encoding: (found.get('content-transfer-encoding') ?? '').toLowerCase(),
    body,
  };
}
