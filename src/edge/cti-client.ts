/** One connection of a program: what it said, what waits for it, when it was last heard. */

import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { LIMITS } from '../base/limits.ts';
import type { Mono } from '../base/units.ts';

/** A connection that does not answer our end of it is cut after this, ms. */
const CUT_MS = 1000;

export class Client {
  readonly conn: number;
  /** Address, and address with port, of the other side. */
  readonly source: string;
  readonly name: string;
  readonly openedAt: Mono;
  heardAt: Mono;
  saidAt: Mono;
  /** '' until it proved itself. */
  program = '';
  /** Its credentials are being looked at: what it says meanwhile waits. */
  busy = false;
  readonly waiting: string[] = [];
  faults = 0;
  private managed: number = LIMITS.ctiManaged;
  private managedAt: Mono;
  private readonly web: WebSocket;
  private readonly socket: Duplex;

  constructor(
    conn: number,
    from: { readonly source: string; readonly name: string },
    web: WebSocket,
    socket: Duplex,
    now: Mono,
  ) {
    this.conn = conn;
    this.source = from.source;
    this.name = from.name;
    this.web = web;
    this.socket = socket;
    this.openedAt = now;
    this.heardAt = now;
    this.saidAt = now;
    this.managedAt = now;
  }

  /** What is not counted as a request (sessions, `ack`) has a measure of its own, a connection each. */
  mayManage(now: Mono): boolean {
    const more = ((now - this.managedAt) * LIMITS.ctiManaged) / LIMITS.ctiManagedMs;
    this.managed = Math.min(LIMITS.ctiManaged, this.managed + more);
    this.managedAt = now;
    if (this.managed < 1) return false;
    this.managed -= 1;
    return true;
  }

  get isOpen(): boolean {
    return this.web.readyState === this.web.OPEN;
  }

  /** @returns false: it does not read, and what waits for it is too much. */
  send(text: string, now: Mono): boolean {
    if (!this.isOpen) return true;
    if (this.web.bufferedAmount + text.length > LIMITS.ctiOutBytes) return false;
    if (this.socket.writableCorked === 0) {
      // what is said in one turn is one system call
      this.socket.cork();
      process.nextTick(() => this.socket.uncork());
    }
    this.web.send(text);
    this.saidAt = now;
    return true;
  }

  ping(now: Mono): void {
    if (!this.isOpen || this.socket.writableNeedDrain) return;
    this.web.ping();
    this.saidAt = now;
  }

  /** Calls when there is room for more. */
  whenRoom(then: () => void): void {
    if (this.socket.writableNeedDrain) this.socket.once('drain', then);
    else then();
  }

  close(code: number, reason: string): void {
    this.web.close(code, reason);
    setTimeout(() => this.web.terminate(), CUT_MS).unref();
  }
}

export function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return (data instanceof ArrayBuffer ? Buffer.from(data) : data).toString('utf8');
}
