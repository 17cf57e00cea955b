/**
 * The engine's side of `show`, `clear` and `monitor`. Rows are read between turns; an answer leaves the
 * thread as a text, so that the sentry, which passes it on, has nothing to do with it.
 */

import type { ClearAnswer, ClearRequest } from '../call/view/clear.ts';
import { show } from '../call/view/show.ts';
import type { ShowRequest } from '../call/view/terms.ts';
import type { SipFilter } from '../call/view/trace.ts';
import type { LogLine } from '../effect.ts';
import type { EngineInput } from '../input.ts';
import type { Engine } from '../node.ts';
import type { Config } from './config.ts';
import { MOST_WATCHERS, SipTap } from './sip-tap.ts';

export type ToDesk =
  | { readonly kind: 'show'; readonly id: number; readonly request: ShowRequest }
  | {
      readonly kind: 'clear';
      readonly id: number;
      readonly request: ClearRequest | { readonly what: 'counters'; readonly id: string };
    }
  /** Somebody watches SIP messages, or does no more. */
  | { readonly kind: 'watch'; readonly id: number; readonly filter: SipFilter }
  | { readonly kind: 'unwatch'; readonly id: number };

/** A line of JSON for whoever asked as `id`. */
export type FromDesk = { readonly kind: 'told'; readonly id: number; readonly json: string };

type Say = (message: FromDesk | { readonly kind: 'log'; readonly line: LogLine }) => void;

export class ShowDesk {
  readonly tap: SipTap;
  private readonly config: Config;
  private readonly engine: Engine;
  private readonly say: Say;
  private readonly input: (input: EngineInput) => void;
  /** Counters as they stood when they were cleared: SNMP and metrics go on counting. */
  private zero: { readonly [name: string]: number } = {};

  constructor(config: Config, engine: Engine, say: Say, input: (input: EngineInput) => void) {
    this.config = config;
    this.engine = engine;
    this.say = say;
    this.input = input;
    this.tap = new SipTap(engine.ledger, config.node.sip, config.hep, {
      tell: (id, line) => this.tell(id, line),
      warn: (text) => say({ kind: 'log', line: { level: 'warning', text } }),
    });
  }

  take(m: ToDesk): void {
    switch (m.kind) {
      case 'show':
        this.tell(m.id, this.show(m.request));
        return;
      case 'clear': {
        const { what, id: row } = m.request;
        if (what !== 'counters')
          this.input({ kind: 'clear', id: m.id, request: { what, id: row } });
        else this.clearCounters(m.id);
        return;
      }
      case 'watch': {
        const full = { error: 'monitor-busy', text: `${MOST_WATCHERS} watch already` };
        this.tell(m.id, this.tap.watch(m.id, m.filter) ? { ok: true, text: 'SIP follows' } : full);
        return;
      }
      case 'unwatch':
        this.tap.unwatch(m.id);
        return;
    }
  }

  cleared(id: number, answer: ClearAnswer): void {
    this.tell(id, answer);
  }

  private tell(id: number, value: object): void {
    this.say({ kind: 'told', id, json: JSON.stringify(value) });
  }

  private show(r: ShowRequest): object {
    const { engine } = this;
    const shop = {
      store: engine.ledger,
      settings: this.config.node.sip,
      now: engine.pairNow(),
      mirrored: engine.role !== 'primary' && engine.role !== 'resigning',
      tables: () => engine.ledger.tables.digests(false),
      counters: r.what === 'counters' ? this.counted() : {},
    };
    return show(shop, r);
  }

  private counters(): { readonly [name: string]: number } {
    return { ...this.engine.view(false).counters, ...this.tap.counters() };
  }

  private counted(): { readonly [name: string]: number } {
    const all: { [name: string]: number } = {};
    for (const [name, n] of Object.entries(this.counters())) {
      const since = n - (this.zero[name] ?? 0);
      if (since > 0) all[name] = since;
    }
    return all;
  }

  private clearCounters(id: number): void {
    this.zero = this.counters();
    this.tell(id, { ok: true, text: '`show counters` counts from now; SNMP and metrics go on' });
  }
}
