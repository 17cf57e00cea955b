/**
 * A SIP phone on the LAN: registers, calls, rings, answers, refuses, holds by re-INVITE, cancels,
 * hangs up. It follows RFC 3261 on its side, keeps a full history of what it saw and said, and is
 * strict: whatever no correct server would send is an *observation* for the oracles. It does not
 * know that there are two boxes.
 *
 * This file is the user agent's core (transport, transactions, registration); a call's two ends are
 * in phone-call.ts, its lamps in
 * phone-watch.ts.
 */

import type { Transport } from '../../src/base/peer.ts';
import type { Book } from './book.ts';
import { VIP } from './box.ts';
import type { Dice } from './dice.ts';
import type { Host } from './host.ts';
import { Line } from './line.ts';
import { type Leg, PhoneCalls } from './phone-call.ts';
import { CAP, type ClientTxn, NO_CAP, Repeater, type ServerTxn } from './phone-txn.ts';
import { PhoneWatches } from './phone-watch.ts';
import type { Queue, Timer } from './queue.ts';
import { gist, type Msg, readSip, writeRequest, writeResponse } from './sip-text.ts';

export type PhoneWorld = {
  readonly queue: Queue;
  readonly dice: Dice;
  readonly book: Book;
  /** The LAN may change the order of datagrams: judge order only where it is made. */
  readonly disordered: boolean;
};

export class Phone {
  readonly number: string;
  readonly ip: string;
  readonly world: PhoneWorld;
  readonly calls: PhoneCalls;
  readonly watches: PhoneWatches;
  /** What it saw (<) and said (>), with times. */
  readonly history: { readonly at: number; readonly dir: '<' | '>'; readonly text: string }[] = [];
  registered = false;
  private readonly line: Line;
  private readonly clients = new Map<string, ClientTxn>();
  private readonly servers = new Map<string, ServerTxn>();
  private ids = 0;
  private registerSeq = 0;
  private readonly registerCallId: string;
  private readonly registerTag: string;
  private readonly expires: number;

  private again: Timer | undefined;

  constructor(
    world: PhoneWorld,
    host: Host,
    number: string,
    ip: string,
    transport: Transport = 'udp',
  ) {
    this.world = world;
    this.line = new Line(world, host, ip, transport);
    this.number = number;
    this.ip = ip;
    this.calls = new PhoneCalls(this);
    this.watches = new PhoneWatches(this);
    this.expires = world.dice.whole(30, 90);
    this.registerCallId = this.id('r');
    this.registerTag = this.id('t');
    this.line.onText = (text, from, port) => this.receive(text, from, port);
    this.line.onUp = () => this.renewed();
    this.line.onBroken = () => this.bereft();
  }

  /** A word nobody else uses. */
  id(prefix: string): string {
    this.ids += 1;
    return `${prefix}${this.number}x${this.ids}x${this.world.dice.u32().toString(36)}`;
  }

  get contact(): string {
    const { transport } = this.line;
    const param = transport === 'udp' ? '' : `;transport=${transport === 'wss' ? 'ws' : transport}`;
    return `Contact: <sip:${this.number}@${this.ip}:5060${param}>`;
  }

  observe(what: string, text: string): void {
    this.world.book.observe(this.world.queue.now, this.number, what, text);
  }

  // ── transport ────────────────────────────────────────────────────────────────────────────────

  send(text: string, ip: string = VIP, port = 5060): void {
    this.history.push({ at: this.world.queue.now, dir: '>', text });
    this.line.send(text, ip, port);
  }

  private receive(text: string, ip: string, port: number): void {
    this.history.push({ at: this.world.queue.now, dir: '<', text });
    if (ip !== VIP || port !== 5060) {
      this.observe(`SIP from ${ip}:${port}, not from the VIP`, text);
    }
    const msg = readSip(text);
    if (typeof msg === 'string') {
      this.observe(`unreadable: ${msg}`, text);
      return;
    }
    if (msg.contact !== '' && msg.status < 300 && msg.cseqMethod === 'INVITE') {
      if (!msg.contact.includes(`@${VIP}`) && !msg.contact.startsWith(`sip:${VIP}`)) {
        this.observe('Contact is not at the VIP', text);
      }
    }
    if (msg.method === '') this.onResponse(msg);
    else this.onRequest(msg, ip, port);
  }

  // ── client transactions ──────────────────────────────────────────────────────────────────────

  /** Sends a request in a new client transaction. */
  request(
    parts: Omit<Parameters<typeof writeRequest>[0], 'via'>,
    on: Pick<ClientTxn, 'onProvisional' | 'onFinal'>,
    branch: string = this.id('z9hG4bK'),
  ): ClientTxn {
    const text = writeRequest({ ...parts, via: this.via(branch) });
    const txn: ClientTxn = {
      method: parts.method,
      text,
      branch,
      cseq: parts.cseq,
      callId: parts.callId,
      fromTag: /;tag=([^;>\s]+)/.exec(parts.from)?.[1] ?? '',
      repeater: undefined,
      provisional: false,
      final: 0,
      finalTag: '',
      ack: '',
      ...on,
    };
    this.clients.set(`${branch} ${parts.method}`, txn);
    const cap = parts.method === 'INVITE' ? NO_CAP : CAP;
    let said = false;
    txn.repeater = new Repeater(
      this.world.queue,
      cap,
      () => {
        // §17.1.1.2: over a reliable transport nothing is repeated, only waited for
        if (!said || !this.reliable) this.send(text);
        said = true;
      },
      () => {
        txn.repeater = undefined;
        txn.final = 408;
        txn.onFinal(undefined);
      },
    );
    return txn;
  }

  via(branch: string): string {
    return `SIP/2.0/${this.line.transport.toUpperCase()} ${this.ip}:5060;rport;branch=${branch}`;
  }

  private onResponse(msg: Msg): void {
    const txn = this.clients.get(`${msg.branch} ${msg.cseqMethod}`);
    if (txn === undefined) {
      this.observe('a response to nothing', msg.text);
      return;
    }
    if (msg.callId !== txn.callId || msg.cseq !== txn.cseq || msg.fromTag !== txn.fromTag) {
      this.observe('a response that does not mirror its request', msg.text);
      return;
    }
    if (txn.final > 0) {
      this.afterFinal(txn, msg);
      return;
    }
    if (msg.status < 200) {
      txn.provisional = true;
      if (txn.method === 'INVITE') txn.repeater?.stop();
      else txn.repeater?.slow();
      txn.onProvisional(msg);
      return;
    }
    txn.repeater?.stop();
    txn.final = msg.status;
    txn.finalTag = msg.toTag;
    if (msg.toTag === '') this.observe('a final response without To tag', msg.text);
    if (txn.method === 'INVITE' && msg.status >= 300) this.ackFailure(txn, msg);
    txn.onFinal(msg);
  }

  private afterFinal(txn: ClientTxn, msg: Msg): void {
    if (msg.status < 200) {
      // 408: we gave up by ourselves, the server did not say anything final
      if (!this.disordered && txn.final !== 408) {
        this.observe('a provisional response after the final one', msg.text);
      }
      return;
    }
    if (txn.final === 408) return;
    if (msg.status !== txn.final || msg.toTag !== txn.finalTag) {
      this.observe(`another final response than ${txn.final} before`, msg.text);
      return;
    }
    if (txn.ack !== '') this.send(txn.ack);
  }

  /** §17.1.1.3: the ACK of a failed INVITE is part of its transaction. */
  private ackFailure(txn: ClientTxn, msg: Msg): void {
    txn.ack = writeRequest({
      method: 'ACK',
      uri: /^INVITE (\S+)/.exec(txn.text)?.[1] as string,
      via: this.via(txn.branch),
      from: msg.from,
      to: msg.to,
      callId: msg.callId,
      cseq: txn.cseq,
      extra: [],
      body: '',
    });
    this.send(txn.ack);
  }

  // ── server transactions ──────────────────────────────────────────────────────────────────────

  private onRequest(msg: Msg, ip: string, port: number): void {
    const method = msg.method === 'ACK' ? 'INVITE' : msg.method;
    const key = `${msg.branch} ${method}`;
    const known = this.servers.get(key);
    if (msg.method === 'ACK') {
      if (known !== undefined && known.status >= 300) {
        known.acked = true;
        known.repeater?.stop();
      } else this.calls.onAck(msg);
      return;
    }
    if (known !== undefined) {
      if (known.response !== '') this.send(known.response, ip, port);
      return;
    }
    const txn: ServerTxn = {
      request: msg,
      response: '',
      status: 0,
      repeater: undefined,
      acked: false,
    };
    this.servers.set(key, txn);
    if (msg.method === 'CANCEL') {
      this.calls.onCancel(txn, this.servers.get(`${msg.branch} INVITE`));
    } else if (msg.method === 'NOTIFY' && !isOfRefer(msg)) this.watches.onNotify(txn);
    else if (msg.toTag !== '') this.calls.onInDialog(txn);
    else if (msg.method === 'INVITE') this.calls.onInvite(txn);
    else this.respond(txn, msg.method === 'OPTIONS' ? 200 : 405, this.id('t'), [], '');
  }

  /** Sends a response; a final one to an INVITE is repeated until its ACK. */
  respond(
    txn: ServerTxn,
    status: number,
    tag: string,
    extra: readonly string[],
    body: string,
  ): void {
    txn.response = writeResponse(txn.request, status, tag, extra, body);
    txn.status = status;
    if (txn.request.method !== 'INVITE' || status < 200) {
      this.send(txn.response);
      return;
    }
    let said = false;
    txn.repeater = new Repeater(
      this.world.queue,
      CAP,
      () => {
        // §13.3.1.4 repeats a 2xx whatever the transport is, §17.2.1 a refusal only over datagrams
        if (!said || status < 300 || !this.reliable) this.send(txn.response);
        said = true;
      },
      () => this.calls.noAck(txn),
    );
  }

  // ── registration ─────────────────────────────────────────────────────────────────────────────

  /** Registers, and again at half of the time granted; over a stream as soon as it stands. */
  register(): void {
    if (this.again !== undefined) this.again.dead = true;
    if (!this.line.up) {
      this.line.open();
      return;
    }
    this.registerSeq += 1;
    const self = `<sip:${this.number}@${VIP}>`;
    this.request(
      {
        method: 'REGISTER',
        uri: `sip:${VIP}`,
        from: `${self};tag=${this.registerTag}`,
        to: self,
        callId: this.registerCallId,
        cseq: this.registerSeq,
        extra: [this.contact, `Expires: ${this.expires}`],
        body: '',
      },
      { onProvisional: () => {}, onFinal: (msg) => this.onRegistered(msg) },
    );
  }

  /** What comes may have been said in another order. */
  get disordered(): boolean {
    return this.world.disordered || this.line.several;
  }

  private get reliable(): boolean {
    return this.line.transport !== 'udp';
  }

  /** RFC 3261 17.2.4: refusals whose connection is gone wait for no ACK, which comes over no other. */
  private bereft(): void {
    for (const txn of this.servers.values()) if (txn.status >= 300) txn.repeater?.stop();
  }

  /** A new connection: registers on it, and repeats there what nobody answered. */
  private renewed(): void {
    const waiting = [...this.clients.values()].filter((txn) => txn.final === 0);
    for (const txn of waiting) {
      if (txn.method !== 'REGISTER') continue;
      txn.repeater?.stop();
      txn.final = 408;
    }
    this.register();
    for (const txn of waiting) if (txn.method !== 'REGISTER') this.send(txn.text);
  }

  private onRegistered(msg: Msg | undefined): void {
    const { queue, book } = this.world;
    if (msg === undefined || msg.status !== 200) {
      const what = msg === undefined ? 'not answered' : `answered ${msg.status}`;
      this.registered = false;
      book.failOther(queue.now, this.number, `REGISTER ${what}`);
      this.again = queue.after(2000, () => this.register());
      return;
    }
    const own = (msg.headers.get('contact') ?? []).find((c) => c.includes(`@${this.ip}`));
    const granted = Number(/;\s*expires=(\d+)/i.exec(own ?? '')?.[1] ?? 0);
    if (granted < 1 || granted > this.expires) {
      this.observe(`a registration that grants ${granted} s of ${this.expires}`, msg.text);
    }
    this.registered = true;
    this.again = queue.after(Math.max(1, granted) * 500, () => this.register());
  }

  /** The last `n` things it saw and said, for a failing run. */
  tale(n: number): string[] {
    return this.history
      .slice(-n)
      .map((h) => `${h.at.toFixed(3).padStart(11)} ${this.number} ${h.dir} ${gist(h.text)}`);
  }
}

/** A NOTIFY in the dialog of a call, of what a REFER in it began (RFC 3515). */
function isOfRefer(msg: Msg): boolean {
  return msg.headers.get('event')?.[0]?.startsWith('refer') === true;
}

export type { Leg };
