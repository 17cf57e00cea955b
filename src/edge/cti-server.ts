/**
 * The WebSocket server of the programs: connections, credentials, schemas, liveness, bounds. What is
 * valid goes to the engine; what the engine lets go is handed out by the hub. Whoever floods, guesses,
 * never reads or says nothing loses his own connection, and nobody else notices.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { JsonObject } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { type Asked, readFrame } from '../cti/door.ts';
import { CLOSE, Hub, NOT_LOOKED_AT } from '../cti/hub.ts';
import { errorText, type ProgramInput, resultText } from '../cti/terms.ts';
import type { LogLine } from '../effect.ts';
import type { Program } from '../proto/centre.ts';
import type { Identity } from './certificate.ts';
import { mono } from './clock.ts';
import type { CtiSettings } from './config-cti.ts';
import { Auth, type Verdict } from './cti-auth.ts';
import { CdrPages } from './cti-cdr.ts';
import { Client, textOf } from './cti-client.ts';
import { type PageMaker, pages } from './cti-pages.ts';
import { Rates } from './cti-rates.ts';

export type ServerSettings = {
  readonly box: 'a' | 'b';
  readonly address: string;
  /** The same of the other box. */
  readonly peerAddress: string;
  readonly cti: CtiSettings;
  readonly programs: readonly Program[];
  readonly release: string;
  readonly identity: Identity | undefined;
  /** Where the files of CDRs are; undefined: they are not served. */
  readonly cdrFolder?: string;
  /** Numbers of connections begin after this. */
  readonly firstConn: number;
};

export type ServerEvents = {
  readonly ask: (request: ProgramInput) => void;
  readonly log: (line: LogLine) => void;
  /** The lease: whether what the engine let go may still be said. */
  readonly mayAnswer: () => boolean;
  /** Epoch and position as they are now, whether both boxes have the same, and the pair clock, ms. */
  readonly standing: () => {
    readonly epoch: number;
    readonly lsn: number;
    readonly inStep: boolean;
    readonly pairNow: number;
  };
};

/** An address that is not there yet is tried again after this, ms. */
const LISTEN_AGAIN_MS = 1000;
/** Pages take the engine milliseconds, which are missing to calls: each counts as so many requests. */
const COSTS: { readonly [method: string]: number } = { snapshotCalls: 5, snapshotAgents: 5 };
const TOO_OFTEN = 'Too many requests a second.';
/** The same kind of trouble is told this often, ms. */
const TELL_MS = 10_000;

export class CtiServer {
  readonly hub = new Hub();
  private readonly settings: ServerSettings;
  private readonly events: ServerEvents;
  private readonly auth: Auth;
  private readonly rates = new Rates(mono);
  private readonly clients = new Map<number, Client>();
  private readonly servers: Server[] = [];
  private readonly web: WebSocketServer;
  /** Sockets that are no program's yet, by where they are from. */
  private readonly unproven = new Map<string, Set<string>>();
  private readonly told = new Map<string, number>();
  private readonly page: PageMaker;
  private readonly cdrs: CdrPages | undefined;
  private readonly timer: NodeJS.Timeout;
  private primary = false;
  /** As programs were told. */
  private inStep: boolean;
  private performing = false;
  private nextConn: number;

  constructor(settings: ServerSettings, events: ServerEvents) {
    this.settings = settings;
    this.events = events;
    this.nextConn = settings.firstConn + 1;
    this.auth = new Auth(settings.programs, mono);
    this.page = pages(settings);
    const { cdrFolder } = settings;
    this.cdrs = cdrFolder === undefined ? undefined : new CdrPages(cdrFolder, this.auth);
    this.inStep = events.standing().inStep;
    this.web = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: LIMITS.ctiFrameBytes,
    });
    const { cti, identity } = settings;
    if (cti.port !== 0) this.listen(createServer(LIMITED), cti.port);
    if (cti.tlsPort !== 0 && identity !== undefined) {
      const { certificate: cert, key } = identity;
      this.listen(
        createSecureServer({ ...LIMITED, cert, key, minVersion: 'TLSv1.2' }),
        cti.tlsPort,
      );
    }
    this.timer = setInterval(() => this.look(), cti.periodMs / 2);
  }

  get connections(): number {
    return this.clients.size;
  }

  /** Ends all connections and listens no more. */
  close(): void {
    clearInterval(this.timer);
    for (const client of this.clients.values()) client.close(1001, 'the box stops');
    for (const server of this.servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  // ── from the engine ──────────────────────────────────────────────────────────────────────────

  said(items: readonly string[]): void {
    if (!this.events.mayAnswer()) {
      // who slept past the lease says nothing; a session that goes on asks for what it missed
      this.lost();
      return;
    }
    for (const item of items) this.hub.take(item);
    this.perform();
  }

  /** Something for programs cannot be said any more. */
  lost(): void {
    this.hub.lost();
    this.perform();
  }

  role(primary: boolean): void {
    if (primary === this.primary) return;
    this.primary = primary;
    this.hub.serves(primary);
    this.tellStatus();
    this.perform();
  }

  /** Configured anew: whoever is no program any more, or has another password, is let go. */
  reload(programs: readonly Program[]): void {
    const changed = this.auth.reload(programs);
    for (const client of [...this.clients.values()]) {
      if (changed.has(client.program)) this.end(client, 'badPassword');
    }
  }

  private tellStatus(): void {
    this.inStep = this.events.standing().inStep;
    const text = this.notice('systemStatus');
    for (const client of this.clients.values()) this.send(client, text);
  }

  private status(): JsonObject {
    const { epoch, lsn, inStep, pairNow } = this.events.standing();
    const role = this.primary && this.events.mayAnswer() ? 'primary' : 'backup';
    const time = Math.floor(pairNow) * 1000;
    return { box: this.settings.box, role, epoch, position: lsn, inStep, time };
  }

  private notice(method: string, more: JsonObject = {}): string {
    return JSON.stringify({ jsonrpc: '2.0', method, params: { ...this.status(), ...more } });
  }

  /** Does what the hub wants, in its order. */
  private perform(): void {
    const { out } = this.hub;
    // what follows from an effect is done by the loop that is under way
    if (this.performing) return;
    this.performing = true;
    for (let i = 0; i < out.length; i += 1) {
      const effect = out[i];
      if (effect === undefined) break;
      const client = effect.kind === 'ask' ? undefined : this.clients.get(effect.conn);
      if (effect.kind === 'ask') this.events.ask(effect.request);
      else if (client === undefined) continue;
      else if (effect.kind === 'send') this.send(client, effect.text);
      else if (effect.kind === 'close') this.end(client, effect.reason);
      else
        client.whenRoom(() => {
          this.hub.goOn(effect.conn);
          this.perform();
        });
    }
    out.length = 0;
    this.performing = false;
  }

  private send(client: Client, text: string): void {
    if (client.send(text, mono())) return;
    this.tell('slow', `program ${client.program} at ${client.source} reads too slowly: closed`);
    this.end(client, 'tooSlow');
  }

  // ── connections ──────────────────────────────────────────────────────────────────────────────

  private listen(server: Server, port: number): void {
    const { address } = this.settings;
    this.servers.push(server);
    server.maxConnections = LIMITS.ctiConnections;
    server.on('connection', (socket: Socket) => this.admit(socket));
    server.on('request', (request, response) => {
      if (this.cdrs?.serve(request, response) !== true) serve(this.page, request, response);
    });
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {});
      this.web.handleUpgrade(request, socket, head, (web) => this.open(request, socket, web));
    });
    server.on('clientError', (_error, socket) => socket.destroy());
    server.on('error', (e: NodeJS.ErrnoException) => {
      this.tell('listen', `programs: ${address}:${port}: ${e.message}`, 'alarm');
      setTimeout(() => server.listen(port, address), LISTEN_AGAIN_MS).unref();
    });
    server.listen(port, address);
  }

  /** A place for each source: who opens hundreds without a word takes none from others. */
  private admit(socket: Socket): void {
    const { source, name } = whence(socket);
    const mine = this.unproven.get(source) ?? new Set<string>();
    if (mine.size >= LIMITS.ctiUnproven) {
      this.tell('many', `programs: too many connections from ${source} say nothing`);
      socket.destroy();
      return;
    }
    mine.add(name);
    this.unproven.set(source, mine);
    const forget = (): void => this.proven(source, name);
    socket.on('close', forget);
    socket.on('error', forget);
  }

  private proven(source: string, name: string): void {
    const mine = this.unproven.get(source);
    mine?.delete(name);
    if (mine?.size === 0) this.unproven.delete(source);
  }

  private open(request: IncomingMessage, socket: Duplex, web: WebSocket): void {
    const { source, name } = whence(request.socket);
    const client = new Client(this.nextConn, { source, name }, web, socket, mono());
    this.nextConn += 1;
    this.clients.set(client.conn, client);
    this.hub.open(client.conn);
    const heard = (): void => {
      client.heardAt = mono();
    };
    web.on('pong', heard);
    web.on('ping', heard);
    // it closes by itself
    web.on('error', () => {});
    web.on('close', () => this.closed(client));
    web.on('message', (data) => {
      heard();
      if (!this.clients.has(client.conn)) return;
      const text = textOf(data);
      if (!client.busy) this.frame(client, text);
      else if (client.waiting.length < LIMITS.ctiPending) client.waiting.push(text);
      else this.end(client, 'tooMany');
    });
    const { periodMs, misses } = this.settings.cti;
    const { release } = this.settings;
    this.send(client, this.notice('hello', { release, liveness: { periodMs, misses } }));
  }

  private closed(client: Client): void {
    if (!this.clients.delete(client.conn)) return;
    this.hub.closed(client.conn);
    this.perform();
  }

  private end(client: Client, reason: keyof typeof CLOSE): void {
    client.close(CLOSE[reason], reason);
    this.closed(client);
  }

  /** Signs of life, both ways, and who said nothing for too long. */
  private look(): void {
    const now = mono();
    const { periodMs, misses } = this.settings.cti;
    const { inStep } = this.events.standing();
    if (inStep !== this.inStep) this.tellStatus();
    for (const client of this.clients.values()) {
      const late = client.program === '' && now - client.openedAt > LIMITS.ctiHelloMs;
      if (late || now - client.heardAt > periodMs * misses) this.end(client, 'silent');
      else if (now - client.saidAt >= periodMs / 2) client.ping(now);
    }
  }

  // ── frames ───────────────────────────────────────────────────────────────────────────────────

  private frame(client: Client, text: string): void {
    const asked = readFrame(text);
    if (typeof asked === 'string') {
      client.faults += 1;
      this.send(client, asked);
      const most = client.program === '' ? LIMITS.ctiFaultsUnproven : LIMITS.ctiFaults;
      if (client.faults > most) this.end(client, 'tooMany');
      return;
    }
    if (asked.service.kind === 'session') this.credentials(client, asked);
    else if (asked.service.kind === 'door') this.atDoor(client, asked);
    else this.ask(client, asked);
  }

  private atDoor(client: Client, { id, method }: Asked): void {
    if (id === '') return;
    this.send(client, resultText(id, method === 'getSystemStatus' ? this.status() : {}));
  }

  private ask(client: Client, { id, method, params }: Asked): void {
    const program = this.auth.program(client.program);
    const free =
      method === 'ack'
        ? client.mayManage(mono())
        : program === undefined || this.rates.takes(program, COSTS[method]);
    if (free) this.hub.asked(client.conn, client.program, id, method, params);
    else if (id !== '') this.send(client, errorText(id, 'limitReached', TOO_OFTEN, NOT_LOOKED_AT));
    this.perform();
  }

  private credentials(client: Client, asked: Asked): void {
    const { program, password, ...rest } = asked.params as { readonly [key: string]: string };
    if (program === undefined || password === undefined) return;
    if (!client.mayManage(mono())) {
      this.send(client, errorText(asked.id, 'limitReached', TOO_OFTEN, NOT_LOOKED_AT));
      return;
    }
    client.busy = true;
    this.auth.prove(client.source, program, password, (verdict) => {
      client.busy = false;
      if (!this.clients.has(client.conn)) return;
      if (verdict !== 'yes') {
        this.refused(client, asked.id, program, verdict);
        return;
      }
      client.program = program;
      this.proven(client.source, client.name);
      this.hub.asked(client.conn, program, asked.id, asked.method, rest);
      this.perform();
      while (!client.busy && this.clients.has(client.conn)) {
        const next = client.waiting.shift();
        if (next === undefined) break;
        this.frame(client, next);
      }
    });
  }

  private refused(client: Client, id: string, program: string, verdict: Verdict): void {
    const name = JSON.stringify(program.slice(0, 64));
    this.tell('password', `program ${name} from ${client.source}: the password is wrong`);
    const code = verdict === 'wait' ? 'limitReached' : 'invalidPassword';
    this.send(client, errorText(id, code));
    this.end(client, 'badPassword');
  }

  private tell(kind: string, text: string, level: LogLine['level'] = 'warning'): void {
    const now = mono();
    if (now < (this.told.get(kind) ?? Number.NEGATIVE_INFINITY) + TELL_MS) return;
    this.told.set(kind, now);
    this.events.log({ level, text });
  }
}

/** Where a connection is from: its address, and that with its port. */
function whence(socket: Socket): { readonly source: string; readonly name: string } {
  const source = socket.remoteAddress ?? '';
  return { source, name: `${source} ${socket.remotePort}` };
}

const LIMITED = {
  maxHeaderSize: LIMITS.httpBytes,
  headersTimeout: LIMITS.ctiHelloMs,
  requestTimeout: LIMITS.ctiHelloMs,
  connectionsCheckingInterval: 1000,
  keepAlive: false,
} as const;

/** Pages; everything else is told where it is. */
function serve(page: PageMaker, request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const found = request.method === 'GET' ? page(path) : undefined;
  if (found === undefined) {
    const text = 'Programs connect here by WebSocket; see /openrpc.json and /wallboard.\n';
    response.writeHead(path === '/' ? 426 : 404, {
      'Content-Type': 'text/plain; charset=utf-8',
      Connection: 'close',
      ...(path === '/' ? { Upgrade: 'websocket' } : {}),
    });
    response.end(text);
    return;
  }
  response.writeHead(200, {
    'Content-Type': found.type,
    'Cache-Control': 'no-cache',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': found.policy,
    Connection: 'close',
  });
  response.end(found.body);
}
