/**
 * A phone that speaks by connections and does what RFC 5626 asks of one: an instance id, a reg-id, and
 * when its connection dies another one, on which it registers again. Every message is the test's, as
 * with `raw-phone.ts`; connections are in a process on the host `lan` (`stream-wire.ts`).
 */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../lab/lab.ts';
import { NODE, VIP } from '../../lab/places.ts';
import { type Invite, RawPhone } from './raw-phone.ts';
import type { OpenLine } from './stream-wire.ts';
import { answerTo, cseqOf, type Message, sdp } from './text.ts';

export type StreamKind = OpenLine['transport'];

export const PORTS: Readonly<Record<StreamKind, number>> = {
  udp: 5060,
  tcp: 5060,
  tls: 5061,
  ws: 8080,
  wss: 8443,
};

export type OpenOptions = Partial<
  Pick<OpenLine, 'from' | 'to' | 'port' | 'cert' | 'key' | 'protocol' | 'bind'>
>;

type Said = {
  readonly id: number;
  readonly up?: true;
  readonly resumed?: boolean;
  readonly fingerprint?: string;
  readonly text?: string;
  readonly down?: string;
};

/** One connection as a test sees it. */
export class Connection {
  readonly id: number;
  up = false;
  resumed = false;
  fingerprint = '';
  /** Why it ended, undefined while it may still be there. */
  down: string | undefined;
  /** Everything that came, as it came. */
  text = '';
  onText: (text: string) => void = () => {};
  readonly #write: (line: object) => void;

  constructor(id: number, write: (line: object) => void) {
    this.id = id;
    this.#write = write;
  }

  send(text: string): void {
    this.#write({ send: this.id, text });
  }

  close(reset = false): void {
    this.#write({ close: this.id, reset });
  }
}

export async function until(what: string, done: () => boolean, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!done()) {
    if (performance.now() > end) throw new Error(`not in ${ms} ms: ${what}`);
    await new Promise((wake) => setTimeout(wake, 10));
  }
}

export class StreamWire {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #all = new Map<number, Connection>();
  #next = 0;

  constructor(lab: Lab) {
    this.#child = lab.spawn('lan', [NODE, join(import.meta.dirname, 'stream-wire.ts')]);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      const one = this.#all.get(said.id);
      if (one === undefined) return;
      if (said.up === true) {
        one.up = true;
        one.resumed = said.resumed ?? false;
        one.fingerprint = said.fingerprint ?? '';
      }
      if (said.down !== undefined) one.down = said.down;
      if (said.text !== undefined) {
        one.text += said.text;
        one.onText(said.text);
      }
    });
  }

  /** @param phone a number below 1000 whose TLS sessions are kept together. */
  begin(transport: StreamKind, phone: number, o: OpenOptions = {}): Connection {
    const id = 1000 * this.#next++ + (phone % 1000);
    const connection = new Connection(id, (line) => this.#write(line));
    this.#all.set(id, connection);
    this.#write({ open: id, transport, from: '192.0.2.61', to: VIP, port: PORTS[transport], ...o });
    return connection;
  }

  phone(transport: StreamKind, number: number, o: OpenOptions = {}): StreamPhone {
    return new StreamPhone(this, transport, number, o);
  }

  close(): void {
    this.#child.stdin.end();
  }

  #write(line: object): void {
    this.#child.stdin.write(`${JSON.stringify(line)}\n`);
  }
}

/** Cuts what came into messages; the wire gives WebSocket messages whole. */
function messagesIn(text: string): { readonly whole: readonly string[]; readonly rest: string } {
  const whole: string[] = [];
  let rest = text;
  for (;;) {
    if (rest.startsWith('\r\n')) {
      rest = rest.slice(2);
      continue;
    }
    const gap = rest.indexOf('\r\n\r\n');
    const length = /^(?:content-length|l)\s*:\s*(\d+)/im.exec(rest.slice(0, gap + 2))?.[1];
    const end = gap + 4 + Number(length);
    if (gap < 0 || !(end <= rest.length)) return { whole, rest };
    whole.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
}

export class StreamPhone extends RawPhone {
  readonly transport: StreamKind;
  connection: Connection | undefined;
  /** Connections it has had. */
  opened = 0;
  readonly #wire: StreamWire;
  readonly #options: OpenOptions;
  readonly #address: string;
  #rest = '';
  #cseq = 0;

  constructor(wire: StreamWire, transport: StreamKind, number: number, o: OpenOptions) {
    const address = o.from ?? '192.0.2.61';
    const host = address.includes(':') ? `[${address}]` : address;
    super(number, host, 20_000 + number, (text) => this.connection?.send(text));
    this.#wire = wire;
    this.#options = o;
    this.#address = address;
    this.transport = transport;
  }

  get contact(): string {
    const transport = this.transport === 'wss' ? 'ws' : this.transport;
    // a WebSocket client cannot be called anywhere, and says so anew each time (RFC 7118 5)
    const web = transport === 'ws';
    const host = web ? `c${this.opened}.invalid` : this.here;
    return `sip:${this.number}@${host};transport=${transport}`;
  }

  /** A connection; fails when there is none. */
  async open(): Promise<Connection> {
    for (let tries = 0; tries < 40; tries += 1) {
      const one = this.#wire.begin(this.transport, this.number, {
        bind: 20_000 + this.number,
        ...this.#options,
      });
      this.#rest = '';
      one.onText = (text) => {
        const { whole, rest } = messagesIn(this.#rest + text);
        this.#rest = rest;
        for (const message of whole) this.got(message);
      };
      await until(`connection of ${this.number}`, () => one.up || one.down !== undefined);
      if (!one.up) {
        await new Promise((wake) => setTimeout(wake, 250));
        continue;
      }
      this.connection = one;
      this.opened += 1;
      return one;
    }
    throw new Error(`phone ${this.number}: no connection`);
  }

  /** Notices that its connection is dead, makes another and registers by it. */
  async comeBack(): Promise<Connection> {
    const dead = this.connection;
    await until(`phone ${this.number} notices`, () => dead?.down !== undefined);
    const one = await this.open();
    await this.register();
    return one;
  }

  override async register(): Promise<void> {
    if (this.connection === undefined) await this.open();
    this.#cseq += 1;
    this.send(this.registration(this.#cseq, ['Supported: outbound, path']));
    await this.next('200');
  }

  override lines(
    method: string,
    invite: Omit<Invite, 'text'>,
    branch: string,
    toTag = '',
  ): string[] {
    const ends =
      method === 'REGISTER' ? `;+sip.instance="<urn:uuid:0-${this.number}>";reg-id=1` : '';
    return super.lines(method, invite, branch, toTag).map((line) => {
      if (line.startsWith('Contact:')) return `Contact: <${this.contact}>${ends}`;
      if (!line.startsWith('Via:')) return line;
      return line.replace('/UDP', `/${this.transport.toUpperCase()}`);
    });
  }

  override answer(m: Message, status: number, reason: string): string {
    const body = cseqOf(m).method === 'INVITE' && status === 200 ? sdp(this.#address, 1) : '';
    const contact = [`Contact: <${this.contact}>`];
    return answerTo(m, status, reason, `t${this.number}`, contact, body);
  }
}
