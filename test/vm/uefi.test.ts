/** The same image on a board with UEFI: it starts, its data partition has the rest of the disk, and it starts again. */

import test from 'ava';
import { VmPair } from './pair.ts';

const MINUTE = 60_000;

test('one image for BIOS and UEFI', async (t) => {
  t.timeout(10 * MINUTE);
  const pair = new VmPair('test-uefi', { uefi: true, diskGb: 3 });
  t.teardown(() => pair.remove());
  await pair.make();
  const { a } = pair;
  for (const what of ['first start', 'second start']) {
    await a.start();
    await a.waitFor(/This box is new/, 4 * MINUTE);
    t.log(`${what}: the console asks after ${a.uptimeS().toFixed(1)} s`);
    await a.tap.ready();
    t.is(await a.tap.text('ls -d /sys/firmware/efi'), '/sys/firmware/efi');
    t.is(await a.tap.text('cat /run/sipair/slot'), 'A');
    t.is((await a.tap.run('systemctl --failed --no-legend')).text, '');
    t.regex(await a.tap.text('findmnt -no OPTIONS /'), /^ro/);
    const megabytes = Number(
      await a.tap.text('df -BM --output=size /data | tail -n 1 | tr -dc 0-9'),
    );
    t.true(megabytes > 2000, `${megabytes} MB for data`);
    await a.powerOff();
  }
});
