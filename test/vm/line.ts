/**
 * A serial line of a machine: what came, as a person would read it, and what is typed. Everything that came is kept (bounded);
 * `waitFor` reads on from where the last one ended.
 */

import { connect, type Socket } from 'node:net';
import { sleep } from '../lab/processes.ts';

const KEEP = 1_000_000;

/** Terminal control out, carriage returns out: the text that a person reads. */
export function plain(text: string): string {
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control is what is removed
      .replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()][A-Z0-9]|\x1b[=>c78]|[\r\0]/g, '')
  );
}

export class SerialLine {
  readonly name: string;
  readonly #path: string;
  #socket: Socket | undefined;
  #text = '';
  #raw = '';
  #read = 0;
  #wake: () => void = () => {};

  constructor(name: string, path: string) {
    this.name = name;
    this.#path = path;
  }

  /** Connects as soon as the emulator listens. */
  async open(alive: () => boolean): Promise<void> {
    for (let tries = 0; ; tries++) {
      const socket = await attempt(this.#path);
      if (socket !== undefined) {
        this.#socket = socket;
        socket.on('data', (bytes) => this.#came(bytes.toString('latin1')));
        return;
      }
      if (!alive() || tries > 400) throw new Error(`${this.name}: the line does not answer`);
      await sleep(25);
    }
  }

  #came(text: string): void {
    // A control sequence may come in two pieces: the last one waits for its end.
    this.#raw += text;
    const cut = this.#raw.lastIndexOf('\x1b');
    const whole =
      cut >= 0 && this.#raw.length - cut < 16 && !/[A-Za-z=>]/.test(this.#raw.slice(cut + 1));
    const now = whole ? this.#raw.slice(0, cut) : this.#raw;
    this.#raw = whole ? this.#raw.slice(cut) : '';
    this.#text += plain(now);
    if (this.#text.length > KEEP) {
      const gone = this.#text.length - KEEP;
      this.#text = this.#text.slice(gone);
      this.#read = Math.max(0, this.#read - gone);
    }
    this.#wake();
  }

  type(text: string): void {
    this.#socket?.write(text);
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  /** Everything that was read, for a transcript. */
  get transcript(): string {
    return this.#text;
  }

  /** What came before is not looked at any more. */
  skip(): void {
    this.#read = this.#text.length;
  }

  /** The match; what stands before it is in `before`. */
  async waitFor(
    what: RegExp,
    timeoutMs: number,
  ): Promise<{ match: RegExpExecArray; before: string }> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const unread = this.#text.slice(this.#read);
      const match = what.exec(unread);
      if (match !== null) {
        this.#read += match.index + match[0].length;
        return { match, before: unread.slice(0, match.index) };
      }
      const left = end - performance.now();
      if (left <= 0) {
        const tail = JSON.stringify(this.#text.slice(-600));
        throw new Error(
          `${this.name}: ${what} did not come in ${timeoutMs} ms; the end is ${tail}`,
        );
      }
      await new Promise<void>((done) => {
        const timer = setTimeout(done, Math.min(left, 1000));
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }
}

function attempt(path: string): Promise<Socket | undefined> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('error', () => done(undefined));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      done(socket);
    });
  });
}
