/**
 * Two boxes with real sentries, pretend engines (`engine.ts`) and the least of a kernel and of two
 * cables, as one value that can be copied. Left alone it is deterministic: `advance` does what is
 * due next, for one box at one moment. Everything else that may happen is a deviation
 * (`deviations.ts`), and the search decides when.
 *
 * One list of things to come stands for sockets, queues between threads, the disk and timers. Each
 * has a channel, and a channel is first-in first-out: what is made late makes what follows it late.
 */

import type { Sentry } from '../../src/pair/sentry.ts';
import type { BoxId, Report, SentryEffect, SentryInput } from '../../src/pair/terms.ts';
import {
  arpAnswer,
  arpOf,
  COARSE,
  frameOf,
  give,
  loadedReport,
  makeSentry,
  T0,
  witnessAnswer,
} from './adapter.ts';
import { Box } from './box.ts';
import { type Disk, Engine, type Frame, type Outside } from './engine.ts';
import type { Channel, Coming, Deed, Item, Later } from './items.ts';
import {
  broken,
  checkClaim,
  checkDoors,
  checkReign,
  checkSpeaks,
  type Property,
} from './properties.ts';
import { describe, describeDeed, words } from './words.ts';

export type Bad = { readonly property: Property; readonly text: string };

/** What a saboteur may bend; each is asked at one place. */
export type Sabotage = {
  readonly effect?: (w: World, box: Box, effect: SentryEffect) => SentryEffect | undefined;
  readonly input?: (w: World, box: Box, input: SentryInput) => SentryInput | undefined;
  /** A drop is answered and not done. */
  readonly keepsVip?: boolean;
  /** What is said does not wait for a second place. */
  readonly openGate?: boolean;
};

export type Hooks = {
  readonly sabotage: Sabotage;
  /** A word for the transcript. */
  readonly tell: ((box: BoxId | '-', text: string) => void) | undefined;
};

export const HONEST: Hooks = { sabotage: {}, tell: undefined };

const LATENCY = 10;
const DISK = 10;
const DISK_LAZY = 100;
const LOADING = 50;
const CONNECT = 30;
const LINK_SILENT = 2000;
const FENCE = 30;
/** How long an init system waits before it starts a process again, and a fenced box is off. */
const RESTART = 200;
const FENCED_OFF = 2500;
/** What an engine does, and not the sentry's thread. */
const FOR_ENGINE: ReadonlySet<Item['kind']> = new Set([
  ...(['frame', 'closed', 'link-silent', 'order', 'written', 'loaded'] as const),
]);
/** What a frozen box finds of one path when it thaws: the first ones and the last ones. */
const BACKLOG_ENDS = 2;

export class World {
  now = T0;
  readonly a = new Box('a');
  readonly b = new Box('b');
  crossover = true;
  witness = true;
  coming: Coming[] = [];
  later: Later[] = [];
  links = 0;
  boots = 0;
  /** The last position let out, and the highest epoch that spoke. */
  released = { epoch: 0, lsn: 0 };
  spokenEpoch = 0;
  bad: Bad | undefined;
  only: Property | '' = '';
  /** Deviations so far, by kind. */
  used: Record<string, number> = {};

  box(id: BoxId): Box {
    return id === 'a' ? this.a : this.b;
  }

  other(box: Box): Box {
    return box === this.a ? this.b : this.a;
  }

  /** The LAN carries frames between the boxes. */
  get air(): boolean {
    return this.a.onLan && this.b.onLan;
  }
}

export class Mover implements Outside {
  private readonly w: World;
  private readonly hooks: Hooks;
  private readonly out: SentryEffect[] = [];

  constructor(world: World, hooks: Hooks) {
    this.w = world;
    this.hooks = hooks;
  }

  get now(): number {
    return this.w.now;
  }

  private tell(box: BoxId | '-', text: () => string): void {
    if (this.hooks.tell !== undefined) this.hooks.tell(box, text());
  }

  broken(property: Property, text: string): void {
    broken(this.w, property, text);
  }

  get openGate(): boolean {
    return this.hooks.sabotage.openGate === true;
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────

  /** @returns false when nothing will ever happen. */
  advance(): boolean {
    const { w } = this;
    const at = this.nextAt();
    if (at === Number.MAX_SAFE_INTEGER) return false;
    if (at > w.now) w.now = at;
    const deed = w.later.find((l) => l.at <= w.now);
    if (deed !== undefined) {
      w.later = w.later.filter((l) => l !== deed);
      this.tell('-', () => describeDeed(deed.deed));
      this.deed(deed.deed);
    } else this.turnOf(this.dueAt(w.a) <= w.now ? w.a : w.b);
    this.check();
    return true;
  }

  nextAt(): number {
    const { w } = this;
    let at = Math.min(this.dueAt(w.a), this.dueAt(w.b));
    for (const l of w.later) at = Math.min(at, l.at);
    return at;
  }

  /** When this box has something to do. */
  dueAt(box: Box): number {
    let at = Number.MAX_SAFE_INTEGER;
    for (const c of this.w.coming) {
      if (c.to === box.id && c.at < at && !this.stalled(c)) at = c.at;
    }
    if (!box.runs) return at;
    const asked = (box.sentry as Sentry).deadline();
    return Math.min(at, Math.max(asked, this.w.now), this.engineDueAt(box));
  }

  private engineDueAt(box: Box): number {
    return box.stuck ? Number.MAX_SAFE_INTEGER : box.engine.deadline(this.w.now);
  }

  /** A stream waits for its cable, and keeps its order. */
  private stalled(c: Coming): boolean {
    return c.channel === 'stream' && !this.w.crossover;
  }

  /** All that is due at this box now, in order, and its timers last. */
  private turnOf(box: Box): void {
    const { w } = this;
    const isDue = (c: Coming) => c.to === box.id && c.at <= w.now && !this.stalled(c);
    const due = w.coming.filter(isDue);
    w.coming = w.coming.filter((c) => !isDue(c));
    for (const c of due) this.arrive(box, c);
    if (!box.runs) return;
    if ((box.sentry as Sentry).deadline() <= w.now) {
      if (!box.stuck) box.engine.work(this);
      this.give(box, { kind: 'tick' });
    } else if (due.length === 0) box.engine.turn(this);
  }

  // ── arrivals ─────────────────────────────────────────────────────────────────────────────────

  private arrive(box: Box, c: Coming): void {
    const { w } = this;
    if (box.sentry === undefined) return;
    const kind = c.item.kind;
    if (c.channel === 'x' && !w.crossover) return;
    const answer = c.item.kind === 'arp' && c.item.arp === 'witness';
    const air = (c.channel === 'l' && kind === 'heartbeat') || c.channel === 'arp';
    if (air && !(answer ? box.onLan : w.air)) return;
    if (c.item.kind === 'arp' && c.item.arp === 'probe') this.kernelAnswers(box, c.item.bytes);
    if (box.frozen) this.keep(box, c);
    else this.take(box, c.item);
  }

  /** The kernel answers for the VIP, whether the process runs or not. */
  private kernelAnswers(box: Box, probe: Uint8Array): void {
    if (box.vipUntil <= this.w.now) return;
    this.tell(box.id, () => 'kernel answers ARP for the VIP');
    const bytes = arpAnswer(box.id, probe);
    this.post(this.w.other(box).id, 'arp', LATENCY, { kind: 'arp', bytes, arp: 'garp' });
  }

  private keep(box: Box, c: Coming): void {
    const same = box.backlog.filter((k) => k.channel === c.channel && k.item.kind === c.item.kind);
    const bounded = c.item.kind === 'heartbeat' || c.item.kind === 'arp';
    if (bounded && same.length >= 2 * BACKLOG_ENDS) {
      const spare = same[BACKLOG_ENDS];
      box.backlog = box.backlog.filter((k) => k !== spare);
    }
    box.backlog.push(c);
  }

  private take(box: Box, item: Item): void {
    const { engine } = box;
    if (item.kind === 'written') {
      box.disk = item.disk;
      if (item.disk.epoch > 0) box.fresh = false;
    }
    if (box.stuck && FOR_ENGINE.has(item.kind)) {
      box.waits.push(item);
      return;
    }
    this.tell(box.id, () => `◂ ${describe(item)}`);
    switch (item.kind) {
      case 'heartbeat':
        this.give(box, { kind: 'heartbeat', path: item.path, bytes: item.bytes });
        break;
      case 'arp':
        this.give(box, { kind: 'frame', bytes: item.bytes });
        break;
      case 'frame':
        if (item.link === engine.link) engine.hear(item.frame, this);
        break;
      case 'closed':
        if (item.link === engine.link) this.lose(box);
        break;
      case 'link-silent':
        if (item.link === engine.link && !this.w.crossover) this.lose(box);
        break;
      case 'order':
        engine.order(item.order, this);
        break;
      case 'report':
        this.give(box, { kind: 'report', report: item.report });
        break;
      case 'written':
        engine.written(item.ticket, item.disk, this);
        break;
      case 'vip':
        this.give(box, { kind: 'vip', up: item.up, error: item.error });
        break;
      case 'carrier':
        if (item.path === 'l') box.toldLan = item.up;
        this.give(box, { kind: 'carrier', path: item.path, up: item.up });
        break;
      case 'operator':
        this.give(box, { kind: 'operator', id: 1, command: item.command });
        break;
      case 'fenced':
        this.give(box, { kind: 'fenced', ok: true, text: '' });
        break;
      case 'loaded':
        engine.load(this);
        this.report(box.id, loadedReport(box.disk, box.fresh));
        break;
    }
    this.check();
  }

  private lose(box: Box): void {
    box.engine.linkDown(this);
    this.w.later.push({ at: this.w.now + CONNECT, deed: { kind: 'connect' } });
  }

  give(box: Box, input: SentryInput): void {
    const { sabotage } = this.hooks;
    const bent = sabotage.input === undefined ? input : sabotage.input(this.w, box, input);
    if (bent === undefined || box.sentry === undefined) return;
    if (!box.stuck) box.engine.breathe(this);
    give(box.sentry, this.w.now, bent, box.engine.standing, this.out);
    for (const effect of this.out) {
      // it ended itself
      if (box.sentry === undefined) break;
      const e = sabotage.effect === undefined ? effect : sabotage.effect(this.w, box, effect);
      if (e !== undefined) this.perform(box, e);
    }
    this.out.length = 0;
  }

  // ── effects ──────────────────────────────────────────────────────────────────────────────────

  private perform(box: Box, effect: SentryEffect): void {
    const { w } = this;
    const peer = w.other(box).id;
    switch (effect.kind) {
      case 'heartbeat': {
        const { path, bytes } = effect;
        if (path === 'x' ? w.crossover : w.air) {
          this.post(peer, path, LATENCY, { kind: 'heartbeat', path, bytes, h: frameOf(bytes) });
        }
        return;
      }
      case 'frame': {
        const { bytes } = effect;
        const arp = arpOf(bytes);
        if (arp === 'witness?') {
          this.askWitness(box, bytes);
          return;
        }
        this.tell(box.id, () => `ARP ${arp} ▸`);
        if (w.air) this.post(peer, 'arp', LATENCY, { kind: 'arp', bytes, arp });
        return;
      }
      case 'vip':
        this.vip(box, effect.action);
        return;
      case 'lease':
        box.lease = effect.until;
        return;
      case 'order':
        this.tell(box.id, () => `order ${words(effect.order)} ▸ engine`);
        if (effect.order.kind === 'reign') checkReign(w, box);
        this.post(box.id, 'order', 0, { kind: 'order', order: effect.order });
        return;
      case 'fence':
        this.tell(box.id, () => 'fences its peer');
        this.end(w.other(box), false, FENCED_OFF);
        this.post(box.id, 'edge', FENCE, { kind: 'fenced' });
        return;
      case 'abort':
        this.tell(box.id, () => 'ends its own process');
        this.end(box, true, RESTART);
        return;
      case 'ping':
      case 'vrrp':
      case 'bounce':
        throw new Error(`${effect.kind}: the pair of the model has none`);
      case 'log':
        this.tell(box.id, () => `"${effect.level}: ${effect.text}"`);
        return;
      case 'answer':
        this.tell(box.id, () => `to operator: ${effect.text}`);
        return;
    }
  }

  private askWitness(box: Box, question: Uint8Array): void {
    if (!box.onLan || !this.w.witness || !box.witness) return;
    const bytes = witnessAnswer(question);
    this.post(box.id, 'arp', LATENCY, { kind: 'arp', bytes, arp: 'witness' });
  }

  /** Off, and on again later. */
  end(box: Box, told: boolean, back: number): void {
    if (box.sentry === undefined) return;
    this.stop(box, told);
    this.w.later.push({ at: this.w.now + back, deed: { kind: 'boot', box: box.id } });
  }

  private vip(box: Box, action: 'claim' | 'renew' | 'drop'): void {
    const { w } = this;
    if (action !== 'renew') this.tell(box.id, () => `VIP ${action}`);
    let up = action !== 'drop';
    if (action === 'claim') checkClaim(w, box);
    if (action === 'renew' && box.vipUntil <= w.now) up = false;
    if (action === 'drop') box.vipUntil = this.hooks.sabotage.keepsVip ? box.vipUntil : 0;
    else if (up) box.vipUntil = w.now + COARSE.vipLifetimeS * 1000;
    const error = up || action === 'drop' ? '' : 'address gone';
    this.post(box.id, 'edge', 0, { kind: 'vip', up, error });
  }

  post(to: BoxId, channel: Channel, delay: number, item: Item): void {
    let at = this.w.now + delay;
    for (const c of this.w.coming) if (c.to === to && c.channel === channel && c.at > at) at = c.at;
    this.w.coming.push({ at, to, channel, item });
  }

  // ── what engines ask for ─────────────────────────────────────────────────────────────────────

  send(box: BoxId, link: number, frame: Frame): void {
    this.post(box === 'a' ? 'b' : 'a', 'stream', LATENCY, { kind: 'frame', link, frame });
  }

  hangUp(box: BoxId, link: number): void {
    this.post(box === 'a' ? 'b' : 'a', 'stream', LATENCY, { kind: 'closed', link });
    this.w.later.push({ at: this.w.now + CONNECT, deed: { kind: 'connect' } });
  }

  write(box: BoxId, ticket: number, disk: Disk, lazy: boolean): void {
    const after = lazy ? DISK_LAZY : DISK;
    this.post(box, 'disk', after, { kind: 'written', ticket, disk });
  }

  report(box: BoxId, report: Report): void {
    this.post(box, 'report', 0, { kind: 'report', report });
  }

  released(box: BoxId, epoch: number, lsn: number): void {
    this.tell(box, () => `says what rests on record ${lsn} of epoch ${epoch}`);
    this.w.released = { epoch, lsn };
  }

  spoke(id: BoxId): void {
    this.tell(id, () => `speaks, epoch ${this.w.box(id).engine.word.epoch}`);
    checkSpeaks(this.w, this.w.box(id));
  }

  lease(box: BoxId): number {
    return this.w.box(box).lease;
  }

  check(): void {
    checkDoors(this.w);
  }

  // ── deeds ────────────────────────────────────────────────────────────────────────────────────

  deed(deed: Deed): void {
    switch (deed.kind) {
      case 'boot':
        this.boot(this.w.box(deed.box));
        return;
      case 'thaw':
        this.thaw(this.w.box(deed.box));
        return;
      case 'plug-lan':
        this.setLan(this.w.box(deed.box), true);
        return;
      case 'plug-x':
        this.setCrossover(true);
        return;
      case 'stop':
        this.stop(this.w.box(deed.box), true);
        return;
      case 'loosen':
        this.loosen(this.w.box(deed.box));
        return;
      case 'port':
        this.w.box(deed.box).port = true;
        return;
      case 'see-witness':
        this.w.box(deed.box).witness = true;
        return;
      case 'witness':
        this.w.witness = true;
        return;
      case 'connect':
        this.connect();
        return;
    }
  }

  boot(box: Box): void {
    const { w } = this;
    if (box.sentry !== undefined) return;
    w.boots += 1;
    box.frozen = false;
    box.awakeAt = w.now;
    box.sentry = makeSentry(box.id, w.boots);
    box.engine = new Engine(box.id, box.disk);
    this.post(box.id, 'edge', 0, { kind: 'carrier', path: 'x', up: w.crossover });
    this.post(box.id, 'edge', 0, { kind: 'carrier', path: 'l', up: box.lan });
    this.post(box.id, 'lazy', LOADING, { kind: 'loaded' });
    w.later.push({ at: w.now + CONNECT, deed: { kind: 'connect' } });
  }

  /** The process ends. @param told the kernel lives on and closes the stream. */
  stop(box: Box, told: boolean): void {
    const { w } = this;
    if (box.sentry === undefined) return;
    const { link } = box.engine;
    if (told && link !== 0) {
      this.post(w.other(box).id, 'stream', LATENCY, { kind: 'closed', link });
    }
    w.coming = w.coming.filter((c) => c.to !== box.id);
    w.later = w.later.filter(
      ({ deed }) => (deed.kind !== 'thaw' && deed.kind !== 'loosen') || deed.box !== box.id,
    );
    box.sentry = undefined;
    box.engine = new Engine(box.id, box.disk);
    box.frozen = false;
    box.lease = 0;
    box.vipUntil = 0;
    box.backlog = [];
    box.stuck = false;
    box.waits = [];
  }

  /** The engine turns again, and finds what came meanwhile. */
  loosen(box: Box): void {
    if (!box.stuck) return;
    box.stuck = false;
    const { waits } = box;
    box.waits = [];
    for (const item of waits) if (box.sentry !== undefined) this.take(box, item);
    if (box.runs) this.give(box, { kind: 'tick' });
    this.w.later.push({ at: this.w.now + CONNECT, deed: { kind: 'connect' } });
  }

  thaw(box: Box): void {
    if (!box.frozen) return;
    box.frozen = false;
    box.awakeAt = this.w.now;
    // whatever the process does first, its door must be shut by now if it must be
    this.check();
    const kept = box.backlog;
    box.backlog = [];
    this.give(box, { kind: 'tick' });
    this.check();
    for (const c of kept) if (box.runs) this.take(box, c.item);
    this.w.later.push({ at: this.w.now + CONNECT, deed: { kind: 'connect' } });
  }

  setLan(box: Box, up: boolean): void {
    if (box.lan === up) return;
    box.lan = up;
    if (box.sentry !== undefined) {
      this.post(box.id, 'edge', 0, { kind: 'carrier', path: 'l', up });
    }
  }

  setCrossover(up: boolean): void {
    const { w } = this;
    if (w.crossover === up) return;
    w.crossover = up;
    for (const box of [w.a, w.b]) {
      if (box.sentry === undefined) continue;
      this.post(box.id, 'edge', 0, { kind: 'carrier', path: 'x', up });
      const { link } = box.engine;
      if (!up && link !== 0) this.post(box.id, 'lazy', LINK_SILENT, { kind: 'link-silent', link });
    }
    if (up) w.later.push({ at: w.now + CONNECT, deed: { kind: 'connect' } });
  }

  /** Two running processes and a cable: a stream. A new one replaces an old one. */
  private connect(): void {
    const { w } = this;
    const { a, b } = w;
    if (!a.runs || !b.runs || a.stuck || b.stuck || !w.crossover) return;
    if (a.engine.link !== 0 && a.engine.link === b.engine.link) return;
    w.links += 1;
    a.engine.linkUp(w.links, this);
    b.engine.linkUp(w.links, this);
  }
}
