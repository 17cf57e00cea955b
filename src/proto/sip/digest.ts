/**
 * Digest authentication (RFC 3261 22, RFC 7616, RFC 8760): SHA-256 first, MD5 for old phones,
 * always with qop=auth. A nonce verifies itself: it is the moment it was made, on the pair clock,
 * and a keyed hash of that moment and of the address it was given to. No list of nonces exists, so the
 * box that checks need not be the one that gave. Who answers with a nonce has received it there: wrong
 * passwords under a forged source are not held against whoever lives at it.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { H, type HeaderId, isFault, parseAuth, type SipMessage } from '../../sip-parser/index.ts';
import type { Context, DigestName, SipSettings } from '../context.ts';
import { extensionOf, trunkOfUser } from '../site.ts';
import { userOf } from './address.ts';
import { statelessTag } from './text.ts';

export type Proof =
  /** `nonce` and `nc` let a registrar refuse a repetition. */
  | { readonly as: 'user'; readonly user: string; readonly nonce: string; readonly nc: number }
  /** `tried`: the user whose password was wrong; '' when none was tried. */
  | { readonly as: 'nobody'; readonly stale: boolean; readonly tried: string }
  /** Guessed too often: not looked at, right or wrong. */
  | { readonly as: 'locked' };

const NOBODY: Proof = { as: 'nobody', stale: false, tried: '' };
const STALE: Proof = { as: 'nobody', stale: true, tried: '' };
const LOCKED: Proof = { as: 'locked' };
const HASHES: { readonly [name in DigestName]: string } = { 'SHA-256': 'sha256', MD5: 'md5' };

/**
 * RFC 8760 2.3 wants a client to pass over algorithms it does not know. These give up when the first
 * one is such (JsSIP, SIP.js, Kamailio), or any (baresip): they are asked for MD5 only.
 */
const MD5_ONLY = /^(JsSIP |SIP\.js\/|baresip v[01]\.|kamailio \([0-5]\.)/i;

function mark(settings: SipSettings, moment: string, ip: string): string {
  return createHmac('sha256', settings.nonceKey)
    .update(`${moment}|${settings.realm}|${ip}`)
    .digest('hex')
    .slice(0, 24);
}

/**
 * The challenge headers of a 401 (`WWW-Authenticate`) or 407 (`Proxy-Authenticate`) to `m`. The tag
 * of the request in the nonce keeps those given in one millisecond apart. `room`: octets there are; a
 * shorter request than any phone's gets one header only.
 */
export function challenge(
  cx: Context,
  m: SipMessage,
  ip: string,
  header: string,
  stale: boolean,
  room: number,
): string {
  const moment = `${cx.now.toString(36)}.${statelessTag(m, cx.settings).slice(0, 8)}`;
  const nonce = `${moment}.${mark(cx.settings, moment, ip)}`;
  let out = '';
  // RFC 8760 2.4: one header an algorithm, the preferred one first.
  for (const name of offered(cx, m)) {
    const line =
      `${header}: Digest realm="${cx.settings.realm}", nonce="${nonce}", qop="auth", ` +
      `algorithm=${name}${stale ? ', stale=true' : ''}\r\n`;
    if (out === '' || out.length + line.length <= room) out += line;
  }
  return out;
}

/** What to ask the sender of `m` for. */
function offered(cx: Context, m: SipMessage): readonly DigestName[] {
  const { digest } = cx.settings;
  const simple = digest.includes('MD5') && MD5_ONLY.test(m.header(H.UserAgent) ?? '');
  return simple ? ['MD5'] : digest;
}

/** Who sent this request from `ip`, by its credentials for our realm. */
export function authenticate(cx: Context, m: SipMessage, header: HeaderId, ip: string): Proof {
  for (const value of m.values(header)) {
    const auth = parseAuth(value);
    if (isFault(auth) || auth.scheme.toLowerCase() !== 'digest') continue;
    if (auth.params.get('realm') !== cx.settings.realm) continue;
    if (cx.guard.locked(cx.now, ip, auth.params.get('username') ?? '')) return LOCKED;
    return check(cx, m, auth.params, ip);
  }
  return NOBODY;
}

function check(cx: Context, m: SipMessage, p: Map<string, string>, ip: string): Proof {
  const s = cx.settings;
  const user = p.get('username') ?? '';
  const nonce = p.get('nonce') ?? '';
  const uri = p.get('uri') ?? '';
  const nc = p.get('nc') ?? '';
  const cnonce = p.get('cnonce') ?? '';
  // RFC 8760 2.6: an absent algorithm means MD5.
  const wanted = (p.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = s.digest.find((name) => name === wanted);
  if (algorithm === undefined || user === '' || p.get('qop') !== 'auth' || cnonce === '') {
    return NOBODY;
  }
  if (!/^[0-9a-f]{8}$/i.test(nc)) return NOBODY;
  // RFC 7616 3.4.6: the URI must be that of the request, or one call paid for is any call. Hosts
  // are not compared, which proxies rewrite and many clients write as they like.
  const meant = userOf(uri);
  const called = userOf(m.requestUri);
  if (meant !== '' && called !== '' && meant !== called) return NOBODY;
  const dot = nonce.lastIndexOf('.');
  const moment = nonce.slice(0, dot);
  // one nobody gave him there: right or wrong, he may ask anew, and nobody learns which it was
  if (dot <= 0 || !same(nonce.slice(dot + 1), mark(s, moment, ip))) return STALE;
  const h = (text: string): string =>
    createHash(HASHES[algorithm]).update(text, 'latin1').digest('hex');
  const password = passwordOf(s, user);
  if (password === undefined) return { as: 'nobody', stale: false, tried: user };
  const a1 = h(`${user}:${s.realm}:${password}`);
  const a2 = h(`${m.method}:${uri}`);
  const response = h(`${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}`);
  if (!same(response, (p.get('response') ?? '').toLowerCase())) {
    return { as: 'nobody', stale: false, tried: user };
  }
  // RFC 7616 3.3: right in everything but the age of the nonce: the client may try again unasked.
  const age = cx.now - Number.parseInt(moment, 36);
  if (age > s.nonceLifeMs || age < -s.nonceLifeMs) return STALE;
  return { as: 'user', user, nonce, nc: Number.parseInt(nc, 16) };
}

/** The password of an extension, or of a trunk that proves itself; undefined: there is none, and nobody is that user. */
function passwordOf(s: SipSettings, user: string): string | undefined {
  const own =
    extensionOf(s.site, user)?.password ?? trunkOfUser(s.site, user)?.inbound.digest?.password;
  if (own !== undefined) return own;
  return s.passwordPrefix === '' ? undefined : s.passwordPrefix + user;
}

function same(a: string, b: string): boolean {
  const x = Buffer.from(a, 'latin1');
  const y = Buffer.from(b, 'latin1');
  return x.length === y.length && timingSafeEqual(x, y);
}

/** Credentials for us as a registrar, and as a proxy would want them. */
export const REGISTRAR = { status: 401, ask: 'WWW-Authenticate', from: H.Authorization } as const;
export const SERVICE = {
  status: 407,
  ask: 'Proxy-Authenticate',
  from: H.ProxyAuthorization,
} as const;
