/**
 * An agent's phone: registers, rings, answers by itself or when a program says so (NOTIFY `talk`), takes
 * every re-INVITE, calls and hangs up now and then, and writes down what its end of each dialog is. One
 * for the simulated world and the lab; it has no socket and no timer of its own.
 */

import type { Dice } from '../world/dice.ts';
import { type Msg, readSip, writeRequest, writeResponse } from '../world/sip-text.ts';
import { type Alarm, type Clock, Repeater } from './clock.ts';
import type { PhoneState } from './record.ts';
import type { Recorder } from './recorder.ts';

export type PhoneHabits = {
  /** Answers by itself after so long; else it waits for a program, and so long for that. */
  readonly ringMs: readonly [number, number];
  readonly selfOdds: number;
  readonly refuseOdds: number;
  /** Hangs up by itself after so long. */
  readonly talkMs: readonly [number, number];
  /** Mean pause between calls of its own; 0: it makes none. */
  readonly gapMs: number;
  readonly calls: readonly string[];
};

export type PhonePlace = {
  readonly number: string;
  readonly ip: string;
  readonly port: number;
  readonly server: string;
  readonly send: (text: string) => void;
};

type Dialog = {
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  target: string;
  cseq: number;
  state: PhoneState | 'new';
  /** The INVITE it rings for, and its repeated answer. */
  rings: Server | undefined;
  /** Our INVITE that is not answered. */
  calls: { readonly text: string; readonly branch: string } | undefined;
  version: number;
};

type Client = {
  readonly method: string;
  readonly text: string;
  readonly repeater: Repeater;
  final: number;
  ack: string;
  readonly told: (m: Msg | undefined) => void;
};

type Server = { readonly request: Msg; response: string; repeater: Repeater | undefined };

const EXPIRES_S = 120;
/** Somebody may still repeat what he said in a transaction, or in a dialog that is over. */
const KEEP_MS = 60_000;
/** How long somebody rings who waits for a program. */
const PATIENCE_MS = 20_000;

export class Softphone {
  readonly number: string;
  /** Something a correct server does not do. */
  readonly oddities: string[] = [];
  registered = false;
  private readonly place: PhonePlace;
  private readonly clock: Clock;
  private readonly dice: Dice;
  private readonly habits: PhoneHabits;
  private readonly book: Recorder;
  private readonly clients = new Map<string, Client>();
  private readonly servers = new Map<string, Server>();
  private readonly dialogs = new Map<string, Dialog>();
  private ids = 0;
  private registerSeq = 0;
  private readonly registerId: string;
  private again: Alarm | undefined;
  private resting = false;

  constructor(
    place: PhonePlace,
    habits: PhoneHabits,
    parts: { readonly clock: Clock; readonly dice: Dice; readonly book: Recorder },
  ) {
    this.number = place.number;
    this.place = place;
    this.habits = habits;
    this.clock = parts.clock;
    this.dice = parts.dice;
    this.book = parts.book;
    this.registerId = this.word('r');
  }

  start(): void {
    this.register();
    if (this.habits.gapMs > 0) this.wait();
  }

  /** No calls of its own any more, and nobody hangs up by himself. */
  rest(): void {
    this.resting = true;
  }

  /** Ends everything it is in. */
  hangUp(): void {
    for (const d of this.dialogs.values()) this.end(d);
  }

  get busy(): number {
    return [...this.dialogs.values()].filter((d) => d.state !== 'ended').length;
  }

  private word(prefix: string): string {
    this.ids += 1;
    return `${prefix}${this.number}x${this.ids}x${this.dice.u32().toString(36)}`;
  }

  private state(d: Dialog, state: PhoneState): void {
    if (d.state === state) return;
    d.state = state;
    const key = `${d.callId} ${d.localTag}`;
    if (state === 'ended') this.clock.after(KEEP_MS, () => this.dialogs.delete(key));
    this.book.say('phone', { phone: this.number, dialog: d.callId, state });
  }

  // ── what it does by itself ───────────────────────────────────────────────────────────────────

  private register(): void {
    if (this.again !== undefined) this.again.dead = true;
    this.registerSeq += 1;
    const self = `<sip:${this.number}@${this.place.server}>`;
    this.request(
      {
        method: 'REGISTER',
        uri: `sip:${this.place.server}`,
        from: `${self};tag=${this.word('t')}`,
        to: self,
        callId: this.registerId,
        cseq: this.registerSeq,
        extra: [this.contact, `Expires: ${EXPIRES_S}`],
        body: '',
      },
      (m) => {
        if (m !== undefined && m.status < 200) return;
        this.registered = m?.status === 200;
        const next = this.registered ? EXPIRES_S * 500 : 2000;
        this.again = this.clock.after(next, () => this.register());
      },
    );
  }

  private wait(): void {
    this.clock.after(this.dice.wait(this.habits.gapMs), () => {
      if (!this.resting && this.busy === 0 && this.registered) {
        this.call(this.dice.pick(this.habits.calls));
      }
      this.wait();
    });
  }

  call(number: string): void {
    const { server } = this.place;
    const d: Dialog = {
      callId: this.word('c'),
      localTag: this.word('t'),
      remoteTag: '',
      localUri: `<sip:${this.number}@${server}>`,
      remoteUri: `<sip:${number}@${server}>`,
      target: `sip:${number}@${server}`,
      cseq: 1,
      state: 'new',
      rings: undefined,
      calls: undefined,
      version: 0,
    };
    this.dialogs.set(`${d.callId} ${d.localTag}`, d);
    const branch = this.word('z9hG4bK');
    const parts = { ...this.parts(d, 'INVITE'), body: this.sdp(d, 'sendrecv') };
    const text = this.request(parts, (m) => this.called(d, m), branch);
    d.calls = { text, branch };
    // nobody waits for ever
    this.clock.after(this.dice.between(8000, 40_000), () => {
      if (d.calls !== undefined) this.end(d);
    });
  }

  private called(d: Dialog, m: Msg | undefined): void {
    if (m !== undefined && m.status < 200) {
      if (m.toTag !== '' && d.state === 'new') this.state(d, 'early');
      return;
    }
    d.calls = undefined;
    if (m === undefined || m.status >= 300) {
      if (d.state === 'early') this.state(d, 'ended');
      d.state = 'ended';
      return;
    }
    d.remoteTag = m.toTag;
    d.target = m.contact;
    this.state(d, 'established');
    this.talk(d);
  }

  private talk(d: Dialog): void {
    const [least, most] = this.habits.talkMs;
    this.clock.after(this.dice.between(least, most), () => {
      if (!this.resting) this.end(d);
    });
  }

  private end(d: Dialog): void {
    if (d.calls !== undefined) {
      const { text, branch } = d.calls;
      const client = this.clients.get(`${branch} INVITE`);
      // RFC 3261 9.1: not before something was heard
      if (client === undefined || d.state === 'new') return;
      d.calls = undefined;
      const cancel = `CANCEL ${text.slice(text.indexOf(' ') + 1, text.indexOf('\r\n'))}`;
      const parts = { ...this.parts(d, 'CANCEL'), uri: cancel.split(' ')[1] ?? '' };
      this.request(parts, () => {}, branch);
    } else if (d.rings !== undefined) {
      this.respond(d.rings, 486, d.localTag, '');
      d.rings = undefined;
      this.state(d, 'ended');
    } else if (d.state === 'established') {
      d.cseq += 1;
      this.state(d, 'ended');
      this.request(this.parts(d, 'BYE'), () => {});
    }
  }

  // ── requests of its own ──────────────────────────────────────────────────────────────────────

  private get contact(): string {
    return `Contact: <sip:${this.number}@${this.place.ip}:${this.place.port}>`;
  }

  private parts(d: Dialog, method: string) {
    return {
      method,
      uri: d.target,
      from: `${d.localUri};tag=${d.localTag}`,
      to: d.remoteTag === '' ? d.remoteUri : `${d.remoteUri};tag=${d.remoteTag}`,
      callId: d.callId,
      cseq: d.cseq,
      extra: method === 'CANCEL' ? [] : [this.contact],
      body: '',
    };
  }

  private via(branch: string): string {
    return `SIP/2.0/UDP ${this.place.ip}:${this.place.port};rport;branch=${branch}`;
  }

  private request(
    parts: Omit<Parameters<typeof writeRequest>[0], 'via'>,
    told: (m: Msg | undefined) => void,
    branch = this.word('z9hG4bK'),
  ): string {
    const text = writeRequest({ ...parts, via: this.via(branch) });
    const key = `${branch} ${parts.method}`;
    const repeater = new Repeater(
      this.clock,
      parts.method !== 'INVITE',
      () => this.place.send(text),
      () => {
        this.clients.delete(key);
        told(undefined);
      },
    );
    this.clients.set(key, { method: parts.method, text, repeater, final: 0, ack: '', told });
    return text;
  }

  receive(text: string): void {
    const m = readSip(text);
    if (typeof m === 'string') {
      this.oddities.push(`${this.number}: unreadable: ${m}`);
      return;
    }
    if (m.method === '') this.answered(m);
    else this.asked(m);
  }

  private answered(m: Msg): void {
    const client = this.clients.get(`${m.branch} ${m.cseqMethod}`);
    if (client === undefined) return;
    if (client.final > 0) {
      if (client.ack !== '') this.place.send(client.ack);
      return;
    }
    if (m.status < 200) {
      if (client.method === 'INVITE') client.repeater.quiet();
      client.told(m);
      return;
    }
    client.repeater.quiet();
    client.final = m.status;
    if (client.method === 'INVITE') {
      client.ack = this.ackOf(client, m);
      this.place.send(client.ack);
    }
    client.told(m);
  }

  private ackOf(client: Client, m: Msg): string {
    const success = m.status < 300;
    const uri = success ? m.contact : (/^INVITE (\S+)/.exec(client.text)?.[1] ?? '');
    const branch = success ? this.word('z9hG4bK') : m.branch;
    const { from, to, callId, cseq } = m;
    const via = this.via(branch);
    return writeRequest({ method: 'ACK', uri, via, from, to, callId, cseq, extra: [], body: '' });
  }

  // ── requests of the server ───────────────────────────────────────────────────────────────────

  private asked(m: Msg): void {
    if (m.method === 'ACK') {
      this.acknowledged(m);
      return;
    }
    const key = `${m.branch} ${m.method}`;
    const known = this.servers.get(key);
    if (known !== undefined) {
      if (known.response !== '') this.place.send(known.response);
      return;
    }
    const server: Server = { request: m, response: '', repeater: undefined };
    this.servers.set(key, server);
    this.clock.after(KEEP_MS, () => this.servers.delete(key));
    const d = this.dialogs.get(`${m.callId} ${m.toTag}`);
    if (m.method === 'CANCEL') this.cancelled(server);
    else if (m.toTag === '') this.fresh(server);
    else if (d === undefined) this.respond(server, 481, '', '');
    else this.inside(d, server);
  }

  private acknowledged(m: Msg): void {
    const server =
      this.servers.get(`${m.branch} INVITE`) ??
      [...this.servers.values()].findLast(
        ({ request: r }) => r.method === 'INVITE' && r.callId === m.callId && r.cseq === m.cseq,
      );
    server?.repeater?.quiet();
  }

  private fresh(server: Server): void {
    const { method } = server.request;
    if (method === 'INVITE') this.rung(server);
    else
      this.respond(
        server,
        method === 'OPTIONS' || method === 'NOTIFY' ? 200 : 405,
        this.word('t'),
        '',
      );
  }

  private rung(server: Server): void {
    const m = server.request;
    const d: Dialog = {
      callId: m.callId,
      localTag: this.word('t'),
      remoteTag: m.fromTag,
      localUri: m.to,
      remoteUri: m.from.slice(0, m.from.lastIndexOf(';tag=')),
      target: m.contact,
      cseq: 0,
      state: 'new',
      rings: server,
      calls: undefined,
      version: 0,
    };
    this.dialogs.set(`${d.callId} ${d.localTag}`, d);
    if (this.dice.odds(this.habits.refuseOdds)) {
      d.rings = undefined;
      d.state = 'ended';
      this.respond(server, this.dice.pick([486, 480, 603]), d.localTag, '');
      return;
    }
    const auto =
      /answer-?after|auto/i.test((m.headers.get('alert-info') ?? []).join()) ||
      m.headers.has('answer-mode');
    this.state(d, 'early');
    this.respond(server, 180, d.localTag, '');
    const [least, most] = this.habits.ringMs;
    const self = auto || this.dice.odds(this.habits.selfOdds);
    const after = self ? this.dice.between(least, most) : PATIENCE_MS;
    this.clock.after(after, () => {
      if (d.rings === server) this.lift(d);
    });
  }

  private lift(d: Dialog): void {
    const server = d.rings;
    if (server === undefined) return;
    d.rings = undefined;
    this.state(d, 'established');
    this.respond(server, 200, d.localTag, this.reply(d, server.request.body));
    this.talk(d);
  }

  private cancelled(server: Server): void {
    this.respond(server, 200, this.word('t'), '');
    for (const d of this.dialogs.values()) {
      if (d.rings?.request.branch !== server.request.branch) continue;
      this.respond(d.rings, 487, d.localTag, '');
      d.rings = undefined;
      this.state(d, 'ended');
    }
  }

  private inside(d: Dialog, server: Server): void {
    const m = server.request;
    if (m.method === 'BYE') {
      this.respond(server, 200, '', '');
      this.state(d, 'ended');
    } else if (d.state === 'ended') this.respond(server, 481, '', '');
    else if (m.method === 'INVITE') {
      if (m.contact !== '') d.target = m.contact;
      this.respond(server, 200, '', this.reply(d, m.body));
    } else if (m.method === 'NOTIFY') {
      this.respond(server, 200, '', '');
      if (m.headers.get('event')?.[0]?.startsWith('talk')) this.lift(d);
    } else this.respond(server, m.method === 'INFO' || m.method === 'OPTIONS' ? 200 : 405, '', '');
  }

  private respond(server: Server, status: number, tag: string, body: string): void {
    const lines = status < 300 ? [this.contact] : [];
    server.response = writeResponse(server.request, status, tag, lines, body);
    const repeats = server.request.method === 'INVITE' && status >= 200;
    if (!repeats) {
      this.place.send(server.response);
      return;
    }
    const send = (): void => this.place.send(server.response);
    server.repeater = new Repeater(this.clock, true, send, () => {
      if (status >= 300) return;
      // RFC 3261 13.3.1.4: who never acknowledged is hung up
      const d = [...this.dialogs.values()].find((x) => x.callId === server.request.callId);
      if (d !== undefined) this.end(d);
    });
  }

  // ── session descriptions ─────────────────────────────────────────────────────────────────────

  /** The answer to an offer (RFC 3264 6.1), or an offer where none came. */
  private reply(d: Dialog, offer: string): string {
    const way = /\r\na=(sendrecv|sendonly|recvonly|inactive)\r\n/.exec(offer)?.[1] ?? 'sendrecv';
    const turned = { sendonly: 'recvonly', recvonly: 'sendonly' } as const;
    return this.sdp(d, turned[way as keyof typeof turned] ?? way);
  }

  private sdp(d: Dialog, way: string): string {
    d.version += 1;
    const { ip, number } = this.place;
    return (
      `v=0\r\no=- ${number} ${d.version} IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\n` +
      `m=audio 4000 RTP/AVP 0 8\r\na=${way}\r\n`
    );
  }
}
