/**
 * CDRs of two whole engines, each with a file of its own: whoever dies when, with or without its last
 * record heard by the other, both files have each call that ended exactly once, and the same lines.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { CDR } from '../../src/call/csta/cdr.ts';
import { CdrFile, cdrFiles } from '../../src/edge/cdr-file.ts';
import type { Redundancy } from '../../src/pair/terms.ts';
import { sipSettings } from '../../src/proto/context.ts';
import { SDP } from './call-lab.ts';
import { Bench, Hand, settings } from './engine-pair.ts';

const ALICE = '192.0.2.21';
const BOB = '192.0.2.22';
const STEPS = ['INVITE', '180', '200', 'ACK', 'BYE', 'BYE 200'] as const;

const value = (text: string, name: string): string =>
  new RegExp(`^${name}: (.*)\r$`, 'm').exec(text)?.[1] ?? '';

/** Two boxes, phones by hand, and a folder of files for each. */
class Pair {
  readonly bench: Bench;
  readonly folder: string;
  private readonly files = new Map<Hand, CdrFile>();
  private heard: string[] = [];
  leads: 'a' | 'b' = 'a';
  calls = 0;
  private seed = 10;

  constructor(redundancy: Redundancy = 'hot-standby') {
    this.bench = new Bench(redundancy);
    this.folder = mkdtempSync(join(tmpdir(), 'sipair-cdr-'));
    const sip = sipSettings({ vip: '192.0.2.10', nonceKey: 'k', csta: true });
    for (const [box, seed] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      const hand = new Hand({ ...settings(box, redundancy), sip }, seed);
      this.bench.hands[box] = hand;
      this.files.set(hand, new CdrFile(join(this.folder, box), () => undefined));
    }
    this.bench.settle();
    this.bench.crown('a');
    this.bench.followAll('b');
    this.bench.connect();
    this.register();
  }

  get primary(): Hand {
    return this.bench.hands[this.leads];
  }

  private register(): void {
    this.give(
      BOB,
      `REGISTER sip:192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${BOB}:5060;branch=z9hG4bKr\r\n` +
        `From: <sip:1002@x>;tag=r\r\nTo: <sip:1002@x>\r\nCall-ID: r\r\nCSeq: 1 REGISTER\r\n` +
        `Contact: <sip:1002@${BOB}:5060>\r\nExpires: 7200\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n`,
    );
    this.settle();
  }

  give(ip: string, text: string): void {
    this.primary.give({ kind: 'sip', transport: 'udp', ip, port: 5060, text });
  }

  settle(): void {
    this.bench.settle();
    for (const hand of [this.bench.a, this.bench.b]) {
      this.heard.push(...hand.sent.map((s) => s.text));
      hand.sent = [];
      const file = this.files.get(hand) as CdrFile;
      file.take(hand.records);
      hand.records = [];
      file.work();
    }
  }

  private last(fits: RegExp, callId?: string): string {
    const found = this.heard.findLast(
      (s) => fits.test(s) && (callId === undefined || value(s, 'Call-ID') === callId),
    );
    if (found === undefined) throw new Error(`nothing like ${fits}`);
    return found;
  }

  /** What the phones say at a step of call `n`; said again it is the same. */
  say(step: (typeof STEPS)[number], n: number): [string, string] {
    const callId = `call${n}`;
    const head = (method: string, uri: string, cseq: number, to: string, body = ''): string =>
      `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${ALICE}:5060;branch=z9hG4bK${method}${n}\r\n` +
      `From: <sip:1001@x>;tag=f${n}\r\nTo: ${to}\r\nCall-ID: ${callId}\r\nCSeq: ${cseq} ${method}\r\n` +
      `Contact: <sip:1001@${ALICE}:5060>\r\nMax-Forwards: 70\r\n` +
      (body === '' ? '' : 'Content-Type: application/sdp\r\n') +
      `Content-Length: ${body.length}\r\n\r\n${body}`;
    const reply = (m: string, status: string, tag: string, body = ''): string =>
      `SIP/2.0 ${status} Fine\r\nVia: ${value(m, 'Via')}\r\nFrom: ${value(m, 'From')}\r\n` +
      `To: ${value(m, 'To')}${tag}\r\nCall-ID: ${value(m, 'Call-ID')}\r\nCSeq: ${value(m, 'CSeq')}\r\n` +
      `Contact: <sip:1002@${BOB}:5060>\r\n` +
      (body === '' ? '' : 'Content-Type: application/sdp\r\n') +
      `Content-Length: ${body.length}\r\n\r\n${body}`;
    if (step === 'INVITE') {
      return [ALICE, head('INVITE', 'sip:1002@192.0.2.10', 1, '<sip:1002@192.0.2.10>', SDP('a'))];
    }
    if (step === '180') return [BOB, reply(this.last(/^INVITE/), '180', `;tag=b${n}`)];
    if (step === '200') return [BOB, reply(this.last(/^INVITE/), '200', `;tag=b${n}`, SDP('b'))];
    if (step === 'BYE 200') return [BOB, reply(this.last(/^BYE/), '200', '')];
    const ok = this.last(/^SIP\/2.0 200/, callId);
    const target = value(ok, 'Contact').slice(1, -1);
    return [ALICE, head(step, target, step === 'ACK' ? 1 : 2, value(ok, 'To'))];
  }

  /**
   * The primary dies and comes back as the backup. `unheard`: it dies with `said` written down by
   * itself and by nobody else, and whoever said it says it again.
   */
  kill(unheard: readonly [string, string] | undefined): void {
    const { bench } = this;
    const dead = this.primary;
    const [old, next] = this.leads === 'a' ? (['a', 'b'] as const) : (['b', 'a'] as const);
    bench.cut = true;
    if (unheard !== undefined) {
      this.give(...unheard);
      dead.turn(bench.now);
      // its disk may have it
      dead.commitAll();
      dead.turn(bench.now);
    }
    this.seed += 1;
    dead.restart(bench.now, this.seed);
    this.files.set(dead, new CdrFile(join(this.folder, old), () => undefined));
    bench.hands[next].give({ kind: 'link-down' });
    this.settle();
    this.leads = next;
    bench.crown(next);
    // what is said again is said later: a line of the dead box's own would be another one
    bench.advance(50);
    this.settle();
    if (unheard !== undefined) {
      this.give(...unheard);
      this.settle();
    }
    bench.cut = false;
    bench.followAll(old);
    bench.connect();
    bench.advance(700);
    this.settle();
  }

  lines(box: 'a' | 'b'): string[] {
    const folder = join(this.folder, box);
    return cdrFiles(folder).flatMap((name) =>
      readFileSync(join(folder, name), 'latin1').split('\n').slice(0, -1),
    );
  }
}

/** A call with the primary killed at a step: before it is heard, after it, or between its two memories. */
function run(at: readonly number[], how: 'before' | 'unheard', calls = 1): Pair {
  const p = new Pair();
  let step = 0;
  for (let n = 1; n <= calls; n += 1) {
    p.calls = n;
    for (const name of STEPS) {
      const said = p.say(name, n);
      if (at.includes(step) && how === 'unheard') p.kill(said);
      else {
        if (at.includes(step)) p.kill(undefined);
        p.give(...said);
        p.settle();
      }
      step += 1;
    }
  }
  p.bench.advance(200);
  p.settle();
  return p;
}

for (const how of ['before', 'unheard'] as const) {
  test(`one CDR a call in both files, the primary killed at each step: ${how}`, (t) => {
    for (let at = -1; at < STEPS.length; at += 1) {
      const p = run([at], how);
      const [a, b] = [p.lines('a'), p.lines('b')];
      t.is(a.length, 1, `step ${at}`);
      t.deepEqual(b, a, `step ${at}`);
      const cdr = JSON.parse(a[0] as string);
      t.is(cdr.cause, 'normalClearing');
      t.deepEqual(
        cdr.devices.map((d: { device: string }) => d.device),
        ['1001', '1002'],
      );
      t.is(p.primary.engine.ledger.count(CDR), 1);
      rmSync(p.folder, { recursive: true });
    }
  });

  test(`twenty calls, seven kills: twenty lines in both files: ${how}`, (t) => {
    const p = run([3, 10, 22, 41, 59, 76, 119], how, 20);
    t.is(p.lines('a').length, 20);
    t.is(new Set(p.lines('a').map((l) => JSON.parse(l).guid)).size, 20);
    t.deepEqual(p.lines('b'), p.lines('a'));
    rmSync(p.folder, { recursive: true });
  });
}

test('warm standby: calls that ended are in both files; one that a death caught is in none', (t) => {
  const p = new Pair('warm-standby');
  const talk = (n: number, steps: readonly (typeof STEPS)[number][]): void => {
    for (const step of steps) {
      p.give(...p.say(step, n));
      p.settle();
    }
  };
  talk(1, STEPS);
  talk(2, STEPS.slice(0, 4));
  p.bench.advance(200);
  p.settle();
  p.kill(undefined);
  talk(3, STEPS);
  p.bench.advance(200);
  p.settle();
  const called = (box: 'a' | 'b'): number[] => p.lines(box).map((l) => JSON.parse(l).callId);
  t.is(called('a').length, 2);
  t.deepEqual(p.lines('b'), p.lines('a'));
  rmSync(p.folder, { recursive: true });
});
