/**
 * The certificate that the pair shows when the operator configured none: self-signed, EC P-256, for
 * the virtual addresses, made from the pair key. Both boxes make the same octets at every start, so
 * a phone that was told to trust it, or remembered it, finds it again after a switchover, and there
 * is no file to lose or to copy. By node:crypto alone: the firmware has no openssl.
 *
 *   private key   HKDF of the pair key (`wire/derive.ts`)
 *   signature     ECDSA whose nonce is derived from key and content, in the manner of RFC 6979:
 *                 with a random one the two boxes would show different certificates
 *   validity      1 Jan 2020 to 31 Dec 2049: a box without a clock must not invalidate it
 */

import { createECDH, createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { derive } from '../wire/derive.ts';
import { netlite } from './native/netlite.ts';

export type Identity = { readonly certificate: string; readonly key: string };

/** Order of the group of P-256 (SEC 2, 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytesOf(n: bigint): Buffer {
  return Buffer.from(n.toString(16).padStart(64, '0'), 'hex');
}

/** A number of [1, order) from a secret. */
function scalar(secret: Uint8Array, context: string): bigint {
  return (numberOf(derive(secret, 'sip certificate', context)) % (ORDER - 1n)) + 1n;
}

/** a^-1 modulo the order, which is prime (Fermat). */
function inverse(a: bigint): bigint {
  let result = 1n;
  let base = a % ORDER;
  for (let e = ORDER - 2n; e > 0n; e >>= 1n) {
    if ((e & 1n) === 1n) result = (result * base) % ORDER;
    base = (base * base) % ORDER;
  }
  return result;
}

function publicOf(secret: bigint): Buffer {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(bytesOf(secret));
  return ecdh.getPublicKey();
}

// ── DER ──────────────────────────────────────────────────────────────────────────────────────────

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const n = body.length;
  const length = n < 128 ? [n] : n < 256 ? [0x81, n] : [0x82, n >> 8, n & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const SEQUENCE = 0x30;
const SET = 0x31;
const OCTETS = 0x04;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const whole = (n: bigint): Buffer => {
  const raw = hex(n.toString(16).padStart(2 * Math.ceil(n.toString(16).length / 2), '0'));
  return der(2, (raw[0] as number) > 127 ? Buffer.concat([hex('00'), raw]) : raw);
};
const bits = (bytes: Uint8Array): Buffer => der(3, hex('00'), bytes);

const ECDSA_SHA256 = der(SEQUENCE, hex('06 08 2a8648ce3d040302'));
const EC_P256 = der(SEQUENCE, hex('06 07 2a8648ce3d0201'), hex('06 08 2a8648ce3d030107'));
const COMMON_NAME = hex('06 03 550403');
const BASIC_CONSTRAINTS = hex('06 03 551d13');
const ALT_NAMES = hex('06 03 551d11');
const UTC_TIME = 0x17;
const UTF8 = 0x0c;
const VALIDITY = der(
  SEQUENCE,
  der(UTC_TIME, Buffer.from('200101000000Z')),
  der(UTC_TIME, Buffer.from('491231235959Z')),
);

function nameOf(text: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8, Buffer.from(text)))));
}

/** RFC 5280 4.2.1.6: an address is its octets. */
function addressOf(ip: string): Buffer {
  const raw = Buffer.alloc(16);
  netlite.pton(ip, raw, 0);
  return der(0x87, raw.subarray(0, isIPv4(ip) ? 4 : 16));
}

function content(point: Uint8Array, ips: readonly string[]): Buffer {
  const serial = numberOf(createHash('sha256').update(point).digest().subarray(0, 15));
  const issuer = nameOf('sipair');
  const names = der(SEQUENCE, ...ips.map(addressOf));
  // a phone that is told to trust it takes it for an authority of its own
  const ca = der(SEQUENCE, hex('01 01 ff'));
  const extensions = [
    der(SEQUENCE, BASIC_CONSTRAINTS, hex('01 01 ff'), der(OCTETS, ca)),
    der(SEQUENCE, ALT_NAMES, der(OCTETS, names)),
  ];
  return der(
    SEQUENCE,
    der(0xa0, whole(2n)),
    whole(serial),
    ECDSA_SHA256,
    issuer,
    VALIDITY,
    issuer,
    der(SEQUENCE, EC_P256, bits(point)),
    der(0xa3, der(SEQUENCE, ...extensions)),
  );
}

function pem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** @param ips the virtual addresses. */
export function ownIdentity(pairKey: Uint8Array, ips: readonly string[]): Identity {
  const secret = scalar(pairKey, 'private key');
  const point = publicOf(secret);
  const signed = content(point, ips);
  const digest = createHash('sha256').update(signed).digest();
  const nonce = scalar(pairKey, `nonce ${digest.toString('hex')}`);
  const r = numberOf(publicOf(nonce).subarray(1, 33)) % ORDER;
  const s = (inverse(nonce) * ((numberOf(digest) + r * secret) % ORDER)) % ORDER;
  const signature = der(SEQUENCE, whole(r), whole(s));
  const certificate = der(SEQUENCE, signed, ECDSA_SHA256, bits(signature));
  // SEC 1, C.4
  const key = der(
    SEQUENCE,
    whole(1n),
    der(OCTETS, bytesOf(secret)),
    der(0xa0, hex('06 08 2a8648ce3d030107')),
    der(0xa1, bits(point)),
  );
  return { certificate: pem('CERTIFICATE', certificate), key: pem('EC PRIVATE KEY', key) };
}

/** @returns what is wrong with a certificate and its key, '' when they can be shown; one that has ended can. */
export function identityFault({ certificate, key }: Identity): string {
  try {
    const shown = new X509Certificate(certificate);
    if (!shown.checkPrivateKey(createPrivateKey(key)))
      return 'the key is not that of the certificate';
    return '';
  } catch (e) {
    return (e as Error).message;
  }
}

/** @param now UTC, ms. @returns that it has ended, '' while it has not. Throws on what is no certificate. */
export function endedFault(certificate: string, now: number): string {
  const { validTo } = new X509Certificate(certificate);
  return Date.parse(validTo) < now ? `the certificate ended on ${validTo}` : '';
}

/**
 * What an operator brings: certificates and keys that can be read, and none that has ended.
 * @returns '' or what is wrong with the file.
 */
export function pemFault(pem: string, now: number): string {
  const certificate = pem.includes('-----BEGIN CERTIFICATE-----');
  const key = /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(pem);
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    return 'the key is locked by a passphrase, which nobody types when a box starts: take it off';
  }
  if (!certificate && !key) return 'it is no certificate and no key in PEM';
  try {
    if (key) createPrivateKey(pem);
    return certificate ? endedFault(pem, now) : '';
  } catch (e) {
    return `it cannot be read: ${(e as Error).message}`;
  }
}
