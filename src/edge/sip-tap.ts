/**
 * Copies of the SIP messages of a turn: for operators who watch (`monitor`), and for Homer (`hep.ts`). While
 * nobody does, it costs one look at a flag a turn. Whoever watches gets at most RATE messages a second;
 * what is dropped is counted, and told with the next one.
 */

import type { Peer } from '../base/peer.ts';
import type { Store } from '../base/row.ts';
import { findCall } from '../call/view/calls.ts';
import { correlationOf, names, type SipFilter, Tracer } from '../call/view/trace.ts';
import type { Send } from '../effect.ts';
import type { EngineInput } from '../input.ts';
import { hereFor, type SipSettings } from '../proto/context.ts';
import { LOCAL_MEDIA } from '../proto/media.ts';
import { isFault, parseMessage, type SipMessage } from '../sip-parser/index.ts';
import { mono } from './clock.ts';
import type { HepConfig } from './config-hep.ts';
import { HepSender } from './hep.ts';

/** One message as a watcher is told. */
export type SipLine = {
  /** UTC, ms with a fraction. */
  readonly at: number;
  readonly direction: 'in' | 'out';
  readonly from: string;
  readonly to: string;
  readonly transport: Peer['transport'];
  /** The same for all legs of a call. */
  readonly call: string;
  readonly text: string;
};

type Watcher = {
  readonly id: number;
  readonly filter: SipFilter;
  /** Calls of which a message fitted: the rest of their messages do too. */
  readonly calls: Set<string>;
  tokens: number;
  refilledAt: number;
  dropped: number;
};

/** Who watches at once. */
export const MOST_WATCHERS = 4;
const RATE = 500;
const MOST_CALLS = 1000;
/** So far ahead of the clock moments are only when it was set back. */
const SET_BACK_US = 1_000_000;

export class SipTap {
  /** Somebody watches, or everything goes to Homer. */
  on: boolean;
  private readonly store: Store;
  private readonly settings: SipSettings;
  private readonly tell: (id: number, line: SipLine | { readonly dropped: number }) => void;
  private readonly tracer = new Tracer();
  private readonly watchers: Watcher[] = [];
  private readonly hep: HepSender | undefined;
  private lastUs = 0;
  private primary = false;

  constructor(
    store: Store,
    settings: SipSettings,
    hep: HepConfig | undefined,
    say: {
      readonly tell: (id: number, line: SipLine | { readonly dropped: number }) => void;
      readonly warn: (text: string) => void;
    },
  ) {
    this.store = store;
    this.settings = settings;
    this.tell = say.tell;
    this.hep = hep === undefined ? undefined : new HepSender(hep, say.warn);
    this.on = this.hep !== undefined;
  }

  /** @returns false: there are as many as may be. */
  watch(id: number, filter: SipFilter): boolean {
    if (this.watchers.length >= MOST_WATCHERS) return false;
    const calls = new Set<string>();
    const call = filter.call === '' ? undefined : findCall(this.store, filter.call);
    if (call !== undefined) calls.add(correlationOf(this.store, call));
    this.watchers.push({ id, filter, calls, tokens: RATE, refilledAt: 0, dropped: 0 });
    if (!this.on) this.tracer.learn(this.store);
    this.on = true;
    return true;
  }

  unwatch(id: number): void {
    const at = this.watchers.findIndex((w) => w.id === id);
    if (at >= 0) this.watchers.splice(at, 1);
    this.on = this.hep !== undefined || this.watchers.length > 0;
  }

  /** What was sent to Homer, and what could not be. */
  counters(): { readonly [name: string]: number } {
    return this.hep?.counters ?? {};
  }

  /** After the turn that read them. A new primary has calls of which it heard no message. */
  heard(inputs: readonly EngineInput[], primary: boolean): void {
    if (primary && !this.primary) this.tracer.learn(this.store);
    this.primary = primary;
    for (const input of inputs) {
      if (input.kind === 'sip') this.copy('in', input, input.text);
    }
    this.hep?.flush();
  }

  said(sends: readonly Send[]): void {
    for (const send of sends) this.copy('out', send, send.text);
    this.hep?.flush();
  }

  private copy(direction: 'in' | 'out', peer: Peer, text: string): void {
    // what is said inside the box is on no network
    if (peer.ip === LOCAL_MEDIA.ip) return;
    const parsed = parseMessage(text);
    const m = isFault(parsed) ? undefined : parsed;
    const call = m === undefined ? '' : this.tracer.correlation(this.store, m);
    this.lastUs = momentAfter(this.lastUs, Date.now() * 1000);
    this.hep?.queue(direction, peer, hereFor(this.settings, peer), this.lastUs, call, text);
    for (const w of this.watchers) {
      if (fits(w, m, call)) this.give(w, direction, peer, call, text);
    }
  }

  private give(
    w: Watcher,
    direction: 'in' | 'out',
    peer: Peer,
    call: string,
    latin1: string,
  ): void {
    const now = mono();
    w.tokens = Math.min(RATE, w.tokens + ((now - w.refilledAt) * RATE) / 1000);
    w.refilledAt = now;
    if (w.tokens < 1) {
      w.dropped += 1;
      return;
    }
    w.tokens -= 1;
    if (w.dropped > 0) this.tell(w.id, { dropped: w.dropped });
    w.dropped = 0;
    const here = hereFor(this.settings, peer);
    const there = `${peer.ip.includes(':') ? `[${peer.ip}]` : peer.ip}:${peer.port}`;
    const text = Buffer.from(latin1, 'latin1').toString('utf8');
    const [from, to] = direction === 'in' ? [there, here] : [here, there];
    const at = this.lastUs / 1000;
    this.tell(w.id, { at, direction, from, to, transport: peer.transport, call, text });
  }
}

/** Messages of one turn have one moment, and must not change places; a clock that was set back is right. */
function momentAfter(lastUs: number, nowUs: number): number {
  return lastUs - nowUs > SET_BACK_US ? nowUs : Math.max(lastUs + 1, nowUs);
}

function fits(w: Watcher, m: SipMessage | undefined, call: string): boolean {
  const { number, call: wanted, method } = w.filter;
  if (number === '' && wanted === '' && method === '') return true;
  if (m === undefined) return false;
  if (method !== '' && m.cseqMethod !== method) return false;
  if (number === '' && wanted === '') return true;
  if (w.calls.has(call)) return true;
  if (wanted !== '' && wanted !== call && wanted !== m.callId) return false;
  if (number !== '' && !names(m, number)) return false;
  if (call !== '' && w.calls.size < MOST_CALLS) w.calls.add(call);
  return true;
}
