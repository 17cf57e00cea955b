/**
 * What a person in front of a box does and sees, in one trial on a pair that serves: the lamps of the kernel in every state that can
 * be had, beside `show leds`; a USB stick; the ladder of live SIP.
 */

import type { BoxName } from '../lab/places.ts';
import { BOXES, other, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { run } from '../lab/run.ts';
import { type Front, front, lampsShow, saidBy } from './lamps.ts';
import { MINUTE, type Say, Serving, serving } from './serving.ts';
import { expectThat, HASTE, makeBundles, STICK } from './upgrade-kit.ts';

const LEADS: Partial<Front> = { status: 'steady', ha: 'steady' };
const FOLLOWS: Partial<Front> = { status: 'steady', ha: 'double' };
const ALONE: Partial<Front> = { status: 'steady', ha: 'single', alarm: '4hz' };
const LOCATED: Front = { status: '2hz', ha: '2hz', alarm: '2hz' };

class Person extends Serving {
  /** The lamps show that, and the console says the same as the kernel. */
  async sees(box: BoxName, expected: Partial<Front>, when: string): Promise<void> {
    const machine = this.pair.machine(box);
    const shown = await lampsShow(machine, expected, 2 * MINUTE);
    this.say(`lamps of ${box}, ${when}: ${shown.status}, ${shown.ha}, ${shown.alarm}`);
    // what changes between the two looks is looked at again
    for (let look = 1; ; look++) {
      const said = JSON.stringify(saidBy(await this.type(box, 'show leds')));
      const is = JSON.stringify(await front(machine));
      if (said === is) return;
      if (look === 3) throw new Error(`show leds of ${box} says ${said}, the kernel ${is}`);
    }
  }
}

async function lamps(all: Person): Promise<void> {
  const { pair, town } = all;
  const primary = await all.inStep();
  const backup = other(primary);
  await all.sees(primary, LEADS, 'primary in step');
  await all.sees(backup, FOLLOWS, 'backup in step');

  await all.type(backup, 'request locate on');
  await all.sees(backup, LOCATED, 'looked for');
  await all.type(backup, 'request locate off');
  await all.sees(backup, FOLLOWS, 'found');

  await pair.machine(backup).tap.text('systemctl stop sipair-monitor');
  await lampsShow(pair.machine(backup), { status: '4hz' });
  all.say(`lamps of ${backup}: nobody watches`);
  await pair.machine(backup).tap.text('systemctl start sipair-monitor');
  await all.sees(backup, FOLLOWS, 'watched again');
  await all.type(backup, 'show alarms');
  await all.type(backup, 'show alarms history');

  await pair.powerOff(backup);
  await all.sees(primary, ALONE, 'alone');
  await pair.powerOn(backup);
  await pair.machine(backup).tap.ready();
  await all.inStep();
  await all.sees(primary, LEADS, 'primary again');
  await all.sees(backup, FOLLOWS, 'backup again');
  await town.serves();
}

/** The bundle is on the stick, whole, after it was pulled out without a word. */
async function stick(all: Person): Promise<void> {
  const primary = await all.inStep();
  const { tap } = all.pair.machine(primary);
  const said = await all.type(primary, 'request support bundle usb');
  const name = /usb:(\S+\.tar\.gz)/.exec(said)?.[1] ?? '';
  expectThat(name !== '', `a support bundle on the stick: ${said}`);
  const at = '/run/sipair-stick-read';
  const device = '/dev/disk/by-label/UPDATES';
  await tap.text(`mkdir -p ${at}; mount -o ro ${device} ${at}`);
  const list = await tap.text(`tar -tzf ${at}/${name}`, 2 * MINUTE);
  await tap.text(`umount ${at}; rmdir ${at}`);
  all.say(`on the stick: ${name}, ${list.split('\n').length} files`);
  expectThat(/status|journal|config/.test(list), list);

  await all.operators[primary].ready();
  for (const command of ['configure', 'save usb:site.txt', 'load usb:site.txt', 'discard']) {
    all.say(`${primary} › ${command}`);
    const { console } = all.pair.machine(primary);
    console.skip();
    console.type(`${command}\r`);
    const { before } = await console.waitFor(/# $|> $/, MINUTE);
    all.say(before);
    expectThat(!/stick-|refused|error/.test(before), before);
  }
  all.pair.machine(primary).type('exit\r');
  await all.operators[primary].ready();
}

/** A call as it is spoken, message by message. */
async function ladder(all: Person): Promise<void> {
  const primary = await all.inStep();
  const { console } = all.pair.machine(primary);
  console.skip();
  console.type('monitor sip\r');
  const { before } = await console.waitFor(/INVITE[\s\S]*200[\s\S]*BYE/, 3 * MINUTE);
  console.type('q');
  await all.operators[primary].ready();
  all.say(before);
}

/** Somebody else takes the address for a while. */
async function conflict(all: Person): Promise<void> {
  const primary = await all.inStep();
  const { netns } = all.pair.places;
  const claim = ['arping', '-q', '-P', '-U', '-c', '1', '-i', 'lan', '-S', VIP, VIP];
  let over = false;
  const claims = (async () => {
    while (!over) {
      // its status tells whether somebody answered: nobody does
      await run('ip', ['netns', 'exec', netns, ...claim]).catch(() => {});
      await sleep(1000);
    }
  })();
  await lampsShow(all.pair.machine(primary), { ha: '4hz', alarm: '4hz' });
  all.say(`lamps of ${primary}: the address is claimed twice`);
  over = true;
  await claims;
  await all.sees(primary, LEADS, 'the address is ours alone');
  await all.town.serves();
}

/** Blinks while it is written, and says who leads all the same. */
async function update(all: Person): Promise<void> {
  const primary = await all.inStep();
  all.say(await all.type(primary, 'request system image install usb:torn.raucb'));
  const first = await Promise.any(
    BOXES.map(async (box) => {
      await lampsShow(all.pair.machine(box), { status: 'double' }, 3 * MINUTE);
      return box;
    }),
  );
  all.say(`lamps of ${first}: updating`);
  await lampsShow(all.pair.machine(first), { status: 'steady' }, 8 * MINUTE);
  await all.inStep();
}

async function person(say: Say): Promise<void> {
  makeBundles();
  await serving(
    'trial-front',
    say,
    Person,
    async (all) => {
      for (const box of BOXES) {
        const { status } = await all.pair.machine(box).tap.run('ls /dev/disk/by-label/UPDATES');
        expectThat(status === 0, 'the stick is there');
      }
      await lamps(all);
      await stick(all);
      await ladder(all);
      await conflict(all);
      await update(all);
      await all.town.serves();
      all.town.check();
    },
    { more: [...HASTE, ...STICK] },
  );
}

export const FRONT = { front: person } as const;
