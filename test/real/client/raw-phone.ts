/**
 * A phone whose every message a test writes itself, and loses, repeats or delays as it likes.
 * Sockets are in a process on the host `lan` (`wire.ts`).
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { NODE, VIP } from '../../lab/places.ts';
import { answerTo, cseqOf, type Message, one, param, read, sdp, uriIn, write } from './text.ts';

const word = (): string => randomBytes(8).toString('hex');

export class Wire {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #phones = new Map<number, RawPhone>();
  readonly #opened = new Map<number, () => void>();

  constructor(lab: Lab) {
    this.#child = lab.spawn('lan', [NODE, join(import.meta.dirname, 'wire.ts')]);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const value = JSON.parse(line) as { open?: number; port?: number; text?: string };
      if (value.open !== undefined) this.#opened.get(value.open)?.();
      else if (value.text !== undefined) this.#phones.get(value.port ?? 0)?.got(value.text);
    });
  }

  /** A phone with this number at a port of its own. */
  async phone(number: number): Promise<RawPhone> {
    const port = 10_000 + number;
    const phone = new RawPhone(number, '192.0.2.60', port, (text) => {
      this.#child.stdin.write(`send ${port} ${JSON.stringify(text)}\n`);
    });
    this.#phones.set(port, phone);
    await new Promise<void>((done) => {
      this.#opened.set(port, done);
      this.#child.stdin.write(`open 192.0.2.60 ${port}\n`);
    });
    return phone;
  }

  close(): void {
    this.#child.stdin.end();
  }
}

/** What a test remembers of an INVITE it sent or got. */
export type Invite = {
  readonly text: string;
  readonly callId: string;
  readonly branch: string;
  readonly tag: string;
  readonly to: number;
  readonly cseq: number;
};

export class RawPhone {
  readonly number: number;
  readonly here: string;
  /** Everything that came, in order. */
  readonly inbox: Message[] = [];
  readonly send: (text: string) => void;
  readonly #address: string;
  readonly #self = { callId: word(), tag: word() };
  #taken = 0;
  #woken: (() => void)[] = [];

  constructor(number: number, address: string, port: number, send: (text: string) => void) {
    this.number = number;
    this.#address = address;
    this.here = `${address}:${port}`;
    this.send = send;
  }

  got(text: string): void {
    const m = read(text);
    if (m === undefined) throw new Error(`phone ${this.number}: no SIP: ${text}`);
    this.inbox.push(m);
    for (const wake of this.#woken.splice(0)) wake();
  }

  /** The next message that is `what` ("180", "BYE", "487 200"); what came before is passed over. */
  async next(what: string, ms = 10_000): Promise<Message> {
    const wanted = what.split(' ');
    const end = performance.now() + ms;
    for (;;) {
      while (this.#taken < this.inbox.length) {
        const m = this.inbox[this.#taken++] as Message;
        if (wanted.includes(m.method || String(m.status))) return m;
      }
      const left = end - performance.now();
      if (left <= 0) {
        const seen = this.inbox.map((m) => m.method || m.status).join(' ');
        throw new Error(`phone ${this.number}: no ${what} in ${ms} ms, but: ${seen}`);
      }
      await new Promise<void>((done) => {
        const timer = setTimeout(done, left);
        this.#woken.push(() => {
          clearTimeout(timer);
          done();
        });
      });
    }
  }

  /** How many messages of this kind came. */
  count(what: string): number {
    return this.inbox.filter((m) => m.method === what || String(m.status) === what).length;
  }

  lines(method: string, invite: Omit<Invite, 'text'>, branch: string, toTag = ''): string[] {
    return [
      `Via: SIP/2.0/UDP ${this.here};branch=${branch}`,
      'Max-Forwards: 70',
      `From: <sip:${this.number}@${VIP}>;tag=${invite.tag}`,
      `To: <sip:${invite.to}@${VIP}>${toTag === '' ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${invite.callId}`,
      `CSeq: ${invite.cseq} ${method}`,
      `Contact: <sip:${this.number}@${this.here}>`,
    ];
  }

  /** A REGISTER of this phone; the same registration each time, `cseq` tells them apart. */
  registration(cseq: number, more: readonly string[] = []): string {
    const self = { ...this.#self, branch: '', to: this.number, cseq };
    const lines = [...this.lines('REGISTER', self, `z9hG4bK${word()}`), 'Expires: 600', ...more];
    return write(`REGISTER sip:${VIP} SIP/2.0`, lines);
  }

  async register(): Promise<void> {
    this.send(this.registration(1));
    await this.next('200');
  }

  /** An INVITE for a number; it is not sent yet. */
  invite(to: number): Invite {
    const part = { callId: word(), branch: `z9hG4bK${word()}`, tag: word(), to, cseq: 1 };
    const lines = this.lines('INVITE', part, part.branch);
    return {
      ...part,
      text: write(`INVITE sip:${to}@${VIP} SIP/2.0`, lines, sdp(this.#address, 1)),
    };
  }

  cancel(invite: Invite): string {
    const lines = this.lines('CANCEL', invite, invite.branch);
    return write(`CANCEL sip:${invite.to}@${VIP} SIP/2.0`, lines);
  }

  /** The ACK to a final response of the INVITE. */
  ack(invite: Invite, response: Message): string {
    const refused = response.status >= 300;
    const branch = refused ? invite.branch : `z9hG4bK${word()}`;
    const uri = refused ? `sip:${invite.to}@${VIP}` : uriIn(one(response, 'contact'));
    const toTag = param(one(response, 'to'), 'tag');
    return write(`ACK ${uri} SIP/2.0`, this.lines('ACK', invite, branch, toTag));
  }

  /** BYE of the one who called. */
  bye(invite: Invite, response: Message): string {
    const lines = this.lines(
      'BYE',
      { ...invite, cseq: invite.cseq + 1 },
      `z9hG4bK${word()}`,
      param(one(response, 'to'), 'tag'),
    );
    return write(`BYE ${uriIn(one(response, 'contact'))} SIP/2.0`, lines);
  }

  /** An answer with this phone's contact; a description goes with a 2xx to INVITE. */
  answer(m: Message, status: number, reason: string): string {
    const contact = [`Contact: <sip:${this.number}@${this.here}>`];
    const body = cseqOf(m).method === 'INVITE' && status === 200 ? sdp(this.#address, 1) : '';
    return answerTo(m, status, reason, `t${this.number}`, contact, body);
  }
}
