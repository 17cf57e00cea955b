/**
 * A SIP core with peers on a virtual LAN. Nothing moves by itself: a test says what a peer sends,
 * looks at what comes back, and lets time pass. `swap` replaces the box: rows as text into a fresh
 * store, and `resume`, as after a switchover.
 */

import { hex, seeded } from '../../src/base/chance.ts';
import type { Transport } from '../../src/base/peer.ts';
import type { Instant } from '../../src/base/units.ts';
import { CDR } from '../../src/call/csta/cdr.ts';
import { CALL_TABLES, onMessage } from '../../src/call/switch.ts';
import { onDue, onRequest, resume } from '../../src/cti/entry.ts';
import type { ProgramInput } from '../../src/cti/terms.ts';
import { type Context, newTurn, type SipSettings, sipSettings } from '../../src/proto/context.ts';
import type { CounterName } from '../../src/proto/sip/counters.ts';
import { Guard } from '../../src/proto/sip/guard.ts';
import { Overload } from '../../src/proto/sip/overload.ts';
import { H, isFault, parseMessage, type SipMessage } from '../../src/sip-parser/index.ts';
import { MemoryStore } from './memory-store.ts';

export const SDP = (owner: string): string =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=${owner}\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n` +
  'm=audio 4000 RTP/AVP 0\r\n';

export type Sent = {
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  readonly text: string;
};

export class Lab {
  now: Instant = 1_000_000;
  store: MemoryStore;
  readonly settings: SipSettings;
  readonly counters = new Map<CounterName, number>();
  /** Everything the core sent and no peer has taken, and everything it ever sent. */
  air: Sent[] = [];
  readonly log: Sent[] = [];
  /** Connections that stand, as "tcp 192.0.2.1 40001"; another box has none of them. */
  flows = new Set<string>();
  /** Questions to the name service. */
  readonly questions: string[] = [];
  cx: Context;
  /** What the programs' hub was told: a line of JSON, a line end, a body. */
  programs: string[] = [];
  readonly overload = new Overload();
  /** What an operator would hear. */
  readonly told: string[] = [];
  readonly chance = seeded(7);

  constructor(settings: Partial<SipSettings> = {}) {
    this.settings = sipSettings({
      vip: '192.0.2.10',
      nonceKey: 'pair key',
      csta: true,
      passwordPrefix: 'pw-',
      ...settings,
    });
    this.store = new MemoryStore(CALL_TABLES);
    this.cx = this.context();
  }

  private context(): Context {
    return {
      now: this.now,
      store: this.store,
      chance: this.chance,
      settings: this.settings,
      guard: new Guard(this.settings.guard, !this.settings.auth, (text) => this.told.push(text)),
      overload: this.overload,
      send: ({ transport, ip, port }, text) => {
        this.air.push({ transport, ip, port, text });
        this.log.push({ transport, ip, port, text });
      },
      isOpen: ({ transport, ip, port }) => this.flows.has(`${transport} ${ip} ${port}`),
      count: (name) => {
        this.counters.set(name, (this.counters.get(name) ?? 0) + 1);
      },
      log: (level, text) => {
        this.told.push(`${level}: ${text}`);
      },
      tell: (text) => {
        this.programs.push(text);
      },
      turn: newTurn(),
      resolve: (uri) => {
        this.questions.push(uri);
      },
    };
  }

  receive(ip: string, port: number, text: string, transport: Transport = 'udp'): void {
    this.cx.now = this.now;
    onMessage(this.cx, { transport, ip, port }, text);
  }

  /** A program asks; what comes of it is in `programs`. */
  fromProgram(r: Omit<ProgramInput, 'kind'>): void {
    this.cx.now = this.now;
    onRequest(this.cx, { kind: 'request', ...r });
  }

  /** Lets time pass, with everything that comes due in it. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.store.deadlines.next();
      if (next > end) break;
      this.now = Math.max(this.now, next);
      this.tick();
    }
    this.now = end;
  }

  tick(): void {
    this.cx.now = this.now;
    for (const row of this.store.due(this.now)) {
      onDue(this.cx, row.$spec, row);
      this.store.rearm(row, this.now);
    }
  }

  /** Another box takes over; what the old one had not sent yet (`air`) may be lost. */
  swap(lose: boolean): void {
    if (lose) this.air = [];
    this.store = this.store.copy();
    this.flows = new Set();
    this.cx = this.context();
    resume(this.cx);
    this.tick();
  }

  /** Rows of all tables but the CDRs, which stay when their calls are over. */
  rows(): number {
    let n = 0;
    for (const shelf of this.store.shelves.values()) n += shelf.rows.size;
    return n - this.store.count(CDR);
  }

  /** Registers a phone's contact. */
  register(phone: Peer, expires = 3600): SipMessage {
    phone.send(
      phone.request('REGISTER', 'sip:192.0.2.10', {
        to: phone.aor,
        extra: `Contact: <${phone.contact}>;expires=${expires}\r\n`,
        contact: false,
      }),
    );
    return phone.take();
  }
}

type RequestOptions = {
  to?: string;
  toTag?: string;
  fromTag?: string;
  callId?: string;
  cseq?: number;
  branch?: string;
  body?: string;
  extra?: string;
  contact?: boolean;
};

/** A hand-driven SIP peer at an address of its own. */
export class Peer {
  readonly lab: Lab;
  readonly user: string;
  readonly ip: string;
  readonly port: number;
  cseq = 0;

  constructor(lab: Lab, user: string, ip: string, port = 5060) {
    this.lab = lab;
    this.user = user;
    this.ip = ip;
    this.port = port;
  }

  get contact(): string {
    return `sip:${this.user}@${this.ip}:${this.port}`;
  }

  get aor(): string {
    return `sip:${this.user}@example.net`;
  }

  send(text: string): void {
    this.lab.receive(this.ip, this.port, text);
  }

  /** Everything that came for this peer since it last looked. */
  inbox(): SipMessage[] {
    const mine: SipMessage[] = [];
    this.lab.air = this.lab.air.filter((sent) => {
      if (sent.ip !== this.ip || sent.port !== this.port) return true;
      const m = parseMessage(sent.text);
      if (isFault(m)) throw new Error(`the core sent ${m.fault} at ${m.at}:\n${sent.text}`);
      mine.push(m);
      return false;
    });
    return mine;
  }

  /** The one message that came; fails when there is none or more. */
  take(): SipMessage {
    const all = this.inbox();
    if (all.length !== 1) throw new Error(`${this.user} has [${all.map(line).join(' | ')}]`);
    return all[0] as SipMessage;
  }

  request(method: string, uri: string, o: RequestOptions = {}): string {
    const cseq = o.cseq ?? (method === 'ACK' || method === 'CANCEL' ? this.cseq : ++this.cseq);
    const branch = o.branch ?? `z9hG4bK${this.user}${hex(this.lab.chance, 2)}`;
    const body = o.body ?? '';
    const contact = o.contact === false ? '' : `Contact: <${this.contact}>\r\n`;
    const typed = body === '' || (o.extra ?? '').includes('Content-Type:');
    const type = typed ? '' : 'Content-Type: application/sdp\r\n';
    return (
      `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${this.ip}:${this.port};branch=${branch};rport\r\n` +
      `Max-Forwards: 70\r\nFrom: "${this.user}" <${this.aor}>;tag=${o.fromTag ?? `t${this.user}`}\r\n` +
      `To: <${o.to ?? uri}>${o.toTag ? `;tag=${o.toTag}` : ''}\r\n` +
      `Call-ID: ${o.callId ?? `c${this.user}@${this.ip}`}\r\nCSeq: ${cseq} ${method}\r\n` +
      `${contact}${o.extra ?? ''}${type}Content-Length: ${body.length}\r\n\r\n${body}`
    );
  }

  /** Answers a request that came to this peer. */
  reply(m: SipMessage, status: number, tag: string, body = '', extra = ''): void {
    const to = m.header(H.To) ?? '';
    const toLine = m.toTag !== '' || status === 100 ? to : `${to};tag=${tag}`;
    const type = body === '' ? '' : 'Content-Type: application/sdp\r\n';
    this.send(
      `SIP/2.0 ${status} Phone Says ${status}\r\n${m.lines(H.Via)}From: ${m.header(H.From)}\r\n` +
        `To: ${toLine}\r\nCall-ID: ${m.callId}\r\nCSeq: ${m.header(H.CSeq)}\r\n${m.lines(H.RecordRoute)}` +
        `Contact: <${this.contact}>\r\n${extra}${type}Content-Length: ${body.length}\r\n\r\n${body}`,
    );
  }

  /** ACK to a final response to `invite` (a text this peer sent). */
  ack(invite: string, response: SipMessage, body = ''): void {
    const sent = parseMessage(invite) as SipMessage;
    const success = response.status < 300;
    this.send(
      this.request('ACK', success ? response.contactUri : sent.requestUri, {
        to: uriIn(response.header(H.To) ?? ''),
        toTag: response.toTag,
        fromTag: sent.fromTag,
        callId: sent.callId,
        cseq: sent.cseq,
        body,
        contact: false,
        ...(success ? {} : { branch: sent.branch }),
      }),
    );
  }

  /** CANCEL of `invite`. */
  cancel(invite: string): void {
    const sent = parseMessage(invite) as SipMessage;
    this.send(
      this.request('CANCEL', sent.requestUri, {
        fromTag: sent.fromTag,
        callId: sent.callId,
        cseq: sent.cseq,
        branch: sent.branch,
        contact: false,
      }),
    );
  }

  /** A request inside the dialog made by `invite` of this peer and its `response`. */
  inDialog(method: string, invite: string, response: SipMessage, o: RequestOptions = {}): string {
    const sent = parseMessage(invite) as SipMessage;
    return this.request(method, response.contactUri, {
      to: uriIn(response.header(H.To) ?? ''),
      toTag: response.toTag,
      fromTag: sent.fromTag,
      callId: sent.callId,
      ...o,
    });
  }

  /** A request inside the dialog that the received `invite` made, answered with `tag`. */
  backward(method: string, invite: SipMessage, tag: string, o: RequestOptions = {}): string {
    return this.request(method, invite.contactUri, {
      to: uriIn(invite.header(H.From) ?? ''),
      toTag: invite.fromTag,
      fromTag: tag,
      callId: invite.callId,
      ...o,
    });
  }
}

export function uriIn(value: string): string {
  return /<([^>]*)>/.exec(value)?.[1] ?? value;
}

/** A message in three words, for transcripts. */
export function line(m: SipMessage): string {
  const what = m.isRequest ? m.method : `${m.status} ${m.cseqMethod}`;
  return m.body === '' ? what : `${what} sdp`;
}

/** Inbox of a peer as text. */
export function heard(peer: Peer): string {
  return peer.inbox().map(line).join(', ');
}

/** Two registered phones, 1001 and 1002. */
export function pair(settings: Partial<SipSettings> = {}) {
  const lab = new Lab(settings);
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  lab.register(alice);
  lab.register(bob);
  return { lab, alice, bob };
}

/** A call from alice up to bob's answer; `late` leaves alice's ACK to the test. */
export function talking(late = false, settings: Partial<SipSettings> = {}) {
  const p = pair(settings);
  const { alice, bob } = p;
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  alice.send(invite);
  alice.inbox();
  const toBob = bob.take();
  bob.reply(toBob, 180, 'bt');
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  const ok = alice.inbox().at(-1);
  if (ok === undefined) throw new Error('no answer');
  bob.take();
  if (!late) alice.ack(invite, ok);
  return { ...p, invite, toBob, ok };
}
