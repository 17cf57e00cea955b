/**
 * Phones that do anything at any time: legal, late, repeated, crossed, to the wrong dialog; and a
 * box that is replaced at any moment. Whatever happens: nothing throws, what we send is well formed,
 * a dialog keeps its tags and its CSeq grows, and when everybody has been silent for ten minutes
 * nothing is left but registrations and calls that were answered and never hung up, each of which
 * a BYE ends.
 */

import test from 'ava';
import { seeded } from '../../src/base/chance.ts';
import { CALL, LEG } from '../../src/call/rows.ts';
import { CTX, STX } from '../../src/proto/sip/rows.ts';
import {
  H,
  isFault,
  parseMessage,
  type SipMessage,
  validateRequest,
  validateResponse,
} from '../../src/sip-parser/index.ts';
import { Lab, line, Peer, SDP, uriIn } from './call-lab.ts';

const STATUSES = [
  100, 100, 180, 180, 180, 183, 183, 199, 200, 200, 200, 200, 200, 200, 200, 200, 202, 302, 401,
  408, 481, 486, 487, 491, 500, 503, 603,
];
const METHODS = ['BYE', 'INVITE', 'INVITE', 'UPDATE', 'INFO', 'MESSAGE', 'OPTIONS', 'PRACK'];
const WAITS = [0, 0, 0, 0, 1, 1, 50, 50, 50, 500, 500, 501, 2000, 5001, 32_000, 190_000];

class Walker {
  readonly lab: Lab;
  readonly peers: Peer[];
  readonly story: string[] = [];
  readonly faults: string[] = [];
  /** What each peer sent, and the requests and responses it got. */
  readonly sent = new Map<Peer, string[]>();
  readonly asked = new Map<Peer, SipMessage[]>();
  readonly told = new Map<Peer, SipMessage[]>();
  private readonly dialogs = new Map<string, { cseq: number; branches: Set<string> }>();
  private readonly dice;
  private looked = 0;
  private calls = 0;

  constructor(seed: number) {
    this.dice = seeded(seed);
    this.lab = new Lab({ maxCalls: 20 });
    this.peers = ['1001', '1001', '1002', '1002', '1003'].map(
      (user, i) => new Peer(this.lab, user, `192.0.2.${i + 1}`),
    );
    for (const peer of this.peers) {
      this.sent.set(peer, []);
      this.asked.set(peer, []);
      this.told.set(peer, []);
      this.lab.register(peer, 7200);
    }
    this.looked = this.lab.log.length;
  }

  pick<T>(list: readonly T[]): T | undefined {
    // The latest matter most.
    const n = list.length;
    const near = this.dice.u32() % 3 > 0 ? Math.min(n, 4) : n;
    return list[n - 1 - (this.dice.u32() % Math.max(1, near))];
  }

  chance(oneIn: number): boolean {
    return this.dice.u32() % oneIn === 0;
  }

  say(peer: Peer, text: string): void {
    (this.sent.get(peer) as string[]).push(text);
    this.story.push(`${peer.ip} > ${text.slice(0, 40).split('\r')[0]}`);
    peer.send(text);
    this.listen();
  }

  /** Takes the post of all, and looks at everything the core said. */
  listen(): void {
    for (; this.looked < this.lab.log.length; this.looked += 1) {
      this.inspect((this.lab.log[this.looked] as { text: string }).text);
    }
    for (const peer of this.peers) {
      for (const m of peer.inbox()) {
        this.story.push(`${peer.ip} < ${line(m)}`);
        (m.isRequest ? this.asked : this.told).get(peer)?.push(m);
      }
    }
  }

  private inspect(text: string): void {
    const m = parseMessage(text);
    if (isFault(m)) {
      this.faults.push(`sent ${m.fault}: ${text}`);
      return;
    }
    const bad = m.isRequest ? validateRequest(m) : validateResponse(m);
    if (bad !== undefined || /undefined|NaN/.test(text)) this.faults.push(`sent bad: ${text}`);
    if (!m.isRequest || m.method === 'ACK' || m.method === 'CANCEL') return;
    const key = `${m.callId}|${m.fromTag}`;
    const known = this.dialogs.get(key) ?? { cseq: -1, branches: new Set<string>() };
    this.dialogs.set(key, known);
    if (known.branches.has(m.branch)) return;
    known.branches.add(m.branch);
    if (m.cseq <= known.cseq) this.faults.push(`CSeq ${m.cseq} after ${known.cseq}: ${text}`);
    known.cseq = m.cseq;
  }

  step(): void {
    const peer = this.peers[this.dice.u32() % this.peers.length] as Peer;
    const kind = this.dice.u32() % 20;
    if (kind < 2) {
      if (this.chance(2)) this.invite(peer);
      else this.settle(peer);
    } else if (kind < 9) this.reply(peer);
    else if (kind < 12) this.ack(peer);
    else if (kind < 13) this.cancel(peer);
    else if (kind < 16) this.inDialog(peer);
    else if (kind < 17) this.repeat(peer);
    else if (kind < 18) {
      if (this.chance(6)) this.lab.register(peer, this.chance(4) ? 0 : 7200);
    } else this.wait();
  }

  private wait(): void {
    const ms = WAITS[this.dice.u32() % WAITS.length] as number;
    this.story.push(`-- ${ms} ms`);
    this.lab.pass(ms);
    this.listen();
  }

  swap(): void {
    const lose = this.chance(2);
    this.story.push(`== swap ${lose}`);
    this.lab.swap(lose);
    if (lose) this.looked = Math.min(this.looked, this.lab.log.length);
    this.listen();
  }

  private body(): string {
    return this.chance(3) ? '' : SDP('x');
  }

  private invite(peer: Peer): void {
    this.calls += 1;
    const to = ['1001', '1002', '1003', '1004'][this.dice.u32() % 4];
    this.say(
      peer,
      peer.request('INVITE', `sip:${to}@192.0.2.10`, {
        callId: `c${this.calls}`,
        body: this.body(),
      }),
    );
  }

  /** A call as it should be, up to the answer, and most often its ACK. */
  private settle(peer: Peer): void {
    this.invite(peer);
    for (const other of this.peers) {
      const m = (this.asked.get(other) as SipMessage[]).at(-1);
      if (m?.method !== 'INVITE' || m.toTag !== '') continue;
      if (this.chance(2)) this.answer(other, m, 180, 'mine');
      this.answer(other, m, 200, 'mine');
    }
    if (!this.chance(4)) this.ack(peer, 1);
  }

  private reply(peer: Peer): void {
    const m = this.pick((this.asked.get(peer) as SipMessage[]).filter((x) => x.method !== 'ACK'));
    if (m === undefined) return;
    const status = STATUSES[this.dice.u32() % STATUSES.length] as number;
    this.answer(peer, m, status, this.chance(8) ? 'other' : 'mine');
  }

  private answer(peer: Peer, m: SipMessage, status: number, tag: string): void {
    const text: string[] = [];
    const send = peer.send.bind(peer);
    peer.send = (t): void => void text.push(t);
    peer.reply(m, status, tag, this.body());
    peer.send = send;
    this.say(peer, text[0] as string);
  }

  private ack(peer: Peer, last = 0): void {
    const finals = (this.told.get(peer) as SipMessage[]).filter(
      (m) => m.cseqMethod === 'INVITE' && m.status >= 200,
    );
    const ok = last > 0 ? finals.at(-last) : this.pick(finals);
    if (ok === undefined) return;
    this.say(
      peer,
      peer.request('ACK', ok.contactUri || 'sip:192.0.2.10', {
        to: uriIn(ok.header(H.To) ?? ''),
        toTag: ok.toTag,
        fromTag: ok.fromTag,
        callId: ok.callId,
        cseq: ok.cseq,
        body: this.body(),
        ...(ok.status >= 300 ? { branch: ok.branch } : {}),
      }),
    );
  }

  private cancel(peer: Peer): void {
    const invites = (this.sent.get(peer) as string[]).filter((s) => s.startsWith('INVITE'));
    const text = this.pick(invites);
    if (text === undefined) return;
    this.say(
      peer,
      text
        .replace(/^INVITE/, 'CANCEL')
        .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
        .replace(/Content-Type: .*\r\n/, '')
        .replace(/Content-Length: [\s\S]*$/, 'Content-Length: 0\r\n\r\n'),
    );
  }

  private inDialog(peer: Peer): void {
    const method = this.pick(METHODS) as string;
    const o = { body: this.body(), ...(this.chance(10) ? { cseq: 1 } : {}) };
    if (this.chance(2)) {
      const least = this.chance(4) ? 101 : 200;
      const m = this.pick(
        (this.told.get(peer) as SipMessage[]).filter(
          (x) => x.toTag !== '' && x.status >= least && x.status < 300,
        ),
      );
      if (m === undefined) return;
      const text = peer.request(method, m.contactUri || 'sip:192.0.2.10', {
        to: uriIn(m.header(H.To) ?? ''),
        toTag: m.toTag,
        fromTag: m.fromTag,
        callId: m.callId,
        ...o,
      });
      this.say(peer, text);
      return;
    }
    const m = this.pick((this.asked.get(peer) as SipMessage[]).filter((x) => x.method === 'INVITE'));
    if (m === undefined) return;
    this.say(peer, peer.backward(method, m, m.toTag || (this.chance(8) ? 'other' : 'mine'), o));
  }

  private repeat(peer: Peer): void {
    const text = this.pick(this.sent.get(peer) as string[]);
    if (text !== undefined) this.say(peer, text);
  }

  /** Ten minutes of silence; then what is left that must not be. */
  leftovers(): string[] {
    this.lab.pass(600_000);
    this.listen();
    const { store } = this.lab;
    const out: string[] = [];
    for (const row of [...store.rows(STX), ...store.rows(CTX)]) {
      out.push(`a transaction outlasts ten minutes: ${JSON.stringify({ ...row, $spec: 0 })}`);
    }
    for (const call of store.rows(CALL)) {
      const legs = store.all(LEG, 'call', call.id);
      const what = `${call.state}: ${legs.map((l) => `${l.side} ${l.state}`).join(', ')}`;
      if (what !== 'talking: caller confirmed, callee confirmed') out.push(what);
      const caller = legs.find((leg) => leg.side === 'caller');
      if (caller === undefined) continue;
      this.lab.receive(
        '192.0.2.1',
        5060,
        `BYE sip:x@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKend${call.id}\r\n` +
          `From: <sip:a@b>;tag=${caller.remoteTag}\r\nTo: <sip:b@c>;tag=${caller.id.toString(36)}-${caller.tag}\r\n` +
          `Call-ID: ${caller.callId}\r\nCSeq: 99999 BYE\r\nContent-Length: 0\r\n\r\n`,
      );
    }
    this.lab.pass(120_000);
    for (const shelf of store.shelves.values()) {
      if (shelf.spec.name === 'binding') continue;
      for (const row of shelf.rows.values()) {
        const { $spec, $due, ...fields } = row;
        out.push(`${shelf.spec.name} ${JSON.stringify(fields).slice(0, 300)}`);
      }
    }
    return out;
  }
}

function walk(seed: number, steps: number, swapOneIn: number): string[] {
  const w = new Walker(seed);
  try {
    for (let i = 0; i < steps; i += 1) {
      if (swapOneIn > 0 && w.chance(swapOneIn)) w.swap();
      w.step();
    }
    const left = [...w.leftovers(), ...w.faults];
    if (globalThis.process.env['STATS']) console.log(JSON.stringify([...w.lab.counters]));
    if (left.length > 0) left.push(...w.story.slice(-Number(globalThis.process.env['STORY'] ?? 60)));
    return left;
  } catch (error) {
    return [String((error as Error).stack), ...w.story.slice(-40)];
  }
}

const RUNS = Number(globalThis.process.env['WALKS'] ?? 150);

for (const [name, swapOneIn] of [
  ['one box', 0],
  ['a box replaced now and then', 25],
] as const) {
  test(`phones that do anything leave nothing behind: ${name}`, (t) => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      for (const steps of [30, 200]) {
        const left = walk(seed * 1000 + steps, steps, swapOneIn);
        t.deepEqual(left, [], `seed ${seed}, ${steps} steps`);
        if (left.length > 0) return;
      }
    }
  });
}
