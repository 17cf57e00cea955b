/**
 * Trials of the slots of one box: an update from a stick, back again, bundles that are refused, one that does not start, and
 * power cuts. The box has no other, so everything is forced.
 */

import { sleep } from '../lab/processes.ts';
import { guide } from './guided.ts';
import { Operator } from './operator.ts';
import { VmPair } from './pair.ts';
import { MINUTE, type Say } from './serving.ts';
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
  STICK,
  slotsOf,
} from './upgrade-kit.ts';

const FIRST_BOOT = `
\`\`\`serial a
This box is new.
Password of admin: › carton-to-calls
Again: › carton-to-calls
Is this box a or b? › a
Name of this box [sipair-a]: › north-a
Address of this box on the LAN: › 192.0.2.11
Length of the network prefix [24]: ›
Gateway, - for none [-]: ›
Time zone [UTC]: ›
Time servers, - for none [-]: ›
VIP: › 192.0.2.10
Numbers of the phones, from-to [1000-1999]: ›
Is it right? [y/n] › y
Pair with the other box now? [y/n] › n
(not paired)
\`\`\`
`;

class Alone {
  readonly pair: VmPair;
  readonly operator: Operator;
  readonly follower: Follower;
  readonly say: Say;

  constructor(name: string, say: Say) {
    this.pair = new VmPair(name, { more: [...HASTE, ...STICK] });
    this.operator = new Operator(this.pair.a);
    this.follower = new Follower(this.pair, say);
    this.say = say;
  }

  async begin(): Promise<void> {
    await this.pair.make();
    await this.pair.a.start();
    await guide(this.pair, FIRST_BOOT, () => {});
    this.say(`first boot done after ${this.pair.a.uptimeS().toFixed(0)} s`);
    for (let looks = 1; ; looks++) {
      if (/LAN +carrier/.test(await this.type('show interfaces'))) break;
      expectThat(looks < 10, 'a port with a cable');
      await sleep(5000);
    }
    await this.type('show system image');
  }

  async type(command: string, patienceMs?: number): Promise<string> {
    await this.operator.ready();
    this.say(`a › ${command}`);
    const said = await this.operator.command(`${command} | no-more`, patienceMs);
    this.say(said);
    return said;
  }

  async force(command: string): Promise<string> {
    await this.operator.ready();
    this.say(`a › ${command}`);
    const said = await this.operator.sure(command, 5 * MINUTE);
    this.say(said);
    return said;
  }

  async ends(phase: 'proved' | 'failed', slot: 'A' | 'B'): Promise<JobRecord> {
    const [record] = await this.follower.end(['a'], 8 * MINUTE);
    if (record?.phase !== phase) {
      this.say(await lastWords(this.pair.a));
      throw new Error(`it ended as ${JSON.stringify(record)}`);
    }
    await runsWell(this.pair.a, slot);
    this.say(`slots: ${await slotsOf(this.pair.a)}`);
    return record;
  }
}

const GOOD = 'request system image install usb:sipair-0.2.0.raucb force';

/** There and back; refused bundles; one that does not start. */
async function slots(say: Say): Promise<void> {
  makeBundles();
  const box = new Alone('trial-slots', say);
  try {
    await box.begin();
    expectThat(/image-alone/.test(await box.type('request system image install usb:')), 'alone');
    expectThat(
      /on the stick there are/.test(await box.force('request system image install usb: force')),
      'which',
    );
    await box.force(GOOD);
    await box.ends('proved', 'B');
    await box.type('show system image');
    await box.force('request system image rollback force');
    await box.ends('proved', 'A');

    const stranger = await box.force('request system image install usb:stranger.raucb force');
    expectThat(/image-signature/.test(stranger), 'a stranger is refused');
    await runsWell(box.pair.a, 'A');
    await box.force('request system image install usb:torn.raucb force');
    await box.ends('failed', 'A');
    await box.force('request system image install usb:no-boot.raucb force');
    await box.ends('failed', 'A');
    await box.type('show system image');
  } finally {
    await box.pair.remove();
  }
}

/** Power cuts at moments that a seed gives, all over a job; afterwards an update goes through. */
async function cuts(say: Say): Promise<void> {
  makeBundles();
  const random = chance(SEED);
  const box = new Alone('trial-cuts', say);
  const { a } = box.pair;
  try {
    await box.begin();
    for (let cut = 1; cut <= CUTS; cut++) {
      const before = await box.follower.look('a');
      if (before === undefined || isOver(before)) await box.force(GOOD);
      const afterS = random() * 60;
      await sleep(afterS * 1000);
      const record = await box.follower.look('a');
      say(`── cut ${cut} of ${CUTS}, seed ${SEED}: ${afterS.toFixed(1)} s, at: ${record?.phase}`);
      await a.powerOff();
      await a.start();
      await a.tap.ready();
      say(`  comes up from slot ${await a.tap.text('cat /run/sipair/slot')}`);
    }
    let [record] = await box.follower.end(['a'], 8 * MINUTE);
    if (record?.phase === 'failed') {
      await runsWell(a, record.oldSlot);
      await box.force(GOOD);
      [record] = await box.follower.end(['a'], 8 * MINUTE);
    }
    expectThat(record?.phase === 'proved', 'after all cuts an update goes through');
    await runsWell(a, record?.newSlot ?? '');
    await box.type('show system image');
  } finally {
    await box.pair.remove();
  }
}

export const ALONE = { 'upgrade-slots': slots, 'upgrade-slots-cut': cuts } as const;
