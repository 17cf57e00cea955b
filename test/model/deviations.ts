/**
 * What may happen besides what is due: faults of machines and cables, messages lost or late, the
 * operator. Each costs one of its budget and one of the total. How long something lasts is taken
 * from a few values on both sides of every time the pair counts with (red 250, lease 600, lifetime
 * 1000 ms, patience 1000, hold 600).
 */

import type { BoxId } from '../../src/pair/terms.ts';
import { phaseOf, variant } from './adapter.ts';
import { holds } from './engine.ts';
import type { Channel } from './items.ts';
import { options } from './properties.ts';
import { describe } from './words.ts';
import type { Mover, World } from './world.ts';

export const KINDS = [
  ...(['crash', 'pause', 'cut', 'lan', 'operator', 'lose', 'late'] as const),
  ...(['stuck', 'witness', 'port'] as const),
] as const;
export type Kind = (typeof KINDS)[number];
export type Budget = { readonly [K in Kind]: number };

export type Deviation = {
  readonly label: string;
  readonly kind: Kind;
  readonly can: (w: World) => boolean;
  readonly run: (m: Mover, w: World) => void;
};

const BOXES: readonly BoxId[] = ['a', 'b'];
const KILLED: readonly number[] = [200, 2500];
const UNPOWERED: readonly number[] = [400, 2500];
const FROZEN: readonly number[] = [400, 800, 1300];
const CUT: readonly number[] = [200, 2600];
const NO_LAN: readonly number[] = [200, 2600];
/** An engine on its own is given 800 ms, one whose backup could go on 200. */
const STUCK: readonly number[] = [150, 500, 5000];
const NO_WITNESS: readonly number[] = [200, 2600];
const DEAD_PORT: readonly number[] = [200, 2600];
/** A box that is told to retire is switched off, and on again. */
const RETIRED = 30;
const RETIRED_BACK = 400;
const LATE: readonly number[] = [30, 300];
/** Silence is proved by probes a few times this long: a LAN slower than that hides the living. */
const ARP_LATE: readonly number[] = [10];
/** An engine that takes its orders later takes everything later: `report` and `disk` stand for it. */
const ORDER_LATE: readonly number[] = [30];
/** How late what comes this way may be. */
const LATE_BY: { readonly [C in Channel]?: readonly number[] } = {
  arp: ARP_LATE,
  order: ORDER_LATE,
};
const LOSSY: readonly Channel[] = ['x', 'l', 'arp'];
const SLOW: readonly Channel[] = ['x', 'l', 'arp', 'stream', 'order', 'report', 'disk'];

function faults(id: BoxId): Deviation[] {
  const runs = (w: World): boolean => w.box(id).runs;
  const list: Deviation[] = [];
  for (const [how, times] of [['kill', KILLED] as const, ['power off', UNPOWERED] as const]) {
    for (const ms of times) {
      list.push({
        label: `${how} ${id}, back after ${ms} ms`,
        kind: 'crash',
        can: (w) => w.box(id).sentry !== undefined,
        run: (m, w) => {
          m.stop(w.box(id), how === 'kill');
          w.later.push({ at: w.now + ms, deed: { kind: 'boot', box: id } });
        },
      });
    }
  }
  for (const ms of FROZEN) {
    list.push({
      label: `freeze ${id} for ${ms} ms`,
      kind: 'pause',
      can: (w) => runs(w) && (w.box(id).onLan || options.residual),
      run: (_m, w) => {
        w.box(id).frozen = true;
        w.later.push({ at: w.now + ms, deed: { kind: 'thaw', box: id } });
      },
    });
  }
  for (const ms of NO_LAN) {
    list.push({
      label: `LAN of ${id} down for ${ms} ms`,
      kind: 'lan',
      can: (w) => w.box(id).lan && (!w.box(id).frozen || options.residual),
      run: (m, w) => {
        m.setLan(w.box(id), false);
        w.later.push({ at: w.now + ms, deed: { kind: 'plug-lan', box: id } });
      },
    });
  }
  for (const ms of STUCK) {
    list.push({
      label: `engine of ${id} stuck for ${ms} ms`,
      kind: 'stuck',
      can: (w) => runs(w) && w.box(id).engine.loaded && !w.box(id).stuck,
      run: (_m, w) => {
        w.box(id).stuck = true;
        w.later.push({ at: w.now + ms, deed: { kind: 'loosen', box: id } });
      },
    });
  }
  for (const ms of NO_WITNESS) {
    list.push({
      label: `${id} does not reach the witness for ${ms} ms`,
      kind: 'witness',
      can: (w) => variant.witness && w.box(id).witness,
      run: (_m, w) => {
        w.box(id).witness = false;
        w.later.push({ at: w.now + ms, deed: { kind: 'see-witness', box: id } });
      },
    });
  }
  for (const ms of DEAD_PORT) {
    list.push({
      label: `port of ${id} dead for ${ms} ms, with carrier`,
      kind: 'port',
      can: (w) => w.box(id).port && (!w.box(id).frozen || options.residual),
      run: (_m, w) => {
        w.box(id).port = false;
        w.later.push({ at: w.now + ms, deed: { kind: 'port', box: id } });
      },
    });
  }
  return list;
}

function retire(id: BoxId): Deviation {
  return {
    label: `operator: retire ${id}, off and on again`,
    kind: 'operator',
    can: (w) => w.box(id).runs,
    run: (m, w) => {
      m.give(w.box(id), { kind: 'operator', id: 1, command: { kind: 'retire' } });
      w.later.push({ at: w.now + RETIRED, deed: { kind: 'stop', box: id } });
      w.later.push({ at: w.now + RETIRED_BACK, deed: { kind: 'boot', box: id } });
    },
  };
}

const WITNESS_GONE: readonly Deviation[] = NO_WITNESS.map((ms) => ({
  label: `the witness is gone for ${ms} ms`,
  kind: 'witness',
  can: (w) => variant.witness && w.witness,
  run: (_m, w) => {
    w.witness = false;
    w.later.push({ at: w.now + ms, deed: { kind: 'witness' } });
  },
}));

function orders(id: BoxId): Deviation[] {
  return (['switchover', 'promote'] as const).map((command) => ({
    label: `operator: ${command} at ${id}`,
    kind: 'operator',
    can: (w) => {
      const { sentry, runs } = w.box(id);
      if (sentry === undefined || !runs) return false;
      return command === 'switchover'
        ? phaseOf(sentry) === 'primary'
        : phaseOf(sentry) !== 'primary';
    },
    run: (m, w) => {
      const input =
        command === 'switchover' ? ({ kind: command, force: false } as const) : undefined;
      m.give(w.box(id), { kind: 'operator', id: 1, command: input ?? { kind: 'promote' } });
    },
  }));
}

function messages(id: BoxId): Deviation[] {
  const list: Deviation[] = [];
  const head = (w: World, channel: Channel) =>
    w.coming.find((c) => c.to === id && c.channel === channel);
  for (const channel of LOSSY) {
    list.push({
      label: `lose next ${channel} to ${id}`,
      kind: 'lose',
      can: (w) => head(w, channel) !== undefined,
      run: (_m, w) => {
        const lost = head(w, channel);
        w.coming = w.coming.filter((c) => c !== lost);
      },
    });
  }
  for (const channel of SLOW) {
    for (const ms of LATE_BY[channel] ?? LATE) {
      list.push({
        label: `${channel} to ${id} late by ${ms} ms`,
        kind: 'late',
        can: (w) => head(w, channel) !== undefined,
        run: (_m, w) => {
          w.coming = w.coming.map((c) =>
            c.to === id && c.channel === channel ? { ...c, at: c.at + ms } : c,
          );
        },
      });
    }
  }
  return list;
}

export const DEVIATIONS: readonly Deviation[] = [
  ...BOXES.flatMap(faults),
  ...CUT.map(
    (ms): Deviation => ({
      label: `crossover cut for ${ms} ms`,
      kind: 'cut',
      can: (w) => w.crossover,
      run: (m, w) => {
        m.setCrossover(false);
        w.later.push({ at: w.now + ms, deed: { kind: 'plug-x' } });
      },
    }),
  ),
  ...BOXES.flatMap(orders),
  ...BOXES.map(retire),
  ...WITNESS_GONE,
  ...BOXES.flatMap(messages),
];

/** A fault that ends sooner is over before anybody takes over because of another. */
const SOON = 700;

/**
 * What a history looks like from far: two worlds that look the same here are given the same
 * deviations only as often as the search was told to (`--samples`).
 */
export function outline(w: World): string {
  const parts: string[] = [];
  for (const box of [w.a, w.b]) {
    const e = box.engine;
    const phase = box.sentry === undefined ? 'off' : phaseOf(box.sentry);
    const flags = [box.frozen, box.lease > w.now, box.vipUntil > w.now, box.lan, e.stands];
    flags.push(box.port, box.witness, box.stuck);
    flags.push(holds(e.history, w.released.epoch, w.released.lsn));
    flags.push(e.word.peerStale, e.word.primary, e.link !== 0, e.filling, e.held !== 0);
    const peer = box.sentry?.view().peer;
    const ranks = `${Math.sign(e.word.epoch - w.spokenEpoch)} ${e.durable.peerStale} ${e.follow}`;
    parts.push(phase, e.role, e.feed, ranks, flags.map(Number).join(''));
    parts.push(peer === undefined ? '-' : `${peer.role} ${peer.seen.x} ${peer.seen.l}`);
  }
  const coming = w.coming.map((c) => {
    const what = c.item.kind === 'heartbeat' ? heartbeat(describe(c.item)) : describe(c.item);
    return `${c.to}${c.channel}${c.item.kind === 'written' ? 'written' : what}`;
  });
  parts.push(`${Math.sign(w.a.engine.lsn - w.b.engine.lsn)}`);
  const later = w.later.map((l) => `${l.deed.kind}${l.at - w.now > SOON ? ' one day' : ''}`);
  parts.push(...new Set(coming.sort()), `${w.crossover} ${w.witness}`, later.join());
  return parts.join('|');
}

function heartbeat(text: string): string {
  return text.replace(/ \d+ on/, ' on');
}
