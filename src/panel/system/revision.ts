/**
 * Revisions of the configuration and their order. A revision knows its parent, so of two boxes the one
 * whose active revision descends from the other's is ahead, however they came to be there. Where neither
 * does, both were committed separately, and one has to lose:
 *
 *   1  a revision that went back by itself, to one that was made or confirmed upon what it took back
 *   2  the one of the earlier reign of the pair
 *   3  in one reign, the one that was committed without the primary
 *   4  the lower number; the one of box b
 *
 * Numbers never mean two things: both boxes know the number of what they commit together; a box alone
 * takes the next odd number if it is a, the next even one if it is b.
 */

import { createHash } from 'node:crypto';
import type { BoxId } from '../../pair/terms.ts';
import type { RevisionHead, Tree, Utc } from './terms.ts';

/** commit: somebody typed it. confirm: the same tree, for good. revert: it went back by itself. */
export type EntryKind = 'commit' | 'confirm' | 'revert';

export type Entry = RevisionHead & {
  readonly id: string;
  readonly parent: string;
  readonly kind: EntryKind;
  /** Of one that went back: the id of what it went back to. */
  readonly back?: string;
  /** By the primary, or by both. */
  readonly led: boolean;
  readonly tree: Tree;
};

/** Goes back to `before`, the last that was confirmed, at `until`, and not later than `minutes` after a restart. */
export type Provisional = {
  readonly until: Utc;
  readonly minutes: number;
  readonly before: Entry;
};

/** Content of active.json: one file, so one rename decides. */
export type Active = {
  readonly entry: Entry;
  /** Ids of the entry and its ancestors, the youngest first. */
  readonly lineage: readonly string[];
  /** The highest number ever seen here. */
  readonly top: number;
  readonly provisional?: Provisional;
};

/** Ancestors remembered: a box that missed more commits than these is taken for one that went astray. */
const LINEAGE = 64;
const DIGEST_DIGITS = 16;

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, DIGEST_DIGITS);
}

export const NOTHING: Entry = {
  id: '',
  parent: '',
  kind: 'commit',
  led: false,
  number: 0,
  epoch: 0,
  box: 'a',
  by: '',
  at: 0,
  comment: '',
  digest: '',
  tree: {},
};

/** A box on which nothing was ever committed: what everything descends from. */
export const EMPTY: Active = { entry: NOTHING, lineage: [''], top: 0 };

export function aloneNumber(top: number, box: BoxId): number {
  const next = top + 1;
  const odd = next % 2 === 1;
  return odd === (box === 'a') ? next : next + 1;
}

export type Given = Pick<
  Entry,
  'number' | 'epoch' | 'led' | 'box' | 'by' | 'at' | 'comment' | 'tree'
>;

export function committed(parent: Entry, given: Given): Entry {
  const digest = digestOf(JSON.stringify(given.tree));
  const { number, epoch, led, box, by, at } = given;
  const id = digestOf([parent.id, number, epoch, led, box, by, at, digest].join('\n'));
  return { ...given, id, parent: parent.id, kind: 'commit', digest };
}

/** Both boxes make the same of the same, without a word to each other. */
export function confirmed(entry: Entry): Entry {
  return { ...entry, id: digestOf(`confirm ${entry.id}`), parent: entry.id, kind: 'confirm' };
}

/** Over more than one it has another id: of two boxes that would go back differently one takes the other's. */
export function reverted(entry: Entry, before: Entry): Entry {
  const over = before.id === entry.parent ? '' : ` to ${before.id}`;
  const id = digestOf(`revert ${entry.id}${over}`);
  return { ...before, id, parent: entry.id, kind: 'revert', back: before.id };
}

/** The entry on top of what was active. */
export function upon(active: Active, entry: Entry, provisional?: Provisional): Active {
  return {
    entry,
    lineage: [entry.id, ...active.lineage].slice(0, LINEAGE),
    top: Math.max(active.top, entry.number),
    ...(provisional === undefined ? {} : { provisional }),
  };
}

/** What two boxes tell each other of what is active. */
export type Head = Pick<Active, 'lineage' | 'top'> & { readonly entry: Omit<Entry, 'tree'> };

export function headOf({ entry, lineage, top }: Active): Head {
  const { tree: _, ...rest } = entry;
  return { entry: rest, lineage, top };
}

/** ahead: the peer takes ours. diverged-…: the same, and what loses was somebody's work. */
export type Order = 'same' | 'ahead' | 'behind' | 'diverged-ahead' | 'diverged-behind';

/** `y` was made upon something that `x` took back. */
function takenBack({ entry, lineage }: Head, y: Head): boolean {
  if (entry.kind !== 'revert') return false;
  // over one only, or by a release that did not say over what
  const to = entry.back === undefined ? -1 : lineage.indexOf(entry.back, 2);
  const taken = to < 0 ? [entry.parent] : lineage.slice(1, to);
  return taken.some((id) => y.lineage.includes(id));
}

function before(x: Head, y: Head): boolean {
  const back = takenBack(x, y);
  if (back !== takenBack(y, x)) return back;
  const [a, b] = [x.entry, y.entry];
  if (a.epoch !== b.epoch) return a.epoch < b.epoch;
  if (a.led !== b.led) return b.led;
  if (a.number !== b.number) return a.number < b.number;
  if (a.box !== b.box) return a.box === 'b';
  return a.id < b.id;
}

export function orderOf(own: Head, peer: Head): Order {
  if (own.entry.id === peer.entry.id) return 'same';
  if (own.lineage.includes(peer.entry.id) || peer.entry.id === '') return 'ahead';
  if (peer.lineage.includes(own.entry.id) || own.entry.id === '') return 'behind';
  const loses = before(own, peer);
  // what went back by itself is nobody's work
  if (takenBack(own, peer) || takenBack(peer, own)) return loses ? 'behind' : 'ahead';
  return loses ? 'diverged-behind' : 'diverged-ahead';
}
