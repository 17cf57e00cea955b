/**
 * Bad cables: loss, delay, jitter and a switch that drops gratuitous ARP. A small program (`wire.c`)
 * stands between the switch's port and its bridge; this file starts and ends it.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { helper } from './helpers.ts';
import type { BoxName, Places } from './places.ts';
import { end, isAlive, lastLines, living, remove, sleep, startDetached } from './processes.ts';

export type Bad = {
  /** Share of the frames that is lost, percent, each way. */
  readonly loss: number;
  /** Every frame is this late, ms, each way; and up to `jitter` later, so frames overtake. */
  readonly delay: number;
  readonly jitter: number;
  /** Gratuitous ARP is dropped. */
  readonly garp: boolean;
};

/** Of the crossover it is enough that one end is bad. */
export type WirePort = 'x-a' | `lan-${BoxName}`;

export function isWirePort(port: string): port is WirePort {
  return port === 'x-a' || port === 'lan-a' || port === 'lan-b';
}

/** The device that is in the bridge instead of the port. */
export function wireDevice(port: string): string {
  return `w-${port}`;
}

/** Makes the program at a port be as `bad` says, or be gone. */
export async function adjustWire(
  places: Places,
  port: WirePort,
  bad: Bad | undefined,
): Promise<void> {
  const pidFile = places.pid(`wire-${port}`);
  const log = places.fault(`wire-${port}.log`);
  const known = living(pidFile);
  const wanted = bad === undefined ? '' : argumentsOf(bad).join(' ');
  const noted = places.fault(`wire-${port}.now`);
  const now = known !== undefined && existsSync(noted) ? readFileSync(noted, 'utf8') : '';
  if (wanted === now) return;
  if (known !== undefined) await end(known, 500);
  remove(pidFile);
  remove(noted);
  remove(log);
  if (bad === undefined) return;
  const started = await startDetached({
    netns: places.netns('sw'),
    command: [await helper('wire'), port, wireDevice(port), ...argumentsOf(bad)],
    cwd: places.dir,
    log,
    pidFile,
  });
  for (let tries = 0; !lastLines(log, 1).includes('ready'); tries++) {
    if (!isAlive(started) || tries > 400) {
      throw new Error(`bad cable ${port}: ${lastLines(log, 3).join(' ')}`);
    }
    await sleep(5);
  }
  writeFileSync(noted, wanted);
}

function argumentsOf(bad: Bad): readonly string[] {
  return [
    `loss=${Math.round(bad.loss * 10)}`,
    `delay=${Math.round(bad.delay * 1000)}`,
    `jitter=${Math.round(bad.jitter * 1000)}`,
    ...(bad.garp ? ['garp=drop'] : []),
    'seed=1',
  ];
}
