/**
 * A demo phone: registers, calls, is called, re-INVITEs, hangs up. One call at a time. It says what
 * happened through `events` and checks what it hears: a request for a dialog it does not have, or a
 * CSeq that does not grow, is a fault of the server and is counted.
 */

import { Endpoint, type Incoming, stopServer, token } from './endpoint.ts';
import {
  all,
  authorization,
  cseqOf,
  header,
  type Line,
  type Message,
  param,
  uriOf,
  userOf,
} from './sip-text.ts';

export type PhoneEvents = {
  /** Callee: an INVITE rings. */
  readonly ringing: (phone: Phone, from: string) => void;
  /** Both directions agreed: caller sent ACK, callee received it. */
  readonly established: (phone: Phone) => void;
  /** The call was not set up. */
  readonly failed: (phone: Phone, why: string) => void;
  /** The other side hung up, or our BYE was answered with 2xx. */
  readonly ended: (phone: Phone) => void;
  /** A request inside an established call came to a bad end. */
  readonly broken: (phone: Phone, why: string) => void;
};

export type Leg = {
  readonly callId: string;
  readonly caller: boolean;
  readonly localTag: string;
  readonly local: string;
  remoteTag: string;
  remote: string;
  target: string;
  routes: readonly string[];
  cseq: number;
  remoteCseq: number;
  state: 'early' | 'established' | 'ending';
  /** The INVITE we are asked with, until it is answered. */
  incoming: Incoming | undefined;
  branch: string;
  guard: NodeJS.Timeout | undefined;
  session: number;
};

const SETUP_MS = 60_000;

export type PhoneSettings = {
  readonly number: string;
  readonly address: string;
  readonly port: number;
  readonly server: { readonly address: string; readonly port: number };
  /** Undefined: a challenge is a failure. */
  readonly password: string | undefined;
  readonly expires: number;
  /** How long it rings before it is answered, ms. */
  readonly ringMs: () => number;
};

export class Phone {
  readonly number: string;
  readonly endpoint: Endpoint;
  readonly #settings: PhoneSettings;
  readonly #events: PhoneEvents;
  readonly #callId = `${token()}@phone`;
  readonly #tag = token(4);
  #registerCseq = 0;
  #timer: NodeJS.Timeout | undefined;
  registered = false;
  leg: Leg | undefined;
  /** What this phone heard that no server may say. */
  faults = 0;

  constructor(settings: PhoneSettings, events: PhoneEvents) {
    this.number = settings.number;
    this.#settings = settings;
    this.#events = events;
    this.endpoint = new Endpoint(settings.address, settings.server);
    this.endpoint.onRequest = (incoming) => this.#request(incoming);
  }

  start(): Promise<void> {
    return this.endpoint.bind(this.#settings.port);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#dropLeg();
    this.endpoint.close();
  }

  #aor(user: string): string {
    const { address, port } = this.#settings.server;
    return port === 5060 ? `sip:${user}@${address}` : `sip:${user}@${address}:${port}`;
  }

  /** Registers now and again at half of the expiry; after a failure in two seconds. */
  register(): void {
    const me = this.#aor(this.number);
    const lines = (): Line[] => [
      ['From', `<${me}>;tag=${this.#tag}`],
      ['To', `<${me}>`],
      ['Call-ID', this.#callId],
      ['CSeq', `${++this.#registerCseq} REGISTER`],
      ['Contact', `${this.endpoint.contact(this.number)};expires=${this.#settings.expires}`],
    ];
    const { address, port } = this.#settings.server;
    this.#ask('REGISTER', `sip:${address}:${port}`, lines, '', (response) => {
      this.registered = response !== undefined && response.code < 300;
      const next = this.registered ? this.#settings.expires * 500 : 2000;
      this.#timer = setTimeout(() => this.register(), next * (0.9 + Math.random() / 10));
    });
  }

  /** Sends a request, answers one challenge, hands over the final response. */
  #ask(
    method: string,
    uri: string,
    lines: () => Line[],
    body: string,
    final: (response: Message | undefined) => void,
    more: { readonly again?: () => void; readonly sent?: (branch: string) => void } = {},
  ): void {
    const attempt = (extra: readonly Line[]): void => {
      const handlers = {
        final: (response: Message | undefined) => {
          const answer =
            extra.length === 0 && response !== undefined && [401, 407].includes(response.code)
              ? this.#answerTo(response, method, uri)
              : undefined;
          if (answer === undefined) final(response);
          else attempt([answer]);
        },
        ...(more.again === undefined ? {} : { again: more.again }),
      };
      const request = { method, uri, lines: [...lines(), ...extra], body };
      const branch = this.endpoint.request(request, handlers);
      more.sent?.(branch);
    };
    attempt([]);
  }

  #answerTo(response: Message, method: string, uri: string): Line | undefined {
    const { password } = this.#settings;
    if (password === undefined) return undefined;
    const credentials = { user: this.number, password, cnonce: token(6) };
    return authorization(response, method, uri, credentials);
  }

  #sdp(leg: Leg): string {
    const ip = this.endpoint.address;
    const media = 10_000 + 2 * (Number(this.number) % 10_000);
    return [
      ...['v=0', `o=${this.number} 1 ${leg.session++} IN IP4 ${ip}`, 's=-', `c=IN IP4 ${ip}`],
      ...['t=0 0', `m=audio ${media} RTP/AVP 0 8 101`, 'a=rtpmap:101 telephone-event/8000', ''],
    ].join('\r\n');
  }

  #requestLines(leg: Leg, method: string, number: number): Line[] {
    const to = leg.remoteTag === '' ? `<${leg.remote}>` : `<${leg.remote}>;tag=${leg.remoteTag}`;
    return [
      ...leg.routes.map((route): Line => ['Route', route]),
      ['From', `<${leg.local}>;tag=${leg.localTag}`],
      ['To', to],
      ['Call-ID', leg.callId],
      ['CSeq', `${number} ${method}`],
      ['Contact', this.endpoint.contact(this.number)],
    ];
  }

  call(number: string): void {
    const leg: Leg = {
      ...{ callId: `${token()}@${this.endpoint.address}`, caller: true, localTag: token(4) },
      ...{ local: this.#aor(this.number), remoteTag: '', remote: this.#aor(number) },
      ...{ target: this.#aor(number), routes: [], cseq: 0, remoteCseq: -1, state: 'early' },
      ...{ incoming: undefined, branch: '', guard: undefined, session: 1 },
    };
    this.leg = leg;
    leg.guard = setTimeout(() => this.#giveUp(leg, 'no final answer'), SETUP_MS);
    this.#invite(leg, (response) => {
      if (this.leg !== leg) return;
      clearTimeout(leg.guard);
      if (response === undefined || response.code >= 300) {
        this.#setupFailed(`INVITE got ${response?.code ?? 'no answer'}`);
        return;
      }
      leg.state = 'established';
      this.#events.established(this);
    });
  }

  /** INVITE or re-INVITE; a 2xx is acknowledged each time it comes. */
  #invite(leg: Leg, final: (response: Message | undefined) => void): void {
    const number = () => ++leg.cseq;
    let ack = () => {};
    this.#ask(
      'INVITE',
      leg.target,
      () => this.#requestLines(leg, 'INVITE', number()),
      this.#sdp(leg),
      (response) => {
        if (response !== undefined && response.code < 300) {
          this.#learn(leg, response);
          ack = this.#acknowledger(leg, cseqOf(response).number);
          ack();
        }
        final(response);
      },
      { again: () => ack(), sent: (branch) => (leg.branch = branch) },
    );
  }

  /** RFC 3261 §12.1.2: dialog state out of a 2xx. */
  #learn(leg: Leg, response: Message): void {
    const tag = param(header(response, 'to'), 'tag');
    if (leg.remoteTag !== '' && leg.remoteTag !== tag) this.faults++;
    leg.remoteTag = tag;
    const contact = header(response, 'contact');
    if (contact !== '') leg.target = uriOf(contact);
    if (leg.state === 'early') leg.routes = all(response, 'record-route').reverse();
  }

  /** ACK for a 2xx is a request of its own, with a branch of its own (RFC 3261 §13.2.2.4). */
  #acknowledger(leg: Leg, number: number): () => void {
    const lines = this.#requestLines(leg, 'ACK', number);
    const branch = `z9hG4bK${token()}`;
    const head = `ACK ${leg.target} SIP/2.0\r\n`;
    const whole: Line[] = [this.endpoint.via(branch), ['Max-Forwards', '70'], ...lines];
    const text = `${head}${whole.map(([n, v]) => `${n}: ${v}`).join('\r\n')}\r\nContent-Length: 0\r\n\r\n`;
    return () => this.endpoint.send(text);
  }

  #setupFailed(why: string): void {
    this.#dropLeg();
    this.#events.failed(this, why);
  }

  #giveUp(leg: Leg, why: string): void {
    if (this.leg !== leg) return;
    const lines = this.#requestLines(leg, 'CANCEL', leg.cseq).filter(([n]) => n !== 'Contact');
    const cancel = { method: 'CANCEL', uri: leg.target, lines };
    this.endpoint.request(cancel, { final: () => {} }, leg.branch);
    this.#setupFailed(why);
  }

  /** Offers the session again. `done(true)` when it was accepted; otherwise `broken` is said. */
  reinvite(done: () => void): void {
    const { leg } = this;
    if (leg === undefined) return;
    this.#invite(leg, (response) => {
      if (this.leg !== leg || leg.state !== 'established') return;
      if (response !== undefined && response.code < 300) done();
      else this.#events.broken(this, `re-INVITE got ${response?.code ?? 'no answer'}`);
    });
  }

  hangUp(): void {
    const { leg } = this;
    if (leg === undefined || leg.state !== 'established') return;
    leg.state = 'ending';
    const lines = () => this.#requestLines(leg, 'BYE', ++leg.cseq);
    this.#ask('BYE', leg.target, lines, '', (response) => {
      if (this.leg !== leg) return;
      this.#dropLeg();
      if (response !== undefined && response.code < 300) this.#events.ended(this);
      else this.#events.broken(this, `BYE got ${response?.code ?? 'no answer'}`);
    });
  }

  /** Forgets the call without a word: after it is known to be lost. */
  forget(): void {
    this.#dropLeg();
  }

  #dropLeg(): void {
    const { leg } = this;
    if (leg === undefined) return;
    clearTimeout(leg.guard);
    if (leg.incoming !== undefined) stopServer(leg.incoming);
    this.leg = undefined;
  }

  #request(incoming: Incoming): void {
    const { method } = incoming.request;
    const { leg } = this;
    const mine = leg !== undefined && header(incoming.request, 'call-id') === leg.callId;
    if (method === 'OPTIONS') this.endpoint.respond(incoming, 200, 'OK');
    else if (method === 'CANCEL') this.#cancelled(incoming);
    else if (method === 'ACK') this.#acknowledged(incoming.request);
    else if (param(header(incoming.request, 'to'), 'tag') !== '') {
      if (mine && this.#inOrder(leg, incoming)) this.#inDialog(leg, incoming);
      else if (!mine) this.#stranger(incoming);
    } else if (method === 'INVITE') this.#called(incoming);
    else this.endpoint.respond(incoming, 405, 'Method Not Allowed');
  }

  /** A call we forgot, or never had: RFC 3261 §12.2.2. */
  #stranger(incoming: Incoming): void {
    this.endpoint.respond(incoming, 481, 'Call/Transaction Does Not Exist');
  }

  /** RFC 3261 §12.2.2: the CSeq of a new request is higher than the last, the tags are ours. */
  #inOrder(leg: Leg, incoming: Incoming): boolean {
    const { number } = cseqOf(incoming.request);
    const theirs = param(header(incoming.request, 'from'), 'tag');
    const ours = param(header(incoming.request, 'to'), 'tag');
    const known = theirs === leg.remoteTag && ours === leg.localTag;
    if (known && number > leg.remoteCseq) {
      leg.remoteCseq = number;
      return true;
    }
    this.faults++;
    if (known) this.endpoint.respond(incoming, 500, 'CSeq Out Of Order');
    else this.#stranger(incoming);
    return false;
  }

  #inDialog(leg: Leg, incoming: Incoming): void {
    const { request } = incoming;
    if (request.method === 'BYE') {
      this.endpoint.respond(incoming, 200, 'OK');
      const early = leg.state === 'early';
      this.#dropLeg();
      if (early) this.#events.failed(this, 'BYE before the call stood');
      else this.#events.ended(this);
    } else if (request.method === 'INVITE') {
      leg.target = uriOf(header(request, 'contact')) || leg.target;
      this.#accept(leg, incoming);
    } else {
      this.endpoint.respond(incoming, 200, 'OK');
      // a program answers for its user
      const talk = request.method === 'NOTIFY' && header(request, 'event') === 'talk';
      if (talk && leg.state === 'early' && leg.incoming !== undefined) {
        clearTimeout(leg.guard);
        this.#accept(leg, leg.incoming);
      }
    }
  }

  #called(incoming: Incoming): void {
    const { request } = incoming;
    if (this.leg !== undefined) {
      this.endpoint.respond(incoming, 486, 'Busy Here');
      return;
    }
    const from = header(request, 'from');
    const leg: Leg = {
      ...{ callId: header(request, 'call-id'), caller: false, localTag: token(4), state: 'early' },
      ...{ local: uriOf(header(request, 'to')), remote: uriOf(from) },
      ...{ remoteTag: param(from, 'tag'), target: uriOf(header(request, 'contact')) },
      ...{ routes: all(request, 'record-route'), cseq: 0, remoteCseq: cseqOf(request).number },
      ...{ incoming, branch: '', guard: undefined, session: 1 },
    };
    this.leg = leg;
    const lines: Line[] = [['Contact', this.endpoint.contact(this.number)]];
    this.endpoint.respond(incoming, 180, 'Ringing', { tag: leg.localTag, lines });
    this.#events.ringing(this, userOf(leg.remote));
    leg.guard = setTimeout(() => this.#accept(leg, incoming), this.#settings.ringMs());
  }

  #accept(leg: Leg, incoming: Incoming): void {
    if (this.leg !== leg) return;
    leg.incoming = incoming;
    const lines: Line[] = [['Contact', this.endpoint.contact(this.number)]];
    this.endpoint.respond(incoming, 200, 'OK', {
      ...{ tag: leg.localTag, lines, body: this.#sdp(leg) },
    });
    this.endpoint.repeat(incoming, () => {
      if (this.leg !== leg) return;
      const early = leg.state === 'early';
      this.#dropLeg();
      if (early) this.#events.failed(this, 'no ACK');
      else this.#events.broken(this, 'no ACK for re-INVITE');
    });
  }

  #acknowledged(ack: Message): void {
    const { leg } = this;
    if (leg?.incoming === undefined || header(ack, 'call-id') !== leg.callId) return;
    stopServer(leg.incoming);
    leg.incoming = undefined;
    if (leg.state !== 'early') return;
    leg.state = 'established';
    this.#events.established(this);
  }

  #cancelled(incoming: Incoming): void {
    const invite = this.endpoint.inviteOf(incoming.request);
    const { leg } = this;
    if (invite === undefined) {
      this.#stranger(incoming);
      return;
    }
    this.endpoint.respond(incoming, 200, 'OK');
    if (leg === undefined || leg.incoming !== invite || leg.state !== 'early') return;
    // Answered already: the 200 is on its way and wins (RFC 3261 §9.2).
    if (/^SIP\/2\.0 2/.test(invite.last)) return;
    const tag = leg.localTag;
    this.#dropLeg();
    this.endpoint.respond(invite, 487, 'Request Terminated', { tag });
    this.#events.failed(this, 'cancelled');
  }
}
