/**
 * The virtual MAC: two boxes and a client behind one switch that lets no ARP announcement of the VIP
 * through to the client. In network namespaces made here.
 */

import { execFileSync } from 'node:child_process';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import type { VrrpOptions } from '../../src/proto/vrrp.ts';
import { until } from './native-help.ts';
import { Capture, Child, dress, inside, ip, Namespaces } from './vrrp-net.ts';

const OK = { ok: true };
const VRID = 51;
const VMAC = '00:00:5e:00:01:33';
const VIP = '10.8.0.100';
const BOXES = [
  ['a', '10.8.0.1', '02:00:00:00:08:01'],
  ['b', '10.8.0.2', '02:00:00:00:08:02'],
  ['c', '10.8.0.9', '02:00:00:00:08:09'],
] as const;

let namespaces: Namespaces | undefined;
let lan = '';
const box = { a: '', b: '', c: '' };

/** Announcements of the VIP: ARP packets whose sender and target address it is. */
function dropAnnouncements(port: string): void {
  const tc = (...args: string[]) => execFileSync('tc', ['-n', lan, ...args], { stdio: 'pipe' });
  tc('qdisc', 'add', 'dev', port, 'root', 'handle', '1:', 'htb', 'default', '1');
  tc('class', 'add', 'dev', port, 'parent', '1:', 'classid', '1:1', 'htb', 'rate', '1gbit');
  tc('class', 'add', 'dev', port, 'parent', '1:', 'classid', '1:2', 'htb', 'rate', '1gbit');
  // A queue for none: what comes here is dropped, and counted.
  tc('qdisc', 'add', 'dev', port, 'parent', '1:2', 'handle', '2:', 'pfifo', 'limit', '0');
  const sender = ['match', 'u16', '0x0a08', '0xffff', 'at', '14'];
  const sender2 = ['match', 'u16', '0x0064', '0xffff', 'at', '16'];
  const target = ['match', 'u32', '0x0a080064', '0xffffffff', 'at', '24'];
  const filter = ['filter', 'add', 'dev', port, 'parent', '1:', 'protocol', 'arp', 'prio', '1'];
  tc(...filter, 'u32', ...sender, ...sender2, ...target, 'flowid', '1:2');
}

function dropped(port: string): number {
  const args = ['-n', lan, '-s', 'qdisc', 'show', 'dev', port];
  const shown = String(execFileSync('tc', args, { stdio: 'pipe' }));
  return Number(/qdisc pfifo 2:[^(]*\(dropped (\d+)/.exec(shown)?.[1] ?? -1);
}

test.before(() => {
  namespaces = new Namespaces('sm');
  lan = namespaces.add('l');
  ip('-n', lan, 'link', 'add', 'br0', 'type', 'bridge');
  ip('-n', lan, 'link', 'set', 'br0', 'up');
  for (const [letter, address, mac] of BOXES) {
    const name = namespaces.add(letter);
    box[letter] = name;
    const peer = ['peer', 'name', 'lan', 'address', mac, 'netns', name];
    ip('-n', lan, 'link', 'add', `to-${letter}`, 'type', 'veth', ...peer);
    ip('-n', lan, 'link', 'set', `to-${letter}`, 'master', 'br0', 'up');
    // The strictest reverse path filter there is; a distribution may have it as its default.
    inside(name, 'sysctl', '-qw', 'net.ipv4.conf.all.rp_filter=1');
    dress(name, `${address}/24`);
  }
  dropAnnouncements('to-c');
});

test.after.always(() => namespaces?.remove());

/** A box with its virtual MAC, ready and silent. */
async function start(t: ExecutionContext, letter: 'a' | 'b'): Promise<Child> {
  const child = new Child(box[letter]);
  t.teardown(() => child.end());
  const address = letter === 'a' ? '10.8.0.1' : '10.8.0.2';
  const made = await child.call('vmacOpen', 'lan', address, VRID);
  t.deepEqual(made, { mac: VMAC, device: 'sipairv0' });
  const options: VrrpOptions = {
    vrid: VRID,
    priority: 200,
    intervalCs: 20,
    families: { 4: { source: address, vips: [VIP] } },
    peers: ['10.8.0.1', '10.8.0.2'].filter((one) => one !== address),
  };
  const socket = { family: 4, ifname: 'lan', address, via: 'sipairv0' } as const;
  t.deepEqual(await child.call('open', options, [socket]), OK);
  return child;
}

/** The client's one echo. @returns whether it was answered. */
function answers(address: string): boolean {
  try {
    inside(box.c, 'ping', '-c', '1', '-W', '1', address);
    return true;
  } catch {
    return false;
  }
}

/** Who answers the client's ARP question, each MAC once. */
function owners(address: string): string[] {
  let said = '';
  try {
    said = inside(box.c, 'arping', '-c', '2', '-w', '1', '-I', 'lan', address);
  } catch (e) {
    said = String((e as { stdout?: unknown }).stdout ?? '');
  }
  return [...new Set(said.toLowerCase().match(/(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/g) ?? [])];
}

function cached(address: string): string {
  const shown = ip('-n', box.c, 'neigh', 'show', address);
  return /lladdr (\S+)/.exec(shown)?.[1] ?? 'none';
}

/** How many packets a box has received for the virtual MAC. */
function received(letter: 'a' | 'b'): number {
  return Number(inside(box[letter], 'cat', '/sys/class/net/sipairv0/statistics/rx_packets'));
}

function sysctls(letter: 'a' | 'b'): string {
  const names = ['arp_ignore', 'arp_announce'].map((name) => `net.ipv4.conf.lan.${name}`);
  return inside(box[letter], 'sysctl', '-n', ...names)
    .replace(/\s+/g, ' ')
    .trim();
}

test.serial('the VIP has the virtual MAC, and nothing else has; VRRP leaves by it', async (t) => {
  const seen = new Capture(box.c, 'lan', 'ip proto 112 or arp');
  t.teardown(() => seen.remove());
  await seen.started();
  const a = await start(t, 'a');
  t.deepEqual(owners(VIP), [], 'a backup answers nothing');
  t.deepEqual(await a.call('claim', VIP), OK);
  t.true(answers(VIP));
  t.is(cached(VIP), VMAC);
  t.deepEqual(owners(VIP), [VMAC]);
  t.deepEqual(owners('10.8.0.1'), [BOXES[0][2]], 'one MAC for its own address');
  t.true(answers('10.8.0.1'));
  // The box itself speaks from the VIP to a host it has never heard of: it must ask as itself.
  ip('-n', box.a, 'neigh', 'flush', 'dev', 'lan');
  inside(box.a, 'ping', '-c', '1', '-W', '1', '-I', VIP, '10.8.0.9');
  t.is(cached(VIP), VMAC);
  t.deepEqual(await a.call('release'), OK);
  t.deepEqual(owners(VIP), []);
  t.deepEqual(await a.call('faults'), []);
  const adverts = await seen.read(
    ...['-Y', 'vrrp', '-T', 'fields', '-E', 'separator=;'],
    ...['-e', 'eth.src', '-e', 'ip.src', '-e', 'ip.ttl', '-e', 'vrrp.prio'],
  );
  t.true(adverts.length >= 3);
  t.deepEqual([...new Set(adverts)].sort(), [`${VMAC};10.8.0.1;255;0`, `${VMAC};10.8.0.1;255;200`]);
  // Who says that the VIP is his: only the virtual MAC, in every ARP packet on the wire.
  const claims = seen.again(
    ...['-Y', `arp.src.proto_ipv4 == ${VIP}`, '-T', 'fields'],
    ...['-e', 'arp.src.hw_mac'],
  );
  t.deepEqual([...new Set(claims)], [VMAC]);
  await a.call('vmacClose');
  t.is(sysctls('a'), '0 0');
  await a.end();
});

test.serial('a move changes no ARP cache, though no announcement arrives', async (t) => {
  const a = await start(t, 'a');
  const b = await start(t, 'b');
  await a.call('claim', VIP);
  t.true(answers(VIP));
  const before = dropped('to-c');
  const seen = new Capture(box.c, 'lan', 'arp');
  t.teardown(() => seen.remove());
  await seen.started();
  for (const [from, to, letter] of [
    [a, b, 'b'],
    [b, a, 'a'],
    [a, b, 'b'],
  ] as const) {
    t.deepEqual(await from.call('release'), OK);
    t.deepEqual(await to.call('claim', VIP), OK);
    const already = received(letter);
    t.true(answers(VIP), 'the very next packet arrives');
    t.true(received(letter) > already, `and it is box ${letter} that has it`);
    t.is(cached(VIP), VMAC);
  }
  t.is(dropped('to-c') - before, 3, 'announcements were made, and did not arrive');
  const filter = `arp.src.proto_ipv4 == ${VIP} && arp.dst.proto_ipv4 == ${VIP}`;
  t.deepEqual(await seen.read('-Y', filter), []);
  const heard = await a.call<{ verdict: string }[]>('heard');
  t.true(heard.length > 0 && heard.every((h) => h.verdict === 'peer'));
  await a.end('SIGTERM');
  await b.end('SIGTERM');
});

test.serial('kill -9: silent at once; the other takes over; the next one clears up', async (t) => {
  const a = await start(t, 'a');
  const b = await start(t, 'b');
  await a.call('claim', VIP);
  t.true(answers(VIP));
  await a.end('SIGKILL');
  t.false(answers(VIP));
  t.deepEqual(owners(VIP), []);
  const left = ip('-n', box.a, 'link', 'show', 'sipairv0');
  t.regex(left, /alias sipair lan 0 0/, 'its device is still there, with the note');
  t.is(sysctls('a'), '1 2');

  t.deepEqual(await b.call('claim', VIP), OK);
  const already = received('b');
  t.true(answers(VIP));
  t.true(received('b') > already);
  t.deepEqual(owners(VIP), [VMAC]);

  const next = await start(t, 'a');
  t.regex(ip('-n', box.a, 'link', 'show', 'sipairv0'), /state DOWN/);
  t.true(answers(VIP), 'a box that starts disturbs nothing');
  await next.call('vmacClose');
  t.is(sysctls('a'), '0 0', 'as it was before the one that was killed');
  await until('the device is gone', () => !ip('-n', box.a, 'link').includes('sipairv0'));
  await next.end();
  await b.end();
});

test.serial('a device that is not ours keeps its name; a VRID is 1 to 255', async (t) => {
  ip('-n', box.a, 'link', 'add', 'sipairv0', 'type', 'bridge');
  const child = new Child(box.a);
  t.teardown(() => child.end());
  t.like(await child.call('vmacOpen', 'lan', '10.8.0.1', VRID), { osError: 'EBUSY' });
  t.regex(ip('-n', box.a, 'link', 'show', 'sipairv0'), /sipairv0/);
  ip('-n', box.a, 'link', 'del', 'sipairv0');
  t.like(await child.call('vmacOpen', 'no0', '10.8.0.1', VRID), { osError: 'ENOENT' });
  t.like(await child.call('vmacOpen', 'lan', '10.8.0.1', 256), { osError: 'EINVAL' });
  t.like(await child.call('vmacOpen', 'lan', 'fe80::1', VRID), { osError: 'EINVAL' });
  t.is(sysctls('a'), '0 0');
});
