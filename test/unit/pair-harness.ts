/**
 * Two sentries joined by a pretend wire, under virtual time. Engines are the least that obeys the
 * orders; the kernel is the least that owns an address: it answers ARP for the VIP as long as the
 * process lives and the lifetime runs, frozen or not. Everything is decided by a queue and a seed.
 */

import { type Chance, seeded } from '../../src/base/chance.ts';
import { isFault } from '../../src/base/fault.ts';
import { Sentry } from '../../src/pair/sentry.ts';
import { pairSettings } from '../../src/pair/settings.ts';
import { noStanding } from '../../src/pair/standing.ts';
import type {
  BoxId,
  OperatorCommand,
  Order,
  PairSettings,
  Path,
  SentryEffect,
  SentryInput,
} from '../../src/pair/terms.ts';
import { arpReply, decodeArp } from '../../src/wire/arp.ts';
import { decodeHeartbeat, type Heartbeat } from '../../src/wire/heartbeat.ts';
import { Box } from './pair-harness-box.ts';

export type { Box };

export const VIP = '192.0.2.10';
export const KEY = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1);
export const MAC = { a: '02:00:00:00:00:0a', b: '02:00:00:00:00:0b' } as const;

export const WITNESS = '192.0.2.1';
const WITNESS_MAC = '02:00:00:00:00:01';

export function settingsOf(box: BoxId, more: Partial<PairSettings> = {}): PairSettings {
  return pairSettings({
    box,
    redundancy: 'hot-standby',
    probeMs: 10,
    holdMs: 1000,
    garpAtMs: [0, 50, 150, 400, 1000],
    vips: [VIP],
    lanAddress: box === 'a' ? '192.0.2.11' : '192.0.2.12',
    peerLanAddress: box === 'a' ? '192.0.2.12' : '192.0.2.11',
    key: KEY,
    ...more,
  });
}

export type LogEntry = { readonly at: number; readonly box: BoxId; readonly text: string };

type Job = { readonly at: number; readonly order: number; readonly run: () => void };

export class Pair {
  now = 0;
  readonly a = new Box('a');
  readonly b = new Box('b');
  readonly logs: LogEntry[] = [];
  /** Broken promises, as sentences. */
  readonly broken: string[] = [];
  /** MAC that hosts on the LAN believe to have the VIP. */
  cache = '';
  garps: { at: number; mac: string; op: string }[] = [];
  /** Returns false to lose a heartbeat. */
  filter: (from: BoxId, path: Path, h: Heartbeat) => boolean = () => true;
  /** Keeps every heartbeat sent, for replay. */
  readonly tape: { from: BoxId; path: Path; bytes: Uint8Array }[] = [];
  engineMs = 3;
  latency: () => number = () => 0.2;
  /** The mirror's stream stands. */
  linked = false;
  /** The LAN hides the boxes from each other, and nobody else. */
  apart = false;
  /** Answers a fence: what it did, or undefined for no answer. */
  fence: (box: Box) => { readonly ok: boolean; readonly text: string } | undefined = () =>
    undefined;
  fences = 0;
  /** Sabotage: ARP replies never reach a sentry. */
  deaf = false;
  private readonly more: Partial<PairSettings>;
  private readonly chance: Chance;
  private readonly jobs: Job[] = [];
  private count = 0;

  constructor(seed = 1, more: Partial<PairSettings> = {}) {
    this.more = more;
    this.chance = seeded(seed);
  }

  random(): number {
    return this.chance.u32() / 0x1_0000_0000;
  }

  other(box: Box): Box {
    return box === this.a ? this.b : this.a;
  }

  after(ms: number, run: () => void): void {
    this.count += 1;
    const job = { at: this.now + ms, order: this.count, run };
    let i = this.jobs.length;
    while (i > 0 && (this.jobs[i - 1] as Job).at > job.at) i -= 1;
    this.jobs.splice(i, 0, job);
  }

  /** Runs the world for `ms`, or until `until` holds. @returns the time that passed. */
  run(ms: number, until: () => boolean = () => false): number {
    const begin = this.now;
    const end = begin + ms;
    while (!until()) {
      const job = this.jobs[0];
      if (job === undefined || job.at > end) {
        this.now = end;
        break;
      }
      this.jobs.shift();
      this.now = Math.max(this.now, job.at);
      job.run();
    }
    return this.now - begin;
  }

  boot(box: Box, loadMs = 20): void {
    box.life += 1;
    box.wake = -1;
    box.frozen = false;
    box.waiting.length = 0;
    box.engine = 'idle';
    box.engineStopped = false;
    box.standing = noStanding();
    box.sentry = new Sentry(settingsOf(box.id, this.more), MAC[box.id], this.chance);
    this.give(box, { kind: 'carrier', path: 'x', up: box.carrier.x });
    this.give(box, { kind: 'carrier', path: 'l', up: box.carrier.l });
    this.soon(box, loadMs, () => {
      const d = box.disk;
      const { epoch, lsn, peerStale } = d;
      Object.assign(box.standing, { epoch, recordEpoch: epoch, lsn, peerStale });
      this.give(box, { kind: 'report', report: { kind: 'loaded', chain: 0, ...d } });
    });
  }

  /** The process dies; the kernel takes the VIP with it and closes the stream. */
  kill(box: Box): void {
    const told = this.linked && this.xUp();
    const peer = this.other(box);
    const life = peer.life;
    this.powerOff(box);
    if (told) {
      this.after(this.latency(), () => {
        if (peer.life === life) this.linkClosed(peer);
      });
    }
  }

  /** As a kill, but nobody is told. */
  powerOff(box: Box): void {
    if (box.sentry === undefined) return;
    const was = this.linked;
    this.linked = false;
    box.life += 1;
    box.sentry = undefined;
    box.frozen = false;
    box.lease = 0;
    box.vipUntil = 0;
    box.engine = 'idle';
    if (was) {
      const peer = this.other(box);
      this.soon(peer, 50, () => this.linkLost(peer));
    }
  }

  freeze(box: Box): void {
    if (box.sentry === undefined || box.frozen) return;
    box.frozen = true;
    const peer = this.other(box);
    if (!this.linked || peer.engine !== 'speaking') return;
    // a primary whose backup does not acknowledge goes on alone
    this.soon(peer, 50, () => {
      if (!box.frozen || peer.engine !== 'speaking') return;
      this.unlink();
      this.linkLost(peer);
    });
  }

  thaw(box: Box): void {
    if (!box.frozen) return;
    box.frozen = false;
    box.wake = -1;
    const inputs = box.waiting.splice(0);
    this.give(box, { kind: 'tick' });
    for (const input of inputs) this.give(box, input);
  }

  setCarrier(box: Box, path: Path, up: boolean): void {
    if (box.carrier[path] === up) return;
    box.carrier[path] = up;
    this.give(box, { kind: 'carrier', path, up });
  }

  cutX(): void {
    this.setCarrier(this.a, 'x', false);
    this.setCarrier(this.b, 'x', false);
    if (!this.linked) return;
    this.linked = false;
    for (const box of [this.a, this.b]) this.soon(box, 50, () => this.linkLost(box));
  }

  healX(): void {
    this.setCarrier(this.a, 'x', true);
    this.setCarrier(this.b, 'x', true);
    this.tryLink();
  }

  operator(box: Box, id: number, command: OperatorCommand): void {
    this.give(box, { kind: 'operator', id, command });
  }

  /** The box that has a live lease, the door open. */
  voice(): BoxId | 'none' | 'both' {
    const a = this.a.lease > this.now;
    const b = this.b.lease > this.now;
    return a && b ? 'both' : a ? 'a' : b ? 'b' : 'none';
  }

  xUp(): boolean {
    return this.a.carrier.x && this.b.carrier.x;
  }

  lUp(): boolean {
    return this.a.carrier.l && this.b.carrier.l && !this.apart;
  }

  /** Hands an input to a box: at once, or when it thaws. */
  give(box: Box, input: SentryInput): void {
    if (box.sentry === undefined) return;
    if (box.frozen) {
      if (input.kind !== 'tick') box.waiting.push(input);
      return;
    }
    const out: SentryEffect[] = [];
    box.standing.turns = box.turns(this.now);
    box.standing.pairNow = Math.floor(this.now) + 5000;
    if (box.engine === 'speaking') {
      box.standing.lsn += 1;
      const peer = this.other(box);
      if (this.linked && peer.standing.inStep) peer.standing.lsn = box.standing.lsn;
    }
    box.sentry.step(this.now, input, box.standing, out);
    for (const effect of out) this.perform(box, effect);
    if (box.sentry !== undefined) this.schedule(box);
  }

  private schedule(box: Box): void {
    const at = (box.sentry as Sentry).deadline();
    if (box.wake === at) return;
    box.wake = at;
    const life = box.life;
    this.after(Math.max(0, at - this.now), () => {
      if (box.life === life && box.wake === at) this.give(box, { kind: 'tick' });
    });
  }

  /** Runs later if the box is still in this life; waits while it is frozen. */
  private soon(box: Box, ms: number, run: () => void): void {
    const life = box.life;
    const attempt = (): void => {
      if (box.life !== life || box.sentry === undefined) return;
      if (box.frozen) this.after(1, attempt);
      else run();
    };
    this.after(ms, attempt);
  }

  private perform(box: Box, effect: SentryEffect): void {
    switch (effect.kind) {
      case 'heartbeat':
        this.send(box, effect.path, effect.bytes);
        break;
      case 'frame':
        this.arp(box, effect.bytes);
        break;
      case 'vip':
        this.vip(box, effect.action);
        break;
      case 'ping':
        if (box.carrier.l && box.witness && effect.address === WITNESS) {
          const { address } = effect;
          this.after(2 * this.latency(), () => this.give(box, { kind: 'echo', address }));
        }
        break;
      case 'fence': {
        this.fences += 1;
        const answer = this.fence(box);
        if (answer !== undefined)
          this.soon(box, 20, () => this.give(box, { kind: 'fenced', ...answer }));
        break;
      }
      case 'abort':
        box.aborts += 1;
        this.after(0, () => this.kill(box));
        break;
      case 'vrrp':
      case 'bounce':
        break;
      case 'lease':
        this.lease(box, effect.until);
        break;
      case 'order':
        box.orders.push(effect.order);
        this.obey(box, effect.order);
        break;
      case 'answer':
        box.answers.push({ id: effect.id, ok: effect.ok, text: effect.text });
        break;
      case 'log':
        this.logs.push({ at: this.now, box: box.id, text: `${effect.level}: ${effect.text}` });
        break;
    }
  }

  private send(box: Box, path: Path, bytes: Uint8Array): void {
    const h = decodeHeartbeat(bytes, KEY);
    if (isFault(h)) throw new Error(h.fault);
    this.tape.push({ from: box.id, path, bytes });
    const peer = this.other(box);
    if (!(path === 'x' ? this.xUp() : this.lUp()) || !this.filter(box.id, path, h)) return;
    this.after(this.latency(), () => this.give(peer, { kind: 'heartbeat', path, bytes }));
  }

  private arp(box: Box, bytes: Uint8Array): void {
    if (!box.carrier.l) return;
    const arp = decodeArp(bytes);
    if (isFault(arp)) throw new Error(arp.fault);
    if (arp.senderIp === VIP) {
      this.cache = arp.senderMac;
      this.garps.push({ at: this.now, mac: arp.senderMac, op: arp.op });
    }
    if (arp.op === 'request' && arp.targetIp === WITNESS && box.witness) {
      const answer = arpReply(WITNESS_MAC, WITNESS, arp.senderMac, arp.senderIp);
      this.after(2 * this.latency(), () => {
        if (box.carrier.l && box.witness) this.give(box, { kind: 'frame', bytes: answer });
      });
      return;
    }
    const peer = this.other(box);
    if (!peer.carrier.l || this.apart) return;
    this.after(this.latency(), () => {
      this.give(peer, { kind: 'frame', bytes });
      if (arp.op !== 'request' || arp.targetIp !== VIP || peer.vipUntil <= this.now) return;
      if (!peer.carrier.l || !box.carrier.l || arp.senderIp === VIP) return;
      const reply = arpReply(MAC[peer.id], VIP, arp.senderMac, arp.senderIp);
      if (this.deaf) return;
      this.after(this.latency(), () => this.give(box, { kind: 'frame', bytes: reply }));
    });
  }

  private vip(box: Box, action: 'claim' | 'renew' | 'drop'): void {
    const at = this.now;
    this.soon(box, 0.3, () => {
      if (action === 'drop') {
        box.vipUntil = 0;
        this.give(box, { kind: 'vip', up: false, error: '' });
        return;
      }
      if (action === 'claim') {
        const peer = this.other(box);
        if (this.lUp() && !this.apart && peer.vipUntil > this.now) {
          this.broken.push(`${this.now}: ${box.id} claims a VIP that ${peer.id} answers for`);
        }
        if (box.failClaims > 0) {
          box.failClaims -= 1;
          this.give(box, { kind: 'vip', up: false, error: 'device busy' });
          return;
        }
      } else if (box.vipUntil <= this.now) {
        this.give(box, { kind: 'vip', up: false, error: 'address gone' });
        return;
      }
      box.vipUntil = Math.max(at, this.now) + settingsOf(box.id).vipLifetimeS * 1000;
      this.give(box, { kind: 'vip', up: true, error: '' });
    });
  }

  private lease(box: Box, until: number): void {
    if (until > 0 && box.lease <= this.now) box.claims.push(this.now);
    box.lease = until;
    const peer = this.other(box);
    if (until > this.now && peer.lease > this.now && this.lUp()) {
      this.broken.push(`${this.now}: two leases, ${box.id} until ${until}, other ${peer.lease}`);
    }
    if (until > box.vipUntil) this.broken.push(`${this.now}: lease outlives the address`);
  }

  private obey(box: Box, order: Order): void {
    const s = box.standing;
    switch (order.kind) {
      case 'follow':
        box.engine = 'follower';
        s.inStep = false;
        this.unlink();
        this.tryLink();
        break;
      case 'reign':
        if (box.engine === 'speaking') this.broken.push(`${this.now}: reign over a living voice`);
        box.engine = 'reigning';
        this.unlink();
        this.soon(box, this.engineMs, () => {
          if (box.engine !== 'reigning') return;
          s.epoch = order.epoch;
          s.lsn += 1;
          s.peerStale = true;
          box.disk.fresh = false;
          this.save(box, true);
          this.give(box, { kind: 'report', report: { kind: 'reigning', epoch: order.epoch } });
        });
        break;
      case 'speak':
        box.engine = 'speaking';
        s.inStep = false;
        s.recordEpoch = s.epoch;
        this.tryLink();
        break;
      case 'resign':
        this.soon(box, this.engineMs, () => {
          const ok = this.linked && s.inStep;
          const report = ok
            ? ({ kind: 'flushed' } as const)
            : ({ kind: 'flush-refused', why: 'the backup is not in step' } as const);
          this.give(box, { kind: 'report', report });
        });
        break;
      case 'hand-over': {
        const peer = this.other(box);
        const epoch = s.epoch;
        box.engine = 'follower';
        this.save(box, false);
        if (this.linked && this.xUp()) {
          this.after(this.latency(), () => {
            peer.standing.lsn = s.lsn;
            this.give(peer, { kind: 'report', report: { kind: 'goodbye', epoch } });
          });
        }
        break;
      }
      case 'stay':
      case 'resync':
        break;
    }
  }

  private save(box: Box, wasPrimary: boolean): void {
    const s = box.standing;
    Object.assign(box.disk, { epoch: s.epoch, lsn: s.lsn, peerStale: s.peerStale, wasPrimary });
  }

  private unlink(): void {
    this.linked = false;
    this.a.standing.linkUp = false;
    this.b.standing.linkUp = false;
  }

  /** A primary and a follower that can reach each other over X come in step. */
  private tryLink(): void {
    const lead = this.a.engine === 'speaking' ? this.a : this.b;
    const tail = this.other(lead);
    const lives = [lead.life, tail.life];
    const still = (): boolean =>
      lead.engine === 'speaking' &&
      tail.engine === 'follower' &&
      lead.life === lives[0] &&
      tail.life === lives[1] &&
      !lead.frozen &&
      !tail.frozen &&
      this.xUp();
    const attempt = (): void => {
      if (lead.engine !== 'speaking' || tail.engine !== 'follower' || this.linked) return;
      if (lead.life !== lives[0] || tail.life !== lives[1]) return;
      if (!still()) {
        this.after(20, attempt);
        return;
      }
      this.linked = true;
      for (const box of [lead, tail]) {
        box.standing.linkUp = true;
        box.standing.inStep = true;
        box.standing.peerStale = false;
        box.standing.epoch = lead.standing.epoch;
        box.standing.recordEpoch = lead.standing.recordEpoch;
        box.standing.lsn = lead.standing.lsn;
        box.disk.fresh = false;
        this.save(box, box === lead);
      }
    };
    this.after(15, attempt);
  }

  private linkClosed(box: Box): void {
    this.linkLost(box);
    this.give(box, { kind: 'report', report: { kind: 'link-closed' } });
  }

  /** The stream is gone; a primary goes on alone, durably. */
  private linkLost(box: Box): void {
    if (box.sentry === undefined || this.linked) return;
    box.standing.linkUp = false;
    if (box.engine !== 'speaking') return;
    box.standing.inStep = false;
    box.standing.peerStale = true;
    this.save(box, true);
    this.tryLink();
  }
}

/** A pair that has started and is in step, `a` primary. */
export function started(seed = 1, more: Partial<PairSettings> = {}): Pair {
  const pair = new Pair(seed, more);
  pair.boot(pair.a);
  pair.boot(pair.b);
  pair.run(3000, () => pair.a.standing.inStep && pair.b.standing.inStep);
  pair.run(100);
  return pair;
}
