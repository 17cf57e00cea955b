/**
 * Measures what the basic call (INVITE 100 180 200 ACK BYE 200 with SDP) costs the engine alone: two
 * engines in one process, no sockets, no threads, no disk but a counter. What a call costs here is
 * what a turn computes: parsing, rows, journal, gate; of the backup: verifying and applying.
 *
 * Processor time is that of this thread alone, so that other work on the machine does not count;
 * what it does to the caches does. So two revisions are compared in one process, turn about, by
 * `--against`: the folder of another working tree; the middle one of all rounds counts.
 *
 * To repeat: `./build.sh bench engine [--calls N] [--turn N] [--rounds N] [--streams] [--held]
 * [--csta] [--against FOLDER] [--profile FILE] [--json]`; --calls: of one round; --turn: calls that
 * share one turn; --held: memory of calls and registrations instead; --csta: without programs, with
 * them and nobody who watches, and with a monitor of everything, turn about.
 */

import { writeFileSync } from 'node:fs';
import { type Profiler, Session } from 'node:inspector';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { getHeapStatistics } from 'node:v8';
import { MONITOR } from '../../src/call/csta/rows.ts';
import type { Outgoing } from '../../src/effect.ts';
import type { EngineInput } from '../../src/input.ts';
import { eachChange } from '../../src/ledger/batch.ts';
import { OP_INSERT, OP_REMOVE, OP_UPDATE, Reader } from '../../src/ledger/codec.ts';
import type { Engine, EngineEffects } from '../../src/node.ts';

/** What is measured of a revision. */
type Revision = {
  readonly chance: typeof import('../../src/base/chance.ts');
  readonly image: typeof import('../../src/ledger/image.ts');
  readonly node: typeof import('../../src/node.ts');
  readonly pair: typeof import('../unit/engine-pair.ts');
};

async function load(folder: string): Promise<Revision> {
  return {
    chance: await import(`${folder}/src/base/chance.ts`),
    image: await import(`${folder}/src/ledger/image.ts`),
    node: await import(`${folder}/src/node.ts`),
    pair: await import(`${folder}/test/unit/engine-pair.ts`),
  };
}

/** Processor time of this thread, microseconds. */
function cpu(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** One engine with everything it said counted, and its processor time. */
class Box {
  readonly engine: Engine;
  readonly out: EngineEffects;
  inputs: EngineInput[] = [];
  us = 0;
  /** Bytes allocated in turns during which nothing was collected, and how many turns those were. */
  bytes = 0;
  counted = 0;
  turns = 0;
  journal = 0;
  disk = 0;
  diskRows = 0;
  measures = false;

  constructor(of: Revision, name: 'a' | 'b', seed: number, csta: boolean) {
    const base = of.pair.settings(name, 'hot-standby');
    // Transactions end ten times sooner: the tables are as full as at a tenth of the rate.
    const sip = { ...base.sip, t1: 50, t2: 400, t4: 500, userTo: 11_999, csta };
    const loaded = new of.image.Image().load(1_790_000_000_000);
    this.engine = new of.node.Engine({ ...base, sip }, loaded, of.chance.seeded(seed), 1000);
    this.out = new of.node.EngineEffects();
  }

  turn(now: number): void {
    const { inputs, out } = this;
    this.inputs = [];
    const heap = this.measures ? getHeapStatistics().used_heap_size : 0;
    const from = cpu();
    this.engine.step(now, Number.POSITIVE_INFINITY, inputs, out);
    this.us += cpu() - from;
    this.turns += 1;
    if (this.measures) {
      const grown = getHeapStatistics().used_heap_size - heap;
      if (grown >= 0) {
        this.bytes += grown;
        this.counted += 1;
      }
    }
  }

  forget(): void {
    for (const f of ['us', 'bytes', 'counted', 'turns', 'journal', 'disk', 'diskRows'] as const) {
      this[f] = 0;
    }
  }
}

class Pair {
  now = 1000;
  readonly a: Box;
  readonly b: Box;
  /** Calls made so far. */
  calls = 0;
  sent: Outgoing[] = [];

  constructor(of: Revision, csta = true) {
    this.a = new Box(of, 'a', 1, csta);
    this.b = new Box(of, 'b', 2, csta);
    this.a.inputs.push({ kind: 'tick' });
    this.b.inputs.push({ kind: 'tick' });
    this.settle();
    this.a.inputs.push({ kind: 'order', order: { kind: 'reign', epoch: 1, cause: 'cold-start' } });
    this.settle();
    this.a.inputs.push({ kind: 'order', order: { kind: 'speak', epoch: 1 } });
    this.b.inputs.push({ kind: 'order', order: { kind: 'follow', epoch: 1 } });
    this.settle();
    this.a.inputs.push({ kind: 'link-up' });
    this.b.inputs.push({ kind: 'link-up' });
    this.settle();
    this.advance(2000);
    if (!this.a.engine.standing.inStep) throw new Error('the pair is not in step');
  }

  settle(): void {
    for (let i = 0; i < 200; i += 1) {
      const moved = this.one(this.a, this.b);
      if (!this.one(this.b, this.a) && !moved) return;
    }
    throw new Error('does not settle');
  }

  private one(box: Box, other: Box): boolean {
    if (box.inputs.length === 0 && box.engine.deadline() > this.now) return false;
    box.turn(this.now);
    const { out } = box;
    for (const bytes of out.link) {
      box.journal += bytes.length;
      other.inputs.push({ kind: 'link-data', bytes: Buffer.from(bytes) });
    }
    for (const batch of out.persist) {
      box.disk += batch.bytes.length;
      eachChange(batch.bytes, () => {
        box.diskRows += 1;
      });
      box.inputs.push({ kind: 'synced', ticket: batch.ticket, flashBytes: 0 });
    }
    for (const send of out.sends) this.sent.push(send);
    out.clear();
    return true;
  }

  advance(ms: number): void {
    for (let i = 0; i < ms; i += 10) {
      this.now += 10;
      this.a.inputs.push({ kind: 'tick' });
      this.b.inputs.push({ kind: 'tick' });
      this.settle();
    }
  }

  take(): Outgoing[] {
    const { sent } = this;
    this.sent = [];
    return sent;
  }
}

const VIP = '192.0.2.10';
const SDP =
  'v=0\r\no=alice 2890844526 2890844526 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n' +
  'm=audio 49170 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n' +
  'a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n';
const PLAIN = 'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nSupported: replaces\r\n';
const CALLER = '198.51.100.1';
const CALLEE = '198.51.100.2';

let transport: 'udp' | 'tcp' = 'udp';

function input(ip: string, port: number, text: string): EngineInput {
  return { kind: 'sip', transport, ip, port, text };
}

function field(m: string, name: string): string {
  const from = m.indexOf(`\r\n${name}: `) + name.length + 4;
  return m.slice(from, m.indexOf('\r\n', from));
}

function via(ip: string, port: number, branch: string): string {
  return `Via: SIP/2.0/${transport.toUpperCase()} ${ip}:${port};branch=z9hG4bK${branch};rport\r\n`;
}

function register(i: number): EngineInput {
  const user = 1000 + i;
  return input(
    CALLEE,
    5060,
    `REGISTER sip:${VIP} SIP/2.0\r\n${via(CALLEE, 5060, `r${i}`)}Max-Forwards: 70\r\n` +
      `From: <sip:${user}@${VIP}>;tag=r${i}\r\nTo: <sip:${user}@${VIP}>\r\n` +
      `Call-ID: reg${i}@${CALLEE}\r\nCSeq: 1 REGISTER\r\n` +
      `Contact: <sip:${user}@${CALLEE}:5060;transport=${transport}>\r\nExpires: 7200\r\n` +
      'User-Agent: bench\r\nContent-Length: 0\r\n\r\n',
  );
}

function invite(n: number): EngineInput {
  const user = 1000 + (n % 100);
  return input(
    CALLER,
    5060,
    `INVITE sip:${user}@${VIP} SIP/2.0\r\n${via(CALLER, 5060, `i${n}`)}Max-Forwards: 70\r\n` +
      `From: "Alice Example" <sip:1500@${VIP}>;tag=f${n}\r\n` +
      `To: "Bob Example" <sip:${user}@${VIP}>\r\nCall-ID: call${n}@${CALLER}\r\n` +
      `CSeq: 1 INVITE\r\nContact: <sip:1500@${CALLER}:5060>\r\nUser-Agent: bench\r\n${PLAIN}` +
      `Content-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`,
  );
}

function reply(m: string, status: number, tagged: boolean, body: string): EngineInput {
  const phrase = status === 100 ? 'Trying' : status === 180 ? 'Ringing' : 'OK';
  const to = field(m, 'To');
  const tag = tagged && !to.includes(';tag=') ? `;tag=t${field(m, 'Call-ID').slice(0, 10)}` : '';
  const more =
    status === 100 || field(m, 'CSeq').endsWith('BYE')
      ? ''
      : `Contact: <sip:${/sip:(\d+)@/.exec(m)?.[1]}@${CALLEE}:5060;transport=${transport}>\r\n${PLAIN}`;
  return input(
    CALLEE,
    5060,
    `SIP/2.0 ${status} ${phrase}\r\nVia: ${field(m, 'Via')}\r\nFrom: ${field(m, 'From')}\r\n` +
      `To: ${to}${tag}\r\nCall-ID: ${field(m, 'Call-ID')}\r\nCSeq: ${field(m, 'CSeq')}\r\n${more}` +
      (body === '' ? '' : 'Content-Type: application/sdp\r\n') +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** ACK or BYE of the caller: `m` is the 200 he got. */
function within(m: string, method: 'ACK' | 'BYE', cseq: number): EngineInput {
  const target = field(m, 'Contact').slice(1, -1);
  const callId = field(m, 'Call-ID');
  return input(
    CALLER,
    5060,
    `${method} ${target} SIP/2.0\r\n${via(CALLER, 5060, `${method}${callId}`)}Max-Forwards: 70\r\n` +
      `From: ${field(m, 'From')}\r\nTo: ${field(m, 'To')}\r\nCall-ID: ${callId}\r\n` +
      `CSeq: ${cseq} ${method}\r\nContent-Length: 0\r\n\r\n`,
  );
}

/** `count` calls that go in step: each round's messages share one turn. @returns 200s of callees. */
function establish(pair: Pair, from: number, count: number): Outgoing[] {
  for (let n = from; n < from + count; n += 1) pair.a.inputs.push(invite(n));
  pair.settle();
  const invites = pair.take().filter((s) => s.text.startsWith('INVITE '));
  if (invites.length !== count) throw new Error(`${invites.length} INVITEs of ${count}`);
  for (const s of invites) pair.a.inputs.push(reply(s.text, 100, false, ''));
  pair.settle();
  for (const s of invites) pair.a.inputs.push(reply(s.text, 180, true, ''));
  pair.settle();
  for (const s of invites) pair.a.inputs.push(reply(s.text, 200, true, SDP));
  pair.settle();
  const answers = pair.take().filter((s) => s.text.startsWith('SIP/2.0 200 '));
  if (answers.length !== count) throw new Error(`${answers.length} answers of ${count}`);
  for (const s of answers) pair.a.inputs.push(within(s.text, 'ACK', 1));
  pair.settle();
  return answers;
}

function calls(pair: Pair, from: number, count: number): void {
  const answers = establish(pair, from, count);
  pair.take();
  for (const s of answers) pair.a.inputs.push(within(s.text, 'BYE', 2));
  pair.settle();
  const said = pair.take();
  for (const s of said) {
    if (s.text.startsWith('BYE ')) pair.a.inputs.push(reply(s.text, 200, false, ''));
  }
  pair.settle();
  pair.take();
  const done = said.filter((s) => s.text.startsWith('SIP/2.0 200 '));
  if (done.length !== count) throw new Error(`${done.length} calls of ${count} ended`);
}

type Figures = { readonly [name: string]: number };

function measure(pair: Pair, total: number, turn: number): Figures {
  const { a, b } = pair;
  a.forget();
  b.forget();
  for (let n = 0; n < total; n += turn) {
    calls(pair, pair.calls, turn);
    pair.calls += turn;
    pair.advance(10);
  }
  const per = (x: number): number => Math.round((x / total) * 100) / 100;
  const allocated = (box: Box): number =>
    Math.round((box.bytes * box.turns) / Math.max(1, box.counted) / total);
  return {
    primaryUs: per(a.us),
    backupUs: per(b.us),
    primaryBytes: allocated(a),
    backupBytes: allocated(b),
    journalBytes: Math.round(a.journal / total),
    diskBytes: Math.round(a.disk / total),
    diskRows: per(a.diskRows),
  };
}

/** Rows a basic call writes: what the journal of `count` calls holds, by operation and table. */
function census(pair: Pair): Figures {
  pair.advance(20_000);
  const rows: { [name: string]: number } = {};
  const tables = pair.a.engine.ledger.tables.byNumber;
  const count = 10;
  const { ledger } = pair.b.engine;
  const apply = ledger.applyOps.bind(ledger);
  ledger.applyOps = (bytes, from, end, strict) => {
    const r = new Reader().over(bytes, from, end);
    while (r.off < end) {
      const start = r.off;
      const op = r.u8();
      const name = tables[r.u8()]?.compiled.spec.name ?? '?';
      r.varint();
      if (op !== OP_REMOVE) {
        const length = r.u32();
        r.off += length;
      }
      const word = op === OP_INSERT ? 'insert' : op === OP_UPDATE ? 'patch' : 'remove';
      rows[`${name} ${word}`] = (rows[`${name} ${word}`] ?? 0) + 1 / count;
      rows[`${name} ${word} bytes`] =
        (rows[`${name} ${word} bytes`] ?? 0) + (r.off - start) / count;
    }
    return apply(bytes, from, end, strict);
  };
  calls(pair, pair.calls, count);
  pair.advance(20_000);
  ledger.applyOps = apply;
  return rows;
}

function heapUsed(): number {
  (globalThis as { gc?: () => void }).gc?.();
  (globalThis as { gc?: () => void }).gc?.();
  return getHeapStatistics().used_heap_size;
}

/** Heap of what is held, of both boxes together. */
function held(of: Revision): Figures {
  const REGISTRATIONS = 10_000;
  const CALLS = 5000;
  const pair = new Pair(of);
  const settleAll = (): void => {
    pair.advance(40_000);
    pair.take();
  };
  settleAll();
  const empty = heapUsed();
  for (let i = 0; i < REGISTRATIONS; i += 50) {
    for (let k = i; k < i + 50; k += 1) pair.a.inputs.push(register(k));
    pair.settle();
    pair.take();
  }
  settleAll();
  const registered = heapUsed();
  for (let n = 0; n < CALLS; n += 50) {
    establish(pair, n, 50);
    pair.take();
  }
  settleAll();
  const talking = heapUsed();
  const { tables } = pair.a.engine.ledger;
  const counts: { [name: string]: number } = {};
  for (const t of tables.list)
    if (t.rows.size > 0) counts[`${t.compiled.spec.name}s`] = t.rows.size;
  return {
    pairBytesPerRegistration: Math.round((registered - empty) / REGISTRATIONS),
    pairBytesPerCall: Math.round((talking - registered) / CALLS),
    ...counts,
  };
}

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '800' },
    turn: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '25' },
    streams: { type: 'boolean', default: false },
    held: { type: 'boolean', default: false },
    csta: { type: 'boolean', default: false },
    against: { type: 'string' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

function print(figures: Figures): void {
  if (values.json) {
    console.log(JSON.stringify(figures));
    return;
  }
  for (const [name, n] of Object.entries(figures)) {
    console.log(`${name.padEnd(28)} ${Math.round(n * 100) / 100}`);
  }
}

function middle(rounds: readonly Figures[]): Figures {
  const out: { [name: string]: number } = {};
  for (const name of Object.keys(rounds[0] as Figures)) {
    const sorted = rounds.map((r) => r[name] as number).sort((a, b) => a - b);
    out[name] = sorted[sorted.length >> 1] as number;
  }
  return out;
}

function prepared(of: Revision, csta = true): Pair {
  const pair = new Pair(of, csta);
  for (let i = 0; i < 100; i += 1) pair.a.inputs.push(register(i));
  pair.settle();
  pair.take();
  return pair;
}

/** Rounds of all pairs, turn about. @returns the middle figures of each. */
function compare(pairs: readonly Pair[]): Figures[] {
  const total = Number(values.calls);
  const turn = Number(values.turn);
  for (const pair of pairs) measure(pair, 6000, turn);
  const timed: Figures[][] = pairs.map(() => []);
  for (let r = 0; r < Number(values.rounds); r += 1) {
    pairs.forEach((pair, i) => {
      timed[i]?.push(measure(pair, total, turn));
    });
  }
  // a look at the heap costs time
  return pairs.map((pair, i) => {
    pair.a.measures = true;
    pair.b.measures = true;
    const { primaryUs, backupUs } = middle(timed[i] as Figures[]);
    return { ...measure(pair, 2000, turn), primaryUs: primaryUs ?? 0, backupUs: backupUs ?? 0 };
  });
}

/** What it costs that programs may watch, and that one does. */
function byWatching(own: Revision): void {
  const pairs = [prepared(own, false), prepared(own), prepared(own)];
  const { ledger } = (pairs[2] as Pair).a.engine;
  ledger.begin((pairs[2] as Pair).now);
  ledger.insert(MONITOR, { session: 1, kind: 'all', subject: '*' });
  ledger.commit();
  const names = ['without programs', 'nobody watches', 'a monitor of everything'];
  compare(pairs).forEach((figures, i) => {
    console.log(`\n${names[i]}`);
    print(figures);
  });
}

async function main(): Promise<void> {
  const own = await load(fileURLToPath(new URL('../..', import.meta.url)));
  if (values.streams) transport = 'tcp';
  if (values.held) {
    print(held(own));
    return;
  }
  if (values.csta) {
    byWatching(own);
    return;
  }
  const pairs = [prepared(own)];
  if (values.against !== undefined) pairs.push(prepared(await load(resolve(values.against))));
  const session = values.profile === undefined ? undefined : new Session();
  session?.connect();
  session?.post('Profiler.enable');
  session?.post('Profiler.setSamplingInterval', { interval: 200 });
  session?.post('Profiler.start');
  const [figures, others] = compare(pairs);
  session?.post('Profiler.stop', (_: unknown, { profile }: { profile: Profiler.Profile }) => {
    writeFileSync(values.profile as string, JSON.stringify(profile));
  });
  print(figures as Figures);
  if (others !== undefined) {
    console.log(`\n${values.against}`);
    print(others);
  }
  if (values.json) return;
  console.log('\nrows of a call, and their bytes');
  print(census(pairs[0] as Pair));
}

await main();
