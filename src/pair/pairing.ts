/**
 * How two boxes that share no secret agree on a pair key, with two people as witnesses: the machine of
 * one exchange, over any stream. X25519 gives a common secret to whoever is at the other end; six
 * digits on both consoles tell whether that is the other box.
 *
 *   a                                  b
 *   hello(a, commitment) ───────────►  ◄─────────── hello(b, commitment)
 *   reveal(public key, number) ─────►  ◄─ reveal(public key, number)     after the other's hello
 *        both show six digits, both operators compare them
 *   confirm(proof) ─────────────────►  ◄───────────── confirm(proof)     after the operator's yes
 *   keep(pair key, sealed) ─────────►                    after both confirms, if a alone has a key
 *   stored ─────────────────────────►  ◄───────────── stored             when it is on the disk
 *
 * A box that is put in the place of a dead one gets the key its peer has: that one carries calls under it,
 * and would have to start anew for another. Where none has a key, or both have, the exchange makes a new
 * one.
 *
 * Somebody in the middle holds two exchanges and wants both to show the same digits. Each side has
 * fixed its key and number by the commitment before it learns the other's, so he must fix his own
 * before he knows what they will give: he guesses, one in a million, and a wrong guess is seen by
 * the operators. Trying again shows other digits again, so digits are shown once: an exchange that ends
 * after that ends the pairing. Else he could let both see the same ones, break off while they type their
 * yes, and have it fall on the digits of his own exchange.
 *
 * Each message, big endian:
 *
 *   ┌───────┬─────┬──────┬────────┬──────┐
 *   │ magic │ ver │ type │ length │ body │
 *   │ 4     │ u8  │ u8   │ u16    │      │
 *   └───────┴─────┴──────┴────────┴──────┘
 *   0       4     5      6        8
 *
 *   magic   the letters spPR
 *   hello   1: box u8 ('a' or 'b'), SHA-256 of label, box, public key and number: 33 bytes
 *   reveal  2: public key 32, number 32
 *   confirm 3: whether it has a key u8, HMAC-SHA-256 of this and its name under the proof key: 33
 *   stored  4: nothing
 *   refuse  5: nothing; the operator said no
 *   keep    6: the pair key in AES-256-GCM under a key of this exchange, and the tag: 48
 */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { type Fault, fault } from '../base/fault.ts';
import { derive } from '../wire/derive.ts';
import type { BoxId } from './terms.ts';

export type PairingFault =
  | 'pairing-magic'
  | 'pairing-version'
  | 'pairing-type'
  | 'pairing-length'
  /** A message at a time when it has no place. */
  | 'pairing-order'
  /** Both ends have the same name, or it is our own voice. */
  | 'pairing-self'
  /** What was revealed is not what was committed to. */
  | 'pairing-commit'
  /** A public key with which there is no secret. */
  | 'pairing-point'
  /** The other end has not computed the same secret. */
  | 'pairing-confirm'
  /** The other operator said no. */
  | 'pairing-refused';

/** What an operator reads. */
export const PAIRING_WORDS: { readonly [code in PairingFault]: string } = {
  'pairing-magic': 'what answers there is not pairing',
  'pairing-version': 'the other box has another release that pairs differently',
  'pairing-type': 'the other box said something unknown',
  'pairing-length': 'the other box said something of a wrong length',
  'pairing-order': 'the other box said something out of turn',
  'pairing-self': 'both boxes have the same name',
  'pairing-commit': 'the other end changed its key: somebody may be in between',
  'pairing-point': 'the other end sent a key that is none',
  'pairing-confirm': 'the other end has another secret: somebody may be in between',
  'pairing-refused': 'the operator at the other box said no',
};

const MAGIC = 0x73705052;
const VERSION = 2;
const HEAD = 8;
const TYPES = ['hello', 'reveal', 'confirm', 'stored', 'refuse', 'keep'] as const;
type MessageType = (typeof TYPES)[number];
const LENGTH: { readonly [type in MessageType]: number } = {
  hello: 33,
  reveal: 64,
  confirm: 33,
  stored: 0,
  refuse: 0,
  keep: 48,
};
/** A stream never holds more of ours than all messages once. */
const BUFFER_MAX = TYPES.reduce((sum, type) => sum + HEAD + LENGTH[type], 0);
const HALF = 32;
const TAG = 16;
/** The sealing key is used once. */
const NONCE = new Uint8Array(12);
/** Random bytes that one exchange needs. */
export const PAIRING_CHANCE = 2 * HALF;
/** RFC 8410: what stands before the 32 bytes of an X25519 key in PKCS #8 and in SPKI. */
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex');
const SPKI = Buffer.from('302a300506032b656e032100', 'hex');

/**
 * hello: the other's is awaited. reveal: so is what it committed to. compare: the digits are shown.
 * agreed: both operators said yes; the key is there, or on its way. done: the other box has stored it too.
 */
export type PairingState = 'hello' | 'reveal' | 'compare' | 'agreed' | 'done' | 'failed';

export class Pairing {
  state: PairingState = 'hello';
  /** Six digits from `compare` on. */
  digits = '';
  /** 32 bytes, when both have agreed. */
  key: Uint8Array | undefined;
  /** Whose key it is. */
  origin: 'made' | 'own' | 'given' = 'made';

  private readonly box: BoxId;
  private readonly secret: KeyObject;
  private readonly publicKey: Uint8Array;
  private readonly number: Uint8Array;
  private readonly kept: Uint8Array | undefined;
  private buffer: Uint8Array = new Uint8Array(0);
  private commitment: Uint8Array | undefined;
  private peer = '';
  private common: Uint8Array = new Uint8Array(0);
  private transcript = '';
  private saidYes = false;
  private peerSaidYes = false;
  private peerKeeps = false;
  private peerStored = false;

  /**
   * @param chance PAIRING_CHANCE random bytes, used for this exchange only.
   * @param kept the pair key this box has.
   */
  constructor(box: BoxId, chance: Uint8Array, kept?: Uint8Array) {
    this.box = box;
    this.kept = kept;
    const der = Buffer.concat([PKCS8, chance.subarray(0, HALF)]);
    this.secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(this.secret).export({ format: 'der', type: 'spki' });
    this.publicKey = new Uint8Array(spki.subarray(SPKI.length));
    this.number = Uint8Array.from(chance.subarray(HALF, PAIRING_CHANCE));
  }

  /** @returns our first message. */
  begin(): Uint8Array {
    const body = new Uint8Array(LENGTH.hello);
    body[0] = this.box.charCodeAt(0);
    body.set(commit(this.box, this.publicKey, this.number), 1);
    return message('hello', body);
  }

  /**
   * Bytes of the other box. After a fault the exchange is over.
   * @returns what to answer, or what is wrong.
   */
  data(bytes: Uint8Array): readonly Uint8Array[] | Fault<PairingFault> {
    if (this.state === 'failed') return fault('pairing-order', 0);
    if (this.buffer.length + bytes.length > BUFFER_MAX) return this.fail('pairing-length', 0);
    this.buffer = Buffer.concat([this.buffer, bytes]);
    const answers: Uint8Array[] = [];
    while (this.buffer.length >= HEAD) {
      const view = new DataView(this.buffer.buffer, this.buffer.byteOffset, HEAD);
      if (view.getUint32(0) !== MAGIC) return this.fail('pairing-magic', 0);
      if (view.getUint8(4) !== VERSION) return this.fail('pairing-version', 4);
      const type = TYPES[view.getUint8(5) - 1];
      if (type === undefined) return this.fail('pairing-type', 5);
      const length = view.getUint16(6);
      if (length !== LENGTH[type]) return this.fail('pairing-length', 6);
      if (this.buffer.length < HEAD + length) break;
      const body = this.buffer.subarray(HEAD, HEAD + length);
      this.buffer = this.buffer.subarray(HEAD + length);
      const wrong = this.take(type, body, answers);
      if (wrong !== undefined) return this.fail(wrong, HEAD);
    }
    return answers;
  }

  /** The operator compared the digits and says yes. @returns what to send. */
  accept(): Uint8Array | undefined {
    if (this.state !== 'compare' || this.saidYes) return undefined;
    this.saidYes = true;
    const keeps = this.kept !== undefined;
    const body = Buffer.concat([Buffer.from([Number(keeps)]), this.proof(this.box, keeps)]);
    const out = [message('confirm', body)];
    this.agree(out);
    return Buffer.concat(out);
  }

  /** The operator says no. @returns what to send. */
  reject(): Uint8Array {
    this.state = 'failed';
    this.key = undefined;
    return message('refuse', new Uint8Array(0));
  }

  /** The key is stored on this box. @returns what to send. */
  stored(): Uint8Array | undefined {
    if (this.key === undefined) return undefined;
    return message('stored', new Uint8Array(0));
  }

  private fail(code: PairingFault, at: number): Fault<PairingFault> {
    this.state = 'failed';
    this.key = undefined;
    return fault(code, at);
  }

  private take(
    type: MessageType,
    body: Uint8Array,
    answers: Uint8Array[],
  ): PairingFault | undefined {
    switch (type) {
      case 'hello':
        return this.hello(body, answers);
      case 'reveal':
        return this.reveal(body);
      case 'confirm':
        return this.confirm(body, answers);
      case 'keep':
        return this.given(body);
      case 'stored':
        // it may be quicker than our own disk, never quicker than our own yes
        if (this.state !== 'agreed' || this.key === undefined || this.peerStored) {
          return 'pairing-order';
        }
        this.peerStored = true;
        this.state = 'done';
        return undefined;
      case 'refuse':
        return 'pairing-refused';
    }
  }

  private hello(body: Uint8Array, answers: Uint8Array[]): PairingFault | undefined {
    if (this.state !== 'hello') return 'pairing-order';
    this.peer = this.box === 'a' ? 'b' : 'a';
    if (body[0] !== this.peer.charCodeAt(0)) return 'pairing-self';
    this.commitment = Uint8Array.from(body.subarray(1));
    this.state = 'reveal';
    answers.push(message('reveal', Buffer.concat([this.publicKey, this.number])));
    return undefined;
  }

  private reveal(body: Uint8Array): PairingFault | undefined {
    if (this.state !== 'reveal' || this.commitment === undefined) return 'pairing-order';
    const theirKey = body.subarray(0, HALF);
    const theirNumber = body.subarray(HALF);
    if (!timingSafeEqual(commit(this.peer, theirKey, theirNumber), this.commitment)) {
      return 'pairing-commit';
    }
    if (timingSafeEqual(theirKey, this.publicKey)) return 'pairing-self';
    try {
      const spki = Buffer.concat([SPKI, theirKey]);
      const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
      this.common = diffieHellman({ privateKey: this.secret, publicKey });
    } catch {
      // a point of small order gives nothing but zeros
      return 'pairing-point';
    }
    const own = Buffer.concat([this.publicKey, this.number]);
    const sides = this.box === 'a' ? [own, body] : [body, own];
    const hash = createHash('sha256').update('sipair pairing transcript');
    for (const side of sides) hash.update(side);
    const digest = hash.digest();
    this.transcript = digest.toString('hex');
    this.digits = `${digest.readUIntBE(0, 6) % 1_000_000}`.padStart(6, '0');
    this.state = 'compare';
    return undefined;
  }

  private confirm(body: Uint8Array, answers: Uint8Array[]): PairingFault | undefined {
    if (this.state !== 'compare' || this.peerSaidYes) return 'pairing-order';
    const keeps = body[0] === 1;
    if (!timingSafeEqual(body.subarray(1), this.proof(this.peer, keeps))) return 'pairing-confirm';
    this.peerSaidYes = true;
    this.peerKeeps = keeps;
    this.agree(answers);
    return undefined;
  }

  private agree(out: Uint8Array[]): void {
    if (!this.saidYes || !this.peerSaidYes) return;
    this.state = 'agreed';
    const { kept } = this;
    if ((kept !== undefined) === this.peerKeeps) {
      this.key = derive(this.common, 'pairing key', this.transcript);
    } else if (kept !== undefined) {
      this.key = kept;
      this.origin = 'own';
      const cipher = createCipheriv('aes-256-gcm', this.sealing(), NONCE);
      const sealed = [cipher.update(kept), cipher.final(), cipher.getAuthTag()];
      out.push(message('keep', Buffer.concat(sealed)));
    }
  }

  /** The key of the other box, which has one while we have none. */
  private given(body: Uint8Array): PairingFault | undefined {
    if (this.state !== 'agreed' || this.key !== undefined) return 'pairing-order';
    const end = LENGTH.keep - TAG;
    try {
      const open = createDecipheriv('aes-256-gcm', this.sealing(), NONCE);
      open.setAuthTag(body.subarray(end));
      this.key = new Uint8Array(Buffer.concat([open.update(body.subarray(0, end)), open.final()]));
      this.origin = 'given';
      return undefined;
    } catch {
      return 'pairing-confirm';
    }
  }

  private sealing(): Uint8Array {
    return derive(this.common, 'pairing keep', this.transcript);
  }

  private proof(box: string, keeps: boolean): Uint8Array {
    const key = derive(this.common, 'pairing proof', this.transcript);
    return createHmac('sha256', key)
      .update(`confirm ${box} ${keeps ? 'keeps' : ''}`)
      .digest();
  }
}

function commit(box: string, publicKey: Uint8Array, number: Uint8Array): Uint8Array {
  const hash = createHash('sha256').update(`sipair pairing commitment ${box}`);
  return hash.update(publicKey).update(number).digest();
}

function message(type: MessageType, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint8(4, VERSION);
  view.setUint8(5, TYPES.indexOf(type) + 1);
  view.setUint16(6, body.length);
  bytes.set(body, HEAD);
  return bytes;
}
