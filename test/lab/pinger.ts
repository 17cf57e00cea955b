/**
 * OPTIONS to the VIP every few milliseconds. The longest time between two answers around a
 * switchover is the outage a client sees. It never retransmits: a lost ping is a lost ping.
 */

import { createSocket, type Socket } from 'node:dgram';
import { token } from './endpoint.ts';

/** Time between two answers: when the later one came (ms since 1970), and how long it took. */
export type Gap = { readonly endAt: number; readonly ms: number };

const KEPT = 4096;

export class Pinger {
  readonly #target: { readonly address: string; readonly port: number };
  readonly #socket: Socket;
  readonly #everyMs: number;
  readonly #local: string;
  readonly #tag = token(4);
  readonly #id = token(6);
  /** Gaps of the last minutes, those longer than three pings; older ones are forgotten. */
  readonly #gaps: Gap[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastAnswer = performance.now();
  #sinceRead = 0;
  #head = '';
  sent = 0;
  answered = 0;
  refused = 0;

  constructor(local: string, target: { address: string; port: number }, everyMs: number) {
    this.#target = target;
    this.#everyMs = everyMs;
    this.#local = local;
    this.#socket = createSocket('udp4');
    this.#socket.on('error', () => {});
    this.#socket.on('message', (bytes) => this.#answer(bytes));
  }

  start(): Promise<void> {
    return new Promise((done, fail) => {
      this.#socket.once('error', fail);
      this.#socket.bind(0, this.#local, () => {
        this.#socket.removeListener('error', fail);
        this.#head = `Via: SIP/2.0/UDP ${this.#local}:${this.#socket.address().port};branch=z9hG4bK`;
        this.#lastAnswer = performance.now();
        this.#timer = setInterval(() => this.#ping(), this.#everyMs);
        done();
      });
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  #ping(): void {
    const { address, port } = this.#target;
    const n = ++this.sent;
    const text =
      `OPTIONS sip:${address}:${port} SIP/2.0\r\n${this.#head}${this.#id}${n};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: <sip:ping@${this.#local}>;tag=${this.#tag}\r\n` +
      `To: <sip:${address}>\r\nCall-ID: ${this.#id}${n}\r\nCSeq: 1 OPTIONS\r\n` +
      'Content-Length: 0\r\n\r\n';
    this.#socket.send(text, port, address, () => {});
  }

  #answer(bytes: Buffer): void {
    if (bytes.length < 12 || bytes.toString('latin1', 0, 8) !== 'SIP/2.0 ') return;
    this.answered++;
    if (bytes[8] !== 0x32) this.refused++;
    const now = performance.now();
    const ms = now - this.#lastAnswer;
    this.#lastAnswer = now;
    if (ms > this.#sinceRead) this.#sinceRead = ms;
    if (ms <= this.#everyMs * 3) return;
    this.#gaps.push({ endAt: Date.now(), ms });
    if (this.#gaps.length > KEPT) this.#gaps.shift();
  }

  /** Time since the last answer. */
  openMs(): number {
    return performance.now() - this.#lastAnswer;
  }

  /** Longest gap since this was last asked. */
  worstMs(): number {
    const worst = this.#sinceRead;
    this.#sinceRead = 0;
    return Math.max(worst, this.openMs());
  }

  /** Longest gap that ended at or after `at` (ms since 1970); at least the interval of the pings. */
  longestSince(at: number): number {
    let longest = this.#everyMs;
    for (const gap of this.#gaps) if (gap.endAt >= at && gap.ms > longest) longest = gap.ms;
    return longest;
  }
}
