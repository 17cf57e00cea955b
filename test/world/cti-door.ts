/**
 * The door of a box for programs: what its thread with the WebSockets does, over the world's streams.
 * The hub and the reading of frames are the product's own. Like the thread it belongs to the process:
 * with that its connections end, and while that is frozen nothing is read.
 *
 *   stream ─ readFrame ─ hub ─► engine ─► gate ─► hub ─► stream
 */

import { readFrame } from '../../src/cti/door.ts';
import { Hub } from '../../src/cti/hub.ts';
import type { ProgramInput } from '../../src/cti/terms.ts';
import { errorText, resultText } from '../../src/cti/terms.ts';
import type { BoxId } from '../../src/pair/terms.ts';
import type { Kernel } from './kernel.ts';
import { CTI_PORT, Stream } from './stream.ts';
import type { Connection } from './tcp.ts';

/** One password for all programs of the world. */
export const CTI_PASSWORD = 'world';
/** Both sides say something so often. */
export const LIVENESS = { periodMs: 500, misses: 3 } as const;
/** A gap's next part is asked for when the one before is on its way. */
const GAP_MS = 1;

export type DoorFacts = { readonly primary: boolean; readonly epoch: number; readonly lsn: number };

type Visitor = { readonly stream: Stream; program: string };

export class CtiDoor {
  private readonly hub = new Hub();
  private readonly visitors = new Map<number, Visitor>();
  private next = 1;
  private primary = false;
  private dead = false;
  private waiting: (() => void)[] | undefined;
  private readonly box: BoxId;
  private readonly kernel: Kernel;
  private readonly facts: () => DoorFacts;
  private readonly ask: (request: ProgramInput) => void;

  constructor(
    box: BoxId,
    kernel: Kernel,
    facts: () => DoorFacts,
    ask: (request: ProgramInput) => void,
  ) {
    this.box = box;
    this.kernel = kernel;
    this.facts = facts;
    this.ask = ask;
    kernel.tcp.listen(CTI_PORT, (connection) => this.accept(connection));
    this.beat();
  }

  freeze(): void {
    this.waiting ??= [];
  }

  thaw(): void {
    const { waiting } = this;
    this.waiting = undefined;
    for (const run of waiting ?? []) run();
  }

  /** The process ends; its kernel ends the connections at its own address. */
  close(): void {
    this.dead = true;
    for (const { stream } of this.visitors.values()) stream.connection.abort();
    this.visitors.clear();
  }

  /** After a turn of the engine: what passed the gate, and whether this box serves. */
  take(items: readonly string[], facts: DoorFacts): void {
    if (facts.primary !== this.primary && facts.primary) this.serves(facts);
    for (const item of items) this.hub.take(item);
    if (facts.primary !== this.primary) this.serves(facts);
    this.perform();
  }

  private serves(facts: DoorFacts): void {
    this.primary = facts.primary;
    this.hub.serves(facts.primary);
    for (const { stream } of this.visitors.values()) {
      if (stream.up) stream.send(this.notice('systemStatus', {}));
    }
  }

  private notice(method: string, more: object): string {
    const { primary, epoch, lsn } = this.facts();
    const role = primary ? 'primary' : 'backup';
    const params = { box: this.box, role, epoch, position: lsn, ...more };
    return JSON.stringify({ jsonrpc: '2.0', method, params });
  }

  private beat(): void {
    this.kernel.queueAfter(LIVENESS.periodMs, () => {
      if (this.dead) return;
      this.later(() => {
        for (const { stream } of this.visitors.values()) if (stream.up) stream.send(WS_PING);
      });
      this.beat();
    });
  }

  private accept(connection: Connection): void {
    const conn = this.next;
    this.next += 1;
    const stream = new Stream('ws', connection, true);
    const visitor: Visitor = { stream, program: '' };
    this.visitors.set(conn, visitor);
    stream.onUp = () =>
      this.later(() => {
        this.hub.open(conn);
        stream.send(this.notice('hello', { release: 'world', liveness: LIVENESS }));
      });
    stream.onText = (text) => this.later(() => this.frame(conn, visitor, text));
    stream.onDown = () =>
      this.later(() => {
        this.visitors.delete(conn);
        this.hub.closed(conn);
        this.perform();
      });
    const read = connection.onText;
    connection.onText = (text) => this.later(() => read(text));
  }

  private frame(conn: number, visitor: Visitor, text: string): void {
    if (text === WS_PING) return;
    const { stream } = visitor;
    const asked = readFrame(text);
    if (typeof asked === 'string') {
      stream.send(asked);
      return;
    }
    const { id, method, params } = asked;
    if (method === 'ping') {
      if (id !== '') stream.send(resultText(id, {}));
      return;
    }
    if (method === 'startSession' || method === 'resumeSession') {
      if (params['password'] !== CTI_PASSWORD) {
        stream.send(errorText(id, 'invalidPassword'));
        return;
      }
      visitor.program = String(params['program']);
    }
    this.hub.asked(conn, visitor.program, id, method, params);
    this.perform();
  }

  private perform(): void {
    const { out } = this.hub;
    for (const effect of out) {
      const stream = 'conn' in effect ? this.visitors.get(effect.conn)?.stream : undefined;
      switch (effect.kind) {
        case 'send':
          stream?.send(effect.text);
          break;
        case 'close':
          stream?.connection.abort();
          this.visitors.delete(effect.conn);
          break;
        case 'ask':
          this.ask(effect.request);
          break;
        case 'gap':
          this.kernel.queueAfter(GAP_MS, () => {
            if (this.dead) return;
            this.later(() => {
              this.hub.goOn(effect.conn);
              this.perform();
            });
          });
          break;
      }
    }
    out.length = 0;
  }

  private later(run: () => void): void {
    if (this.dead) return;
    if (this.waiting === undefined) run();
    else this.waiting.push(run);
  }
}

/** A WebSocket's own ping or pong: no text for anybody. */
export const WS_PING = '\u0000ping';
