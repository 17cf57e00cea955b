/** How a phone answers a digest challenge (RFC 7616 3.4.1). */

import { createHash } from 'node:crypto';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';

export type Credentials = { user?: string; algorithm?: string; nc?: string; password?: string };

/** The credentials line that answers the challenge `no`. */
export function proof(no: SipMessage, method: string, uri: string, c: Credentials = {}): string {
  const proxy = no.status === 407;
  const challenges = no.values(proxy ? H.ProxyAuthenticate : H.WwwAuthenticate);
  const algorithm = c.algorithm ?? 'SHA-256';
  const mine = challenges.find((x) => x.includes(`algorithm=${algorithm}`)) ?? '';
  const nonce = /nonce="([^"]*)"/.exec(mine)?.[1] ?? '';
  const user = c.user ?? '1002';
  const h = (x: string): string =>
    createHash(algorithm === 'MD5' ? 'md5' : 'sha256')
      .update(x)
      .digest('hex');
  const nc = c.nc ?? '00000001';
  const a1 = h(`${user}:sipair:${c.password ?? `pw-${user}`}`);
  const response = h(`${a1}:${nonce}:${nc}:cn:auth:${h(`${method}:${uri}`)}`);
  return (
    `${proxy ? 'Proxy-Authorization' : 'Authorization'}: Digest username="${user}", realm="sipair", ` +
    `nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, qop=auth, nc=${nc}, cnonce="cn", ` +
    `response="${response}"\r\n`
  );
}
