/**
 * keepalived in the place of sipair: the same wires, the same client, a responder without state behind
 * the address. What it is asked to survive is what a VRRP pair sees: the service dies, it dies itself,
 * the link goes, the node goes, the operator ends it.
 */

import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../lab/control.ts';
import { helper } from '../lab/helpers.ts';
import type { Lab } from '../lab/lab.ts';
import { makeBox, netnsExists, plug, run } from '../lab/network.ts';
import { BOXES, type BoxName, LAN_PREFIX, other, SIP_PORT, VIP } from '../lab/places.ts';
import {
  end,
  gone,
  isAlive,
  living,
  remove,
  signal,
  sleep,
  startDetached,
} from '../lab/processes.ts';
import { RemotePinger } from './client/pinger.ts';
import { line, type Run } from './outage-table.ts';

export const PEER_KINDS = ['planned', 'service', 'keepalived', 'lan-cable', 'power-off'] as const;

/** VRRP's times are multiples of the advertisement; below this the wait is the test's own. */
const SETTLE_MS = 1500;
const PATIENCE = 12_000;

class Peer {
  readonly lab: Lab;
  readonly advert: number;

  constructor(lab: Lab, advert: number) {
    this.lab = lab;
    this.advert = advert;
  }

  log(box: BoxName): string {
    return this.lab.places.fault(`keepalived-${box}.log`);
  }

  #pid(what: string, box: BoxName): string {
    return this.lab.places.pid(`${what}-${box}`);
  }

  /** Starts what does not run of a box, powers it on first if need be. */
  async start(box: BoxName): Promise<void> {
    const { places } = this.lab;
    if (existsSync(places.off(box))) {
      if (!netnsExists(places.netns(box))) await makeBox(places, box);
      remove(places.off(box));
      await plug(places);
    }
    const config = places.fault(`keepalived-${box}.conf`);
    writeFileSync(config, this.#config(box));
    const common = { netns: places.netns(box), cwd: places.dir, log: this.log(box) };
    if (living(this.#pid('responder', box)) === undefined) {
      // The boxes share one list of processes: keepalived must not take the other's for its own.
      const program = join(places.dir, `answers-${box}`);
      if (!existsSync(program)) copyFileSync(await helper('options-responder'), program);
      const command = [program, VIP, String(SIP_PORT)];
      await startDetached({ ...common, command, pidFile: this.#pid('responder', box) });
      await sleep(50);
    }
    if (living(this.#pid('keepalived', box)) === undefined) {
      const files = ['pid', 'vrrp', 'checkers'].map((f) => places.fault(`keepalived-${box}-${f}`));
      for (const file of files) remove(file);
      const [pid, vrrp, checkers] = files as [string, string, string];
      const options = ['-n', '-l', '-P', '-f', config, '-p', pid, '-r', vrrp, '-c', checkers];
      // The kernel tells of processes in the machine's own network namespace only: it begins in ours,
      // and its configuration names the one to go to.
      const command = ['nsenter', `--net=/proc/${process.pid}/ns/net`, 'keepalived', ...options];
      await startDetached({ ...common, command, pidFile: this.#pid('keepalived', box) });
    }
  }

  #config(box: BoxName): string {
    return `net_namespace ${this.lab.places.netns(box)}
global_defs {
  router_id ${box}
  vrrp_version 3
}
vrrp_track_process responder {
  process answers-${box}
}
vrrp_instance pair {
  state BACKUP
  nopreempt
  interface lan0
  virtual_router_id 51
  priority ${box === 'a' ? 110 : 100}
  advert_int ${this.advert}
  virtual_ipaddress {
    ${VIP}/${LAN_PREFIX} dev lan0
  }
  track_process {
    responder
  }
}
`;
  }

  async kill(what: 'responder' | 'keepalived', box: BoxName, name: NodeJS.Signals): Promise<void> {
    const known = living(this.#pid(what, box));
    if (known === undefined) throw new Error(`${what} of ${box} does not run`);
    signal(known, name);
    if (!(await gone(known, 5000))) throw new Error(`${what} of ${box} does not end`);
  }

  async holds(box: BoxName): Promise<boolean> {
    if (!netnsExists(this.lab.places.netns(box))) return false;
    const words = await run('ip', [
      '-n',
      this.lab.places.netns(box),
      '-br',
      'addr',
      'show',
      'lan0',
    ]);
    return words.includes(`${VIP}/`);
  }

  /** Waits until exactly one box has the address for a whole dead interval. */
  async ready(): Promise<BoxName> {
    const calm = 3.7 * this.advert * 1000 + 500;
    let master: BoxName | undefined;
    let since = performance.now();
    for (const until = since + 20_000; performance.now() < until; await sleep(50)) {
      const [a, b] = await Promise.all(BOXES.map((box) => this.holds(box)));
      const now = a === b ? undefined : a ? 'a' : 'b';
      if (now !== master) since = performance.now();
      master = now;
      if (master !== undefined && performance.now() - since > calm) return master;
    }
    throw new Error(
      `keepalived: not one master; see ${readFileSync(this.log('a'), 'utf8').slice(-2000)}`,
    );
  }

  /** How often a box became master so far. */
  masters(): number {
    const texts = BOXES.map((box) => readFileSync(this.log(box), 'utf8'));
    return texts.join('').split('Entering MASTER STATE').length - 1;
  }

  async stop(): Promise<void> {
    for (const box of BOXES) {
      for (const what of ['keepalived', 'responder']) {
        const known = living(this.#pid(what, box));
        if (known !== undefined && isAlive(known)) await end(known, 3000);
      }
    }
  }
}

async function strike(peer: Peer, kind: string, box: BoxName): Promise<void> {
  if (kind === 'planned') await peer.kill('keepalived', box, 'SIGTERM');
  else if (kind === 'service') await peer.kill('responder', box, 'SIGKILL');
  else if (kind === 'keepalived') await peer.kill('keepalived', box, 'SIGKILL');
  else if (kind === 'lan-cable') await peer.lab.cut(`lan-${box}`);
  else await peer.lab.powerOff(box);
}

async function once(peer: Peer, pinger: RemotePinger, kind: string): Promise<Run> {
  const box = await peer.ready();
  const calm = await pinger.mark();
  await sleep(1000);
  const quiet = await pinger.since(calm);
  const mark = await pinger.mark();
  await strike(peer, kind, box);
  let moved = false;
  for (const end_ = performance.now() + PATIENCE; !moved && performance.now() < end_; ) {
    moved = await peer.holds(other(box));
    await sleep(20);
  }
  await sleep(SETTLE_MS);
  const seen = await pinger.since(mark);
  if (kind === 'lan-cable') await peer.lab.heal(`lan-${box}`);
  else await peer.start(box);
  const load = loadavg()[0] ?? 0;
  const { ms, lost } = seen;
  return { kind, outage: ms, lost, moved, steps: undefined, quiet: quiet.ms, load };
}

/** @param advert seconds between two advertisements. */
export async function measurePeer(
  lab: Lab,
  advert: number,
  kinds: readonly string[],
  count: number,
): Promise<Run[]> {
  const peer = new Peer(lab, advert);
  const runs: Run[] = [];
  try {
    for (const box of BOXES) await peer.start(box);
    const pinger = new RemotePinger(lab);
    await peer.ready();
    for (const kind of kinds) {
      for (let i = 1; i <= count; i++) {
        const one = await once(peer, pinger, kind);
        runs.push(one);
        console.log(line(one, i));
      }
    }
    pinger.close();
  } finally {
    await peer.stop();
  }
  return runs;
}

/** Smallest first: the first that never changes master under load is the one to use. */
const INTERVALS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1] as const;
/** Busy processes a processor. */
const BURNERS = 4;

/**
 * Counts the changes of master in `seconds` of quiet and of processor load, from the smallest interval
 * up to the first that is stable in both.
 */
export async function stability(lab: Lab, seconds: number): Promise<void> {
  console.log(`keepalived: changes of master in ${seconds} s (nothing was broken)`);
  for (const advert of INTERVALS) {
    const peer = new Peer(lab, advert);
    for (const box of BOXES) await peer.start(box);
    const pinger = new RemotePinger(lab);
    try {
      await peer.ready();
      const quiet = await changes(peer, pinger, seconds, 0);
      const loaded = await changes(peer, pinger, seconds, BURNERS);
      const words = [quiet, loaded].map((o) => `${o.count}, longest gap ${o.ms.toFixed(1)} ms`);
      console.log(`  advert ${advert} s: quiet ${words[0]}; under load ${words[1]}`);
      if (quiet.count + loaded.count === 0) return;
    } catch (error) {
      console.log(`  advert ${advert} s: does not settle (${messageOf(error).split('\n')[0]})`);
    } finally {
      pinger.close();
      await peer.stop();
    }
    for (const box of BOXES) remove(peer.log(box));
  }
}

async function changes(
  peer: Peer,
  pinger: RemotePinger,
  seconds: number,
  burners: number,
): Promise<{ readonly count: number; readonly ms: number }> {
  const before = peer.masters();
  const burn = ['--cpu', '0', '--cpu-load', '100', '--timeout', `${seconds}s`, '--quiet'];
  const burning = Array.from({ length: burners }, () =>
    spawn('stress-ng', burn, { stdio: 'ignore' }),
  );
  const mark = await pinger.mark();
  await sleep(seconds * 1000);
  const { ms } = await pinger.since(mark);
  for (const child of burning) child.kill('SIGTERM');
  await sleep(500);
  return { count: peer.masters() - before, ms };
}
