/**
 * Output to a terminal that may be slow: in small pieces, beside everything else, so that ^C is heard
 * while a long answer is being written, and what is not written yet can be dropped.
 */

import { write } from 'node:fs';

/** At 9600 baud half a second. */
const PIECE = 512;
/** Nobody waits for more than that; what comes beyond is lost. */
const WAITING_MAX = 4 * 1024 * 1024;
const AGAIN_MS = 10;

export class Output {
  private readonly fd: number;
  private readonly gone: () => void;
  private waiting: Buffer = Buffer.alloc(0);
  private writing = false;
  private whenEmpty: (() => void)[] = [];

  /** @param gone the terminal is no more. */
  constructor(fd: number, gone: () => void) {
    this.fd = fd;
    this.gone = gone;
  }

  push(text: string): void {
    if (this.waiting.length > WAITING_MAX) return;
    this.waiting = Buffer.concat([this.waiting, Buffer.from(text)]);
    this.go();
  }

  /** Bytes that wait. */
  get length(): number {
    return this.waiting.length;
  }

  drop(): void {
    this.waiting = Buffer.alloc(0);
  }

  /** Calls once when nothing waits any more. */
  empty(then: () => void): void {
    if (!this.writing && this.waiting.length === 0) then();
    else this.whenEmpty.push(then);
  }

  private go(): void {
    if (this.writing) return;
    if (this.waiting.length === 0) {
      const all = this.whenEmpty;
      this.whenEmpty = [];
      for (const then of all) then();
      return;
    }
    const piece = this.waiting.subarray(0, PIECE);
    this.waiting = this.waiting.subarray(piece.length);
    this.writing = true;
    write(this.fd, piece, 0, piece.length, null, (error, written) => {
      this.writing = false;
      if (error === null || error.code === 'EAGAIN') {
        const left = piece.subarray(error === null ? written : 0);
        if (left.length > 0) this.waiting = Buffer.concat([left, this.waiting]);
        if (error === null) this.go();
        else setTimeout(() => this.go(), AGAIN_MS);
      } else this.gone();
    });
  }
}
