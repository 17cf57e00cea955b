/**
 * SIP on a byte stream: TCP, and TLS, which looks the same from here. Messages are cut by the framer
 * of the parser; keep-alives are answered at once (RFC 5626 3.5.1); what cannot be framed is answered
 * if it is a request, and ends the connection (RFC 3261 18.3). What one turn says leaves as one
 * write: one system call, and one record of TLS.
 */

import { hash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { LIMITS } from '../base/limits.ts';
import type { Peer } from '../base/peer.ts';
import type { Mono } from '../base/units.ts';
import {
  M,
  responseText,
  SIP_FAULTS,
  type SipFault,
  StreamFramer,
  salvage,
} from '../sip-parser/index.ts';
import { mono } from './clock.ts';
import { type Flow, type FlowEvents, type FlowLimits, Patience } from './flow.ts';

type Latin1 = { latin1Slice(start: number, end: number): string };

const PONG = '\r\n';

export class StreamFlow implements Flow {
  readonly peer: Peer;
  readonly #stream: Duplex;
  readonly #events: FlowEvents;
  readonly #framer = new StreamFramer();
  readonly #patience = new Patience(mono());
  #ended = false;
  /** Said in this turn. */
  #said = '';

  /**
   * @param ours we made it: the other side need not speak first. A socket that reads into a buffer of
   * its owner gives no `data`: its owner calls `read`.
   */
  constructor(peer: Peer, stream: Duplex, events: FlowEvents, ours = false) {
    this.peer = peer;
    this.#stream = stream;
    this.#events = events;
    this.#patience.spoke = ours;
    stream.on('data', (bytes: Buffer) => this.read(bytes, bytes.length));
  }

  send(text: string): boolean {
    const stream = this.#stream;
    if (this.#ended || stream.destroyed) return false;
    const waits = stream.writableLength + this.#said.length;
    if (waits + text.length > LIMITS.flowOutBytes) return false;
    this.#said += text;
    return true;
  }

  flush(): void {
    if (this.#said === '') return;
    const text = this.#said;
    this.#said = '';
    if (!this.#stream.destroyed) this.#stream.write(text, 'latin1');
  }

  setReading(on: boolean): void {
    if (on) this.#stream.resume();
    else this.#stream.pause();
  }

  look(now: Mono, limits: FlowLimits): string {
    return this.#ended ? 'it was ended' : this.#patience.over(now, limits);
  }

  /** The first `length` of `bytes` came; they are not kept. */
  read(bytes: Buffer, length: number): void {
    if (this.#ended) return;
    const patience = this.#patience;
    const now = mono();
    patience.heardAt = now;
    const text = (bytes as Buffer & Latin1).latin1Slice(0, length);
    for (const frame of this.#framer.push(text)) {
      // what is begun from here on is another message
      patience.begunAt = 0;
      switch (frame.kind) {
        case 'message':
          patience.spoke = true;
          this.#events.message(this.peer, frame.text);
          break;
        case 'ping':
          patience.spoke = true;
          if (this.#events.mayAnswer()) this.#sayNow(PONG);
          break;
        case 'fault':
          this.#refuse(frame.text, frame.fault);
          return;
        case 'pong':
          break;
      }
    }
    if (this.#framer.pending === 0) patience.begunAt = 0;
    else if (patience.begunAt === 0) patience.begunAt = now;
  }

  /** Outside of any turn. */
  #sayNow(text: string): void {
    this.send(text);
    this.flush();
  }

  #refuse(text: string, fault: SipFault): void {
    const m = salvage(text);
    const { status, text: why } = SIP_FAULTS[fault.fault];
    const answerable = m?.isRequest && m.methodId !== M.ACK && m.viaHost !== '';
    if (status > 0 && answerable && this.#events.mayAnswer()) {
      const toTag = hash('md5', text).slice(0, 16);
      const { ip, port } = this.peer;
      const plain = { contact: '', extra: '', contentType: '', body: '' };
      this.#sayNow(responseText(m, status, why, { ...plain, toTag, received: ip, rport: port }));
    }
    // after what waits has left
    this.#ended = true;
    this.#stream.end();
  }
}
