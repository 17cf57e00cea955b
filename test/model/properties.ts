/**
 * What must never be, asked at every step; and what must come to be when everything is whole again.
 *
 *   one-voice      two boxes that can both be heard
 *   voice-has-vip  a box that can be heard without owning the VIP
 *   one-face       a claim while the other one, reachable, still answers for the VIP
 *   lan            a reign ordered, or a VIP claimed, by a box that knows its own LAN to be down
 *   epoch          a voice of an epoch that is not above every epoch that spoke before
 *   no-amnesia     a voice without a record on which something rests that was said
 *   live           (from a healed state) one primary and a backup in step, within `PATIENCE`
 *
 * `epoch` and `no-amnesia` are asked only when somebody awake knows better: a box that is alone, while
 * the only other one that knows lies dead, is frozen or just awakes, cannot know
 * (docs/architecture.md, "Cold start").
 * Nor is `no-amnesia` asked of a box that waited a hold for an unfit one and raised `older-tables`.
 * `strict` asks them always, to see how that looks.
 *
 * A process frozen while its LAN is down shows nothing on any path and yet lives: no reasoning
 * separates it from a dead one (docs/architecture.md, link case 8). `residual` lets that happen.
 */

import type { Sentry } from '../../src/pair/sentry.ts';
import { beganOnOlder, viewOf } from './adapter.ts';
import type { Box } from './box.ts';
import { holds } from './engine.ts';
import type { World } from './world.ts';

/** `stream` is about the stand-ins themselves: a stream out of order. */
export const PROPERTIES = [
  'one-voice',
  'voice-has-vip',
  'one-face',
  'lan',
  'epoch',
  'no-amnesia',
  'live',
  'stream',
] as const;
export type Property = (typeof PROPERTIES)[number];

export const PATIENCE = 12_000;
/** Before that nobody can have heard a box that was switched on, or thawed. */
const HEARD_AFTER = 30;

export const options = { strict: false, residual: false };

/** @param w `only` names the one property a search asks for; '' is all. */
export function broken(w: World, property: Property, text: string): void {
  if (w.only === '' || w.only === property) w.bad ??= { property, text };
}

export function checkDoors(w: World): void {
  const { a, b, now } = w;
  const openA = a.door(now);
  const openB = b.door(now);
  if (openA && openB) {
    broken(w, 'one-voice', `a until ${a.lease - now} ms, b until ${b.lease - now} ms from now`);
  }
  if (openA && a.vipUntil <= now) broken(w, 'voice-has-vip', 'a can be heard without the VIP');
  if (openB && b.vipUntil <= now) broken(w, 'voice-has-vip', 'b can be heard without the VIP');
}

export function checkClaim(w: World, box: Box): void {
  const peer = w.other(box);
  if (!box.toldLan) broken(w, 'lan', `${box.id} claims the VIP while its own LAN is down`);
  if (w.air && peer.vipUntil > w.now) {
    broken(w, 'one-face', `${box.id} claims a VIP that ${peer.id} still answers for`);
  }
}

export function checkReign(w: World, box: Box): void {
  if (!box.toldLan) broken(w, 'lan', `${box.id} orders a reign while its own LAN is down`);
}

export function checkSpeaks(w: World, box: Box): void {
  // an order from before a freeze: nothing leaves without a lease
  if (box.lease <= w.now) return;
  const { epoch } = box.engine.word;
  const peer = w.other(box);
  const { released } = w;
  const heard = peer.runs && w.now - peer.awakeAt >= HEARD_AFTER;
  const asked = heard || options.strict;
  if (epoch <= w.spokenEpoch && asked) {
    const text = `${box.id} speaks in epoch ${epoch}; epoch ${w.spokenEpoch} has spoken before`;
    broken(w, 'epoch', text);
  }
  w.spokenEpoch = epoch;
  const { history } = box.engine;
  if (released.lsn === 0 || holds(history, released.epoch, released.lsn)) return;
  const saved =
    holds(peer.engine.history, released.epoch, released.lsn) ||
    holds(peer.disk.history, released.epoch, released.lsn);
  // it waited for the one that has more for a whole hold, and says so: availability goes first
  const accepted = box.sentry !== undefined && beganOnOlder(box.sentry);
  if (saved && asked && (options.strict || !accepted)) {
    const what = `record ${released.lsn} of epoch ${released.epoch}`;
    broken(w, 'no-amnesia', `${box.id} speaks without ${what}, which ${peer.id} has`);
  }
  w.released = { epoch: 0, lsn: 0 };
}

/** One primary that can be heard, and a backup that could take over. */
export function settled(w: World): boolean {
  const lead = w.a.door(w.now) ? w.a : w.b;
  const tail = w.other(lead);
  if (!lead.door(w.now) || !tail.runs) return false;
  if (lead.engine.feed !== 'live' || !tail.engine.stands) return false;
  return (
    viewOf(lead.sentry as Sentry).phase === 'primary' &&
    viewOf(tail.sentry as Sentry).phase === 'following'
  );
}
