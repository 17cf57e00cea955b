/**
 * Asks one question again and again over a unix socket, on one connection: so the end of who answers is
 * noticed at once, not when the next question is due. No answer is told as undefined: the connection ended, or patience did. What
 * waits to be read by then, while this process had no time, is an answer.
 */

import { connect, type Socket } from 'node:net';

/** An answer that takes longer does not come. */
const PATIENCE_MS = 2000;
const LONGEST = 8 * 1024 * 1024;

export class Asker {
  private readonly path: string;
  private readonly question: string;
  private readonly everyMs: number;
  private readonly hear: (answer: object | undefined) => void;
  private socket: Socket | undefined;
  private pending: string[] = [];
  private length = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    path: string,
    request: object,
    everyMs: number,
    hear: (answer: object | undefined) => void,
  ) {
    this.path = path;
    this.question = `${JSON.stringify(request)}\n`;
    this.everyMs = everyMs;
    this.hear = hear;
    this.ask();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket?.destroy();
  }

  private ask(): void {
    if (this.closed) return;
    const socket = this.socket ?? this.open();
    this.timer = setTimeout(() => this.impatient(socket), PATIENCE_MS);
    socket.write(this.question);
  }

  /** Timers come before what was received: that is read first. */
  private impatient(socket: Socket): void {
    const asked = this.timer;
    setImmediate(() => {
      if (this.timer === asked) socket.destroy();
    });
  }

  private later(): void {
    clearTimeout(this.timer);
    if (!this.closed) this.timer = setTimeout(() => this.ask(), this.everyMs);
  }

  private open(): Socket {
    const socket = connect(this.path);
    this.socket = socket;
    this.pending = [];
    this.length = 0;
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (text: string) => this.data(socket, text));
    socket.on('close', () => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      this.later();
      if (!this.closed) this.hear(undefined);
    });
    return socket;
  }

  private data(socket: Socket, text: string): void {
    const end = text.indexOf('\n');
    this.pending.push(end < 0 ? text : text.slice(0, end));
    this.length += text.length;
    if (this.length > LONGEST) {
      socket.destroy();
      return;
    }
    if (end < 0) return;
    const answer = parsed(this.pending.join(''));
    this.pending = [];
    this.length = 0;
    this.later();
    this.hear(answer);
  }
}

/** @returns undefined for what is no answer: a fault is one that does not help. */
function parsed(line: string): object | undefined {
  try {
    const x: unknown = JSON.parse(line);
    return typeof x === 'object' && x !== null && !('error' in x) ? x : undefined;
  } catch {
    return undefined;
  }
}
