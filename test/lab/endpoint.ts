/**
 * Transport and transactions of one demo phone: RFC 3261 §17 over UDP, with the retransmissions
 * that make a call live through an outage. One socket, one address.
 */

import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import {
  all,
  cseqOf,
  header,
  type Line,
  type Message,
  param,
  parse,
  requestText,
  responseText,
} from './sip-text.ts';

/** RFC 3261 §17.1.1.1, ms. */
const T1 = 500;
const T2 = 4000;
const TRANSACTION_MS = 64 * T1;

export type Request = {
  readonly method: string;
  readonly uri: string;
  /** Everything but Via, Max-Forwards, Contact and Content-Length. */
  readonly lines: readonly Line[];
  readonly body?: string;
};

export type Handlers = {
  readonly provisional?: (response: Message) => void;
  /** `undefined`: no answer in 64·T1. Called once; a retransmitted 2xx to INVITE calls `again`. */
  readonly final: (response: Message | undefined) => void;
  readonly again?: () => void;
};

type Client = {
  readonly text: string;
  readonly request: Request;
  readonly branch: string;
  readonly handlers: Handlers;
  state: 'calling' | 'proceeding' | 'completed';
  interval: number;
  timer: NodeJS.Timeout | undefined;
  timeout: NodeJS.Timeout | undefined;
  ack: string;
};

/** A request that came in, to be answered. */
export type Incoming = {
  readonly request: Message;
  last: string;
  timer: NodeJS.Timeout | undefined;
  giveUp: NodeJS.Timeout | undefined;
};

export function token(bytes = 8): string {
  return randomBytes(bytes).toString('hex');
}

export class Endpoint {
  readonly address: string;
  readonly #server: { readonly address: string; readonly port: number };
  readonly #clients = new Map<string, Client>();
  readonly #servers = new Map<string, Incoming>();
  readonly #socket: Socket;
  #port = 0;
  #closed = false;
  retransmissions = 0;
  /** Given every request that is not a retransmission, ACK for a 2xx included. */
  onRequest: (incoming: Incoming) => void = () => {};

  constructor(address: string, server: { readonly address: string; readonly port: number }) {
    this.address = address;
    this.#server = server;
    this.#socket = createSocket('udp4');
    this.#socket.on('message', (bytes) => this.#received(bytes.toString('latin1')));
    // An unreachable VIP is what this lab is about; a retransmission will tell.
    this.#socket.on('error', () => {});
  }

  get port(): number {
    return this.#port;
  }

  /** Port 0: any. */
  bind(port: number): Promise<void> {
    return new Promise((done, fail) => {
      this.#socket.once('error', fail);
      this.#socket.bind(port, this.address, () => {
        this.#socket.removeListener('error', fail);
        this.#port = this.#socket.address().port;
        done();
      });
    });
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) stop(client);
    for (const server of this.#servers.values()) stopServer(server);
    this.#clients.clear();
    this.#servers.clear();
    this.#socket.close();
  }

  send(text: string): void {
    if (this.#closed) return;
    const { address, port } = this.#server;
    this.#socket.send(Buffer.from(text, 'latin1'), port, address, () => {});
  }

  contact(user: string): string {
    return `<sip:${user}@${this.address}:${this.#port}>`;
  }

  via(branch: string): Line {
    return ['Via', `SIP/2.0/UDP ${this.address}:${this.#port};branch=${branch};rport`];
  }

  /** Starts a client transaction; gives its branch (a CANCEL needs it). */
  request(request: Request, handlers: Handlers, branch = `z9hG4bK${token()}`): string {
    const lines: Line[] = [this.via(branch), ['Max-Forwards', '70'], ...request.lines];
    const text = requestText(request.method, request.uri, lines, request.body);
    const client: Client = {
      ...{ text, request, branch, handlers, state: 'calling', interval: T1, ack: '' },
      ...{ timer: undefined, timeout: undefined },
    };
    const key = `${branch} ${request.method}`;
    this.#clients.set(key, client);
    client.timeout = setTimeout(() => {
      stop(client);
      this.#clients.delete(key);
      if (client.state !== 'completed') handlers.final(undefined);
    }, TRANSACTION_MS);
    this.send(text);
    this.#retransmit(client);
    return branch;
  }

  /** Timers A and E: double each time, non-INVITE up to T2; INVITE stops at a provisional. */
  #retransmit(client: Client): void {
    client.timer = setTimeout(() => {
      this.retransmissions++;
      this.send(client.text);
      const invite = client.request.method === 'INVITE';
      const slow = client.state === 'proceeding' || client.interval * 2 > T2;
      client.interval = !invite && slow ? T2 : client.interval * 2;
      this.#retransmit(client);
    }, client.interval);
  }

  #received(text: string): void {
    const message = parse(text);
    if (message === undefined) return;
    const branch = param(all(message, 'via')[0] ?? '', 'branch');
    if (message.method === '') this.#response(message, branch);
    else this.#request(message, branch);
  }

  #response(response: Message, branch: string): void {
    const client = this.#clients.get(`${branch} ${cseqOf(response).method}`);
    if (client === undefined) return;
    const invite = client.request.method === 'INVITE';
    if (client.state === 'completed') {
      if (client.ack !== '') this.send(client.ack);
      if (invite && response.code < 300) client.handlers.again?.();
      return;
    }
    if (response.code < 200) {
      client.state = 'proceeding';
      if (invite) stop(client);
      client.handlers.provisional?.(response);
      return;
    }
    client.state = 'completed';
    clearTimeout(client.timer);
    if (client.timeout !== undefined) client.timeout.refresh();
    else this.#linger(client);
    if (invite && response.code >= 300) {
      client.ack = this.#ackFor(client, response);
      this.send(client.ack);
    }
    client.handlers.final(response);
  }

  /** Stays to absorb retransmitted answers (timers D and K; here long enough for both). */
  #linger(client: Client): void {
    const key = `${client.branch} ${client.request.method}`;
    client.timeout = setTimeout(() => this.#clients.delete(key), TRANSACTION_MS);
  }

  /** RFC 3261 §17.1.1.3: same branch, Request-URI, Call-ID, From and CSeq number. */
  #ackFor(client: Client, response: Message): string {
    const keep = client.request.lines.filter(([n]) => ['From', 'Call-ID', 'Route'].includes(n));
    const { number } = cseqOf(response);
    const to: Line = ['To', header(response, 'to')];
    const lines: Line[] = [this.via(client.branch), ['Max-Forwards', '70'], ...keep, to];
    return requestText('ACK', client.request.uri, [...lines, ['CSeq', `${number} ACK`]]);
  }

  #request(request: Message, branch: string): void {
    const sentBy = (header(request, 'via').split(';')[0] ?? '').trim();
    // An ACK for a non-2xx has its INVITE's branch; it ends the retransmission of that answer.
    const method = request.method === 'ACK' ? 'INVITE' : request.method;
    const key = `${branch} ${sentBy} ${method}`;
    const known = this.#servers.get(key);
    if (request.method === 'ACK') {
      if (known !== undefined) stopServer(known);
      else this.onRequest({ request, last: '', timer: undefined, giveUp: undefined });
      return;
    }
    if (known !== undefined) {
      if (known.last !== '') this.send(known.last);
      return;
    }
    const incoming: Incoming = { request, last: '', timer: undefined, giveUp: undefined };
    this.#servers.set(key, incoming);
    setTimeout(() => this.#servers.delete(key), 2 * TRANSACTION_MS).unref();
    this.onRequest(incoming);
  }

  respond(
    incoming: Incoming,
    code: number,
    reason: string,
    more: { readonly tag?: string; readonly lines?: readonly Line[]; readonly body?: string } = {},
  ): void {
    const { request } = incoming;
    const tag = more.tag ?? token(4);
    incoming.last = responseText(request, code, reason, tag, more.lines, more.body);
    this.send(incoming.last);
    if (request.method === 'INVITE' && code >= 300) this.repeat(incoming, () => {});
  }

  /** Repeats a final answer to INVITE until `stopServer` (its ACK) or 64·T1 (RFC 3261 §13.3.1.4). */
  repeat(incoming: Incoming, lost: () => void): void {
    let interval = T1;
    const again = () => {
      this.retransmissions++;
      this.send(incoming.last);
      interval = Math.min(interval * 2, T2);
      incoming.timer = setTimeout(again, interval);
    };
    incoming.timer = setTimeout(again, interval);
    incoming.giveUp = setTimeout(() => {
      stopServer(incoming);
      lost();
    }, TRANSACTION_MS);
  }

  /** The INVITE whose transaction a CANCEL names (RFC 3261 §9.2). */
  inviteOf(cancel: Message): Incoming | undefined {
    const via = header(cancel, 'via');
    const sentBy = (via.split(';')[0] ?? '').trim();
    return this.#servers.get(`${param(via, 'branch')} ${sentBy} INVITE`);
  }
}

function stop(client: Client): void {
  clearTimeout(client.timer);
  clearTimeout(client.timeout);
  client.timeout = undefined;
}

export function stopServer(incoming: Incoming): void {
  clearTimeout(incoming.timer);
  clearTimeout(incoming.giveUp);
}
