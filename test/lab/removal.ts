/** Taking a lab away: whole, or what is left of half a one. */

import { existsSync, rmdirSync } from 'node:fs';
import { insiders, netnsOf, removeNetns } from './network.ts';
import { BOXES, LABS, nameFault, placesOf } from './places.ts';
import { end, gone, knownOf, living, remove, signal } from './processes.ts';
import { isStale, labNames } from './settings.ts';

/** Removes whatever there is of a lab. Gives what it removed, in words; nothing is not an error. */
export async function removeLab(
  name: string,
  say: (line: string) => void = () => {},
): Promise<readonly string[]> {
  const fault = nameFault(name);
  if (fault !== undefined) throw new Error(fault);
  const places = placesOf(name);
  const netns = netnsOf(places);
  const removed: string[] = [];
  const phones = living(places.pid('phones'));
  if (phones !== undefined) {
    await end(phones, 1000);
    removed.push('the phones');
  }
  for (const box of BOXES) {
    const known = living(places.pid(box));
    if (known === undefined) continue;
    signal(known, 'SIGKILL');
    await gone(known, 5000);
    removed.push(`box ${box} (process ${known.pid})`);
  }
  // Twice: a shell that was starting something may have succeeded meanwhile.
  for (let round = 0; round < 2; round++) {
    const inside = (await insiders(netns)).map(knownOf);
    await Promise.all(inside.map((known) => end(known, 500)));
    for (const known of inside) removed.push(`process ${known.pid} inside`);
  }
  if (netns.length > 0) removed.push(`namespaces ${netns.join(', ')}`);
  await removeNetns(netns);
  if (existsSync(places.dir)) removed.push(places.dir);
  remove(places.dir);
  try {
    rmdirSync(LABS);
  } catch {
    // Other labs live there, or there never was one.
  }
  for (const what of removed) say(`lab ${name}: removed ${what}`);
  return removed;
}

/** Removes the labs whose owner was killed before it could. Gives their names. */
export async function removeStale(say: (line: string) => void = () => {}): Promise<string[]> {
  const stale = labNames().filter(isStale);
  for (const name of stale) await removeLab(name, say);
  return stale;
}
