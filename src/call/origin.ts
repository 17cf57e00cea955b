/**
 * The o= line of what a leg is told. RFC 3264 8: within a session "the origin line MUST be identical"
 * to that of the description before, "except that the version ... MUST increment by one" when something
 * changed. A party whose other side was exchanged for another by a transfer or a pickup has one session
 * with us all the same, so descriptions of the new one go on with the line and the count of the old one.
 *
 * Nothing is written for a call whose two sides stay the same: the description said last is at hand.
 */

import type { Context } from '../proto/context.ts';
import { LEG, type Leg } from './rows.ts';

/** [start, end) of the value of the first o= line; undefined when there is none. */
function lineAt(text: string): readonly [number, number] | undefined {
  const at = text.startsWith('o=') ? 0 : text.indexOf('\no=') + 1;
  if (at === 0 && !text.startsWith('o=')) return undefined;
  const lf = text.indexOf('\n', at);
  const end = lf < 0 ? text.length : lf;
  return [at + 2, text.charCodeAt(end - 1) === 13 ? end - 1 : end];
}

function lineOf(text: string): string {
  const at = lineAt(text);
  return at === undefined ? '' : text.slice(at[0], at[1]);
}

type Line = { readonly user: string; readonly version: bigint; readonly rest: string };

/** `user id version net type address`; undefined for anything else. */
function parsed(line: string): Line | undefined {
  const found = /^(\S+ \S+) (\d{1,40}) (\S.*)$/.exec(line);
  if (found === null) return undefined;
  return {
    user: found[1] as string,
    version: BigInt(found[2] as string),
    rest: found[3] as string,
  };
}

/**
 * `body` as it may be said on `leg`; the same for the same body. Bodies without a whole o= line stay as
 * they are.
 */
export function continued(cx: Context, leg: Leg, body: string): string {
  const at = lineAt(body);
  if (at === undefined) return body;
  const now = body.slice(at[0], at[1]);
  const last = leg.origin !== '' ? leg.origin : lineOf(leg.offered) || lineOf(leg.sdp);
  const author = leg.origin !== '' ? leg.author : last;
  // the same line of another author is another description, unless it is what was said last
  const again = now === last && (now === author || isSaid(leg, body));
  if (last === '' || again) return body;
  if (author === now) return body.slice(0, at[0]) + last + body.slice(at[1]);
  const [said, next] = [parsed(last), parsed(now)];
  if (said === undefined || next === undefined) return body;
  // the one it has always been; unless its author described something to somebody else meanwhile
  const same = leg.origin === '' && said.user === next.user && said.rest === next.rest;
  if (same && next.version <= said.version + 1n) return body;
  const origin = `${said.user} ${said.version + 1n} ${said.rest}`;
  cx.store.patch(LEG, leg, { origin, author: now });
  return body.slice(0, at[0]) + origin + body.slice(at[1]);
}

function isSaid(leg: Leg, body: string): boolean {
  return leg.offered.endsWith(body) || leg.sdp.endsWith(body);
}

/** The same for a tail: headers, empty line, body. */
export function continuedTail(cx: Context, leg: Leg, tail: string): string {
  const start = tail.indexOf('\r\n\r\n') + 4;
  if (start < 4 || start === tail.length) return tail;
  const body = tail.slice(start);
  const said = continued(cx, leg, body);
  if (said === body) return tail;
  const head = tail.slice(0, start);
  return head.replace(/^(Content-Length: *)\d+/im, `$1${said.length}`) + said;
}
