/**
 * Trials of updates of a pair that serves: calls are up and are made all the while, and none may be lost. Bundles come from a web
 * server on the LAN. `upgrade` is the operator's page as it is written; the others are what goes wrong.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOXES, type BoxName, other, ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { guide } from './guided.ts';
import { MINUTE, type Say, Serving, serving } from './serving.ts';
import {
  CUTS,
  chance,
  expectThat,
  Follower,
  HASTE,
  isOver,
  type JobRecord,
  lastWords,
  makeBundles,
  runsWell,
  SEED,
  slotsOf,
} from './upgrade-kit.ts';

const WEB = 'http://192.0.2.1';

class Served extends Serving {
  readonly follower = new Follower(this.pair, this.say);

  async install(box: BoxName, bundle: string): Promise<string> {
    return await this.type(box, `request system image install ${WEB}/${bundle}.raucb`);
  }

  /** The job is over on both, and both run well from that slot, in step, with calls. */
  async ends(phase: 'proved' | 'failed', slot: 'A' | 'B'): Promise<readonly JobRecord[]> {
    const records = await this.follower.end(BOXES, 20 * MINUTE);
    for (const [i, record] of records.entries()) {
      if (record.phase === phase) continue;
      this.say(await lastWords(i === 0 ? this.pair.a : this.pair.b));
      throw new Error(`it ended as ${JSON.stringify(record)}`);
    }
    await this.well(slot, slot);
    return records;
  }

  async well(slotOfA: string, slotOfB: string): Promise<void> {
    await this.inStep();
    await runsWell(this.pair.a, slotOfA);
    await runsWell(this.pair.b, slotOfB);
    for (const box of BOXES) {
      this.say(`slots of ${box}: ${await slotsOf(this.pair.machine(box))}`);
      await this.type(box, 'show system image');
    }
    await this.town.serves();
  }
}

async function served(
  name: string,
  say: Say,
  trial: (served: Served) => Promise<void>,
): Promise<void> {
  makeBundles();
  const calls = async (all: Served): Promise<void> => {
    await trial(all);
    all.town.check();
  };
  await serving(name, say, Served, calls, { more: HASTE });
}

/** docs/upgrading.md as it is written: to the next version and back. */
async function upgrade(say: Say): Promise<void> {
  const page = readFileSync(join(ROOT, 'docs/upgrading.md'), 'utf8');
  await served('trial-upgrade', say, async (all) => {
    // the page begins with box a as primary
    if ((await all.inStep()) === 'b') {
      await all.type('b', 'request ha switchover');
      await all.operators.a.until(/^primary, in step/, 2 * MINUTE);
    }
    await guide(all.pair, page, say, 12 * MINUTE);
    await all.follower.end(BOXES, 10 * MINUTE);
    await all.well('A', 'A');
  });
}

/** A bundle signed by somebody else, and one that was changed on its way. */
function refused(say: Say): Promise<void> {
  return served('trial-refused', say, async (all) => {
    const primary = await all.inStep();
    expectThat(/image-signature/.test(await all.install(primary, 'stranger')), 'a stranger');
    for (const box of BOXES) await runsWell(all.pair.machine(box), 'A');
    await all.install(primary, 'torn');
    await all.ends('failed', 'A');
  });
}

/** One box tries it; both run what they ran. */
function failing(bundle: string): (say: Say) => Promise<void> {
  return (say) =>
    served(`trial-${bundle}`, say, async (all) => {
      await all.install(await all.inStep(), bundle);
      await all.ends('failed', 'A');
    });
}

/** The box that is at its part of the job now. */
async function atWork(all: Served): Promise<BoxName | undefined> {
  for (const box of BOXES) {
    const record = await all.follower.look(box);
    if (record !== undefined && WORK.has(record.phase)) return box;
  }
  return undefined;
}
const WORK: ReadonlySet<string> = new Set(['installing', 'ready', 'leaving', 'trial']);
/** About as long as a slot is written, and as a box is at all of it, emulated. */
const SPANS_S = [12, 75] as const;

async function active(all: Served): Promise<boolean> {
  const records = await Promise.all(BOXES.map((box) => all.follower.look(box)));
  return records.some((record) => record !== undefined && !isOver(record));
}

/** The power of the box that is at it fails, at moments that a seed gives; the other one serves. */
function powerCut(say: Say): Promise<void> {
  const random = chance(SEED);
  return served('trial-power-cut', say, async (all) => {
    for (let cut = 1; cut <= CUTS; cut++) {
      let victim: BoxName | undefined;
      while (victim === undefined) {
        if (!(await active(all))) await all.install(await all.inStep(), 'next');
        victim = await atWork(all);
        if (victim === undefined) await sleep(500);
      }
      const afterS = random() * SPANS_S[cut % 2 === 1 ? 0 : 1];
      await sleep(afterS * 1000);
      const leads = await all.operators[other(victim)].state().catch(() => '');
      if (!leads.startsWith('primary')) {
        say(`  ${victim} is not cut: ${other(victim)} says "${leads}"`);
        cut--;
        continue;
      }
      const record = await all.follower.look(victim);
      say(`── cut ${cut} of ${CUTS}, seed ${SEED}: box ${victim}, at: ${record?.phase ?? 'away'}`);
      await all.pair.powerOff(victim);
      await all.town.serves();
      await all.pair.powerOn(victim);
      await all.pair.machine(victim).tap.ready();
      const slot = await all.pair.machine(victim).tap.text('cat /run/sipair/slot');
      say(`  ${victim} comes up from slot ${slot}`);
    }
    let records = await all.follower.end(BOXES, 20 * MINUTE);
    if (records.some((record) => record.phase === 'failed')) {
      say('── the cuts are over: once more');
      await all.install(await all.inStep(), 'next');
      await sleep(2000);
      records = await all.follower.end(BOXES, 20 * MINUTE);
    }
    expectThat(
      records.every((record) => record.phase === 'proved'),
      'after all cuts an update goes through',
    );
    const [a, b] = records;
    await all.well(a?.newSlot ?? '', b?.newSlot ?? '');
  });
}

export const PAIR = {
  upgrade,
  'upgrade-stranger': refused,
  'upgrade-no-boot': failing('no-boot'),
  'upgrade-never-in-step': failing('no-step'),
  'upgrade-no-agent': failing('no-agent'),
  'upgrade-power-cut': powerCut,
} as const;
