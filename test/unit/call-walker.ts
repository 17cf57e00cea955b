/**
 * Phones that do anything at any time: legal, late, repeated, crossed, to the wrong dialog; and a box
 * that is replaced at any moment. It remembers what was said, and what each side may complain of.
 */

import { type Chance, seeded } from '../../src/base/chance.ts';
import type { TableSpec } from '../../src/base/row.ts';
import { partner } from '../../src/call/leg.ts';
import { CALL, LEG } from '../../src/call/rows.ts';
import type { SipSettings } from '../../src/proto/context.ts';
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
import { CstaModel, watchAll } from './csta-model.ts';

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
  'REFER',
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
/** Rows that no call needs and that go at their own time. */
const LASTING = new Set(['binding', 'cdr', 'ctievent', 'ctimonitor']);
const WAITS = [0, 0, 0, 0, 1, 1, 50, 50, 50, 500, 500, 501, 2000, 5001, 32_000, 190_000];

/** What we said to an INVITE of a peer. `loose`: it was repeated when we need not know it any more. */
type Ask = { finals: Set<number>; tags: Set<string>; at: number; loose: boolean };
/** What a phone said to an INVITE of ours, and what it heard then. */
type Ring = {
  callId: string;
  at: number;
  offer: boolean;
  heardAt: number;
  /** How long an answer is waited for, ms: less where the connection may be gone. */
  patience: number;
  final: number;
  cancelled: boolean;
  acked: boolean;
};

export class Walker {
  readonly lab: Lab;
  readonly peers: Peer[];
  readonly story: string[] = [];
  readonly faults: string[] = [];
  /** What each peer sent, and the requests and responses it got. */
  readonly sent = new Map<Peer, string[]>();
  readonly asked = new Map<Peer, SipMessage[]>();
  readonly told = new Map<Peer, SipMessage[]>();
  /** INVITEs the peers sent, and the new ones they got, with what became of them. */
  protected readonly asks = new Map<string, Ask>();
  protected readonly rings = new Map<string, Ring>();
  protected mute = false;
  protected readonly dialogs = new Map<string, { cseq: number; branches: Set<string> }>();
  protected readonly dice: Chance;
  protected looked = 0;
  protected calls = 0;

  /** RSeq of our last reliable provisional response to an INVITE, by its branch. */
  protected readonly rseqs = new Map<string, number>();
  /** Whether we begin session timers: then no call outlasts its phones' silence. */
  readonly timed: boolean;

  readonly model = new CstaModel();

  /** What is dialled. */
  protected numbers: readonly string[] = ['1001', '1002', '1003', '1004'];

  constructor(
    seed: number,
    settings: Partial<SipSettings> = {},
    make: (lab: Lab) => readonly Peer[] = () => [],
  ) {
    this.dice = seeded(seed);
    this.timed = this.chance(2);
    this.lab = new Lab({ maxCalls: 20, sessionExpiresS: this.timed ? 600 : 0, ...settings });
    this.peers = ['1001', '1001', '1002', '1002', '1003'].map(
      (user, i) => new Peer(this.lab, user, `192.0.2.${i + 1}`),
    );
    this.peers.push(...make(this.lab));
    for (const peer of this.peers) {
      this.sent.set(peer, []);
      this.asked.set(peer, []);
      this.told.set(peer, []);
      if (/^1/.test(peer.user)) this.lab.register(peer, 7200);
    }
    this.looked = this.lab.log.length;
    watchAll(this.lab);
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
  protected note(text: string): void {
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

  protected inspect(text: string): void {
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
  protected follow(m: SipMessage): void {
    const branch = m.branch.replace(/\.ack$/, '');
    if (!m.isRequest) {
      const ask = m.cseqMethod === 'INVITE' ? this.asks.get(branch) : undefined;
      if (m.has(H.RSeq)) this.followRseq(branch + m.toTag, Number(m.header(H.RSeq)), m.text);
      if (ask !== undefined && m.toTag !== '') ask.tags.add(m.toTag);
      if (ask !== undefined && m.status >= 200) ask.finals.add(m.status);
      return;
    }
    if (m.method === 'BYE') this.over(m.callId);
    const ring = this.rings.get(branch);
    // What rings inside a dialog ends with it, even if only its own side knows that.
    if (m.method === 'INVITE' && ring === undefined && m.toTag === '') {
      const at = this.lab.now;
      const patience = this.patience(m);
      const known = { callId: m.callId, at, offer: m.body !== '', patience };
      this.rings.set(branch, { ...known, heardAt: 0, final: 0, cancelled: false, acked: false });
    } else if (ring !== undefined && m.method === 'CANCEL') ring.cancelled = true;
    else if (ring !== undefined && m.method === 'ACK') ring.acked = true;
  }

  /** How long the box surely waits for the answer to an INVITE of its own, ms. */
  protected patience(_m: SipMessage): number {
    return 30_000;
  }

  /** RFC 3262 3: "Each subsequent reliable provisional response ... greater by exactly one". */
  protected followRseq(branch: string, rseq: number, text: string): void {
    const last = this.rseqs.get(branch);
    const grows = last === undefined || rseq === last || rseq === last + 1;
    if (!grows) this.faults.push(`RSeq ${rseq} after ${last}: ${text}`);
    this.rseqs.set(branch, rseq);
  }

  /** A BYE ends what rings in its dialog. */
  protected over(callId: string): void {
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
      const inTime = ring.heardAt !== 0 && ring.heardAt - ring.at < ring.patience;
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
      if (this.chance(6)) this.register(peer);
    } else this.wait();
  }

  protected register(peer: Peer): void {
    this.lab.register(peer, this.chance(4) ? 0 : 7200);
  }

  protected wait(): void {
    const ms = WAITS[this.dice.u32() % WAITS.length] as number;
    this.story.push(`-- ${ms} ms`);
    this.pass(ms);
    this.listen();
  }

  protected pass(ms: number): void {
    this.lab.pass(ms);
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

  protected body(): string {
    return this.chance(3) ? '' : SDP('x');
  }

  protected invite(peer: Peer): void {
    this.calls += 1;
    const to = this.numbers[this.dice.u32() % this.numbers.length];
    this.say(
      peer,
      peer.request('INVITE', `sip:${to}@192.0.2.10`, {
        callId: `c${this.calls}`,
        body: this.body(),
        extra:
          (EXTRAS[this.dice.u32() % EXTRAS.length] as string) +
          (this.chance(6) ? `Replaces: ${this.dialog('=')}\r\n` : ''),
      }),
    );
  }

  /** A dialog somebody has, as Replaces names it; with `%3D` as it does inside a URI. */
  protected dialog(is: string): string {
    const peer = this.pick(this.peers) as Peer;
    const m = this.pick([
      ...(this.told.get(peer) as SipMessage[]),
      ...(this.asked.get(peer) as SipMessage[]),
    ]);
    if (m === undefined) return `nobody${is === '=' ? ';' : '%3B'}to-tag${is}a`;
    const [to, from] = this.chance(4) ? [m.fromTag, m.toTag] : [m.toTag || 'mine', m.fromTag];
    const own = `${m.callId};to-tag=${to || 'mine'};from-tag=${from}`;
    return is === '=' ? own : own.replace(/[;=@]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  }

  protected referTo(): string {
    const to = this.numbers[this.dice.u32() % this.numbers.length];
    const replaces = this.chance(2) ? `?Replaces=${this.dialog('%3D')}` : '';
    return `Refer-To: <sip:${to}@x${replaces}>\r\n`;
  }

  /** A call as it should be, up to the answer, and most often its ACK. */
  protected settle(peer: Peer): void {
    this.invite(peer);
    for (const other of this.peers) {
      const m = (this.asked.get(other) as SipMessage[]).at(-1);
      if (m?.method !== 'INVITE' || m.toTag !== '') continue;
      if (this.chance(2)) this.answer(other, m, 180, 'mine');
      this.answer(other, m, 200, 'mine');
    }
    if (!this.chance(4)) this.ack(peer, 1);
  }

  protected reply(peer: Peer): void {
    const m = this.pick((this.asked.get(peer) as SipMessage[]).filter((x) => x.method !== 'ACK'));
    if (m === undefined) return;
    const status = STATUSES[this.dice.u32() % STATUSES.length] as number;
    this.answer(peer, m, status, this.chance(8) ? 'other' : 'mine');
  }

  protected answer(peer: Peer, m: SipMessage, status: number, tag: string): void {
    const text: string[] = [];
    const send = peer.send.bind(peer);
    peer.send = (t): void => void text.push(t);
    peer.reply(m, status, tag, this.body(), this.extraOf(m, status));
    peer.send = send;
    const other = `<sip:${this.numbers[this.dice.u32() % this.numbers.length]}@x>`;
    const said = text[0] as string;
    this.say(peer, status === 302 ? said.replace(/Contact: [^\r]*/, `Contact: ${other}`) : said);
  }

  protected extraOf(m: SipMessage, status: number): string {
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

  protected ack(peer: Peer, last = 0): void {
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

  protected cancel(peer: Peer): void {
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

  protected inDialog(peer: Peer): void {
    const method = this.pick(METHODS) as string;
    const extra = method === 'PRACK' ? '' : (EXTRAS[this.dice.u32() % EXTRAS.length] as string);
    const refers = method === 'REFER' ? this.referTo() : '';
    const o = { body: this.body(), extra: extra + refers, ...(this.chance(10) ? { cseq: 1 } : {}) };
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

  protected repeat(peer: Peer): void {
    const text = this.pick(this.sent.get(peer) as string[]);
    if (text !== undefined) this.say(peer, text);
  }

  /** What a program that hears everything knows is what is so. */
  watch(): void {
    if (this.faults.length === 0) this.faults.push(...this.model.look(this.lab));
  }

  /** A row that may outlast all calls. */
  protected lives(row: object): boolean {
    return LASTING.has((row as { $spec?: TableSpec }).$spec?.name ?? '');
  }

  /** Two hours of silence; then what is left that must not be. */
  leftovers(): string[] {
    // longer than the longest session any of them asks for
    this.lab.pass(8_000_000);
    this.listen();
    const { store } = this.lab;
    const out: string[] = [];
    for (const row of [...store.rows(STX), ...store.rows(CTX)]) {
      if (this.lives(row)) continue;
      out.push(`a transaction outlasts two hours: ${JSON.stringify({ ...row, $spec: 0 })}`);
    }
    for (const call of store.rows(CALL)) {
      const legs = store.all(LEG, 'call', call.id);
      const what = `${call.state}: ${legs.map((l) => `${l.side} ${l.state}`).join(', ')}`;
      // in pairs, perhaps with one of another call: transfers do that
      const paired = legs.every((leg) => partner(this.lab.cx, call, leg)?.state === 'confirmed');
      const timed = this.timed || legs.some((l) => l.refreshAt + l.expiresAt > 0);
      const lives = call.state === 'talking' && legs.every((l) => l.state === 'confirmed');
      if (!lives || !paired || timed) out.push(what);
    }
    for (const call of [...store.rows(CALL)]) {
      const legs = store.all(LEG, 'call', call.id);
      const caller = legs.find((leg) => leg.side === 'caller') ?? legs[0];
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
      for (const row of shelf.rows.values()) {
        if (this.lives(row)) continue;
        const { $spec, $due, ...fields } = row;
        out.push(`${shelf.spec.name} ${JSON.stringify(fields).slice(0, 300)}`);
      }
    }
    return out;
  }
}
