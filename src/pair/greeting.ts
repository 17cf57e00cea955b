/**
 * How two boxes greet each other on the crossover before either believes a word: each says who it is
 * and a number drawn for this connection, then proves that it knows the pair key by an HMAC over both
 * numbers. They also say the part of the configuration that must be the same on both; a pair that
 * disagrees about its VIP would hand over to an address nobody calls.
 *
 *   a                               b
 *   hello(a, number A, facts) ────► ◄──── hello(b, number B, facts)
 *   proof(HMAC(a, A, B)) ─────────► ◄──── proof(HMAC(b, B, A))
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Chance } from '../base/chance.ts';
import { type Fault, fault } from '../base/fault.ts';
import { FRAME, type FrameView, frame } from '../wire/frame.ts';
import type { BoxId } from './terms.ts';

export const LINK_PROTOCOL = 1;
const NUMBER_BYTES = 16;
const HEAD_BYTES = 2 + NUMBER_BYTES;

export type GreetingFault =
  | 'link-protocol'
  | 'link-self'
  | 'link-key'
  | 'link-config'
  | 'link-order'
  | 'frame-length';

export type LinkSettings = {
  readonly box: BoxId;
  readonly key: Uint8Array;
  /** Name and version of this software. */
  readonly release: string;
  /** What must be the same on both boxes, by name. */
  readonly agreement: { readonly [name: string]: string };
};

export class Greeting {
  /** The peer is who it says, and agrees. */
  done = false;
  peerRelease = '';
  /** Names of the settings in which the boxes differ, for the log. */
  differs = '';

  settings: LinkSettings;
  private readonly chance: Chance;
  private own: Uint8Array = new Uint8Array(NUMBER_BYTES);
  private peers: Uint8Array | undefined;
  private peerBox = '';

  constructor(settings: LinkSettings, chance: Chance) {
    this.settings = settings;
    this.chance = chance;
  }

  /** A connection stands. @returns the first frame of ours. */
  begin(): Uint8Array {
    const { box, release, agreement } = this.settings;
    this.end();
    this.own = new Uint8Array(NUMBER_BYTES);
    const words = new DataView(this.own.buffer);
    for (let at = 0; at < NUMBER_BYTES; at += 4) words.setUint32(at, this.chance.u32());
    const facts = Buffer.from(JSON.stringify({ release, ...agreement }), 'utf8');
    const bytes = new Uint8Array(HEAD_BYTES + facts.length);
    bytes[0] = LINK_PROTOCOL;
    bytes[1] = box.charCodeAt(0);
    bytes.set(this.own, 2);
    bytes.set(facts, HEAD_BYTES);
    return frame(FRAME.hello, bytes);
  }

  end(): void {
    this.done = false;
    this.peers = undefined;
  }

  /** The peer's hello. @returns our proof to send, or what is wrong. */
  hello(f: FrameView): Uint8Array | Fault<GreetingFault> {
    if (f.end - f.from < HEAD_BYTES) return fault('frame-length', f.from);
    if (f.bytes[f.from] !== LINK_PROTOCOL) return fault('link-protocol', f.from);
    this.peerBox = String.fromCharCode(f.bytes[f.from + 1] as number);
    if (this.peerBox === this.settings.box) return fault('link-self', f.from + 1);
    if (this.peers !== undefined) return fault('link-order', f.start);
    this.peers = f.bytes.slice(f.from + 2, f.from + HEAD_BYTES);
    this.differs = this.compare(Buffer.from(f.bytes.slice(f.from + HEAD_BYTES, f.end)).toString());
    return frame(FRAME.proof, this.mac(this.settings.box, this.own, this.peers));
  }

  /** The peer's proof. @returns what is wrong; nothing when the greeting is done. */
  proof(f: FrameView): Fault<GreetingFault> | undefined {
    if (this.peers === undefined || this.done) return fault('link-order', f.start);
    const wanted = this.mac(this.peerBox, this.peers, this.own);
    const given = f.bytes.subarray(f.from, f.end);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      return fault('link-key', f.from);
    }
    if (this.differs !== '') return fault('link-config', f.from);
    this.done = true;
    return undefined;
  }

  private mac(box: string, first: Uint8Array, second: Uint8Array): Uint8Array {
    const mac = createHmac('sha256', this.settings.key);
    return mac.update(`sipair link ${box}`).update(first).update(second).digest();
  }

  /** Names that both know and disagree about: an older release may know fewer. */
  private compare(text: string): string {
    let facts: { readonly [name: string]: unknown };
    try {
      facts = JSON.parse(text) as typeof facts;
    } catch {
      return 'everything: its greeting is unreadable';
    }
    this.peerRelease = String(facts['release'] ?? '');
    return Object.entries(this.settings.agreement)
      .filter(([name, own]) => facts[name] !== undefined && facts[name] !== own)
      .map(([name, own]) => `${name} (here ${own}, there ${String(facts[name])})`)
      .join(', ');
  }
}
