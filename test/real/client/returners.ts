/**
 * Phones that are registered over connections and come back by themselves when those die; how long it
 * took each is what is measured. Runs on the host `lan`.
 *
 *   node returners.ts TRANSPORT COUNT
 *
 * Lines in: "mark" begins to measure, "how" asks who is missing.
 * Lines out: {"registered": N} when all are, {"lost": N} and {"back": [ms, ...]} when, after a loss,
 * all are registered again (ms since the line {"mark"} came in), and what went wrong in between.
 */

import { connect as connectTcp, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls, type TLSSocket } from 'node:tls';

const [transport = 'tls', countText = '500'] = process.argv.slice(2);
const count = Number(countText);
const VIP = '192.0.2.10';
const PORT = transport === 'tls' ? 5061 : 5060;
/** As many phones share an address of the host. */
const PER_ADDRESS = 25;
/** A phone that finds nobody tries again after this, ms. */
const RETRY_MS = 200;

const say = (value: object): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`);
};

let markedAt = 0;
let lost = 0;
let resumed = 0;
let retries = 0;
let registered = 0;
let back: number[] = [];

class Returner {
  readonly number: number;
  readonly ip: string;
  #cseq = 0;
  #session: Buffer | undefined;
  up = false;
  /** Its connection died since the mark. */
  noticed = false;
  /** What it did last, for who wonders. */
  state = '';
  #first = true;
  #text = '';

  constructor(i: number) {
    this.number = 1000 + i;
    this.ip = `192.0.2.${20 + Math.floor(i / PER_ADDRESS)}`;
  }

  connect(): void {
    this.state = 'connects';
    const raw = connectTcp({ host: VIP, port: PORT, localAddress: this.ip });
    const socket = transport === 'tls' ? this.#secure(raw) : raw;
    let over = false;
    const end = (): void => {
      if (over) return;
      over = true;
      socket.destroy();
      raw.destroy();
      this.#lost();
    };
    for (const one of new Set<Socket>([raw, socket])) {
      one.on('error', end);
      one.on('close', end);
      one.on('end', end);
    }
    socket.on('data', (bytes: Buffer) => this.#got(bytes.toString('latin1')));
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      if (transport === 'tls' && (socket as TLSSocket).isSessionReused()) resumed += 1;
      this.#cseq += 1;
      this.state = `registers from ${socket.localPort}`;
      socket.write(this.#register(socket.localPort ?? 0));
    });
  }

  #secure(raw: Socket): TLSSocket {
    const session = this.#session === undefined ? {} : { session: this.#session };
    const tls = connectTls({ socket: raw, rejectUnauthorized: false, ...session });
    tls.on('session', (bytes: Buffer) => {
      this.#session = bytes;
    });
    return tls;
  }

  #register(port: number): string {
    const me = `sip:${this.number}@${VIP}`;
    return (
      `REGISTER sip:${VIP} SIP/2.0\r\n` +
      `Via: SIP/2.0/${transport.toUpperCase()} ${this.ip}:${port};branch=z9hG4bK${this.number}${this.#cseq}\r\n` +
      `Max-Forwards: 70\r\nFrom: <${me}>;tag=${this.number}\r\nTo: <${me}>\r\nCall-ID: r${this.number}\r\n` +
      `CSeq: ${this.#cseq} REGISTER\r\nSupported: outbound\r\nExpires: 600\r\n` +
      `Contact: <sip:${this.number}@${this.ip}:${port};transport=${transport}>` +
      `;+sip.instance="<urn:uuid:${this.number}>";reg-id=1\r\nContent-Length: 0\r\n\r\n`
    );
  }

  #got(text: string): void {
    this.#text += text;
    if (!this.#text.includes('\r\n\r\n')) return;
    const ok = this.#text.startsWith('SIP/2.0 200 ');
    if (!ok) say({ error: this.#text.slice(0, this.#text.indexOf('\r\n')) });
    this.#text = '';
    if (!ok || this.up) return;
    this.up = true;
    if (this.#first) {
      this.#first = false;
      registered += 1;
      if (registered === count) say({ registered });
      return;
    }
    back.push(Math.round(performance.now() - markedAt));
    if (back.length === count) {
      say({ back, lost, resumed, retries });
      back = [];
    }
  }

  #lost(): void {
    this.#text = '';
    this.state = 'waits';
    if (this.up) lost += 1;
    if (this.up) this.noticed = true;
    else retries += 1;
    const wait = this.up ? 0 : RETRY_MS;
    this.up = false;
    setTimeout(() => this.connect(), wait);
  }
}

const all = Array.from({ length: count }, (_, i) => new Returner(i));
for (const [i, one] of all.entries()) setTimeout(() => one.connect(), 4 * i);

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line === 'how') {
    const missing = all
      .filter((one) => !one.up || !one.noticed)
      .map((one) => `${one.number} ${one.state}`);
    const words = missing.slice(0, 10).join(', ');
    say({
      missing: `${missing.length} of ${count}, ${lost} noticed, ${back.length} back: ${words}`,
    });
    return;
  }
  markedAt = performance.now();
  for (const one of all) one.noticed = false;
  lost = 0;
  resumed = 0;
  retries = 0;
});
lines.on('close', () => process.exit(0));
