/**
 * Digest as a client (RFC 3261 22, RFC 7616, RFC 8760): the answer to a 401 or 407. Of the challenges
 * given the strongest algorithm is taken, so that nobody between can talk us down to MD5 while the
 * server offers better.
 */

import { createHash } from 'node:crypto';
import type { Chance } from '../../base/chance.ts';
import {
  type Auth,
  H,
  isFault,
  parseAuth,
  quote,
  type SipMessage,
} from '../../sip-parser/index.ts';
import type { Credentials } from '../site.ts';
import { randomWord } from './text.ts';

/** Best first. */
const ALGORITHMS = [
  { name: 'SHA-512-256', node: 'sha512-256' },
  { name: 'SHA-256', node: 'sha256' },
  { name: 'MD5', node: 'md5' },
] as const;

export type Challenge = {
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: (typeof ALGORITHMS)[number];
  /** Whether the algorithm was named: only then it is named in the answer. */
  readonly named: boolean;
  readonly qop: boolean;
  readonly stale: boolean;
};

function challengeOf(auth: Auth): Challenge | undefined {
  if (auth.scheme.toLowerCase() !== 'digest') return undefined;
  const p = auth.params;
  const name = (p.get('algorithm') ?? 'MD5').toUpperCase();
  const algorithm = ALGORITHMS.find((a) => a.name === name);
  const [realm, nonce] = [p.get('realm'), p.get('nonce')];
  if (algorithm === undefined || realm === undefined || nonce === undefined) return undefined;
  const qop = p.get('qop');
  const auths = qop?.split(',').some((q) => q.trim().toLowerCase() === 'auth') ?? false;
  // auth-int alone: nothing we could answer
  if (qop !== undefined && !auths) return undefined;
  return {
    realm,
    nonce,
    opaque: p.get('opaque'),
    algorithm,
    named: p.has('algorithm'),
    qop: auths,
    stale: p.get('stale')?.toLowerCase() === 'true',
  };
}

/** A challenge as it was kept in a row. */
export function parseChallenge(text: string): Challenge | undefined {
  const auth = text === '' ? undefined : parseAuth(text);
  return auth === undefined || isFault(auth) ? undefined : challengeOf(auth);
}

/** The challenge of a 401 or 407 that is answered, and its text; undefined for none we can answer. */
export function bestChallenge(
  m: SipMessage,
): { readonly challenge: Challenge; readonly text: string } | undefined {
  let found: { readonly challenge: Challenge; readonly text: string } | undefined;
  for (const text of m.values(m.status === 407 ? H.ProxyAuthenticate : H.WwwAuthenticate)) {
    const challenge = parseChallenge(text);
    if (challenge === undefined) continue;
    const better =
      found === undefined ||
      ALGORITHMS.indexOf(challenge.algorithm) < ALGORITHMS.indexOf(found.challenge.algorithm);
    if (better) found = { challenge, text };
  }
  return found;
}

/**
 * The Authorization or Proxy-Authorization line that answers `c`.
 * @param count how often its nonce was used, this time included.
 * @param round which attempt for one request this is; `roundIn` finds it again in the text.
 */
export function credentials(
  chance: Chance,
  c: Challenge,
  by: Credentials,
  request: { readonly method: string; readonly uri: string; readonly proxy: boolean },
  count: number,
  round: number,
): string {
  const h = (text: string): string =>
    createHash(c.algorithm.node).update(text, 'latin1').digest('hex');
  const a1 = h(`${by.user}:${c.realm}:${by.password}`);
  const a2 = h(`${request.method}:${request.uri}`);
  const nc = count.toString(16).padStart(8, '0');
  const cnonce = `${round}.${randomWord(chance)}`;
  const response = c.qop
    ? h(`${a1}:${c.nonce}:${nc}:${cnonce}:auth:${a2}`)
    : h(`${a1}:${c.nonce}:${a2}`);
  let out =
    `${request.proxy ? 'Proxy-Authorization' : 'Authorization'}: Digest username=${quote(by.user)}, ` +
    `realm=${quote(c.realm)}, nonce=${quote(c.nonce)}, uri=${quote(request.uri)}, ` +
    `response="${response}"`;
  if (c.named) out += `, algorithm=${c.algorithm.name}`;
  if (c.qop) out += `, qop=auth, nc=${nc}, cnonce="${cnonce}"`;
  if (c.opaque !== undefined) out += `, opaque=${quote(c.opaque)}`;
  return `${out}\r\n`;
}

const OWN = /^(?:Proxy-)?Authorization: Digest .*\r\n/gm;

/** Which attempt a request of ours is, by its credentials: 0 before the first challenge. */
export function roundIn(rest: string): number {
  const head = rest.slice(0, rest.indexOf('\r\n\r\n') + 2);
  const all = head.match(OWN) ?? [];
  const found = /cnonce="(\d)\./.exec(all.join(''));
  return found === null ? all.length : Number(found[1]);
}

/**
 * A request (without Via) once more with the next CSeq (RFC 3261 22.2) and these credentials in place
 * of those it had.
 */
export function again(rest: string, cseq: number, line: string): string {
  const end = rest.indexOf('\r\n\r\n') + 2;
  const head = rest.slice(0, end).replace(OWN, '');
  return (
    head.replace(/^CSeq: \d+ (\S+)\r\n/m, (_, m) => `CSeq: ${cseq} ${m}\r\n${line}`) +
    rest.slice(end)
  );
}
