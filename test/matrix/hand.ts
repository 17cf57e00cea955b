/**
 * A phone that does nothing by itself but what no user decides: it repeats, acknowledges, registers
 * again on a new connection, answers what comes in a dialog. Everything else a script does by hand.
 * It is strict: whatever a correct server would not send goes to `trouble`, word for word.
 */

import type { Transport } from '../../src/base/peer.ts';
import { VIP } from '../world/box.ts';
import type { Dice } from '../world/dice.ts';
import type { Host } from '../world/host.ts';
import { Line } from '../world/line.ts';
import { CAP, NO_CAP, Repeater } from '../world/phone-txn.ts';
import type { Queue } from '../world/queue.ts';
import {
  bare,
  gist,
  goesOn,
  type Msg,
  readSip,
  writeRequest,
  writeResponse,
} from '../world/sip-text.ts';
import { credentials } from './digest.ts';
import { HandDialogs } from './hand-dialogs.ts';
import type { Client, Request, Served } from './hand-parts.ts';

/** What a hand shares with the others of its scene. */
export type Stage = {
  readonly queue: Queue;
  readonly dice: Dice;
  readonly trouble: (what: string, text: string) => void;
  /** Session descriptions written in this scene. */
  readonly bodies: Set<string>;
  /** Somebody ended the call, or its time is over: from now on it may end. */
  over: boolean;
};

const PROTOCOL: { readonly [t in Transport]: string } = {
  udp: 'UDP',
  tcp: 'TCP',
  tls: 'TLS',
  ws: 'WS',
  wss: 'WSS',
};

export class Hand extends HandDialogs {
  readonly number: string;
  readonly stage: Stage;
  readonly line: Line;
  readonly history: { readonly at: number; readonly text: string }[] = [];
  registered = false;
  /** When the registration ends, as the server granted it. */
  registeredUntil = 0;
  expires = 600;
  /** Whether it registers on a new connection. */
  registers = true;
  /** Whether a challenge is answered without being asked. */
  autoAuth = true;
  private readonly clients = new Map<string, Client>();
  private readonly servers = new Map<string, Served>();
  private readonly name: string;
  private readonly ip: string;
  private readonly host: string;
  private readonly registration: { readonly callId: string; readonly tag: string };
  private registerSeq = 0;
  private ids = 0;

  constructor(stage: Stage, host: Host, name: string, number: string, ip: string, on: Transport) {
    super();
    this.stage = stage;
    this.name = name;
    this.number = number;
    this.ip = ip;
    this.line = new Line(stage, host, ip, on);
    // RFC 7118 §5: a browser has no address of its own to give
    this.host = on === 'ws' || on === 'wss' ? `${this.id('h')}.invalid` : this.line.sentBy;
    this.registration = { callId: this.id('r'), tag: this.id('t') };
    this.line.onText = (text, from, port) => this.receive(text, from, port);
    this.line.onUp = () => this.renewed();
  }

  id(prefix: string): string {
    this.ids += 1;
    return `${prefix}${this.number}x${this.ids}x${this.stage.dice.u32().toString(36)}`;
  }

  get contact(): string {
    const { transport } = this.line;
    const param = transport === 'udp' ? '' : `;transport=${transport === 'wss' ? 'ws' : transport}`;
    return `Contact: <sip:${this.number}@${this.host}${param}>`;
  }

  get address(): string {
    return this.ip;
  }

  trouble(what: string, text: string): void {
    this.stage.trouble(`${this.name}: ${what}`, text);
  }

  /** Requests of ours nobody has answered yet. */
  waits(): Client[] {
    return [...this.clients.values()].filter((c) => c.final === 0);
  }

  // ── registration ─────────────────────────────────────────────────────────────────────────────

  begin(): void {
    if (this.line.transport === 'udp') this.register();
    else this.line.open();
  }

  register(): Client {
    this.registerSeq += 1;
    const self = `<sip:${this.number}@${VIP}>`;
    const outbound =
      this.line.transport === 'udp'
        ? ''
        : `;+sip.instance="<urn:uuid:00000000-0000-4000-8000-00000000${this.number}>";reg-id=1`;
    const client = this.send({
      method: 'REGISTER',
      uri: `sip:${VIP}`,
      from: `${self};tag=${this.registration.tag}`,
      to: self,
      callId: this.registration.callId,
      cseq: () => this.registerSeq,
      next: () => {
        this.registerSeq += 1;
      },
      dialog: undefined,
      extra: { headers: [`${this.contact}${outbound}`, `Expires: ${this.expires}`] },
    });
    const { expires } = this;
    client.onFinal = (msg) => {
      if (msg?.status !== 200) return;
      const own = (msg.headers.get('contact') ?? []).find((c) => c.includes(`@${this.host}`));
      const granted = Number(/;\s*expires=(\d+)/i.exec(own ?? '')?.[1] ?? 0);
      if (granted < 1 || granted > expires) this.trouble(`granted ${granted} of ${expires}`, '');
      this.registered = true;
      this.registeredUntil = this.stage.queue.now + granted * 1000;
    };
    return client;
  }

  /** A new connection: registers on it, and repeats there what nobody answered. */
  private renewed(): void {
    const again = this.waits().filter((c) => c.method !== 'REGISTER');
    for (const c of this.waits()) if (c.method === 'REGISTER') this.settle(c, 408, undefined);
    if (this.registers) this.register();
    for (const c of again) this.say(c.text);
  }

  // ── transport ────────────────────────────────────────────────────────────────────────────────

  say(text: string, ip?: string, port?: number): void {
    this.history.push({ at: this.stage.queue.now, text: `${this.name} > ${gist(text)}` });
    this.line.send(text, ip, port);
  }

  /** The session description heard last, by Call-ID. */
  private readonly described = new Map<string, string>();

  private receive(text: string, ip: string, port: number): void {
    this.history.push({ at: this.stage.queue.now, text: `${this.name} < ${gist(text)}` });
    if (ip !== VIP || port !== 5060) this.trouble(`SIP from ${ip}:${port}`, text);
    const msg = readSip(text);
    if (typeof msg === 'string') {
      this.trouble(`unreadable: ${msg}`, text);
      return;
    }
    if (msg.contact !== '' && msg.status < 300 && msg.cseqMethod === 'INVITE') {
      if (!msg.contact.includes(VIP)) this.trouble('Contact is not at the VIP', text);
    }
    if (msg.body !== '' && /\r\nc(ontent-type)?:\s*application\/sdp/i.test(text)) {
      // where the other side was exchanged, its o= line goes on with that of before (RFC 3264 8)
      const goesOnHere = goesOn(this.described.get(msg.callId) ?? '', msg.body);
      const like = goesOnHere && [...this.stage.bodies].some((b) => bare(b) === bare(msg.body));
      this.described.set(msg.callId, msg.body);
      if (!like && !this.stage.bodies.has(msg.body)) {
        this.trouble('a session description nobody in this call wrote', text);
      }
    }
    if (msg.method === '') this.onResponse(msg);
    else this.onRequest(msg, ip, port);
  }

  via(branch: string): string {
    return `SIP/2.0/${PROTOCOL[this.line.transport]} ${this.host};rport;branch=${branch}`;
  }

  // ── client transactions ──────────────────────────────────────────────────────────────────────

  send(p: Request): Client {
    const { method } = p;
    const branch = p.branch ?? this.id('z9hG4bK');
    const headers = p.extra.headers ?? [];
    const write = (more: readonly string[], via: string): string =>
      writeRequest({
        ...p,
        cseq: p.cseq(),
        via: this.via(via),
        extra: [...headers, ...more],
        body: p.extra.body ?? '',
      });
    const client = this.start(p, branch, write([], branch));
    this.challenged.set(client, (msg) => {
      const asked = ['www-authenticate', 'proxy-authenticate'].flatMap((h) =>
        (msg.headers.get(h) ?? []).map((value) => ({ h, value })),
      );
      const first = asked[0];
      if (first === undefined || p.next === undefined) return undefined;
      p.next();
      const proof = credentials(
        first.value,
        method,
        p.uri,
        this.number,
        `pw-${this.number}`,
        this.id('c'),
      );
      const name = first.h === 'www-authenticate' ? 'Authorization' : 'Proxy-Authorization';
      const again = this.id('z9hG4bK');
      return this.start(p, again, write([`${name}: ${proof}`], again));
    });
    return client;
  }

  /** How each request is said again with credentials. */
  private readonly challenged = new Map<Client, (msg: Msg) => Client | undefined>();

  private start(p: Request, branch: string, text: string): Client {
    const client: Client = {
      method: p.method,
      text,
      branch,
      cseq: p.cseq(),
      callId: p.callId,
      fromTag: /;tag=([^;>\s]+)/.exec(p.from)?.[1] ?? '',
      dialog: p.dialog,
      allow: p.extra.allow ?? [],
      repeater: undefined,
      provisional: false,
      final: 0,
      answer: undefined,
      finalTag: '',
      ack: '',
      sentAt: this.stage.queue.now,
      doneAt: 0,
      onProvisional: () => {},
      onFinal: () => {},
    };
    this.clients.set(`${branch} ${p.method}`, client);
    let said = false;
    client.repeater = new Repeater(
      this.stage.queue,
      p.method === 'INVITE' ? NO_CAP : CAP,
      () => {
        // §17.1.1.2: over a reliable transport nothing is repeated, only waited for
        if (!said || this.line.transport === 'udp') this.say(text);
        said = true;
      },
      () => this.settle(client, 408, undefined),
    );
    return client;
  }

  private settle(client: Client, status: number, msg: Msg | undefined): void {
    client.repeater?.stop();
    client.repeater = undefined;
    client.final = status;
    client.finalTag = msg?.toTag ?? '';
    client.answer = msg;
    client.doneAt = this.stage.queue.now;
    if (msg === undefined && client.method !== 'REGISTER' && !client.allow.includes(408)) {
      this.trouble(`${client.method} answered by nobody`, client.text);
    }
    client.onFinal(msg);
  }

  private onResponse(msg: Msg): void {
    const client = this.clients.get(`${msg.branch} ${msg.cseqMethod}`);
    if (client === undefined) {
      this.trouble('a response to nothing', msg.text);
      return;
    }
    if (
      msg.callId !== client.callId ||
      msg.cseq !== client.cseq ||
      msg.fromTag !== client.fromTag
    ) {
      this.trouble('a response that does not mirror its request', msg.text);
      return;
    }
    if (client.final > 0) {
      this.afterFinal(client, msg);
      return;
    }
    if (msg.status < 200) {
      client.provisional = true;
      if (client.method === 'INVITE') client.repeater?.stop();
      else client.repeater?.slow();
      client.onProvisional(msg);
      return;
    }
    if (msg.toTag === '') this.trouble('a final response without To tag', msg.text);
    if (client.method === 'INVITE' && msg.status >= 300) this.ackRefusal(client, msg);
    const asked = msg.status === 401 || msg.status === 407;
    if (asked && (this.autoAuth || client.method === 'REGISTER')) {
      const again = this.withCredentials(client, msg);
      if (again !== undefined) return;
    }
    const crossed = msg.status === 481 && client.method === 'BYE' && client.dialog?.crossed;
    if (msg.status >= 300 && !client.allow.includes(msg.status) && crossed !== true) {
      this.trouble(`${client.method} answered ${msg.status}`, msg.text);
    }
    this.settle(client, msg.status, msg);
  }

  /** Says a challenged request again with credentials, in the place of the first one. */
  withCredentials(client: Client, msg: Msg): Client | undefined {
    client.repeater?.stop();
    client.final = msg.status;
    client.finalTag = msg.toTag;
    const again = this.challenged.get(client)?.(msg);
    if (again === undefined) return undefined;
    again.onProvisional = client.onProvisional;
    again.onFinal = client.onFinal;
    if (client.dialog?.client === client) client.dialog.client = again;
    return again;
  }

  private afterFinal(client: Client, msg: Msg): void {
    if (client.answer === undefined && client.final === 408) return;
    if (msg.status < 200) this.trouble('a provisional response after the final one', msg.text);
    else if (msg.status !== client.final || msg.toTag !== client.finalTag) {
      this.trouble(`another final response than ${client.final} before`, msg.text);
    } else if (client.ack !== '') this.say(client.ack);
  }

  /** §17.1.1.3: the ACK of a failed INVITE is part of its transaction. */
  private ackRefusal(client: Client, msg: Msg): void {
    client.ack = writeRequest({
      method: 'ACK',
      uri: /^INVITE (\S+)/.exec(client.text)?.[1] as string,
      via: this.via(client.branch),
      from: msg.from,
      to: msg.to,
      callId: msg.callId,
      cseq: client.cseq,
      extra: [],
      body: '',
    });
    if (this.keeps.has('ACK')) client.ack = '';
    else this.say(client.ack);
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
      } else this.onAck(msg);
      return;
    }
    if (known !== undefined) {
      if (known.request.text !== msg.text) this.trouble('a request repeated differently', msg.text);
      if (known.response !== '') this.say(known.response, ip, port);
      return;
    }
    const dialog = msg.toTag === '' ? undefined : this.dialogOf(msg);
    const served: Served = {
      request: msg,
      dialog,
      response: '',
      status: 0,
      repeater: undefined,
      acked: false,
    };
    this.servers.set(key, served);
    if (msg.method === 'CANCEL') this.onCancel(served, this.servers.get(`${msg.branch} INVITE`));
    else if (msg.toTag !== '') this.onInDialog(served);
    else this.onOutside(served);
  }

  respond(served: Served, status: number, tag: string, extra: readonly string[], body = ''): void {
    served.response = writeResponse(served.request, status, tag, extra, body);
    served.status = status;
    if (served.request.method !== 'INVITE' || status < 200) {
      this.say(served.response);
      return;
    }
    let said = false;
    served.repeater = new Repeater(
      this.stage.queue,
      CAP,
      () => {
        // §13.3.1.4 repeats a 2xx whatever the transport is, §17.2.1 a refusal only over datagrams
        if (!said || status < 300 || this.line.transport === 'udp') this.say(served.response);
        said = true;
      },
      () => {
        if (status < 300 || this.line.transport === 'udp') {
          this.trouble(`no ACK for ${status}`, served.response);
        }
      },
    );
  }
}
