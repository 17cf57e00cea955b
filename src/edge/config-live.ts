/**
 * What of a configuration may change while the daemon runs, and what needs a new one. Compared as it
 * stands in the file, so that a place that needs a restart is told as the operator wrote it.
 */

import type { Json } from './config.ts';

/** Places, and everything below them, that are taken over between two turns of the engine. */
export const LIVE = ['users', 'site', 'dns', 'sip.sessionExpiresS', 'sip.minSeS'] as const;

/** More places than these are not told one by one. */
const TOLD = 20;

function leaves(value: unknown, place: string, out: Map<string, string>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    out.set(place, JSON.stringify(value));
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    leaves(child, place === '' ? key : `${place}.${key}`, out);
  }
}

function isLive(place: string): boolean {
  return LIVE.some((live) => place === live || place.startsWith(`${live}.`));
}

/** @returns places of which the change needs a restart; none: all differences are live. */
export function restartPlaces(old: Json, next: Json): readonly string[] {
  const [was, is] = [new Map<string, string>(), new Map<string, string>()];
  leaves(old, '', was);
  leaves(next, '', is);
  const differ: string[] = [];
  for (const place of new Set([...was.keys(), ...is.keys()])) {
    if (was.get(place) !== is.get(place) && !isLive(place)) differ.push(place);
  }
  return differ.slice(0, TOLD);
}
