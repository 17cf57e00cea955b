/**
 * Session descriptions of nobody: what a leg is told that has no other side now. RFC 3264 8.4: a stream
 * is put on hold by `inactive`; RFC 3725 4 (flow IV): a phone that is called for a program first hears a
 * description without a place to send to.
 *
 * Their o= line is new each time; `continued` (origin.ts) makes it the next version of the session.
 */

import type { Context } from '../proto/context.ts';
import type { Leg } from './rows.ts';

export type Direction = 'inactive' | 'sendonly' | 'recvonly' | 'sendrecv';

const DIRECTION = /^a=(?:sendrecv|sendonly|recvonly|inactive)\r?\n/gim;

/** A body as a tail with its own headers. */
export function sdpTail(body: string): string {
  return `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Body parts, each with its headers, as one tail (RFC 2046 5.1). */
export function multipart(parts: readonly string[]): string {
  const mark = 'sipair-part';
  let body = '';
  for (const one of parts)
    body += `--${mark}\r\n${one.replace(/^Content-Length:.*\r\n/im, '')}\r\n`;
  body += `--${mark}--\r\n`;
  const type = `Content-Type: multipart/mixed;boundary=${mark}\r\n`;
  return `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
}

function originLine(cx: Context, id: number): string {
  return `o=sipair ${id} ${cx.now} IN IP4 ${cx.settings.vip}\r\n`;
}

/** An offer of the usual audio, inactive, with nowhere to send to. `id` makes its origin unique. */
export function heldOffer(cx: Context, id: number): string {
  return sdpTail(
    `v=0\r\n${originLine(cx, id)}s=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n` +
      'm=audio 9 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n' +
      'a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=inactive\r\n',
  );
}

/**
 * What a leg was told last, with another direction for every stream: `inactive` holds its phone,
 * `sendonly` mutes it. '' when that was no plain description.
 */
export function directed(cx: Context, leg: Leg, direction: Direction): string {
  const body = leg.sdp.slice(leg.sdp.indexOf('\r\n\r\n') + 4);
  if (!body.startsWith('v=0')) return '';
  const plain = body.replace(DIRECTION, '').replace(/^o=[^\r\n]*\r?\n/m, originLine(cx, leg.id));
  const [session, ...streams] = plain.split(/(?=^m=)/m);
  if (streams.length === 0) return '';
  const lines = streams.map((m) => `${m.endsWith('\n') ? m : `${m}\r\n`}a=${direction}\r\n`);
  return sdpTail(session + lines.join(''));
}

/** Attributes an inactive answer repeats of the offer: what its formats are, and its keys. */
const REPEATED = /^a=(?:rtpmap|fmtp|mid|crypto|rtcp-mux)\b/i;

/**
 * The answer of nobody to the offer `body` on `leg`: each stream is there (RFC 3264 6: as many, in
 * order), but inactive; those of transports that need more than that are refused. '' when it cannot be
 * answered.
 */
export function heldAnswer(cx: Context, leg: Leg, body: string): string {
  const start = body.indexOf('v=0');
  const parts = start < 0 ? [] : body.slice(start).split(/(?=^m=)/m);
  if (parts.length < 2) return '';
  let out = `v=0\r\n${originLine(cx, leg.id)}s=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n`;
  for (const part of parts.slice(1)) {
    const found = /^m=(\S+) (\d+)(?:\/\d+)? (\S+) ([^\r\n]*)/.exec(part);
    if (found === null) return '';
    const [, media, port, transport, formats] = found;
    const able = port !== '0' && /^RTP\/S?AVPF?$/i.test(transport as string);
    out += `m=${media} ${able ? 9 : 0} ${transport} ${formats}\r\n`;
    if (!able) continue;
    for (const line of part.split(/\r?\n/)) if (REPEATED.test(line)) out += `${line}\r\n`;
    out += 'a=inactive\r\n';
  }
  return sdpTail(out);
}
