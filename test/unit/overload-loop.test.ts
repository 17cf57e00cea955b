/**
 * Overload as a loop: more calls are offered than a box can do, with a queue before it as the kernel
 * has one. What each message costs is assumed, the machines are the product's; so this shows how the
 * share of refused calls settles, what waits meanwhile, and how soon it is over.
 */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { CALL } from '../../src/call/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, SDP } from './call-lab.ts';

/** What handling costs, ms: a new call with its rows, and anything else. */
const NEW_CALL = 0.2;
const MESSAGE = 0.04;
/** Datagrams the kernel keeps: 8 MB at about 1.3 kB each. */
const QUEUE = 6000;
const T1 = 500;
const ROUND_TRIP = 1;
const HOLD = 2000;

type Waiting = { readonly at: number; readonly peer: Peer; readonly text: string };
type Call = { at: number; answered: number; refused: boolean; byeAt: number; over: number };

class Loop {
  readonly lab = new Lab();
  readonly alice = new Peer(this.lab, '1001', '192.0.2.1');
  readonly bob = new Peer(this.lab, '1002', '192.0.2.2');
  readonly calls = new Map<string, Call>();
  private readonly invites = new Map<string, string>();
  private readonly heard = new Set<string>();
  readonly shares: { readonly at: number; readonly share: number; readonly wait: number }[] = [];
  dropped = 0;
  longestWait = 0;
  private queue: Waiting[] = [];
  /** What phones will do, by the moment. */
  private later = new Map<number, (() => void)[]>();
  private clock = 0;
  private phoneClock = 0;
  private readonly start: number;
  private n = 0;

  constructor() {
    this.lab.register(this.alice);
    this.lab.register(this.bob);
    this.start = this.lab.now;
  }

  private after(ms: number, what: () => void): void {
    const at = Math.ceil(this.clock + ms);
    const list = this.later.get(at);
    if (list === undefined) this.later.set(at, [what]);
    else list.push(what);
  }

  private say(peer: Peer, text: string): void {
    if (this.queue.length >= QUEUE) this.dropped += 1;
    else this.queue.push({ at: this.clock, peer, text });
  }

  /** Says it again until `done`, as RFC 3261 17.1 wants. */
  private insist(peer: Peer, text: string, done: () => boolean, wait = T1): void {
    if (done()) return;
    this.say(peer, text);
    if (wait < 64 * T1) this.after(wait, () => this.insist(peer, text, done, wait * 2));
  }

  private dial(): void {
    const callId = `c${this.n++}`;
    const call: Call = { at: this.clock, answered: 0, refused: false, byeAt: 0, over: 0 };
    this.calls.set(callId, call);
    const invite = this.alice.request('INVITE', 'sip:1002@192.0.2.10', {
      callId,
      fromTag: callId,
      branch: `z9hG4bK${callId}`,
      body: SDP('a'),
    });
    this.invites.set(callId, invite);
    this.insist(this.alice, invite, () => this.heard.has(callId));
  }

  private hears(peer: Peer, m: SipMessage): void {
    if (m.isRequest) {
      if (m.method === 'INVITE') {
        this.reply(peer, m, 180, '');
        this.reply(peer, m, 200, SDP('b'));
      } else if (m.method !== 'ACK') this.reply(peer, m, 200, '');
      return;
    }
    const call = this.calls.get(m.callId);
    if (call === undefined) return;
    if (m.cseqMethod === 'BYE') {
      if (m.status === 200 && call.over === 0) call.over = this.clock;
      return;
    }
    this.heard.add(m.callId);
    if (m.status < 200) return;
    const sent = peer.send;
    peer.send = (text) => this.say(peer, text);
    peer.ack(this.invites.get(m.callId) ?? '', m);
    peer.send = sent;
    if (m.status >= 300) {
      call.refused = m.status === 503 && m.has(H.RetryAfter);
      return;
    }
    if (call.answered !== 0) return;
    call.answered = this.clock;
    this.after(HOLD, () => {
      call.byeAt = this.clock;
      const branch = `z9hG4bKb${m.callId}`;
      const bye = peer.inDialog('BYE', this.invites.get(m.callId) ?? '', m, { branch });
      this.insist(peer, bye, () => call.over !== 0);
    });
  }

  private reply(peer: Peer, m: SipMessage, status: number, body: string): void {
    const sent = peer.send;
    peer.send = (text) => this.say(peer, text);
    peer.reply(m, status, `b${m.callId}`, body);
    peer.send = sent;
  }

  /** One turn of the box: reads what it may. */
  private turn(): void {
    const { lab } = this;
    const read = this.queue.splice(0, LIMITS.inputsPerTurn);
    let cost = 0;
    lab.now = this.start + Math.floor(this.clock);
    const wait = this.clock - (read[0]?.at ?? this.clock);
    this.longestWait = Math.max(this.longestWait, wait);
    this.shares.push({ at: this.clock, share: lab.overload.share, wait });
    for (const { peer, text } of read) {
      const before = lab.store.count(CALL);
      lab.receive(peer.ip, peer.port, text);
      cost += lab.store.count(CALL) > before ? NEW_CALL : MESSAGE;
    }
    lab.tick();
    lab.overload.turn(read.length >= LIMITS.inputsPerTurn);
    this.clock += Math.max(cost, 0.1);
    for (const peer of [this.alice, this.bob]) {
      const got = peer.inbox();
      if (got.length === 0) continue;
      this.after(ROUND_TRIP, () => {
        for (const m of got) this.hears(peer, m);
      });
    }
    lab.log.length = 0;
  }

  /** Offers `perS` new calls a second for `ms`. */
  offer(perS: number, ms: number): void {
    const end = this.clock + ms;
    let due = 0;
    const began = this.clock;
    while (this.clock < end) {
      for (; this.phoneClock <= this.clock; this.phoneClock += 1) {
        for (const act of this.later.get(this.phoneClock) ?? []) act();
        this.later.delete(this.phoneClock);
      }
      for (; due < ((this.clock - began) * perS) / 1000; due += 1) this.dial();
      this.turn();
    }
  }

  /** Of the calls begun in [from, to) of the run. */
  between(from: number, to: number) {
    const some = [...this.calls.values()].filter((c) => c.at >= from && c.at < to);
    const answered = some.filter((c) => c.answered > 0);
    const waits = answered.map((c) => c.answered - c.at).sort((a, b) => a - b);
    const byes = answered.filter((c) => c.byeAt > 0).map((c) => c.over - c.byeAt);
    return {
      offered: some.length,
      answered: answered.length,
      refused: some.filter((c) => c.refused).length,
      p50: Math.round(waits[Math.floor(waits.length * 0.5)] ?? 0),
      p99: Math.round(waits[Math.floor(waits.length * 0.99)] ?? 0),
      byeWorst: Math.round(Math.max(0, ...byes)),
      byeUnanswered: answered.filter((c) => c.byeAt > 0 && c.over === 0).length,
    };
  }

  get now(): number {
    return this.clock;
  }
}

for (const factor of [2, 3]) {
  test(`${factor} times of what can be done is offered: the rest is refused, calls in progress go on`, (t) => {
    const loop = new Loop();
    loop.offer(1000, 3000);
    t.is(loop.between(0, 3000).refused, 0, 'nobody is refused without need');
    const from = loop.now;
    loop.offer(factor * 2200, 6000);
    const to = loop.now;
    loop.offer(200, 6000);
    const settled = loop.between(from + 2000, to);
    const after = loop.between(to + 1500, to + 4000);
    const shares = loop.shares.filter((s) => s.at > from + 2000 && s.at < to);
    const mean = shares.reduce((sum, s) => sum + s.share, 0) / shares.length;
    t.log({
      settled,
      after,
      longestWait: Math.round(loop.longestWait),
      dropped: loop.dropped,
      mean,
    });
    t.true(settled.refused > 0.2 * settled.offered);
    t.true(settled.answered + settled.refused > 0.98 * settled.offered, 'answered or refused');
    t.is(settled.byeUnanswered, 0);
    t.true(settled.byeWorst < 1500, 'calls in progress');
    t.is(after.refused, 0, 'it is over');
    t.is(after.answered, after.offered);
  });
}
