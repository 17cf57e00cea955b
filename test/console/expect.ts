/**
 * Drives a console as a person does, over any stream of bytes: waits for what should appear, types,
 * and keeps a transcript that a person can read. It answers no question of the terminal.
 */

import { Screen } from './screen.ts';

/** A serial line: a socket, a pty, a session in this process. */
export type Wire = {
  readonly write: (bytes: Uint8Array) => void;
  readonly onData: (take: (bytes: Uint8Array) => void) => void;
};

const PATIENCE_MS = 15_000;
const LOOK_MS = 10;
const TAIL = 1500;
const SEQUENCE = new RegExp(`${String.fromCharCode(27)}\\[\\d*[A-Za-z]`, 'g');

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export class Expect {
  private readonly wire: Wire;
  private readonly screen: Screen;
  private readonly decoder = new TextDecoder();
  /** What came and was not waited for yet. */
  private waiting = '';

  constructor(wire: Wire, columns = 80) {
    this.wire = wire;
    this.screen = new Screen(columns);
    wire.onData((bytes) => {
      const text = this.decoder.decode(bytes, { stream: true });
      this.waiting += text;
      this.screen.write(text);
    });
  }

  /** Waits until it appears after what was expected before. @returns what came until then. */
  async expect(what: string | RegExp, ms = PATIENCE_MS): Promise<string> {
    const until = performance.now() + ms;
    for (;;) {
      const plain = this.waiting.replace(SEQUENCE, '');
      const found =
        typeof what === 'string'
          ? { at: plain.indexOf(what), length: what.length }
          : { at: plain.search(what), length: what.exec(plain)?.[0].length ?? 0 };
      if (found.at >= 0) {
        const end = found.at + found.length;
        this.waiting = plain.slice(end);
        return plain.slice(0, end);
      }
      if (performance.now() > until) {
        throw new Error(`no ${String(what)} within ${ms} ms; last seen:\n${plain.slice(-TAIL)}`);
      }
      await sleep(LOOK_MS);
    }
  }

  /** At once, as a paste. */
  send(text: string): void {
    this.wire.write(new TextEncoder().encode(text));
  }

  /** Key by key, as a person. */
  async type(text: string, perKeyMs = 5): Promise<void> {
    for (const c of text) {
      this.send(c);
      await sleep(perKeyMs);
    }
  }

  /** A line and Enter, then what should appear. */
  async command(text: string, then: string | RegExp, ms = PATIENCE_MS): Promise<string> {
    this.send(`${text}\r`);
    return this.expect(then, ms);
  }

  /** What a person has seen. */
  transcript(): string {
    return this.screen.text();
  }
}
