/**
 * The hub: who is connected, for which session, and who watches what. A cache made of what the engine
 * says in order (`terms.ts`), used by the thread with the sockets and by tests alike; it decides
 * nothing, and what it forgets is said again when a session is resumed.
 *
 *   frame ─ door.ts ─► asked ─► engine ─► gate ─► take ─┬ reply: its connection
 *                                                      └ event: each session that watches, once
 */

import type { JsonObject } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { errorText, type Head, type ProgramInput } from './terms.ts';

/** Close codes of a WebSocket (RFC 6455 7.4.2: 4000-4999 are ours). */
export const CLOSE = {
  replaced: 4001,
  silent: 4002,
  badPassword: 4003,
  tooSlow: 4008,
  voiceLost: 4009,
  tooMany: 4013,
} as const;

export type HubEffect =
  | { readonly kind: 'send'; readonly conn: number; readonly text: string }
  | {
      readonly kind: 'close';
      readonly conn: number;
      readonly code: number;
      readonly reason: keyof typeof CLOSE;
    }
  | { readonly kind: 'ask'; readonly request: ProgramInput }
  /** When the connection has room, `goOn(conn)`. */
  | { readonly kind: 'gap'; readonly conn: number };

/**
 * Data of a refusal at the door. Who says a request again does not know by it whether that was done the
 * first time: it is to be said once more.
 */
export const NOT_LOOKED_AT = { again: true } as const;

type Conn = { session: number; pending: number; gapAt: number };

type Watch = {
  readonly ref: number;
  readonly session: number;
  readonly key: string;
  readonly since: number;
  /** Events left out, each with a space around it. */
  readonly filter: string;
};

type Attached = {
  readonly conn: number;
  readonly watches: Map<number, Watch>;
  /** It is given what it missed; what happens now comes after. */
  behind: boolean;
  /** References of the monitors that match the event at hand. */
  readonly hits: number[];
};

function keyOf(of: 'device' | 'call' | 'all', subject: string): string {
  return of === 'device' ? `d${subject}` : of === 'call' ? `c${subject}` : '*';
}

export class Hub {
  readonly out: HubEffect[] = [];
  private primary = false;
  private readonly conns = new Map<number, Conn>();
  private readonly sessions = new Map<number, Attached>();
  private readonly watches = new Map<string, Set<Watch>>();

  get sessionCount(): number {
    return this.sessions.size;
  }

  open(conn: number): void {
    this.conns.set(conn, { session: 0, pending: 0, gapAt: 0 });
  }

  closed(conn: number): void {
    const known = this.conns.get(conn);
    if (known === undefined) return;
    this.conns.delete(conn);
    if (known.session !== 0) this.leave(conn, known.session);
  }

  /** Whether this box serves. A box that does no more has no sessions: they go on at the other. */
  serves(primary: boolean): void {
    this.primary = primary;
    if (primary) return;
    this.sessions.clear();
    this.watches.clear();
    for (const conn of this.conns.values()) {
      conn.session = 0;
      conn.pending = 0;
    }
  }

  /**
   * Something meant for programs was not said: each session begins anew from what it has seen, and who
   * waits for the answer by which he gets one would wait for ever.
   */
  lost(): void {
    for (const [conn, known] of [...this.conns]) {
      if (known.session !== 0 || known.pending > 0) this.close(conn, 'voiceLost');
    }
  }

  close(conn: number, reason: keyof typeof CLOSE): void {
    this.out.push({ kind: 'close', conn, code: CLOSE[reason], reason });
    this.closed(conn);
  }

  /** A valid request of a program that proved itself. */
  asked(conn: number, program: string, id: string, method: string, params: JsonObject): void {
    const known = this.conns.get(conn);
    if (known === undefined) return;
    const opens = method === 'startSession' || method === 'resumeSession';
    const code = !this.primary
      ? 'notPrimary'
      : known.session === 0 && !opens
        ? 'unknownSession'
        : known.pending >= LIMITS.ctiPending
          ? 'limitReached'
          : undefined;
    if (code !== undefined) {
      const more = code === 'limitReached' ? NOT_LOOKED_AT : {};
      const text = errorText(id === '' ? 'null' : id, code, undefined, more);
      this.out.push({ kind: 'send', conn, text });
      return;
    }
    if (id !== '') known.pending += 1;
    this.ask(conn, known.session, method, params, program, id);
  }

  /** The connection has room: the next part of what it missed. */
  goOn(conn: number): void {
    const known = this.conns.get(conn);
    if (known === undefined || known.session === 0 || known.gapAt < 0) return;
    const since = known.gapAt;
    known.gapAt = -1;
    this.ask(conn, known.session, 'more', { since });
  }

  private ask(
    conn: number,
    session: number,
    method: string,
    params: JsonObject,
    program = '',
    id = '',
  ): void {
    const request = { kind: 'request', conn, session, program, id, method, params } as const;
    this.out.push({ kind: 'ask', request });
  }

  /** What the engine says, in its order: a line of JSON, a line end, a body. */
  take(item: string): void {
    const end = item.indexOf('\n');
    const head = JSON.parse(item.slice(0, end)) as Head;
    switch (head.kind) {
      case 'event':
        this.event(head, item.slice(end + 1));
        return;
      case 'reply': {
        const known = this.conns.get(head.conn);
        if (known === undefined) return;
        known.pending = Math.max(0, known.pending - 1);
        this.out.push({ kind: 'send', conn: head.conn, text: item.slice(end + 1) });
        return;
      }
      case 'attach':
        this.attach(head);
        return;
      case 'gap':
        this.gap(head);
        return;
      case 'monitor':
        this.watch(head);
        return;
      case 'unmonitor':
        this.unwatch(head.session, head.ref);
        return;
      case 'end':
        this.end(head.session);
        return;
    }
  }

  private attach(head: Head & { kind: 'attach' }): void {
    const { conn, session, since, position } = head;
    const known = this.conns.get(conn);
    const before = this.sessions.get(session);
    this.forget(session);
    if (before !== undefined && before.conn !== conn) {
      const old = this.conns.get(before.conn);
      if (old !== undefined) {
        old.session = 0;
        this.close(before.conn, 'replaced');
      }
    }
    if (known === undefined) {
      // it went while the engine thought; for the engine it had taken the place of the one before
      this.ask(conn, session, 'gone', {});
      return;
    }
    if (known.session !== 0 && known.session !== session) this.leave(conn, known.session);
    const behind = since < position;
    known.session = session;
    known.gapAt = behind ? since : -1;
    this.sessions.set(session, { conn, watches: new Map(), behind, hits: [] });
    if (behind) this.out.push({ kind: 'gap', conn });
  }

  private gap(head: Head & { kind: 'gap' }): void {
    const attached = this.sessions.get(head.session);
    const known = this.conns.get(head.conn);
    if (attached?.conn !== head.conn || known === undefined) return;
    if (head.lost === true) this.close(head.conn, 'tooSlow');
    else if (head.last) {
      attached.behind = false;
      const text = `{"jsonrpc":"2.0","method":"caughtUp","params":{"position":${head.upTo}}}`;
      this.out.push({ kind: 'send', conn: head.conn, text });
    } else {
      known.gapAt = head.upTo;
      this.out.push({ kind: 'gap', conn: head.conn });
    }
  }

  private watch(head: Head & { kind: 'monitor' }): void {
    const attached = this.sessions.get(head.session);
    if (attached === undefined) return;
    this.unwatch(head.session, head.ref);
    const { ref, session, since, filter } = head;
    const key = keyOf(head.of, head.subject);
    const watch = { ref, session, key, since, filter };
    attached.watches.set(ref, watch);
    const all = this.watches.get(key);
    if (all === undefined) this.watches.set(key, new Set([watch]));
    else all.add(watch);
  }

  private unwatch(session: number, ref: number): void {
    const attached = this.sessions.get(session);
    const watch = attached?.watches.get(ref);
    if (attached === undefined || watch === undefined) return;
    attached.watches.delete(ref);
    this.drop(watch);
  }

  private drop(watch: Watch): void {
    const all = this.watches.get(watch.key);
    all?.delete(watch);
    if (all?.size === 0) this.watches.delete(watch.key);
  }

  /** The connection speaks for the session no more. */
  private leave(conn: number, session: number): void {
    if (this.sessions.get(session)?.conn === conn) this.forget(session);
    this.ask(conn, session, 'gone', {});
  }

  private forget(session: number): void {
    for (const watch of this.sessions.get(session)?.watches.values() ?? []) this.drop(watch);
    this.sessions.delete(session);
  }

  private end(session: number): void {
    const attached = this.sessions.get(session);
    this.forget(session);
    const known = attached === undefined ? undefined : this.conns.get(attached.conn);
    if (known !== undefined) known.session = 0;
  }

  private event(head: Head & { kind: 'event' }, body: string): void {
    const hit: Attached[] = [];
    for (const device of head.devices) this.look(`d${device}`, head, hit);
    if (head.ccall !== 0) this.look(`c${head.ccall}`, head, hit);
    this.look('*', head, hit);
    if (hit.length === 0) return;
    const open = `{"jsonrpc":"2.0","method":"event","params":${body.slice(0, -1)},"monitors":[`;
    for (const attached of hit) {
      const mine = attached === this.sessions.get(head.session) && head.request !== '';
      const text = `${open}${attached.hits.join(',')}]${mine ? `,"requestId":${head.request}` : ''}}}`;
      attached.hits.length = 0;
      this.out.push({ kind: 'send', conn: attached.conn, text });
    }
  }

  /** Sessions with a monitor at `key` that this event is for. */
  private look(key: string, head: Head & { kind: 'event' }, hit: Attached[]): void {
    const all = this.watches.get(key);
    if (all === undefined) return;
    for (const watch of all) {
      if (head.to !== undefined && head.to !== watch.session) continue;
      if (head.id <= watch.since) continue;
      if (watch.filter !== '' && watch.filter.includes(` ${head.event} `)) continue;
      const attached = this.sessions.get(watch.session);
      if (attached === undefined || (attached.behind && head.to === undefined)) continue;
      if (attached.hits.length === 0) hit.push(attached);
      attached.hits.push(watch.ref);
    }
  }
}
