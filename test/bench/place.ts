/**
 * Where a pair under test lives: a LAN with the generator's host and both boxes, and a crossover
 * cable between the boxes, all in namespaces of this run.
 *
 *      lan: 192.0.2.1 callers, 192.0.2.2 callees
 *        |  br0
 *   +----+-----------+
 *   | lan0           | lan0
 *   a .11           b .12       VIP 192.0.2.10
 *   +------ x0 ------+          169.254.77.1, .2
 *
 * Names carry this process's number, so two benches can run side by side and a bench that was
 * killed outright can be told from one that lives: `removeStale` cleans up after the former.
 */

import { existsSync, readdirSync } from 'node:fs';
import { processesIn, run, sleep } from './machine.ts';

export const VIP = '192.0.2.10';
export const CALLERS = '192.0.2.1';
export const CALLEES = '192.0.2.2';
export const LAN = { a: '192.0.2.11', b: '192.0.2.12' } as const;
export const CROSSOVER = { a: '169.254.77.1', b: '169.254.77.2' } as const;

export type BoxName = 'a' | 'b';
export type Place = { readonly lan: string; readonly a: string; readonly b: string };

const PREFIX = 'sbench';

/** Makes the namespaces of one pair; `tag` tells the pairs of one run apart. */
export async function makePlace(tag: string): Promise<Place> {
  const name = (host: string) => `${PREFIX}${process.pid}${tag}-${host}`;
  const place: Place = { lan: name('lan'), a: name('a'), b: name('b') };
  for (const netns of [place.lan, place.a, place.b]) {
    await run('ip', ['netns', 'add', netns]);
    // IPv6 brings only solicitations that would be counted as somebody's processor time
    const off = 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6';
    await run('ip', ['netns', 'exec', netns, 'sh', '-c', `${off} 2>/dev/null || :`]);
    await batch(netns, ['link set lo up']);
  }
  await batch(place.lan, [
    'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
    `addr add ${CALLERS}/24 dev br0`,
    `addr add ${CALLEES}/24 dev br0`,
    'link set br0 up',
    `link add to-a type veth peer name lan0 netns ${place.a}`,
    `link add to-b type veth peer name lan0 netns ${place.b}`,
    'link set to-a master br0 up',
    'link set to-b master br0 up',
  ]);
  await batch(place.a, [`link add x0 type veth peer name x0 netns ${place.b}`]);
  for (const box of ['a', 'b'] as const) {
    await batch(place[box], [
      `addr add ${LAN[box]}/24 dev lan0`,
      `addr add ${CROSSOVER[box]}/30 dev x0`,
      'link set lan0 up',
      'link set x0 up',
      `route add default via ${CALLERS}`,
    ]);
  }
  return place;
}

async function batch(netns: string, commands: readonly string[]): Promise<void> {
  await run('ip', ['-n', netns, '-batch', '-'], `${commands.join('\n')}\n`);
}

/** Deletes the namespaces of this run; everything in them must have ended. */
export async function removePlaces(): Promise<void> {
  await removeWhere((pid) => pid === process.pid);
}

/** Deletes what benches left that were killed outright, with the processes still in it. */
export async function removeStale(): Promise<void> {
  await removeWhere((pid) => !existsSync(`/proc/${pid}`));
}

async function removeWhere(mine: (pid: number) => boolean): Promise<void> {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}(\\d+)[a-z]-`).exec(name)?.[1];
    if (pid === undefined || !mine(Number(pid))) continue;
    for (let tries = 0; tries < 20; tries += 1) {
      const left = processesIn(name);
      if (left.length === 0) break;
      for (const process_ of left) kill(process_);
      await sleep(50);
    }
    await run('ip', ['netns', 'del', name]).catch(() => '');
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended by itself
  }
}
