/**
 * The demo phones as a process of their own, on the host `lan`: registers phones, keeps them
 * calling, pings the VIP, watches both boxes' control sockets for switchovers, and writes one JSON
 * line for everything (`phones` each --every ms, `switchover`, `call` when one fails or is lost).
 */

import { parseArgs } from 'node:util';
import { statusOf, tookMs } from './control.ts';
import { Demo, PACE } from './demo.ts';
import { Pinger } from './pinger.ts';
import { EXTENSIONS, HOST_ADDRESS, PHONE_ADDRESSES, SIP_PORT, VIP } from './places.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '20' },
    control: { type: 'string', multiple: true, default: [] },
    auth: { type: 'boolean', default: false },
    'ping-ms': { type: 'string', default: '5' },
    every: { type: 'string', default: '1000' },
  },
});

/** How often the control sockets are read, ms. */
const WATCH_MS = 100;
/** A switchover is judged when the VIP has answered again for so long, ms. */
const SETTLED_MS = 1000;

const server = { address: VIP, port: SIP_PORT };

function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function phoneSettings(index: number) {
  const number = String(EXTENSIONS.from + index);
  const address = PHONE_ADDRESSES[index % PHONE_ADDRESSES.length] ?? HOST_ADDRESS;
  // More phones than addresses share one, at ports of their own.
  const port = SIP_PORT + Math.floor(index / PHONE_ADDRESSES.length);
  const password = values.auth ? `pw-${number}` : undefined;
  return { number, address, port, server, password, expires: 120 };
}

const demo = new Demo({
  phones: Array.from({ length: Math.min(1000, Number(values.count)) }, (_, i) => phoneSettings(i)),
  pace: PACE,
  event: (event) => write({ ...event, at: Date.now() }),
});
const pinger = new Pinger(HOST_ADDRESS, server, Math.max(1, Number(values['ping-ms'])));

/** The reign the phones believe in, and when its primary was last seen. */
let reign = { epoch: 0, seenAt: 0 };

type Judging = { readonly from: number; readonly since: number; readonly line: object };
const judging: Judging[] = [];

async function watch(): Promise<void> {
  const statuses = await Promise.all(
    values.control.map((path) => statusOf(path, { timeoutMs: 300 })),
  );
  const now = Date.now();
  for (const status of statuses) {
    if (status?.role !== 'primary' || status.epoch === undefined) continue;
    if (status.epoch < reign.epoch) continue;
    const before = reign;
    reign = { epoch: status.epoch, seenAt: now };
    if (before.epoch === 0 || status.epoch === before.epoch) continue;
    const carried = demo.crossed(before.seenAt);
    const { box, epoch, cause, lastSwitchover } = status;
    const took = tookMs(lastSwitchover);
    const line = { box, epoch, cause: lastSwitchover?.cause ?? cause, tookMs: took, carried };
    judging.push({ from: before.seenAt, since: now, line });
  }
  judge(now);
}

function judge(now: number): void {
  const first = judging[0];
  if (first === undefined || now - first.since < SETTLED_MS || pinger.openMs() > 200) return;
  judging.shift();
  const outageMs = Math.round(pinger.longestSince(first.from) * 10) / 10;
  write({ type: 'switchover', at: first.since, ...first.line, outageMs });
}

function report(): void {
  const counts = demo.counts();
  const round = (ms: number) => Math.round(ms * 10) / 10;
  write({
    type: 'phones',
    at: Date.now(),
    ...counts,
    ping: {
      sent: pinger.sent,
      answered: pinger.answered,
      refused: pinger.refused,
      worstMs: round(pinger.worstMs()),
      silentMs: round(pinger.openMs()),
    },
  });
}

async function main(): Promise<void> {
  await demo.start();
  await pinger.start();
  setInterval(report, Math.max(50, Number(values.every)));
  let watching = false;
  setInterval(() => {
    if (watching) return;
    watching = true;
    watch().finally(() => {
      watching = false;
    });
  }, WATCH_MS);
}

for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
  process.on(name, () => process.exit(0));
// The one who reads is gone.
process.stdout.on('error', () => process.exit(0));
await main();
