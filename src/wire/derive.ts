/**
 * Keys of one purpose each, from the one key of the pair (HKDF with SHA-256, RFC 5869). The pair key
 * itself encrypts nothing: whoever learns a derived key has learnt nothing about the others.
 */

import { hkdfSync } from 'node:crypto';

export const KEY_BYTES = 32;

/** Every purpose a key is derived for; a label is never used for two things. */
export type Purpose =
  | 'heartbeat 2'
  | 'crossover tls'
  | 'system tls'
  | 'pairing key'
  | 'pairing proof'
  | 'pairing keep'
  | 'sip certificate'
  | 'sip tickets'
  | 'cti certificate';

/**
 * @param secret the pair key, or another secret of full entropy.
 * @param context what the key is bound to besides its purpose.
 * @returns 32 bytes.
 */
export function derive(secret: Uint8Array, purpose: Purpose, context = ''): Uint8Array {
  const info = `sipair ${purpose} ${context}`;
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), info, KEY_BYTES));
}
