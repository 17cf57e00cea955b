/**
 * What PAIR.md promises, on the appliance: power, cables, a box that stands still, a kernel that hangs. Calls are up and are made all
 * the while and none may be lost; after each fault the pair is in step again by itself. `security` looks at the same pair from outside
 * and at what its files and units may do.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expectedPorts } from '../../src/panel/ports.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';
import { BOXES, type BoxName, other, ROOT } from '../lab/places.ts';
import { guide } from './guided.ts';
import { Phones } from './phones.ts';
import { beyond, scan, udpOf } from './port-scan.ts';
import { MINUTE, type Say, Serving, serving } from './serving.ts';
import { PASSWORD } from './set-up.ts';

/** Longer than any lease of an emulated pair. */
const LONG_MS = 25_000;

type Fault = {
  readonly name: string;
  /** @returns who leads while it lasts. */
  readonly begin: (all: Serving, primary: BoxName) => Promise<BoxName>;
  readonly end: (all: Serving, primary: BoxName) => Promise<void>;
};

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export const FAULTS: readonly Fault[] = [
  {
    name: 'the power of the primary is cut',
    begin: async ({ pair }, primary) => {
      await pair.powerOff(primary);
      return other(primary);
    },
    end: ({ pair }, primary) => pair.powerOn(primary),
  },
  {
    name: 'the primary stands still',
    begin: async ({ pair }, primary) => {
      await pair.machine(primary).freeze();
      return other(primary);
    },
    end: ({ pair }, primary) => pair.machine(primary).thaw(),
  },
  {
    name: 'the LAN cable of the primary is pulled',
    begin: async ({ pair }, primary) => {
      await pair.machine(primary).setLink('lan', false);
      return other(primary);
    },
    end: ({ pair }, primary) => pair.machine(primary).setLink('lan', true),
  },
  {
    name: 'the crossover is pulled',
    begin: async ({ pair }, primary) => {
      await pair.setCrossover(false);
      await pause(LONG_MS);
      return primary;
    },
    end: ({ pair }) => pair.setCrossover(true),
  },
  {
    name: 'the kernel of the primary hangs; its watchdog resets it',
    begin: async ({ pair }, primary) => {
      const { tap } = pair.machine(primary);
      // a panic that waits for somebody: nothing but the watchdog gets out of it
      await tap.text('echo 0 > /proc/sys/kernel/panic');
      tap.leave('echo c > /proc/sysrq-trigger');
      return other(primary);
    },
    end: async ({ pair, say }, primary) => {
      const machine = pair.machine(primary);
      if (!(await machine.event('WATCHDOG', 3 * MINUTE))) throw new Error('no watchdog');
      say(`  the watchdog has reset ${primary}`);
    },
  },
];

async function suffers(all: Serving, fault: Fault): Promise<void> {
  const primary = await all.inStep();
  all.say(`${fault.name}: box ${primary}`);
  const leader = await fault.begin(all, primary);
  await all.leads(leader);
  await all.town.serves();
  all.say(`  ${leader} leads; ${all.town.words()}`);
  await fault.end(all, primary);
  await all.inStep();
  await all.town.serves();
  all.say('  in step');
}

/** Both at once, and back: phones are still registered, the call that was up is known. */
async function bothCut(all: Serving): Promise<void> {
  all.say('both lose power');
  all.town.end();
  const phones = new Phones(all.pair);
  await phones.heard('registered');
  phones.say('call');
  await phones.heard('established', 2);
  // what is said within the last five seconds may be lost
  await pause(LONG_MS);
  for (const box of BOXES) await all.pair.machine(box).powerOff();
  for (const box of BOXES) await all.pair.machine(box).start();
  const leader = await all.inStep();
  all.say(`  in step after ${all.pair.b.uptimeS().toFixed(0)} s, ${leader} leads`);
  phones.say('reinvite');
  await phones.heard('reinvited');
  phones.say('hangup');
  await phones.heard('ended', 2);
  if (!phones.isWell) throw new Error(phones.said.join('\n'));
  phones.say('end');
}

async function faults(say: Say): Promise<void> {
  await serving('trial-faults', say, Serving, async (all) => {
    for (const fault of FAULTS) await suffers(all, fault);
    all.town.check();
    await bothCut(all);
  });
}

// ── security ─────────────────────────────────────────────────────────────────────────────────────

const UNITS = ['sipair', 'sipair-system', 'sipair-monitor', 'sipair-console@ttyS0'] as const;
const VIP = '192.0.2.10';
const OWN: Readonly<Record<BoxName, string>> = { a: '192.0.2.11', b: '192.0.2.12' };

async function security(say: Say): Promise<void> {
  await serving('trial-security', say, Serving, async (all) => {
    const primary = await all.inStep();
    const { netns } = all.pair.places;
    const shown = await all.type(primary, 'show configuration | json');
    const tree = JSON.parse(shown.slice(shown.indexOf('{'))) as Tree;
    for (const box of BOXES) {
      const expected = expectedPorts(tree, box, box === primary);
      const places = box === primary ? (['own', 'vip'] as const) : (['own'] as const);
      for (const place of places) {
        const address = place === 'vip' ? VIP : OWN[box];
        const open = await scan(netns, address, udpOf(expected, place));
        say(`${address}: ${open.map((o) => `${o.protocol} ${o.port}`).join(', ')}`);
        const { strange, missing } = beyond(open, expected, place);
        if (strange.length + missing.length > 0) {
          throw new Error(`${address}: ${JSON.stringify({ strange, missing })}`);
        }
      }
    }
    for (const box of BOXES) {
      const { tap } = all.pair.machine(box);
      const loose = await tap.text(
        'find /data/secret /data/config/revisions /data/config/active.json /data/state -xdev \\( -perm /077 -o ! -user root \\) -type f',
      );
      if (loose !== '') throw new Error(`others may read on ${box}: ${loose}`);
      const closed = await tap.text('stat -c "%a %U" /data/secret');
      if (closed !== '700 root') throw new Error(`/data/secret of ${box}: ${closed}`);
    }
    for (const unit of UNITS) {
      const text = await all.pair.a.tap.text(
        `systemd-analyze security ${unit} --no-pager | tail -n 1`,
      );
      say(text.replace(/[^\x20-\x7e]/g, '').trim());
    }
    all.town.check();
    await lockout(all, other(primary));
  });
}

/** Five wrong passwords: the console is closed for a while, to the right one too. */
async function lockout({ pair, operators, say }: Serving, box: BoxName): Promise<void> {
  await operators[box].ready();
  const { console } = pair.machine(box);
  const answer = async (password: string): Promise<string> => {
    await console.waitFor(/login: $/m, MINUTE);
    console.type('admin\r');
    await console.waitFor(/Password: $/m, MINUTE);
    console.type(`${password}\r`);
    return (await console.waitFor(/(?:wrong|too many)[^\n]*\n|> $/m, MINUTE)).match[0].trim();
  };
  console.type('quit\r');
  for (let n = 1; n <= 5; n++) say(await answer('not-it'));
  const said = await answer(PASSWORD);
  say(`the right one: ${said}`);
  if (!/locked, for /.test(said)) throw new Error(`not locked: ${said}`);
}

// ── an ordinary day ──────────────────────────────────────────────────────────────────────────────

/** docs/everyday.md as it is written, while calls are up and made. */
async function everyday(say: Say): Promise<void> {
  const page = readFileSync(join(ROOT, 'docs/everyday.md'), 'utf8');
  const later = page.indexOf('After a minute');
  await serving('trial-everyday', say, Serving, async (all) => {
    if ((await all.inStep()) === 'b') {
      await all.type('b', 'request ha switchover');
      await all.inStep();
    }
    await guide(all.pair, page.slice(0, later), say);
    await pause(MINUTE + LONG_MS);
    await guide(all.pair, page.slice(later), say);
    await all.town.serves();
    all.town.check();
  });
}

export const OUTSIDE: { readonly [name: string]: (say: Say) => Promise<void> } = {
  faults,
  security,
  everyday,
};
