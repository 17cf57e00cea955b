/**
 * The client library for programs, for Node and browsers: sockets and a timer around `core.ts`.
 *
 *   const client = await connect({ boxes: ['192.0.2.11', '192.0.2.12'], program, password });
 *   client.on('event', (event) => ...);
 *   await client.call('monitorStart', { deviceId: '1001' });
 */

import type { CtiEvent, SystemStatus } from '../cti/notices.ts';
import type { Method, Params, Result } from '../cti/services.ts';
import { Core, type CoreEffect, type Fault } from './core.ts';

export type { CtiEvent, Method, Params, Result, SystemStatus };

/** What is needed of a WebSocket: the browser's, Node's, or that of `ws`. */
export type WebSocketLike = {
  onopen: ((e: never) => void) | null;
  onmessage: ((e: never) => void) | null;
  onclose: ((e: never) => void) | null;
  onerror: ((e: never) => void) | null;
  send(text: string): void;
  close(): void;
};

export type ConnectOptions = {
  /** Own addresses of both boxes: `host`, `host:port`, or a URL (`wss://...`). */
  readonly boxes: readonly string[];
  readonly program: string;
  readonly password: string;
  /** Makes a connection; without it, the WebSocket of Node or the browser. */
  readonly webSocket?: (url: string) => WebSocketLike;
};

export type Happenings = {
  readonly event: CtiEvent;
  /** A box said what it is. */
  readonly status: SystemStatus & { readonly at: number };
  /** A box cannot be reached, or says nothing any more; it is tried again and again. */
  readonly away: { readonly at: number };
  /** A session is there, or there again: `at` this box. */
  readonly serving: { readonly at: number };
  /** The session and what it watched are gone: start monitors and take snapshots anew. */
  readonly afresh: object;
  /** Some events were missed for good: take snapshots. */
  readonly eventsLost: object;
  /** For good: wrong password, or the session went to another connection. */
  readonly over: Fault;
};

/** A request was refused; `code` is stable. */
export class RequestError extends Error {
  readonly code: string;
  readonly data: Fault['data'];

  constructor(fault: Fault) {
    super(fault.message);
    this.name = 'RequestError';
    this.code = fault.code;
    this.data = fault.data;
  }
}

const PORT = 8088;

/** @returns the URL of a box. */
export function urlOf(box: string): string {
  if (/^wss?:\/\//.test(box)) return box;
  return `ws://${/:\d+$/.test(box) && !/:.*:/.test(box) ? box : `${box}:${PORT}`}/`;
}

type Waiting = {
  readonly resolve: (result: never) => void;
  readonly reject: (error: RequestError) => void;
};

type Listener = (what: never) => void;

export class Client {
  private readonly core: Core;
  private readonly options: ConnectOptions;
  private readonly sockets: (WebSocketLike | undefined)[] = [];
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Map<keyof Happenings, Set<Listener>>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(options: ConnectOptions) {
    this.options = options;
    const { program, password, boxes } = options;
    this.core = new Core({ boxes: boxes.length, program, password }, performance.now());
    this.perform();
  }

  /** Asks; the answer comes though boxes die, and what was asked is done once. */
  call<M extends Method>(method: M, params: Params<M>): Promise<Result<M>> {
    return new Promise((resolve, reject) => {
      const call = this.core.call(method, params);
      this.waiting.set(call, { resolve, reject });
      this.perform();
    });
  }

  /** @returns how to hear no more of it. */
  on<K extends keyof Happenings>(what: K, listener: (told: Happenings[K]) => void): () => void {
    const all = this.listeners.get(what) ?? new Set();
    this.listeners.set(what, all);
    all.add(listener as Listener);
    return () => all.delete(listener as Listener);
  }

  /** Ends the session and the connections. */
  async close(): Promise<void> {
    if (this.core.serving >= 0) {
      await Promise.race([
        this.call('stopSession', {}).catch(() => {}),
        new Promise((resolve) => setTimeout(resolve, 1000)),
      ]);
    }
    this.abandon();
  }

  /** Ends the connections; the session may be resumed by nobody and ends by itself. */
  abandon(): void {
    this.core.close();
    this.perform();
    this.closed = true;
    clearTimeout(this.timer);
  }

  private perform(): void {
    const { out } = this.core;
    for (let effect = out.shift(); effect !== undefined; effect = out.shift()) this.do(effect);
    clearTimeout(this.timer);
    if (this.closed) return;
    const wait = Math.max(1, this.core.deadline() - performance.now());
    this.timer = setTimeout(() => {
      this.core.tick(performance.now());
      this.perform();
    }, wait);
  }

  private do(effect: CoreEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.open(effect.box);
        return;
      case 'send':
        this.sockets[effect.box]?.send(effect.text);
        return;
      case 'close':
        this.shut(effect.box);
        return;
      case 'result':
        this.waiting.get(effect.call)?.resolve(effect.result as never);
        this.waiting.delete(effect.call);
        return;
      case 'fault':
        this.waiting.get(effect.call)?.reject(new RequestError(effect.fault));
        this.waiting.delete(effect.call);
        return;
      case 'event':
        this.tell('event', effect.event);
        return;
      case 'status':
        this.tell('status', { ...effect.status, at: effect.at });
        return;
      case 'away':
        this.tell('away', { at: effect.at });
        return;
      case 'serving':
        this.tell('serving', { at: effect.at });
        return;
      case 'over':
        this.tell('over', effect.fault);
        this.closed = true;
        return;
      default:
        this.tell(effect.kind, {});
    }
  }

  private tell<K extends keyof Happenings>(what: K, told: Happenings[K]): void {
    for (const listener of this.listeners.get(what) ?? []) listener(told as never);
  }

  private open(box: number): void {
    const url = urlOf(this.options.boxes[box] ?? '');
    const socket = this.options.webSocket?.(url) ?? plainSocket(url);
    this.sockets[box] = socket;
    const mine = (then: () => void): void => {
      // an old connection says nothing of the new one
      if (this.sockets[box] !== socket) return;
      then();
      this.perform();
    };
    socket.onopen = () => mine(() => this.core.opened(box, performance.now()));
    socket.onmessage = ({ data }: { data: unknown }) =>
      mine(() => this.core.frame(box, String(data), performance.now()));
    socket.onclose = ({ code = 0 }: { code?: number }) =>
      mine(() => {
        this.sockets[box] = undefined;
        this.core.closed(box, code, performance.now());
      });
    // its end follows
    socket.onerror = () => {};
  }

  private shut(box: number): void {
    const socket = this.sockets[box];
    this.sockets[box] = undefined;
    socket?.close();
  }
}

/** The WebSocket of Node or of the browser: the same, by the standard. */
function plainSocket(url: string): WebSocketLike {
  const { WebSocket } = globalThis as unknown as { WebSocket: new (url: string) => WebSocketLike };
  return new WebSocket(url);
}

/** Connects to both boxes. @returns once a session is there; rejects when the password is wrong. */
export function connect(options: ConnectOptions): Promise<Client> {
  const client = new Client(options);
  return new Promise((resolve, reject) => {
    const off = [
      client.on('serving', () => {
        for (const stop of off) stop();
        resolve(client);
      }),
      client.on('over', (fault) => {
        reject(new RequestError(fault));
      }),
    ];
  });
}
