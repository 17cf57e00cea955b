/**
 * The random walk with everything in it at once: phones over UDP and over connections that die, trunks
 * that hunt and challenge, one behind a connection, lamps, messages, emergency calls, transfers, pickups,
 * redirections; and a box replaced in three ways at any step. Looked at after each step:
 *
 *   rows          what a row names is there: no call without legs, nothing that waits for nobody
 *   talks         who talks with whom is mutual
 *   481           nobody in a dialog hears it who was not told, and is not told now, that it is over
 *   emergency     such a call goes out, however full the box is
 *   lamps         versions and CSeq rise by one; when all is quiet no lamp is lit
 */

import test from 'ava';
import { unreachable } from '../../src/call/flow.ts';
import { partner, tagOf } from '../../src/call/leg.ts';
import { CALL, LEG, type Leg, RPR } from '../../src/call/rows.ts';
import { REDIRECT, REOFFER, TRANSFER } from '../../src/call/transfer-rows.ts';
import { HUNT } from '../../src/call/trunk-rows.ts';
import { CTX, type Ctx } from '../../src/proto/sip/rows.ts';
import { PLAIN_SITE, type Site } from '../../src/proto/site.ts';
import { parseMessage, type SipMessage } from '../../src/sip-parser/index.ts';
import { type Lab, Peer, SDP } from './call-lab.ts';
import { Walker } from './call-walker.ts';
import { lampsOf, Watcher } from './events-lab.ts';
import { trunk } from './trunk-lab.ts';

const AUTH = { user: 'acme', password: 'pw' };
const SITE: Site = {
  ...PLAIN_SITE,
  trunks: [
    trunk('one', ['sip:192.0.2.30', 'sip:192.0.2.32'], {
      prefixes: ['0'],
      priority: 1,
      auth: AUTH,
    }),
    trunk('two', ['sip:192.0.2.31;transport=tcp'], {
      prefixes: ['0', '9'],
      priority: 2,
      auth: AUTH,
      classOfService: 'all',
      options: { periodS: 60, forceS: 5, recoveryS: 30 },
    }),
  ],
  emergency: { numbers: [{ match: '112', as: '' }], to: [] },
  extensions: {
    '1005': {
      classOfService: '',
      contact: 'sip:door@192.0.2.40',
      password: undefined,
      name: '',
      callerId: '',
      mwi: false,
    },
  },
};
const ASK = 'Proxy-Authenticate: Digest realm="c", nonce="N1", algorithm=MD5, qop="auth"\r\n';

/** Somebody behind a connection. `listens`: one may be made to him, too. */
class Streamer extends Peer {
  override port = 5060;
  readonly listens: boolean;
  next = 40_000;

  constructor(lab: Lab, user: string, ip: string, listens: boolean) {
    super(lab, user, ip);
    this.listens = listens;
    this.connect();
  }

  get flow(): string {
    return `tcp ${this.ip} ${this.port}`;
  }

  connect(): void {
    this.lab.flows.delete(this.flow);
    this.next += 1;
    if (!this.listens) this.port = this.next;
    this.lab.flows.add(this.flow);
  }

  override get contact(): string {
    return `sip:${this.user}@${this.ip}:${this.port};transport=tcp`;
  }

  override send(text: string): void {
    if (!this.lab.flows.has(this.flow)) this.connect();
    this.lab.receive(this.ip, this.port, text.replace('SIP/2.0/UDP', 'SIP/2.0/TCP'), 'tcp');
  }
}

/** A dialog that stands, as the other side sees it, and the box's last word on it. */
type Dialog = { readonly callId: string; over: boolean };

class WideWalker extends Walker {
  protected override numbers = ['1001', '1002', '1003', '1004', '1005', '01', '92', '112', '7'];
  private readonly dialogsUp = new Map<string, Dialog>();
  private readonly suspects: { readonly key: string; readonly text: string }[] = [];
  readonly lamps: Watcher[] = [];
  /** What is said now never reaches the box. */
  private deaf = false;
  private seen = 0;

  constructor(seed: number) {
    super(seed, { site: SITE, flowWaitMs: 3000 }, (lab) => [
      new Streamer(lab, '1004', '192.0.2.6', false),
      new Streamer(lab, '1001', '192.0.2.7', false),
      new Peer(lab, 'g1', '192.0.2.30'),
      new Peer(lab, 'g3', '192.0.2.32'),
      new Streamer(lab, 'g2', '192.0.2.31', true),
      new Peer(lab, 'door', '192.0.2.40'),
    ]);
    this.lab.swap(false);
    for (const [i, watched] of ['1001', '1003', '1005'].entries()) {
      const lamp = new Watcher(this.lab, `101${i}`, `192.0.2.5${i}`, watched);
      this.lab.register(lamp, 7200);
      lamp.subscribe({ expires: 86_400 });
      this.lamps.push(lamp);
    }
    for (const peer of this.peers) if (peer instanceof Streamer) peer.connect();
    this.seen = this.lab.log.length;
    this.looked = this.lab.log.length;
  }

  override say(peer: Peer, text: string): void {
    if (!this.deaf) {
      super.say(peer, text);
      return;
    }
    (this.sent.get(peer) as string[]).push(text);
    this.story.push(`${peer.ip} > ${text.slice(0, 40).split('\r')[0]} (lost)`);
    if (text.startsWith('INVITE')) this.doubt(text);
  }

  /** Lost with the old box: repeated or not, it is judged no more. */
  private doubt(text: string): void {
    const m = parseMessage(text) as SipMessage;
    const known = { finals: new Set<number>(), tags: new Set<string>(), at: 0, loose: true };
    if (!this.asks.has(m.branch)) this.asks.set(m.branch, known);
  }

  override listen(): void {
    this.unreached();
    super.listen();
    for (const lamp of this.lamps) lamp.act();
    this.judge();
  }

  /** What the edge does with what is said to a connection that is no more. */
  private unreached(): void {
    for (let i = 0; i < 50; i += 1) {
      const lost = this.lab.air.find((s) => s.transport === 'tcp' && !this.open(s));
      if (lost === undefined) return;
      const { transport, ip, port } = lost;
      this.lab.air = this.lab.air.filter((s) => s !== lost);
      this.lab.cx.now = this.lab.now;
      unreachable(this.lab.cx, { transport, ip, port });
    }
  }

  private open({ ip, port }: { readonly ip: string; readonly port: number }): boolean {
    const flow = `tcp ${ip} ${port}`;
    if (this.lab.flows.has(flow)) return true;
    const there = this.peers.find((p) => p.ip === ip);
    if (!(there instanceof Streamer) || !there.listens || port !== 5060 || this.chance(4)) {
      return false;
    }
    this.lab.flows.add(flow);
    return true;
  }

  /** Lamps answer meanwhile, or they would be forgotten. */
  protected override pass(ms: number): void {
    // between a box that dies and the next there is no time for lamps to be forgotten in
    for (let left = this.mute || this.deaf ? Math.min(ms, 50) : ms; left > 0; left -= 1000) {
      this.lab.pass(Math.min(left, 1000));
      if (!this.mute) this.listen();
    }
  }

  /** A phone behind a dead connection is waited for a while, a trunk is not. */
  protected override patience(m: SipMessage): number {
    if (m.text.includes('SIP/2.0/UDP')) return super.patience(m);
    return m.requestUri.includes('192.0.2.31') ? 0 : 2000;
  }

  private judge(): void {
    const { log } = this.lab;
    for (; this.seen < log.length; this.seen += 1)
      this.weigh((log[this.seen] as { text: string }).text);
    for (const { key, text } of this.suspects) {
      if (this.dialogsUp.get(key)?.over !== false || this.closing(key)) continue;
      this.faults.push(`481 in a dialog: ${text}`);
    }
    this.suspects.length = 0;
    this.faults.push(...this.broken());
  }

  /** Its BYE waits for the ACK (RFC 3261 15). */
  private closing(key: string): boolean {
    const id = Number.parseInt(key.split('|')[1]?.split('-')[0] ?? '', 36);
    return this.lab.store.get(LEG, id)?.state === 'closing';
  }

  private weigh(text: string): void {
    const m = parseMessage(text) as SipMessage;
    if (m.isRequest) {
      if (m.method === 'BYE') this.ends(m.callId);
      return;
    }
    const key = `${m.callId}|${m.toTag}|${m.fromTag}`;
    if (m.cseqMethod === 'INVITE' && m.status >= 200 && m.status < 300) {
      if (!this.dialogsUp.has(key)) this.dialogsUp.set(key, { callId: m.callId, over: false });
    }
    const excused = /PRACK|CANCEL|SUBSCRIBE|BYE/.test(m.cseqMethod);
    if (m.status === 481 && !excused) this.suspects.push({ key, text });
  }

  private ends(callId: string): void {
    for (const d of this.dialogsUp.values()) if (d.callId === callId) d.over = true;
  }

  protected override over(callId: string): void {
    super.over(callId);
    this.ends(callId);
  }

  protected override note(text: string): void {
    super.note(text);
    // 481 of a phone says that its dialog is over
    if (/^SIP\/2\.0 (?:481|408)/.test(text)) this.ends((parseMessage(text) as SipMessage).callId);
  }

  /** Rows that name what is not there, and talks that are not mutual. */
  private broken(): string[] {
    const { store, cx } = this.lab;
    const out: string[] = [];
    for (const call of store.rows(CALL)) {
      if (store.all(LEG, 'call', call.id).length === 0) out.push(`call ${call.id} has no legs`);
    }
    for (const leg of store.rows(LEG)) {
      const call = store.get(CALL, leg.call);
      if (call === undefined) out.push(`leg ${leg.id} has no call`);
      else if (leg.state === 'confirmed') out.push(...this.alone(leg, partner(cx, call, leg)));
    }
    for (const row of store.rows(HUNT)) if (!store.get(CALL, row.call)) out.push('hunt for nobody');
    for (const row of store.rows(REDIRECT)) {
      if (!store.get(CALL, row.call)) out.push('redirect for nobody');
    }
    for (const row of store.rows(REOFFER)) {
      if (row.ctx !== 0 && !store.get(CTX, row.ctx))
        out.push(`reoffer ${row.id} waits for nothing`);
    }
    for (const t of store.rows(TRANSFER)) {
      if (t.state === 'joined' || t.state === 'failed') continue;
      if (!store.get(LEG, t.transferee)) out.push(`transfer ${t.id} ${t.state} of nobody`);
      const waits = t.state === 'calling' || store.get(LEG, t.target) !== undefined;
      if (!waits) out.push(`transfer ${t.id} ${t.state} to nobody`);
      if (t.state === 'calling' && !store.get(CALL, t.targetCall))
        out.push(`transfer ${t.id} calls nobody`);
    }
    for (const row of store.rows(RPR)) {
      if (row.rseq === 0 && !store.all(RPR, 'leg', row.leg).some((r) => r.rseq !== 0)) {
        out.push(`rpr ${row.id} waits behind nothing`);
      }
    }
    return out;
  }

  private alone(leg: Leg, other: Leg | undefined): string[] {
    const { store, cx } = this.lab;
    if (other === undefined) return [];
    const call = store.get(CALL, other.call);
    if (call === undefined) return [`leg ${leg.id} talks with leg ${other.id} of no call`];
    if (other.state !== 'confirmed') return [];
    const back = partner(cx, call, other);
    if (back === leg) return [];
    return [`leg ${leg.id} talks with ${other.id}, who talks with ${back?.id}`];
  }

  override step(): void {
    const kind = this.dice.u32() % 40;
    const peer = this.peers[this.dice.u32() % this.peers.length] as Peer;
    if (kind < 2) this.emergency(peer);
    else if (kind < 4) this.message(peer);
    else if (kind < 7) this.stream();
    else if (kind < 8) this.lamp();
    else if (kind < 10) this.challenge();
    else if (kind < 13) this.transfer();
    else if (kind < 15) this.pickUp(peer);
    else if (kind < 24) this.agree(peer);
    else super.step();
  }

  private emergency(peer: Peer): void {
    if (!/^1/.test(peer.user)) return;
    this.calls += 1;
    const from = this.lab.log.length;
    const callId = `e${this.calls}`;
    this.say(peer, peer.request('INVITE', 'sip:112@192.0.2.10', { callId, body: SDP('help') }));
    if (this.deaf) return;
    const out = this.lab.log.slice(from).some((s) => s.text.startsWith('INVITE sip:112@'));
    if (!out) this.faults.push('an emergency call did not go out');
  }

  private message(peer: Peer): void {
    this.calls += 1;
    const to = `sip:${this.numbers[this.dice.u32() % this.numbers.length]}@192.0.2.10`;
    const method = this.chance(2) ? 'MESSAGE' : 'OPTIONS';
    this.say(peer, peer.request(method, to, { callId: `m${this.calls}`, contact: false }));
  }

  /** A connection dies, or somebody comes back by another one. */
  private stream(): void {
    const all = this.peers.filter((p) => p instanceof Streamer);
    const peer = all[this.dice.u32() % all.length] as Streamer;
    this.story.push(`-- stream of ${peer.ip}`);
    if (this.chance(2)) this.lab.flows.delete(peer.flow);
    else {
      peer.connect();
      if (!peer.listens) this.say(peer, this.registration(peer));
    }
  }

  protected override register(peer: Peer): void {
    if (/^1/.test(peer.user) && !(peer instanceof Streamer)) super.register(peer);
  }

  private registration(peer: Peer): string {
    return peer.request('REGISTER', 'sip:192.0.2.10', {
      to: peer.aor,
      callId: `r${peer.ip}`,
      contact: false,
      extra: `Contact: <${peer.contact}>;expires=7200;+sip.instance="<urn:${peer.ip}>"\r\n`,
    });
  }

  private lamp(): void {
    const lamp = this.lamps[this.dice.u32() % this.lamps.length] as Watcher;
    if (lamp.over || this.deaf || this.mute) return;
    this.pass(1);
    lamp.subscribe({ expires: 86_400 });
    this.listen();
  }

  private at(leg: { readonly ip: string; readonly port: number }): Peer | undefined {
    return this.peers.find((p) => p.ip === leg.ip && p.port === leg.port);
  }

  /** Somebody in a call sends the other side to a number, or to another call of his, as one should. */
  private transfer(): void {
    const legs = [...this.lab.store.rows(LEG)];
    const leg = this.pick(legs.filter((l) => l.state === 'confirmed'));
    const peer = leg === undefined ? undefined : this.at(leg);
    if (leg === undefined || peer === undefined) return;
    const own = legs.filter((l) => l !== leg && l.ip === leg.ip && l.remoteTag !== '');
    const consult = this.chance(2) ? this.pick(own) : undefined;
    const to = this.numbers[this.dice.u32() % this.numbers.length];
    const named =
      consult === undefined
        ? ''
        : `?Replaces=${encodeURIComponent(
            `${consult.callId};to-tag=${tagOf(consult)};from-tag=${consult.remoteTag}`,
          )}`;
    const text = peer.request('REFER', `sip:x@192.0.2.10`, {
      callId: leg.callId,
      toTag: tagOf(leg),
      fromTag: leg.remoteTag,
      cseq: leg.remoteCseq + 1 + (this.dice.u32() % 3),
      extra: `Refer-To: <sip:${to}@x${named}>\r\n`,
    });
    this.say(peer, text);
    if (this.chance(2)) this.leave(peer, leg);
    if (consult !== undefined && this.chance(2)) this.leave(peer, consult);
  }

  private leave(peer: Peer, leg: Leg): void {
    const text = peer.request('BYE', `sip:x@192.0.2.10`, {
      callId: leg.callId,
      toTag: tagOf(leg),
      fromTag: leg.remoteTag,
      cseq: leg.remoteCseq + 5,
    });
    this.say(peer, text);
  }

  /** Takes a call that rings somewhere, or one that is answered. */
  private pickUp(peer: Peer): void {
    if (!/^1/.test(peer.user)) return;
    const legs = [...this.lab.store.rows(LEG)].filter((l) => l.remoteTag !== '');
    const early = legs.filter((l) => l.side === 'callee' && l.state === 'early');
    const leg = this.pick(this.chance(3) ? legs : early);
    if (leg === undefined) return;
    this.calls += 1;
    const extra = `Replaces: ${leg.callId};to-tag=${tagOf(leg)};from-tag=${leg.remoteTag}\r\n`;
    const uri = 'sip:1001@192.0.2.10';
    const callId = `p${this.calls}`;
    this.say(peer, peer.request('INVITE', uri, { callId, extra, body: this.body() }));
    if (this.chance(5)) this.cancel(peer);
  }

  /** Rings, answers or sends on what was asked last, and acknowledges what was answered. */
  private agree(peer: Peer): void {
    const m = this.pick((this.asked.get(peer) as SipMessage[]).filter((x) => x.method !== 'ACK'));
    if (m !== undefined) {
      const first = m.method === 'INVITE' && m.toTag === '';
      const status = !first || this.chance(2) ? 200 : this.chance(3) ? 302 : 180;
      this.answer(peer, m, status, 'mine');
    }
    this.ack(peer, 1);
  }

  /** A gateway wants credentials for whatever it was asked last. */
  private challenge(): void {
    const gates = this.peers.filter((p) => p.user.startsWith('g'));
    const gate = gates[this.dice.u32() % gates.length] as Peer;
    const m = this.pick((this.asked.get(gate) as SipMessage[]).filter((x) => x.method !== 'ACK'));
    if (m === undefined) return;
    const text: string[] = [];
    const send = gate.send.bind(gate);
    gate.send = (t): void => void text.push(t);
    gate.reply(m, 407, 'mine', '', ASK);
    gate.send = send;
    this.say(gate, text[0] as string);
  }

  override swap(): void {
    if (!this.chance(3)) {
      super.swap();
      return;
    }
    this.deaf = true;
    this.step();
    this.deaf = false;
    this.story.push('== swap, the last input forgotten');
    this.lab.swap(false);
    this.listen();
  }

  protected override lives(row: object): boolean {
    const name = (row as { $spec?: { name: string } }).$spec?.name ?? '';
    if (/^(?:binding|contact|regout|cdr|ctievent|ctimonitor)$/.test(name)) return true;
    return name === 'ctx' && (row as Ctx).method === 'OPTIONS';
  }

  /** Lamps that are lit, and what they complained of; asked before the subscriptions end. */
  dark(): string[] {
    const out: string[] = [];
    for (const lamp of this.lamps) {
      if (lamp.over) continue;
      out.push(...lamp.complaints.map((c) => `lamp of ${lamp.watched}: ${c}`));
      const lit = lampsOf(lamp.last.body).filter((s) => s !== 'terminated');
      const legs = this.lab.store
        .all(LEG, 'aor', lamp.watched)
        .filter((l) => l.state === 'confirmed');
      if (lit.length !== legs.length)
        out.push(`lamp of ${lamp.watched}: ${lit}, ${legs.length} legs`);
    }
    return out;
  }
}

function walk(seed: number, steps: number, swapOneIn: number): string[] {
  const w = new WideWalker(seed);
  try {
    for (let i = 0; i < steps && w.faults.length === 0; i += 1) {
      if (swapOneIn > 0 && w.chance(swapOneIn)) w.swap();
      w.step();
      w.watch();
    }
    if (w.faults.length > 0) return [...w.faults, ...w.story.slice(-60)];
    for (let i = 0; i < 600; i += 1) {
      w.lab.pass(1000);
      w.listen();
    }
    const left = [
      ...w.dark(),
      ...w.leftovers(),
      ...w.model.look(w.lab),
      ...w.faults,
      ...w.unfair(),
    ];
    if (left.length > 0)
      left.push(...w.story.slice(-Number(globalThis.process.env['STORY'] ?? 60)));
    return left;
  } catch (error) {
    return [String((error as Error).stack), ...w.story.slice(-40)];
  }
}

const RUNS = Number(globalThis.process.env['WALKS'] ?? 40);
const FROM = Number(globalThis.process.env['FROM'] ?? 1);

for (const [name, swapOneIn] of [
  ['one box', 0],
  ['a box replaced now and then', 20],
] as const) {
  test(`everything at once: ${name}`, (t) => {
    for (let seed = FROM; seed < FROM + RUNS; seed += 1) {
      for (const steps of [40, 250]) {
        const left = walk(seed * 1000 + steps, steps, swapOneIn);
        t.deepEqual(left, [], `seed ${seed}, ${steps} steps`);
        if (left.length > 0) return;
      }
    }
  });
}
