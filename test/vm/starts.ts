/** Trials of starting: how long it takes, and what is left of a box whose power comes and goes while it starts. */

import { sleep } from '../lab/processes.ts';
import { Operator } from './operator.ts';
import { VmPair } from './pair.ts';
import { imageFile } from './places.ts';
import { MINUTE, type Say } from './serving.ts';
import { pairSetUp } from './set-up.ts';
import { CUTS, chance, expectThat, runsWell, SEED } from './upgrade-kit.ts';

/** From power on to the login, and to the shell of the test: under emulation, on whatever else this machine does. */
async function boot(say: Say): Promise<void> {
  const pair = new VmPair('trial-boot');
  try {
    await pair.make();
    for (const what of ['first boot', 'second boot']) {
      await pair.a.start();
      await pair.a.waitFor(/sipair: slot [AB]/);
      say(`${what}: boot loader after ${pair.a.uptimeS().toFixed(1)} s`);
      await pair.a.waitFor(/login:|password/i);
      say(`${what}: console after ${pair.a.uptimeS().toFixed(1)} s`);
      await pair.a.tap.ready();
      say((await pair.a.tap.run('systemd-analyze')).text.split('\n')[0] ?? '');
      await pair.a.tap.run('sync');
      await pair.a.powerOff();
    }
  } finally {
    await pair.remove();
  }
}

/** About as long as a start takes, emulated. */
const START_S = 25;

/**
 * Power that comes and goes: a slot that was in service stays the one that starts, though there is another one that is good too
 * (an older release). The box is alone, so that nobody else says that its slot is good; it is the one that was
 * switched off last, which leads without being asked to.
 */
async function cuts(say: Say): Promise<void> {
  const random = chance(SEED);
  const pair = await pairSetUp('trial-start-cuts', say);
  const { b } = pair;
  try {
    await b.start();
    const operator = new Operator(b);
    await operator.ready();
    await operator.until(/^primary/, 4 * MINUTE);
    await runsWell(b, 'A');
    await b.tap.text('/usr/lib/sipair/bootenv set-state B good; sync');
    for (let cut = 1; cut <= CUTS; cut++) {
      await b.powerOff();
      await b.start();
      const [said = '', slot] = await b.waitFor(/sipair: slot ([AB]) \(.*\)/, MINUTE);
      const afterS = random() * START_S;
      say(`cut ${cut} of ${CUTS}, seed ${SEED}: ${afterS.toFixed(1)} s after "${said}"`);
      expectThat(slot === 'A', 'it starts from the slot that was good');
      await sleep(afterS * 1000);
    }
    await b.powerOff();
    await b.start();
    await operator.ready();
    await operator.until(/^primary/, 4 * MINUTE);
    const slots = await operator.command('show system image | no-more');
    say(slots);
    await sleep(30_000);
    await runsWell(b, 'A');
    const tries = await b.tap.text('/usr/lib/sipair/bootenv get A_TRY');
    expectThat(tries === '0', `in service its starts are not counted any more: ${tries}`);
  } finally {
    await pair.remove();
  }
}

/** The stick by which the image came was left in the box: it starts from its own disk, and nothing is written to the stick. */
async function stick(say: Say): Promise<void> {
  const left = [
    ...['-device', 'qemu-xhci,id=usb'],
    ...['-drive', `file=${imageFile()},if=none,id=stick,format=raw,snapshot=on`],
    ...['-device', 'usb-storage,bus=usb.0,drive=stick,removable=on'],
  ];
  const pair = new VmPair('trial-stick', { more: left });
  const { a } = pair;
  try {
    await pair.make();
    for (const what of ['first', 'second']) {
      await a.start();
      await a.waitFor(/Password of admin/, 3 * MINUTE);
      const { tap } = a;
      await tap.ready();
      const disks = await tap.text('cd /sys/class/block; grep -l PARTNAME=root-A */uevent');
      const own = await tap.text(
        'cat /run/sipair/disk; readlink /dev/sipair/root-A /dev/sipair/root-B',
      );
      const mounts = await tap.text('awk \'$2 == "/" || $2 == "/data" {print $1}\' /proc/mounts');
      const used = await tap.text('/usr/lib/sipair/bootenv get A_TRY; cat /sys/block/sda/stat');
      say(`${what} start: ${[disks, own, mounts, used].join(' | ').replace(/\s+/g, ' ')}`);
      expectThat(/sda4/.test(disks) && /vda4/.test(disks), 'there are two of them');
      expectThat(own === 'vda\n../vda4\n../vda5', 'its own disk is the one');
      expectThat(
        /\/dev\/vda4/.test(mounts) && /\/dev\/vda6/.test(mounts),
        'system and data are on it',
      );
      await tap.text('sync');
      await a.powerOff();
    }
  } finally {
    await pair.remove();
  }
}

export const STARTS = { boot, 'boot-cuts': cuts, 'boot-stick': stick } as const;
