/**
 * One thread that plays every caller and every callee of a benchmark over UDP, TCP or TLS. sipgen.c is
 * faster, but speaks UDP only; this one compares transports, because it is the same for all of them.
 *
 *   caller --INVITE--> SUT --INVITE--> callee      callee answers 100, 180, 200 at once
 *   caller --ACK, BYE--> SUT --> callee            the call is hung up --hold ms after its 200
 *
 * Delays by RFC 6076: SRD INVITE to the first 180, SDD BYE to its 200, RRD REGISTER to its 200; and
 * set-up, INVITE to 200. Calls start evenly spaced; how late this thread was is reported. Nothing is
 * repeated over UDP: on a lossless LAN a lost answer is a failure.
 *
 *   node streamgen.ts --transport tcp --target 192.0.2.10:5060 --uac 192.0.2.1 --uas 192.0.2.2
 *     --rate 500 --secs 5 --users 20 [--hold ms] [--register] [--lines 10] [--established n]
 *
 * With --established the calls stay up until SIGTERM; a line {"established": n} says that they are.
 * Prints one line of JSON, as sipgen does.
 */

import { readFileSync } from 'node:fs';
import { createServer as tcpServer } from 'node:net';
import { createServer as tlsServer } from 'node:tls';
import { parseArgs } from 'node:util';
import { Line, type Transport } from './streamgen-line.ts';
import {
  bodyless,
  calleeAnswer,
  fieldOf,
  fieldsOf,
  type Names,
  requestText,
  SDP,
  uriOf,
} from './streamgen-sip.ts';

const text = (value: string) => ({ type: 'string', default: value }) as const;
const { values: o } = parseArgs({
  options: {
    transport: text('tcp'),
    target: text('192.0.2.10:5060'),
    uac: text('192.0.2.1'),
    uas: text('192.0.2.2'),
    'uas-port': text('5070'),
    rate: text('100'),
    secs: text('5'),
    users: text('20'),
    'first-user': text('1001'),
    hold: text('0'),
    lines: text('10'),
    established: text('0'),
    certificate: text(''),
    key: text(''),
    register: { type: 'boolean', default: false },
  },
});
const transport = o.transport as Transport;
const [targetIp = '', targetPort = '5060'] = o.target.split(':');
const rate = Number(o.rate);
const users = Number(o.users);
const firstUser = Number(o['first-user']);
const holdMs = Number(o.hold);
const established = Number(o.established);
const wanted = established > 0 ? established : Math.round(rate * Number(o.secs));
const GIVE_UP_MS = 8000;
const runId = Date.now().toString(36);

type Call = {
  began: number;
  byeAt: number;
  state: 'calling' | 'up' | 'ending' | 'done';
  to: string;
  uri: string;
  routes: string;
};

const calls: (Call | undefined)[] = [];
const failedWith: Record<string, number> = {};
const setups: number[] = [];
const srd: number[] = [];
const sdd: number[] = [];
const rrd: number[] = [];
const callee: Record<string, number> = {};
let ok = 0;
let failed = 0;
let made = 0;
let up = 0;
let peak = 0;
let lateMs = 0;

const now = (): number => performance.now();

// ── the caller ─────────────────────────────────────────────────────────────────────────────────

const callers: Line[] = [];

function names(i: number, line: Line): Names {
  const user = firstUser + (i % users);
  return {
    transport,
    here: line.here,
    branch: `${runId}-${i}`,
    from: `"Alice Liddell" <sip:1000@${targetIp}>;tag=f${runId}${i}`,
    to: `"Bob Example" <sip:${user}@${targetIp}>`,
    callId: `${i}-${runId}@${o.uac}`,
    contact: `<sip:1000@${line.here}${transport === 'udp' ? '' : `;transport=${transport}`}>`,
  };
}

function startCall(i: number): void {
  const line = callers[i % callers.length] as Line;
  calls[i] = { began: now(), byeAt: 0, state: 'calling', to: '', uri: '', routes: '' };
  const uri = `sip:${firstUser + (i % users)}@${targetIp}`;
  line.send(requestText('INVITE', uri, names(i, line), 'i', 1, '', SDP));
}

function fail(i: number, why: string): void {
  const call = calls[i];
  if (call === undefined || call.state === 'done') return;
  if (call.state !== 'calling') up -= 1;
  call.state = 'done';
  calls[i] = undefined;
  failed += 1;
  failedWith[why] = (failedWith[why] ?? 0) + 1;
}

function inside(i: number, call: Call, method: 'ACK' | 'BYE'): void {
  const line = callers[i % callers.length] as Line;
  const who = { ...names(i, line), to: call.to };
  const cseq = method === 'ACK' ? 1 : 2;
  line.send(
    requestText(method, call.uri, who, method === 'ACK' ? 'a' : 'b', cseq, call.routes, ''),
  );
}

function hangUp(i: number): void {
  const call = calls[i];
  if (call === undefined || call.state !== 'up') return;
  call.state = 'ending';
  call.byeAt = now();
  inside(i, call, 'BYE');
}

function callerHears(message: string, line: Line): void {
  if (!message.startsWith('SIP/2.0 ')) {
    line.send(bodyless(message, message.startsWith('OPTIONS') ? 200 : 481, ''));
    return;
  }
  const status = Number(message.slice(8, 11));
  const cseq = fieldOf(message, 'CSeq');
  const i = Number.parseInt(fieldOf(message, 'Call-ID'), 10);
  const call = calls[i];
  if (call === undefined) return;
  if (cseq.endsWith('BYE')) {
    if (call.state !== 'ending' || status < 200) return;
    if (status !== 200) {
      fail(i, `bye ${status}`);
      return;
    }
    sdd.push(now() - call.byeAt);
    call.state = 'done';
    calls[i] = undefined;
    up -= 1;
    ok += 1;
    return;
  }
  if (call.state !== 'calling') {
    if (status === 200) inside(i, call, 'ACK');
    return;
  }
  if (status < 200) {
    if (status > 100 && call.to === '') {
      call.to = fieldOf(message, 'To');
      srd.push(now() - call.began);
    }
    return;
  }
  if (status >= 300) {
    const who = { ...names(i, line), to: fieldOf(message, 'To') };
    const uri = `sip:${firstUser + (i % users)}@${targetIp}`;
    line.send(requestText('ACK', uri, who, 'i', 1, '', ''));
    fail(i, String(status));
    return;
  }
  setups.push(now() - call.began);
  call.state = 'up';
  up += 1;
  peak = Math.max(peak, up);
  call.to = fieldOf(message, 'To');
  call.uri = uriOf(fieldOf(message, 'Contact'));
  const routes = fieldsOf(message, 'Record-Route').reverse();
  call.routes = routes.map((r) => `Route: ${r}\r\n`).join('');
  inside(i, call, 'ACK');
  if (established > 0) return;
  if (holdMs === 0) hangUp(i);
  else setTimeout(() => hangUp(i), holdMs);
}

// ── the callee ─────────────────────────────────────────────────────────────────────────────────

function calleeHears(message: string, line: Line): void {
  const method = message.slice(0, message.indexOf(' '));
  callee[method] = (callee[method] ?? 0) + 1;
  if (method === 'INVITE') {
    const contact = `sip:callee@${line.here}${transport === 'udp' ? '' : `;transport=${transport}`}`;
    for (const status of [100, 180, 200]) line.send(calleeAnswer(message, status, contact));
  } else if (method === 'BYE' || method === 'OPTIONS') line.send(bodyless(message, 200, ''));
}

const registering = new Map<string, { at: number; done: () => void }>();

function registered(message: string): boolean {
  if (!fieldOf(message, 'CSeq').endsWith('REGISTER')) return false;
  const id = fieldOf(message, 'Call-ID');
  const waits = registering.get(id);
  if (waits === undefined) return true;
  registering.delete(id);
  if (!message.startsWith('SIP/2.0 200')) throw new Error(message.split('\r\n')[0]);
  rrd.push(now() - waits.at);
  waits.done();
  return true;
}

function answered(callId: string, send: () => void): Promise<void> {
  return new Promise((done) => {
    registering.set(callId, { at: now(), done });
    send();
  });
}

async function enrol(): Promise<void> {
  for (let u = 0; u < users; u += 1) {
    const line = await Line.connect(transport, o.uas, targetIp, Number(targetPort));
    line.onMessage = (m) => {
      if (m.startsWith('SIP/2.0')) registered(m);
      else calleeHears(m, line);
    };
    const user = firstUser + u;
    const self = `<sip:${user}@${targetIp}>`;
    const contact = `<sip:${user}@${line.here}${transport === 'udp' ? '' : `;transport=${transport}`}>`;
    const callId = `r${u}-${runId}`;
    const who = { transport, here: line.here, branch: `${runId}r${u}`, callId, contact };
    const from = { from: `${self};tag=r${u}`, to: self };
    // what a generator before this one registered is gone, and would be called all the same
    const forget = { ...who, ...from, contact: '*', branch: `${runId}u${u}` };
    await answered(callId, () =>
      line.send(requestText('REGISTER', `sip:${targetIp}`, forget, 'r', 1, 'Expires: 0\r\n', '')),
    );
    const extra = 'Expires: 3600\r\n';
    await answered(callId, () =>
      line.send(requestText('REGISTER', `sip:${targetIp}`, { ...who, ...from }, 'r', 2, extra, '')),
    );
  }
}

/** A callee at a port, for who is told where it is (Kamailio). */
async function listen(): Promise<void> {
  const port = Number(o['uas-port']);
  if (transport === 'udp') {
    const line = await Line.bind(o.uas, port, targetIp, Number(targetPort));
    line.onMessage = (m) => calleeHears(m, line);
    return;
  }
  const accept = (socket: import('node:net').Socket): void => {
    const line = Line.of(socket, `${o.uas}:${port}`);
    line.onMessage = (m) => calleeHears(m, line);
  };
  const server =
    transport === 'tls'
      ? tlsServer({ cert: readFileSync(o.certificate), key: readFileSync(o.key) }, accept)
      : tcpServer(accept);
  await new Promise<void>((done) => server.listen(port, o.uas, done));
}

// ── the run ────────────────────────────────────────────────────────────────────────────────────

function buckets(ms: readonly number[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const one of ms) {
    const us = one * 1000;
    const step = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, us))) - 6);
    const key = Math.round(us / step) * step;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => a[0] - b[0]);
}

function report(placedS: number, wallS: number): void {
  const cpu = process.cpuUsage();
  const line = {
    rate,
    calls: made,
    up,
    ok,
    failed,
    placed_s: placedS,
    wall_s: wallS,
    achieved_cps: ok / placedS,
    late_ms: lateMs,
    peak,
    repeats: { invite: 0, bye: 0, answer: 0 },
    callee,
    cpu_us: cpu.user + cpu.system,
    failed_with: failedWith,
    setup_us: buckets(setups),
    srd_us: buckets(srd),
    sdd_us: buckets(sdd),
    rrd_us: buckets(rrd),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`, () => process.exit(0));
}

for (let i = 0; i < Number(o.lines); i += 1) {
  const line = await Line.connect(transport, o.uac, targetIp, Number(targetPort));
  line.onMessage = (m) => callerHears(m, line);
  callers.push(line);
}
if (o.register) await enrol();
else await listen();

const began = now();
let placedAt = 0;
let hanging = false;
const finish = (): void => {
  clearInterval(ticker);
  report((placedAt - began) / 1000, (now() - began) / 1000);
};
const ticker = setInterval(() => {
  const at = now();
  while (made < wanted && began + (made * 1000) / rate <= at) {
    lateMs = Math.max(lateMs, at - (began + (made * 1000) / rate));
    startCall(made);
    made += 1;
    if (made === wanted) placedAt = now();
  }
  const oldest = Math.max(0, made - Math.ceil(rate * (GIVE_UP_MS / 1000 + 2)));
  for (let i = oldest; i < made; i += 1) {
    const call = calls[i];
    if (call === undefined) continue;
    if (call.state === 'calling' && at - call.began > GIVE_UP_MS) fail(i, 'no answer to INVITE');
    if (call.state === 'ending' && at - call.byeAt > GIVE_UP_MS) fail(i, 'no answer to BYE');
  }
  if (made < wanted) return;
  if (established > 0 && !hanging) {
    if (up + failed < wanted) return;
    hanging = true;
    process.stdout.write(`{"established": ${up}}\n`);
    process.once('SIGTERM', () => {
      for (let i = 0; i < made; i += 1) hangUp(i);
    });
    return;
  }
  if (ok + failed === wanted) finish();
}, 1);
