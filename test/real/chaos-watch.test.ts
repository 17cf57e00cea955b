/** The observers of the chaos driver see what they are there for. */

import test from 'ava';
import { leaksBetween, useOf } from '../chaos/leaks.ts';
import { Watch } from '../chaos/watch.ts';
import { createLab, labName } from '../lab/lab.ts';
import { NODE, other, VIP } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';

test.serial('a second box that answers for the VIP, and one that speaks for itself', async (t) => {
  const lab = await createLab({ name: labName('watch') });
  t.teardown(() => lab.down());
  const watch = new Watch(lab);
  t.teardown(() => watch.stop());
  const first = await useOf(lab);
  const backup = other((await lab.status()).primary ?? 'a');
  await sleep(2500);
  t.deepEqual(watch.violations, [], 'a healthy pair');
  await lab.exec(backup, ['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'lo']);
  await sleep(500);
  await lab.exec(backup, ['ip', 'addr', 'del', `${VIP}/32`, 'dev', 'lo']);
  await sleep(1500);
  t.deepEqual(watch.violations, [], 'half a second is allowed');
  t.true(watch.longestTwoMs > 200, `${watch.longestTwoMs} ms were seen`);
  await lab.exec(backup, ['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'lo']);
  await sleep(2500);
  t.regex(watch.violations.splice(0).join('\n'), /two boxes answer ARP/);
  const say = `require('node:dgram').createSocket('udp4').send('x', 5070, '192.0.2.20', () => process.exit())`;
  await lab.exec(backup, [NODE, '-e', say]);
  await sleep(1500);
  t.regex(watch.violations.join('\n'), new RegExp(`box ${backup} says something from its own`));
  await lab.exec('lan', ['ip', 'link', 'add', 'left', 'type', 'bridge']);
  t.regex(leaksBetween(first, await useOf(lab)).join('\n'), /network devices/);
});
