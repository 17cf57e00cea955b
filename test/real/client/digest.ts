/** Digest credentials (RFC 7616 3.4.1) of a phone whose messages a test writes itself. */

import { createHash, randomBytes } from 'node:crypto';
import { VIP } from '../../lab/places.ts';
import type { Invite, RawPhone } from './raw-phone.ts';
import type { Message } from './text.ts';

/** The header line that answers the challenge `m` to a `method` for `uri`. */
function credentials(m: Message, method: string, uri: string, user: number): string {
  const proxy = m.status === 407;
  const all = m.headers.get(proxy ? 'proxy-authenticate' : 'www-authenticate');
  const asked = all?.find((value) => value.includes('algorithm=SHA-256')) ?? all?.[0] ?? '';
  const algorithm = asked.includes('algorithm=SHA-256') ? 'SHA-256' : 'MD5';
  const hash = algorithm === 'MD5' ? 'md5' : 'sha256';
  const field = (key: string): string => new RegExp(`${key}="([^"]*)"`).exec(asked)?.[1] ?? '';
  const digest = (text: string): string => createHash(hash).update(text).digest('hex');
  const [realm, nonce] = [field('realm'), field('nonce')];
  const [a1, a2] = [digest(`${user}:${realm}:pw-${user}`), digest(`${method}:${uri}`)];
  const response = digest(`${a1}:${nonce}:00000001:c:auth:${a2}`);
  return (
    `${proxy ? 'Proxy-Authorization' : 'Authorization'}: Digest username="${user}", ` +
    `realm="${realm}", nonce="${nonce}", uri="${uri}", algorithm=${algorithm}, qop=auth, nc=00000001, ` +
    `cnonce="c", response="${response}"`
  );
}

/** Registers a phone that is asked who it is. */
export async function signIn(phone: RawPhone): Promise<void> {
  phone.send(phone.registration(1));
  const challenge = await phone.next('401');
  const proof = credentials(challenge, 'REGISTER', `sip:${VIP}`, phone.number);
  phone.send(phone.registration(2, [proof]));
  await phone.next('200');
}

/** Calls, and says who it is when it is asked. Gives the INVITE that was sent then. */
export async function callSigned(phone: RawPhone, to: number): Promise<Invite> {
  const first = phone.invite(to);
  phone.send(first.text);
  const challenge = await phone.next('407');
  phone.send(phone.ack(first, challenge));
  const branch = `z9hG4bK${randomBytes(8).toString('hex')}`;
  const proof = credentials(challenge, 'INVITE', `sip:${to}@${VIP}`, phone.number);
  const text = first.text
    .replace(first.branch, branch)
    .replace('CSeq: 1 ', 'CSeq: 2 ')
    .replace('Contact: ', `${proof}\r\nContact: `);
  phone.send(text);
  return { ...first, text, branch, cseq: 2 };
}
