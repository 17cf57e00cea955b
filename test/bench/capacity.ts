/**
 * How much one pair holds, and what it costs: 10 000 registrations with two rounds of refreshes, then
 * 5000 calls up at once. Memory is the proportional set size of the whole box (both threads, the
 * database's cache, the young generation of the collector), before and after, divided by the number:
 * an upper bound, and honest, for that is what the appliance must have.
 *
 *   ./build.sh bench capacity [--registrations 10000] [--calls 5000] [--rate 1000]
 */

import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Generator } from './generator.ts';
import { describeMachine, run, sleep } from './machine.ts';
import { CALLEES, makePlace, removePlaces, removeStale, VIP } from './place.ts';
import { Sipair } from './sipair.ts';
import type { Subject } from './subject.ts';

const text = (value: string) => ({ type: 'string', default: value }) as const;
const { values } = parseArgs({
  options: {
    registrations: text('10000'),
    calls: text('5000'),
    rate: text('1000'),
    /** Inside the namespace: registers so many, prints one line. */
    register: { type: 'string' },
  },
});

const FIRST = 2000;

/** Registers `count` extensions at `rate` a second from one socket. @returns their delays, ms. */
function register(count: number, rate: number, round: number): Promise<readonly number[]> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 8 << 20 });
  const sent = new Map<number, number>();
  const delays: number[] = [];
  return new Promise((done, fail) => {
    socket.on('message', (bytes) => {
      const m = bytes.toString('latin1');
      if (!m.startsWith('SIP/2.0 200')) return fail(new Error(m.split('\r\n')[0]));
      const n = Number(/\r\nCall-ID: c(\d+)/.exec(m)?.[1]);
      delays.push(performance.now() - (sent.get(n) ?? 0));
      if (delays.length === count) {
        clearInterval(timer);
        socket.close(() => done(delays));
      }
    });
    let made = 0;
    let began = 0;
    let timer: NodeJS.Timeout;
    socket.bind(6000 + round, CALLEES, () => {
      began = performance.now();
      timer = setInterval(() => {
        const due = Math.min(count, Math.floor(((performance.now() - began) * rate) / 1000));
        for (; made < due; made += 1) {
          sent.set(made, performance.now());
          const user = FIRST + made;
          const message =
            `REGISTER sip:${VIP} SIP/2.0\r\nVia: SIP/2.0/UDP ${CALLEES}:${6000 + round};branch=z9hG4bK${round}-${made};rport\r\n` +
            `Max-Forwards: 70\r\nFrom: <sip:${user}@${VIP}>;tag=t${made}\r\nTo: <sip:${user}@${VIP}>\r\n` +
            `Call-ID: c${made}-capacity\r\nCSeq: ${round} REGISTER\r\n` +
            `Contact: <sip:${user}@${CALLEES}:5070>;expires=3600\r\nUser-Agent: capacity/1.0\r\n` +
            'Content-Length: 0\r\n\r\n';
          socket.send(message, 5060, VIP);
        }
        if (performance.now() - began > (count / rate) * 1000 + 10_000) {
          fail(new Error(`${count - delays.length} registrations unanswered`));
        }
      }, 1);
    });
  });
}

function quantile(ms: readonly number[], q: number): number {
  const sorted = [...ms].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0;
}

type Memory = { readonly primary: number; readonly backup: number };

async function memory(pair: Subject): Promise<Memory> {
  // most of what was in flight is let go, and the disk has what it is to have
  await sleep(15_000);
  const { primary, backup } = await pair.boxes();
  return {
    primary: await pair.memory(primary),
    backup: backup === undefined ? 0 : await pair.memory(backup),
  };
}

function each(before: Memory, after: Memory, count: number): string {
  const kb = (a: number, b: number): string => (((b - a) * 1024) / count).toFixed(2);
  return (
    `primary ${before.primary.toFixed(0)} to ${after.primary.toFixed(0)} MB (${kb(before.primary, after.primary)} kB each), ` +
    `backup ${before.backup.toFixed(0)} to ${after.backup.toFixed(0)} MB (${kb(before.backup, after.backup)} kB each)`
  );
}

async function capacity(): Promise<void> {
  const [count, calls, rate] = [values.registrations, values.calls, values.rate].map(Number);
  if (count === undefined || calls === undefined || rate === undefined) return;
  await removeStale();
  const machine = describeMachine();
  console.log(
    `${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${process.versions.node}`,
  );
  const folder = mkdtempSync(`${tmpdir()}/sipair-bench-${process.pid}-`);
  const options = { alone: false, redundancy: 'hot-standby', profile: undefined } as const;
  const pair = new Sipair(await makePlace('c'), folder, {
    ...options,
    users: [1000, FIRST + count],
  });
  try {
    await pair.start();
    const generator = await Generator.build(folder);
    // compilers and pools are warm before anything is weighed
    const load = { rate: 500, secs: 5, users: 20, holdMs: 0, register: true };
    await generator.place(pair.lan, load);
    const empty = await memory(pair);
    for (const round of [1, 2, 3]) {
      const self = fileURLToPath(import.meta.url);
      const ask = [
        '--register',
        String(round),
        '--registrations',
        String(count),
        '--rate',
        String(rate),
      ];
      const line = await run('ip', ['netns', 'exec', pair.lan, process.execPath, self, ...ask]);
      console.log(
        `${count} ${round === 1 ? 'registrations' : 'refreshes'} at ${rate}/s: ${line.trim()}`,
      );
    }
    const registered = await memory(pair);
    console.log(`${count} registrations up: ${each(empty, registered, count)}`);
    await generator.hold(pair.lan, { ...load, rate: 500, register: false }, calls, async () => {
      const up = await memory(pair);
      console.log(
        `${calls} calls up: ${each(registered, up, calls)}; ${await pair.proveMirror(calls)}`,
      );
    });
    console.log(`${calls} calls hung up: ${each(registered, await memory(pair), calls)}`);
  } finally {
    await pair.stop();
    await removePlaces();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.register === undefined) await capacity();
else {
  const delays = await register(
    Number(values.registrations),
    Number(values.rate),
    Number(values.register),
  );
  console.log(
    `RRD p50 ${quantile(delays, 0.5).toFixed(2)} ms, p99 ${quantile(delays, 0.99).toFixed(2)} ms`,
  );
}
