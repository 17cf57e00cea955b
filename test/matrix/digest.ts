/** Digest credentials as a phone makes them (RFC 7616, RFC 8760), not one line of the product's. */

import { createHash } from 'node:crypto';

/** @returns the value of Authorization or Proxy-Authorization that answers `challenge`. */
export function credentials(
  challenge: string,
  method: string,
  uri: string,
  user: string,
  password: string,
  cnonce: string,
): string {
  const param = (name: string): string =>
    new RegExp(`[ ,]${name}="?([^",]*)`, 'i').exec(challenge)?.[1] ?? '';
  const algorithm = param('algorithm') || 'MD5';
  const h = (text: string): string =>
    createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
      .update(text, 'latin1')
      .digest('hex');
  const realm = param('realm');
  const nonce = param('nonce');
  const a1 = h(`${user}:${realm}:${password}`);
  const response = h(`${a1}:${nonce}:00000001:${cnonce}:auth:${h(`${method}:${uri}`)}`);
  return (
    `Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", ` +
    `algorithm=${algorithm}, qop=auth, nc=00000001, cnonce="${cnonce}", response="${response}"`
  );
}
