/**
 * OPTIONS to the VIP every millisecond, on the host `lan`: what a client sees of a switchover. It
 * never retransmits. Commands are lines on standard input:
 *
 *   mark            → {"at": T}
 *   since T         → {"from": T1, "to": T2, "lost": n}   the longest time between two answers that
 *                     ended after T (or has not ended), in ms of CLOCK_MONOTONIC, and the pings of
 *                     that time that were never answered
 *
 * Times are of answers as they arrived, so a pause of this program would count as an outage: it runs
 * with real-time priority where that is allowed, and `ticksLate` tells how late it ever was.
 */

import { createInterface } from 'node:readline';
import { isOsError, netlite } from '../../../src/edge/native/netlite.ts';
import { UdpSocket } from '../../../src/edge/udp.ts';

const SERVER = { address: '192.0.2.10', port: 5060 };
const LOCAL = '192.0.2.2';
const EVERY_MS = 1;
/** Two minutes of answers. */
const KEPT = 120_000;

const now = (): number => netlite.monotonic();

const local = process.argv[2] ?? LOCAL;
const opened = UdpSocket.open({ ip: local, port: 0, slots: 256, maxDatagram: 2048 });
if (isOsError(opened)) throw new Error(`${opened.call}: ${opened.osError}`);
const socket = opened;
netlite.setFifo(0, 10);

const head = `OPTIONS sip:${SERVER.address} SIP/2.0\r\nVia: SIP/2.0/UDP ${local}:${socket.port};branch=z9hG4bKp`;
const rest =
  `;rport\r\nMax-Forwards: 70\r\nFrom: <sip:ping@${local}>;tag=p\r\nTo: <sip:${SERVER.address}>\r\n` +
  `Call-ID: ping-${process.pid}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`;

/** When ping i (its place in the ring) was sent and answered; 0: not. */
const sentAt = new Float64Array(KEPT);
const answeredAt = new Float64Array(KEPT);
/** Arrival times in order. */
const arrivals: number[] = [];
let sent = 0;
let refused = 0;
let ticksLate = 0;
const began = now();

function tick(): void {
  const t = now();
  const due = Math.floor((t - began) / EVERY_MS);
  ticksLate = Math.max(ticksLate, due - sent);
  // After a pause of our own there is nothing to gain from a burst.
  if (due - sent > 5) sent = due - 1;
  for (; sent < due; sent++) {
    sentAt[sent % KEPT] = t;
    answeredAt[sent % KEPT] = 0;
    socket.queue(`${head}${sent}${rest}`, SERVER.address, SERVER.port);
  }
  socket.flush();
  setTimeout(tick, EVERY_MS);
}

socket.onReadable(() => {
  const t = now();
  socket.receive((text) => {
    const i = Number(/branch=z9hG4bKp(\d+)/.exec(text)?.[1] ?? -1);
    if (i < 0) return;
    if (!text.startsWith('SIP/2.0 200')) refused++;
    answeredAt[i % KEPT] = t;
    arrivals.push(t);
  });
  if (arrivals.length > KEPT) arrivals.splice(0, arrivals.length - KEPT / 2);
});

export type Outage = {
  readonly from: number;
  readonly to: number;
  readonly ms: number;
  readonly lost: number;
  readonly refused: number;
  readonly ticksLate: number;
};

function since(from: number): Outage {
  const t = now();
  let longest: readonly [number, number] = [from, from];
  let last = arrivals.findLast((a) => a < from) ?? from;
  for (const a of [...arrivals.filter((x) => x >= from), t]) {
    if (a - last > longest[1] - longest[0]) longest = [last, a];
    last = a;
  }
  let lost = 0;
  for (let i = Math.max(0, sent - KEPT); i < sent; i++) {
    const at = sentAt[i % KEPT] as number;
    if (at >= from && at < t - 500 && answeredAt[i % KEPT] === 0) lost++;
  }
  const [a, b] = longest;
  const late = ticksLate;
  ticksLate = 0;
  return { from: a, to: b, ms: b - a, lost, refused, ticksLate: late };
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [word, value] = line.split(' ');
  const answer = word === 'since' ? since(Number(value)) : { at: now() };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
lines.on('close', () => process.exit(0));
tick();
