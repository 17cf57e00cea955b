/**
 * How a configuration that needs a restart gets into force without ending calls. What two boxes must have in
 * common to be one server cannot differ between them while one restarts: that is changed on both at once,
 * and calls end. Everything else goes round: the backup restarts, is in step again, then the primary hands
 * over and restarts.
 */

import type { Json } from '../tree/generate.ts';

/** Places of the daemon's file that both boxes say in their greeting (`node-settings.ts`). */
export const AGREED = [
  'vip.address',
  'vip.more',
  'redundancy',
  'sip.port',
  'sip.tls',
  'sip.ws',
  'sip.wss',
  'cti.enabled',
  'keyFile',
] as const;

/** Places, and all below them, that a running daemon takes over (`edge/config-live.ts`). */
export type LivePlaces = readonly string[];

export function isTogether(places: readonly string[]): boolean {
  return places.some((p) =>
    AGREED.some((a) => p === a || (/^[.[]/.test(p.slice(a.length)) && p.startsWith(a))),
  );
}

function at(json: Json, words: readonly string[]): unknown {
  let here: unknown = json;
  for (const word of words) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Json)[word];
  }
  return here;
}

function put(json: Json, [word = '', ...rest]: readonly string[], value: unknown): Json {
  const { [word]: was, ...others } = json;
  const below = typeof was === 'object' && was !== null ? (was as Json) : {};
  const next = rest.length === 0 ? value : put(below, rest, value);
  return next === undefined ? others : { ...others, [word]: next };
}

/**
 * What runs, with the live part of what is to run: taken over first, so that the two boxes agree on the
 * site while one after the other restarts.
 */
export function liveFirst(runs: Json, wanted: Json, live: LivePlaces): Json {
  let out = runs;
  for (const place of live) {
    const words = place.split('.');
    const [was, is] = [at(runs, words), at(wanted, words)];
    if (JSON.stringify(was) !== JSON.stringify(is)) out = put(out, words, is);
  }
  return out;
}
