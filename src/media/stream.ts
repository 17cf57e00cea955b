/**
 * One RTP stream. What stands in the headers of what we send is a function of the dialog and of the
 * pair clock, not of packets counted: a box that goes on with a session sends what the other one would
 * have sent, and the receiver hears one stream with a gap in it.
 *
 * Frames are those of the pair clock: frame k begins at 20·k ms. So all streams are in step, and a
 * conference needs no clock of its own.
 */

import { hash } from 'node:crypto';
import type { Instant } from '../base/units.ts';
import { RTP_HEAD, type Rtp, writeRtpHead } from '../wire/rtp.ts';
import type { Remote } from './description.ts';
import { FRAME, FRAME_MS } from './sound.ts';

/** The frame of a moment. */
export function frameOf(at: Instant): number {
  return Math.floor(at / FRAME_MS);
}

export class Outgoing {
  private readonly ssrc: number;
  private readonly sequence0: number;
  private readonly timestamp0: number;
  private readonly start: number;
  private readonly bytes = new Uint8Array(RTP_HEAD + FRAME);
  private readonly view = new DataView(this.bytes.buffer);
  /** The frame that was sent last: the next one after a pause is marked (RFC 3551 4.1). */
  private last = -2;

  /** @param name of the dialog: Call-ID and tag. @param at when it began. */
  constructor(name: string, at: Instant) {
    const seed = Buffer.from(hash('sha256', `rtp ${name}`, 'hex'), 'hex');
    this.ssrc = seed.readUInt32BE(0);
    this.timestamp0 = seed.readUInt32BE(4);
    this.sequence0 = seed.readUInt16BE(8);
    this.start = frameOf(at);
  }

  /** The packet of frame `k`, whose payload the caller writes behind its head; used again. */
  packet(k: number, type: number): Uint8Array {
    const n = k - this.start;
    const head = {
      marker: k !== this.last + 1,
      payloadType: type,
      sequence: (this.sequence0 + n) & 0xffff,
      timestamp: (this.timestamp0 + n * FRAME) >>> 0,
      ssrc: this.ssrc,
    };
    writeRtpHead(this.bytes, head, this.view);
    this.last = k;
    return this.bytes;
  }
}

/**
 * Where the other side is: as its description says, until packets come from elsewhere, as through a
 * NAT. Learnt once; only the described address may take it back.
 */
export class Incoming {
  ip: string;
  port: number;
  private described: boolean;
  private learnt = false;
  private readonly remote: Remote;

  constructor(remote: Remote) {
    this.remote = remote;
    this.ip = remote.ip;
    this.port = remote.port;
    this.described = false;
  }

  /** Packets of these payload types are taken; others say nothing of where anybody is. */
  private isExpected(packet: Rtp): boolean {
    const { type, events } = this.remote;
    return packet.payloadType === type || (events >= 0 && packet.payloadType === events);
  }

  /** @returns false for a packet of somebody else. */
  accepts(packet: Rtp, ip: string, port: number): boolean {
    if (!this.isExpected(packet)) return false;
    if (ip === this.ip && port === this.port) {
      if (ip === this.remote.ip) this.described = true;
      return true;
    }
    const right = ip === this.remote.ip;
    if (this.described || (this.learnt && !right)) return false;
    this.learnt = true;
    this.described = right;
    this.ip = ip;
    this.port = port;
    return true;
  }
}
