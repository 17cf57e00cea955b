/**
 * Who a caller is, as each side of a trunk may know it: the number shown, P-Asserted-Identity within
 * the Trust Domain (RFC 3325), Privacy (RFC 3323), Diversion (RFC 5806) and History-Info (RFC 7044).
 */

import type { Peer } from '../base/peer.ts';
import { type Context, hereFor } from '../proto/context.ts';
import { bracketAt, uriOf, userOf } from '../proto/sip/address.ts';
import { extensionOf, type Trunk } from '../proto/site.ts';
import {
  escapeUser,
  H,
  isFault,
  parseUri,
  quote,
  type SipMessage,
  unescapeUser,
} from '../sip-parser/index.ts';
import { isExtension } from './dialplan.ts';
import type { Offer } from './invite.ts';
import type { TrunkHop } from './route.ts';

/** RFC 3323 4.2, RFC 3325 7: the caller asks that his identity go no further than it must. */
export function wantsPrivacy(m: SipMessage): boolean {
  return /\b(?:id|user|header)\b/i.test(m.header(H.Privacy) ?? '');
}

/** The P-Asserted-Identity of a message that came by `trunk`; '' where it is not believed. */
export function assertedBy(m: SipMessage, trunk: Trunk): string {
  if (!trunk.callerId.trusted) return '';
  for (const value of m.values(H.PAssertedIdentity)) {
    if (/^(?:sips?|tel):/i.test(uriOf(value))) return value;
  }
  return '';
}

/** The number called by a trunk's INVITE, in the site's own numbering. */
export function calledBy(m: SipMessage, trunk: Trunk): string {
  const { prefix, prepend, number } = trunk.inbound;
  const uri = number === 'to' ? uriOf(m.header(H.To) ?? '') : m.requestUri;
  const called = unescapeUser(userOf(uri));
  if (prefix === '' || !called.startsWith(prefix)) return called;
  return prepend + called.slice(prefix.length);
}

/** The P-Asserted-Identity line for a phone; RFC 3325 9.1: not for one who asked for privacy. */
export function identityLine(offer: Offer): string {
  if (offer.identity === undefined || offer.identity === '' || offer.anonymous === true) return '';
  return `P-Asserted-Identity: ${offer.identity}\r\n`;
}

/** What an INVITE says on a trunk instead of what it said here. */
export type Dress = {
  readonly user: string;
  readonly localUri: string;
  readonly remoteUri: string;
  readonly lines: string;
  readonly tail: string;
};

/** RFC 3325 9.1: "Anonymous", where nobody can be reached. */
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>';
/** By whom a call came about: a trunk that is not told of diversions is not told of transfers. */
const FORWARDED = /^(?:Diversion|History-Info|Referred-By): .*\r\n/gm;

export function dress(
  cx: Context,
  offer: Offer,
  trunk: Trunk,
  hop: TrunkHop,
  peer: Peer,
  uri: string,
): Dress {
  const { site, auth } = cx.settings;
  const id = trunk.callerId;
  const proven = unescapeUser(userOf(uriOf(offer.identity ?? '')));
  const from = unescapeUser(offer.caller);
  // on an open site an extension is who it says
  const known = proven !== '' ? proven : !auth && isExtension(cx.settings, from) ? from : '';
  const number = shown(cx, trunk, known === '' ? from : known);
  const host = hostOf(trunk, uri) || hereFor(cx.settings, peer);
  const address = `<sip:${number === '' ? '' : `${escapeUser(number)}@`}${host}>`;
  const name = extensionOf(site, known)?.name ?? '';
  // RFC 5876 and common law: who calls for help is not hidden from those who help
  const hidden = !hop.emergency && (id.anonymous || offer.anonymous === true);
  const display = name === '' ? displayOf(offer.localUri) : `${quote(name)} `;
  let lines = '';
  if (id.trusted && known !== '') {
    lines += `P-Asserted-Identity: ${display}${address}\r\n`;
    // what the caller asked for himself is passed on with the rest
    if (hidden && !/^Privacy:/m.test(headOf(offer.tail))) lines += 'Privacy: id\r\n';
  }
  const user = trunk.register?.user ?? number;
  return {
    user: user === '' ? '' : escapeUser(user),
    localUri: hidden ? ANONYMOUS : `${display}${address}`,
    remoteUri: `<${uri}>`,
    lines,
    tail: id.diversion ? offer.tail : withoutForwarding(offer.tail),
  };
}

/** The number a caller has outside. */
function shown(cx: Context, trunk: Trunk, caller: string): string {
  const own = extensionOf(cx.settings.site, caller)?.callerId ?? '';
  if (own !== '') return own;
  const { number, prefix } = trunk.callerId;
  if (number !== '') return number;
  return isExtension(cx.settings, caller) ? prefix + caller : caller;
}

function hostOf(trunk: Trunk, uri: string): string {
  if (trunk.domain !== '') return trunk.domain;
  if (trunk.register === undefined) return '';
  const parts = parseUri(uri);
  return isFault(parts) ? '' : parts.host;
}

/** The display name of a From value with a space behind it; '' for none. */
function displayOf(value: string): string {
  const lt = bracketAt(value);
  const name = lt <= 0 ? '' : value.slice(0, lt).trim();
  return name === '' ? '' : `${name} `;
}

function headOf(tail: string): string {
  return tail.slice(0, tail.indexOf('\r\n\r\n') + 2);
}

function withoutForwarding(tail: string): string {
  const head = headOf(tail);
  return head.replace(FORWARDED, '') + tail.slice(head.length);
}
