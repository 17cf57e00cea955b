/**
 * A pair among other routers and hosts: VRRP with a keepalived neighbour, the virtual MAC, an IPv6
 * address beside the VIP, ICMP witnesses. Everything is asked from the LAN, of whole boxes.
 */

import test, { type ExecutionContext } from 'ava';
import { createLab, type Lab, type LabOptions, labName } from '../lab/lab.ts';
import { HOST_ADDRESS, LAN_MAC, VIP, VIP6 } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';
import { Keepalived } from './vrrp-net.ts';

const VRID = 51;
const VIRTUAL = '00:00:5e:00:01:33';

async function pair(t: ExecutionContext, what: string, more: Partial<LabOptions>): Promise<Lab> {
  const lab = await createLab({ name: labName(what), ...more });
  t.teardown(() => lab.down());
  return lab;
}

async function reaches(lab: Lab, address: string): Promise<boolean> {
  const command = ['ping', '-n', '-q', '-c', '1', '-W', '0.5', address];
  return lab.exec('lan', command).then(
    () => true,
    () => false,
  );
}

async function within(ms: number, holds: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}

async function macOf(lab: Lab, address: string): Promise<string> {
  const words = await lab.exec('lan', ['ip', 'neigh', 'show', address]);
  return /lladdr (\S+)/.exec(words)?.[1] ?? '';
}

test.serial(
  'a keepalived of lower priority stays backup, stands in when both boxes are off, gives way',
  async (t) => {
    const vip = { address: VIP, vrrp: { id: VRID, priority: 200 } };
    const lab = await pair(t, 'keepalived', { config: { vip } });
    const other = new Keepalived(lab.places.netns('lan'), {
      ifname: 'lan0',
      seconds: 1,
      vrid: VRID,
      priority: 100,
      vips: [VIP],
    });
    t.teardown(() => other.end());
    const has = async (): Promise<boolean> =>
      (await lab.exec('lan', ['ip', 'addr'])).includes(`${VIP}/`);
    // it may lead for a moment, until it has spoken once and we take up the checksum it understands
    await sleep(4000);
    t.true(await within(6000, async () => !(await has())), 'backup when the pair is understood');
    await sleep(4000);
    t.false(await has(), 'backup while the pair speaks');
    await lab.kill('a');
    await sleep(2000);
    t.false(await has(), 'a takeover of ours is quicker than its timer');
    t.is((await lab.status()).primary, 'b');
    // the last one says goodbye: priority 0
    await lab.kill('b', 'SIGTERM');
    t.true(await within(3000, has), 'stands in when both are off');
    await lab.start('a', { wait: false });
    await lab.start('b', { wait: false });
    await lab.ready(20_000);
    t.true(await within(3000, async () => !(await has())), 'gives way to the higher priority');
  },
);

test.serial('a router with our VRID and a higher priority raises an alarm', async (t) => {
  const vip = { address: VIP, vrrp: { id: VRID, priority: 100 } };
  const lab = await pair(t, 'conflict', { config: { vip } });
  const other = new Keepalived(lab.places.netns('lan'), {
    ifname: 'lan0',
    seconds: 1,
    vrid: VRID,
    priority: 150,
    vips: ['192.0.2.200'],
  });
  t.teardown(() => other.end());
  const alarmed = async (): Promise<boolean> => {
    const { primary, boxes } = await lab.status();
    const active = primary === null ? [] : boxes[primary].status?.alarms?.active;
    return active?.some((alarm) => alarm.code === 'vrrp-conflict') === true;
  };
  t.true(await within(6000, alarmed));
  await other.end();
  t.true(await within(8000, async () => !(await alarmed())), 'over when that router is gone');
});

test.serial(
  'virtual MAC and IPv6: both move without a change in the caches of the LAN',
  async (t) => {
    const vip = { address: VIP, more: [VIP6], vrrp: { id: VRID, virtualMac: true } };
    const lab = await pair(t, 'faces', { ipv6: true, config: { vip } });
    t.true(await within(3000, () => reaches(lab, VIP)));
    t.true(await within(3000, () => reaches(lab, VIP6)));
    t.is(await macOf(lab, VIP), VIRTUAL);
    t.is(await macOf(lab, VIP6), LAN_MAC.a);
    await lab.fault('garp');
    await lab.kill('a');
    t.true(await within(2000, () => reaches(lab, VIP)), 'the switch drops announcements');
    // the kernel of the dead box may answer for an instant more
    const moved = async (): Promise<boolean> =>
      (await reaches(lab, VIP6)) && (await macOf(lab, VIP6)) === LAN_MAC.b;
    t.true(await within(3000, moved), await macOf(lab, VIP6));
    t.is(await macOf(lab, VIP), VIRTUAL, 'the cache did not change');
  },
);

test.serial(
  'announcements dropped by the switch: hosts that asked for the VIP are told by a question',
  async (t) => {
    const lab = await pair(t, 'told', {});
    t.true(await reaches(lab, VIP));
    t.is(await macOf(lab, VIP), LAN_MAC.a);
    await lab.fault('garp');
    await lab.kill('a');
    // its kernel may answer for an instant more
    const told = async (): Promise<boolean> =>
      (await reaches(lab, VIP)) && (await macOf(lab, VIP)) === LAN_MAC.b;
    t.true(await within(2000, told), await macOf(lab, VIP));
  },
);

test.serial('witnesses by ICMP are seen', async (t) => {
  const witnesses = [{ address: HOST_ADDRESS, by: 'icmp' }];
  const lab = await pair(t, 'icmp', { config: { witnesses } });
  const seen = async (): Promise<boolean> => {
    const { boxes } = await lab.status();
    return [boxes.a, boxes.b].every((box) => box.status?.witness?.state === 'seen');
  };
  t.true(await within(5000, seen));
});
