/**
 * Phones that do anything at any time: legal, late, repeated, crossed, to the wrong dialog; and a
 * box that is replaced at any moment. Whatever happens: nothing throws, what we send is well formed,
 * a dialog keeps its tags, its CSeq and its RSeq grow, and when everybody has been silent for two
 * hours nothing is left but registrations and calls that were answered and never hung up, each of
 * which a BYE ends; with session timers, not even those.
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
  408, 422, 481, 486, 487, 491, 500, 503, 603,
];
/** Statuses we may give without remembering them: a repetition may hear something else. */
const STATELESS = new Set([403, 404, 405, 422, 480, 481, 482, 483, 487, 491, 500, 503]);
const METHODS = [
  'BYE',
  'INVITE',
  'INVITE',
  'UPDATE',
  'UPDATE',
  'INFO',
  'MESSAGE',
  'OPTIONS',
  'PRACK',
  'PRACK',
];
/** What a phone says of extensions it knows, or wants. */
const EXTRAS = [
  '',
  '',
  'Supported: 100rel\r\n',
  'Require: 100rel\r\nAllow: INVITE, UPDATE, PRACK\r\n',
  'Supported: 100rel, timer\r\nAllow: INVITE, UPDATE, PRACK\r\nSession-Expires: 90\r\n',
  'Supported: timer\r\nSession-Expires: 1800;refresher=uas\r\n',
  'Supported: timer\r\nSession-Expires: 60\r\nMin-SE: 60\r\n',
  'Session-Expires: 200;refresher=uac\r\nMin-SE: 120\r\n',
];
const WAITS = [0, 0, 0, 0, 1, 1, 50, 50, 50, 500, 500, 501, 2000, 5001, 32_000, 190_000];

/** What we said to an INVITE of a peer. `loose`: it was repeated when we need not know it any more. */
type Ask = { finals: Set<number>; tags: Set<string>; at: number; loose: boolean };
/** What a phone said to an INVITE of ours, and what it heard then. */
type Ring = {
  callId: string;
  at: number;
  offer: boolean;
  heardAt: number;
  final: number;
  cancelled: boolean;
  acked: boolean;
};

class Walker {
  readonly lab: Lab;
  readonly peers: Peer[];
  readonly story: string[] = [];
  readonly faults: string[] = [];
  /** What each peer sent, and the requests and responses it got. */
  readonly sent = new Map<Peer, string[]>();
  readonly asked = new Map<Peer, SipMessage[]>();
  readonly told = new Map<Peer, SipMessage[]>();
  /** INVITEs the peers sent, and the new ones they got, with what became of them. */
  private readonly asks = new Map<string, Ask>();
  private readonly rings = new Map<string, Ring>();
  private mute = false;
  private readonly dialogs = new Map<string, { cseq: number; branches: Set<string> }>();
  private readonly dice;
  private looked = 0;
  private calls = 0;

  /** RSeq of our last reliable provisional response to an INVITE, by its branch. */
  private readonly rseqs = new Map<string, number>();
  /** Whether we begin session timers: then no call outlasts its phones' silence. */
  readonly timed: boolean;

  constructor(seed: number) {
    this.dice = seeded(seed);
    this.timed = this.chance(2);
    this.lab = new Lab({ maxCalls: 20, sessionExpiresS: this.timed ? 600 : 0 });
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
    this.story.push(
      `${peer.ip} > ${text.slice(0, 40).split('\r')[0]} ${/branch=([^;\r]*)/.exec(text)?.[1]?.slice(-9)}`,
    );
    this.note(text);
    peer.send(text);
    if (!this.mute) this.listen();
  }

  /** What is remembered of a message of a peer, to judge our answers by. */
  private note(text: string): void {
    const m = parseMessage(text) as SipMessage;
    const { now } = this.lab;
    if (m.isRequest && m.method === 'INVITE') {
      const ask = this.asks.get(m.branch);
      if (ask === undefined) {
        const loose = this.mute;
        this.asks.set(m.branch, { finals: new Set(), tags: new Set(), at: now, loose });
      } else {
        // A refusal is remembered until T4 after its ACK, an answer for 64*T1.
        const known = ask.finals.has(200) || ask.finals.has(202) ? 30_000 : 4000;
        if (now - ask.at > known || [...ask.finals].some((s) => STATELESS.has(s))) ask.loose = true;
      }
    }
    if (m.method === 'BYE') this.over(m.callId);
    const ring = m.isRequest || m.cseqMethod !== 'INVITE' ? undefined : this.rings.get(m.branch);
    if (ring === undefined) return;
    if (ring.heardAt === 0) ring.heardAt = now;
    if (m.status >= 200 && ring.final === 0) ring.final = m.status;
  }

  /** Takes the post of all, and looks at everything the core said. */
  listen(): void {
    for (; this.looked < this.lab.log.length; this.looked += 1) {
      this.inspect((this.lab.log[this.looked] as { text: string }).text);
    }
    for (const peer of this.peers) {
      for (const m of peer.inbox()) {
        this.story.push(`${peer.ip} < ${line(m)} ${m.branch.slice(-9)}`);
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
    this.follow(m);
    if (!m.isRequest || m.method === 'ACK' || m.method === 'CANCEL') return;
    const key = `${m.callId}|${m.fromTag}`;
    const known = this.dialogs.get(key) ?? { cseq: -1, branches: new Set<string>() };
    this.dialogs.set(key, known);
    if (known.branches.has(m.branch)) return;
    known.branches.add(m.branch);
    if (m.cseq <= known.cseq) this.faults.push(`CSeq ${m.cseq} after ${known.cseq}: ${text}`);
    known.cseq = m.cseq;
  }

  /** Our part in the INVITEs of both sides. */
  private follow(m: SipMessage): void {
    const branch = m.branch.replace(/\.ack$/, '');
    if (!m.isRequest) {
      const ask = m.cseqMethod === 'INVITE' ? this.asks.get(branch) : undefined;
      if (m.has(H.RSeq)) this.followRseq(branch, Number(m.header(H.RSeq)), m.text);
      if (ask !== undefined && m.toTag !== '') ask.tags.add(m.toTag);
      if (ask !== undefined && m.status >= 200) ask.finals.add(m.status);
      return;
    }
    if (m.method === 'BYE') this.over(m.callId);
    const ring = this.rings.get(branch);
    // What rings inside a dialog ends with it, even if only its own side knows that.
    if (m.method === 'INVITE' && ring === undefined && m.toTag === '') {
      const at = this.lab.now;
      const known = { callId: m.callId, at, offer: m.body !== '' };
      this.rings.set(branch, { ...known, heardAt: 0, final: 0, cancelled: false, acked: false });
    } else if (ring !== undefined && m.method === 'CANCEL') ring.cancelled = true;
    else if (ring !== undefined && m.method === 'ACK') ring.acked = true;
  }

  /** RFC 3262 3: "Each subsequent reliable provisional response ... greater by exactly one". */
  private followRseq(branch: string, rseq: number, text: string): void {
    const last = this.rseqs.get(branch);
    const grows = last === undefined || rseq === last || rseq === last + 1;
    if (!grows) this.faults.push(`RSeq ${rseq} after ${last}: ${text}`);
    this.rseqs.set(branch, rseq);
  }

  /** A BYE ends what rings in its dialog. */
  private over(callId: string): void {
    for (const ring of this.rings.values()) if (ring.callId === callId) ring.cancelled = true;
  }

  /** Every INVITE was answered, and once; no phone was left ringing; no answer went unthanked. */
  unfair(): string[] {
    const out: string[] = [];
    for (const [branch, ask] of this.asks) {
      if (ask.loose) continue;
      if (ask.finals.size !== 1) out.push(`${branch}: finals ${[...ask.finals]}`);
      if (ask.tags.size > 1) out.push(`${branch}: tags ${[...ask.tags]}`);
    }
    for (const [branch, ring] of this.rings) {
      const inTime = ring.heardAt !== 0 && ring.heardAt - ring.at < 30_000;
      if (!inTime) continue;
      if (ring.final === 0 && !ring.cancelled) out.push(`${branch}: rings for ever`);
      // Without an offer the ACK waits for a caller who may never send one.
      const owed = ring.final !== 0 && !(ring.final < 300 && !ring.offer);
      if (owed && !ring.acked && !ring.cancelled) out.push(`${branch}: no ACK`);
    }
    return out;
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
    // What the old box said last is lost with it.
    this.mute = lose;
    if (lose) this.step();
    this.mute = false;
    this.story.push(`== swap ${lose}`);
    this.lab.swap(lose);
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
        extra: EXTRAS[this.dice.u32() % EXTRAS.length] as string,
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
    peer.reply(m, status, tag, this.body(), this.extraOf(m, status));
    peer.send = send;
    this.say(peer, text[0] as string);
  }

  private extraOf(m: SipMessage, status: number): string {
    if (m.method === 'INVITE' && status > 100 && status < 200 && this.chance(2)) {
      const near = this.chance(4) ? 0 : (this.lab.log.length % 3) + 1;
      return `Require: 100rel\r\nRSeq: ${near}\r\nAllow: INVITE, UPDATE\r\n`;
    }
    if (status === 422) return `Min-SE: ${this.chance(2) ? 700 : 7000}\r\n`;
    if (status >= 200 && status < 300 && this.chance(3)) {
      return `Session-Expires: 300;refresher=${this.chance(2) ? 'uac' : 'uas'}\r\nAllow: UPDATE\r\n`;
    }
    return '';
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
    const extra = method === 'PRACK' ? '' : (EXTRAS[this.dice.u32() % EXTRAS.length] as string);
    const o = { body: this.body(), extra, ...(this.chance(10) ? { cseq: 1 } : {}) };
    if (this.chance(2)) {
      const least = this.chance(4) ? 101 : 200;
      const m = this.pick(
        (this.told.get(peer) as SipMessage[]).filter(
          (x) => x.toTag !== '' && x.status >= least && x.status < 300,
        ),
      );
      if (m === undefined) return;
      if (method === 'PRACK') {
        const rseq = this.chance(6) ? '7' : (m.header(H.RSeq) ?? '1');
        o.extra = `RAck: ${rseq} ${m.cseq} INVITE\r\n`;
      }
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
    const m = this.pick(
      (this.asked.get(peer) as SipMessage[]).filter((x) => x.method === 'INVITE'),
    );
    if (m === undefined) return;
    this.say(peer, peer.backward(method, m, m.toTag || (this.chance(8) ? 'other' : 'mine'), o));
  }

  private repeat(peer: Peer): void {
    const text = this.pick(this.sent.get(peer) as string[]);
    if (text !== undefined) this.say(peer, text);
  }

  /** Two hours of silence; then what is left that must not be. */
  leftovers(): string[] {
    // longer than the longest session any of them asks for
    this.lab.pass(8_000_000);
    this.listen();
    const { store } = this.lab;
    const out: string[] = [];
    for (const row of [...store.rows(STX), ...store.rows(CTX)]) {
      out.push(`a transaction outlasts two hours: ${JSON.stringify({ ...row, $spec: 0 })}`);
    }
    for (const call of store.rows(CALL)) {
      const legs = store.all(LEG, 'call', call.id);
      const what = `${call.state}: ${legs.map((l) => `${l.side} ${l.state}`).join(', ')}`;
      const lives = what === 'talking: caller confirmed, callee confirmed';
      const timed = this.timed || legs.some((l) => l.refreshAt + l.expiresAt > 0);
      if (!lives || timed) out.push(what);
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
    const left = [...w.leftovers(), ...w.faults, ...w.unfair()];
    if (globalThis.process.env['STATS']) console.log(JSON.stringify([...w.lab.counters]));
    if (left.length > 0)
      left.push(...w.story.slice(-Number(globalThis.process.env['STORY'] ?? 60)));
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
