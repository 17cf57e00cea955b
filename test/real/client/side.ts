/**
 * One side of the calls: a UDP address with the transactions of RFC 3261 17 in their plainest form.
 * Everything the server may not do to a transaction is noted as a violation: another answer after a
 * final one, a retransmission that is not the same octets, an answer to nothing, a request that
 * looks like a retransmission and is none.
 */

import { createSocket, type Socket } from 'node:dgram';
import { cseqOf, type Message, one, param, read } from './text.ts';

const T1 = 500;
const T2 = 4000;
const GIVE_UP = 64 * T1;
const TICK = 10;
const KEPT = 200;

/** What all sides write down. */
export class Book {
  readonly violations: string[] = [];
  violated = 0;
  readonly counts: Record<string, number> = {};

  violation(text: string): void {
    this.violated += 1;
    if (this.violations.length < KEPT) this.violations.push(text);
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

type ClientTxn = {
  readonly branch: string;
  readonly method: string;
  readonly text: string;
  readonly onResponse: (m: Message | undefined) => void;
  final: string;
  status: number;
  resendAt: number;
  interval: number;
  giveUpAt: number;
};

/** A request we answer, or have answered. */
export type ServerTxn = {
  readonly request: Message;
  readonly from: Address;
  response: string;
  resendAt: number;
  interval: number;
  giveUpAt: number;
};

export type Address = { readonly address: string; readonly port: number };

export type Handler = {
  /** A new request that is no ACK. */
  onRequest(txn: ServerTxn): void;
  /** An ACK that belongs to no refusal of ours. */
  onAck(m: Message): void;
  /** A 2xx to our INVITE came again. */
  onRepeated2xx(m: Message): void;
  /** Nobody acknowledged our 2xx. */
  onUnheard(txn: ServerTxn): void;
};

export class Side {
  readonly name: string;
  readonly here: Address;
  readonly server: Address;
  readonly book: Book;
  readonly #handler: Handler;
  readonly #socket: Socket;
  readonly #clients = new Map<string, ClientTxn>();
  readonly #waiting = new Set<ClientTxn>();
  readonly #servers = new Map<string, ServerTxn>();
  readonly #repeating = new Set<ServerTxn>();
  #timer: NodeJS.Timeout | undefined;

  constructor(name: string, here: Address, server: Address, book: Book, handler: Handler) {
    this.name = name;
    this.here = here;
    this.server = server;
    this.book = book;
    this.#handler = handler;
    this.#socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    this.#socket.on('message', (bytes, from) => this.#receive(bytes.toString('latin1'), from));
    // An ICMP error while nobody has the address is no event for a phone.
    this.#socket.on('error', () => this.book.count('socket errors'));
  }

  start(): Promise<void> {
    return new Promise((done, fail) => {
      this.#socket.once('error', fail);
      this.#socket.bind(this.here.port, this.here.address, () => {
        this.#socket.off('error', fail);
        this.#timer = setInterval(() => this.#tick(), TICK);
        done();
      });
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#socket.close();
  }

  send(text: string, to: Address = this.server): void {
    this.#socket.send(Buffer.from(text, 'latin1'), to.port, to.address, () => {});
  }

  /**
   * Starts a client transaction.
   * @param onResponse gets each new response, and undefined when none came in 64*T1.
   */
  request(
    text: string,
    method: string,
    branch: string,
    onResponse: (m: Message | undefined) => void,
  ): void {
    const now = performance.now();
    const txn: ClientTxn = {
      ...{ branch, method, text, onResponse, final: '', status: 0 },
      ...{ resendAt: now + T1, interval: T1, giveUpAt: now + GIVE_UP },
    };
    this.#clients.set(`${branch}|${method}`, txn);
    this.#waiting.add(txn);
    this.book.count(`sent ${method}`);
    this.send(text);
  }

  /** Answers; a 2xx to an INVITE is repeated until `settle`. */
  respond(txn: ServerTxn, text: string): void {
    txn.response = text;
    this.send(text, txn.from);
    if (txn.request.method !== 'INVITE' || !text.startsWith('SIP/2.0 2')) return;
    const now = performance.now();
    txn.interval = T1;
    txn.resendAt = now + T1;
    txn.giveUpAt = now + GIVE_UP;
    this.#repeating.add(txn);
  }

  settle(txn: ServerTxn): void {
    this.#repeating.delete(txn);
  }

  #tick(): void {
    const now = performance.now();
    for (const txn of this.#waiting) {
      if (now >= txn.giveUpAt) {
        this.#waiting.delete(txn);
        this.book.count(`unanswered ${txn.method}`);
        txn.onResponse(undefined);
      } else if (now >= txn.resendAt) {
        const next = txn.interval * 2;
        txn.interval = txn.method === 'INVITE' ? next : Math.min(next, T2);
        txn.resendAt = now + txn.interval;
        this.book.count(`repeated ${txn.method}`);
        this.send(txn.text);
      }
    }
    for (const txn of this.#repeating) {
      if (now >= txn.giveUpAt) {
        this.#repeating.delete(txn);
        this.#handler.onUnheard(txn);
      } else if (now >= txn.resendAt) {
        txn.interval = Math.min(txn.interval * 2, T2);
        txn.resendAt = now + txn.interval;
        this.book.count('repeated 2xx');
        this.send(txn.response, txn.from);
      }
    }
  }

  #receive(text: string, from: Address): void {
    if (from.address !== this.server.address || from.port !== this.server.port) {
      this.book.violation(`${this.name}: a datagram from ${from.address}:${from.port}`);
    }
    const m = read(text);
    if (m === undefined) {
      this.book.violation(`${this.name}: no SIP: ${text.slice(0, 200)}`);
      return;
    }
    if (m.status !== 0) this.#response(m);
    else this.#request(m, from);
  }

  #response(m: Message): void {
    const { method } = cseqOf(m);
    const branch = param(one(m, 'via'), 'branch');
    const txn = this.#clients.get(`${branch}|${method}`);
    const what = `${this.name}: ${m.status} to ${method} ${one(m, 'call-id')}`;
    if (txn === undefined) {
      this.book.violation(`${what}: answers nothing that was asked`);
      return;
    }
    const asked = read(txn.text) as Message;
    for (const name of ['from', 'call-id', 'cseq']) {
      if (one(m, name) !== one(asked, name)) {
        this.book.violation(`${what}: ${name} is ${one(m, name)}, was ${one(asked, name)}`);
      }
    }
    if (txn.final !== '') {
      this.#afterFinal(txn, m, what);
      return;
    }
    this.book.count(`${method} ${m.status}`);
    if (m.status >= 200) {
      txn.final = m.text;
      this.#waiting.delete(txn);
    } else if (method === 'INVITE') this.#waiting.delete(txn);
    txn.status = m.status;
    txn.onResponse(m);
  }

  #afterFinal(txn: ClientTxn, m: Message, what: string): void {
    if (m.text !== txn.final) {
      this.book.violation(`${what}: after ${txn.final.slice(8, 11)} was final`);
      return;
    }
    this.book.count(`${txn.method} ${m.status} again`);
    if (txn.method === 'INVITE' && m.status < 300) this.#handler.onRepeated2xx(m);
    else if (txn.method === 'INVITE') txn.onResponse(m);
  }

  #request(m: Message, from: Address): void {
    const branch = param(one(m, 'via'), 'branch');
    if (!branch.startsWith('z9hG4bK') || branch.length < 10) {
      this.book.violation(`${this.name}: ${m.method} with branch "${branch}"`);
    }
    if (cseqOf(m).method !== m.method) {
      this.book.violation(`${this.name}: ${m.method} with CSeq ${one(m, 'cseq')}`);
    }
    if (m.method === 'ACK') {
      // The ACK to a refusal has the branch of its INVITE and ends there.
      const refused = this.#servers.get(`${branch}|INVITE`);
      if (refused === undefined) this.#handler.onAck(m);
      return;
    }
    const key = `${branch}|${m.method}`;
    const known = this.#servers.get(key);
    if (known !== undefined) {
      this.book.count(`${m.method} again`);
      if (known.request.text !== m.text) {
        this.book.violation(`${this.name}: ${m.method} came again with other octets: ${m.text}`);
      }
      if (known.response !== '') this.send(known.response, known.from);
      return;
    }
    const txn = { request: m, from, response: '', resendAt: 0, interval: 0, giveUpAt: 0 };
    this.#servers.set(key, txn);
    this.book.count(`got ${m.method}`);
    this.#handler.onRequest(txn);
  }
}
