/**
 * What can go wrong in a lab besides pulled cables and dead boxes, each by name, with its undo.
 *
 *   port-a, port-b           the switch's port fails: frames vanish, the carrier stays
 *   hide                     the switch hides the boxes from each other; the host `lan` sees both
 *   garp                     the switch drops gratuitous ARP of both boxes
 *   wire-x, wire-lan-a, -b   a bad cable: loss, delay, jitter
 *   engine-a, engine-b       the thread of the engine stands still, the rest of the box goes on
 *   socket-a, socket-b       the box's SIP socket is deaf: callers get "port unreachable"
 *
 * The wall clock of one box cannot be stepped here: Linux has one for all namespaces (a time namespace
 * shifts the monotonic clock only). The simulated world does that.
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { helper } from './helpers.ts';
import { plug } from './network.ts';
import { type BoxName, type Cable, type Places, SIP_PORT, VIP } from './places.ts';
import { end, isAlive, lastLines, living, remove, sleep, startDetached } from './processes.ts';
import { run } from './run.ts';

export const FAULTS = [
  ...(['port-a', 'port-b', 'hide', 'garp', 'wire-x', 'wire-lan-a', 'wire-lan-b'] as const),
  ...(['engine-a', 'engine-b', 'socket-a', 'socket-b'] as const),
] as const;
export type FaultName = (typeof FAULTS)[number];

/** Of a bad cable: percent, ms, ms. */
export type FaultSettings = {
  readonly loss?: number;
  readonly delay?: number;
  readonly jitter?: number;
};

/** The eight cases of links between two boxes: which cables are pulled and what else is wrong. */
export type Links = { readonly cables: readonly Cable[]; readonly faults: readonly FaultName[] };

/**
 * @param primary the box whose links `p` are.
 * @param carrier false: a box is off the LAN because its switch port failed, not by its cable.
 * @returns what makes case `n`, undefined when there is none of that number.
 */
export function linksOf(n: number, primary: BoxName, carrier: boolean): Links | undefined {
  const off = (box: BoxName): Links =>
    carrier ? { cables: [`lan-${box}`], faults: [] } : { cables: [], faults: [`port-${box}`] };
  const backup = primary === 'a' ? 'b' : 'a';
  const none: Links = { cables: [], faults: [] };
  const x: Links = { cables: ['x'], faults: [] };
  const both = (...all: readonly Links[]): Links => ({
    cables: all.flatMap((one) => one.cables),
    faults: all.flatMap((one) => one.faults),
  });
  const cases: Readonly<Record<number, Links>> = {
    1: none,
    2: x,
    3: off(backup),
    4: off(primary),
    5: both(off(primary), off(backup)),
    6: both(x, off(backup)),
    7: both(x, off(primary)),
    8: both(x, { cables: [], faults: ['hide'] }),
  };
  return cases[n];
}

/** Makes a fault. One that is there already gets new settings. */
export async function makeFault(
  places: Places,
  name: FaultName,
  settings: FaultSettings,
): Promise<void> {
  const box = name.slice(-1) as BoxName;
  if (name.startsWith('engine-')) await stopEngine(places, box);
  else if (name.startsWith('socket-')) await meddle(places, box, 'gone');
  writeFileSync(places.fault(name), JSON.stringify(settings));
  if (!isInside(name)) await plug(places);
}

export async function undoFault(places: Places, name: FaultName): Promise<void> {
  const box = name.slice(-1) as BoxName;
  const there = existsSync(places.fault(name));
  remove(places.fault(name));
  if (name.startsWith('engine-')) {
    const holder = living(places.pid(name));
    if (holder !== undefined) await end(holder, 1000);
    remove(places.pid(name));
    remove(places.fault(`${name}.log`));
  } else if (name.startsWith('socket-')) {
    // A process that was started since has a socket of its own.
    if (there && living(places.pid(box)) !== undefined) await meddle(places, box, 'back');
  } else await plug(places);
}

/** What is wrong now. */
export function faultsOf(places: Places): FaultName[] {
  return FAULTS.filter((name) => {
    if (!existsSync(places.fault(name))) return false;
    // A thread that is held ends with its process; so does the fault.
    return !name.startsWith('engine-') || living(places.pid(name)) !== undefined;
  });
}

/** Faults that are in a box, not in the wires. */
function isInside(name: FaultName): boolean {
  return name.startsWith('engine-') || name.startsWith('socket-');
}

/** The worker threads of the product in the order of their birth: first the engine, then its disk. */
function engineThread(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map(Number);
  const workers = threads
    .filter((tid) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8') === 'WorkerThread\n')
    .sort((a, b) => a - b);
  if (workers[0] === undefined) throw new Error(`process ${pid} has no worker thread`);
  return workers[0];
}

async function stopEngine(places: Places, box: BoxName): Promise<void> {
  const known = living(places.pid(box));
  if (known === undefined) throw new Error(`box ${box} is not running`);
  if (living(places.pid(`engine-${box}`)) !== undefined) return;
  const tid = engineThread(known.pid);
  const log = places.fault(`engine-${box}.log`);
  remove(log);
  const holder = await startDetached({
    netns: places.netns(box),
    command: [await helper('stop-thread'), String(tid)],
    cwd: places.dir,
    log,
    pidFile: places.pid(`engine-${box}`),
  });
  for (let tries = 0; !lastLines(log, 1).includes('stopped'); tries++) {
    if (!isAlive(holder) || tries > 400) {
      throw new Error(`engine of box ${box}: ${lastLines(log, 3).join(' ')}`);
    }
    await sleep(2);
  }
}

async function meddle(places: Places, box: BoxName, what: 'gone' | 'back'): Promise<void> {
  const known = living(places.pid(box));
  if (known === undefined) throw new Error(`box ${box} is not running`);
  const args = [String(known.pid), VIP, String(SIP_PORT), what];
  await run('ip', ['netns', 'exec', places.netns(box), await helper('socket-gone'), ...args]);
}
