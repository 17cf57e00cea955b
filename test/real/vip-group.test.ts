/**
 * Several virtual addresses, IPv4 and IPv6, as one group, between real processes on a LAN of network
 * namespaces (`test/lab/network.ts`, with IPv6): what the kernel does with them, what our own
 * neighbour discovery has to do, and how fast the face moves. Runs as root; without the privilege it
 * fails, it does not skip.
 */

import { Buffer } from 'node:buffer';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { netlite } from '../../src/edge/native/netlite.ts';
import { arpRequest } from '../../src/wire/arp.ts';
import { ndSolicitation } from '../../src/wire/ndp.ts';
import { makeNetwork, netnsOf, removeNetns } from '../lab/network.ts';
import {
  type BoxName,
  HOST_ADDRESS,
  type HostName,
  LAN_ADDRESS6,
  LAN_MAC,
  placesOf,
  VIP,
  VIP6,
} from '../lab/places.ts';
import { type Child, start, until } from './native-help.ts';

const PREFIX = 'vg';
const places = placesOf(`${PREFIX}${process.pid}`);
const W4 = '192.0.2.210';
const W6 = '2001:db8:77::a:210';
const GROUP = [VIP, W4, VIP6, W6];
const OK = { ok: true };

test.before(async () => {
  if (process.getuid?.() !== 0) throw new Error('these tests need root: namespaces, TUN');
  // What a run that was killed left behind.
  for (const line of String(execFileSync('ip', ['netns', 'list'])).split('\n')) {
    const [name, pid] = new RegExp(`^${PREFIX}(\\d+)-\\w+`).exec(line) ?? [];
    if (name !== undefined && !existsSync(`/proc/${pid}`)) await removeNetns([name]);
  }
  await makeNetwork(places, { ipv6: true });
});

test.after.always(() => removeNetns(netnsOf(places)));

function at(host: HostName | 'sw', ...command: string[]): string {
  const all = ['netns', 'exec', places.netns(host), ...command];
  return String(execFileSync('ip', all, { stdio: 'pipe' }));
}

function sysctl(host: HostName, name: string, value: number): void {
  at(host, 'sysctl', '-qw', `${name}=${value}`);
}

/** One echo request from the host `lan`, answered within a second? */
function answers(address: string): boolean {
  try {
    at('lan', 'ping', '-c', '1', '-W', '1', address);
    return true;
  } catch {
    return false;
  }
}

/** Who the host `lan` thinks has the address. */
function neighbour(address: string): string | undefined {
  const shown = at('lan', 'ip', 'neigh', 'show', address, 'dev', 'lan0');
  return /lladdr (\S+)/.exec(shown)?.[1];
}

function forget(): void {
  at('lan', 'ip', 'neigh', 'flush', 'dev', 'lan0');
}

/** The addresses of the VIP device, as the kernel has them. */
function held(box: BoxName): string[] {
  let shown: string;
  try {
    shown = at(box, 'ip', '-o', 'address', 'show', 'dev', 'vip0');
  } catch {
    return [];
  }
  return [...shown.matchAll(/inet6? (\S+)/g)].map((m) => m[1]!).sort();
}

const ALL_HELD = [`${VIP}/32`, `${W4}/32`, `${VIP6}/128`, `${W6}/128`].sort();

/** A process of ours on a box, with a face on the LAN and a device that may carry IPv6. */
async function box(t: ExecutionContext, name: BoxName): Promise<Child> {
  const child = start(t, places.netns(name));
  // In this order: a killed process lets its latest descriptor go first, and that shall be the VIP.
  t.deepEqual(await child.call('faceOpen', 'lan0', GROUP), OK);
  t.deepEqual(await child.call('vipOpen', 'vip0', true), OK);
  return child;
}

test.serial(
  'both families are answered, from a process, on the LAN; kill -9 ends all',
  async (t) => {
    const a = await box(t, 'a');
    forget();
    t.false(answers(VIP6));
    t.deepEqual(await a.call('faceTake', 30, 'all'), { frames: 6 });
    t.deepEqual(held('a'), ALL_HELD);
    for (const address of GROUP) {
      t.true(answers(address), address);
      t.is(neighbour(address), LAN_MAC.a, address);
    }
    // Nothing but ours is on the device: no link-local address, no routers asked for.
    const mine = at('a', 'ip', '-6', '-o', 'address', 'show', 'dev', 'vip0');
    t.regex(mine, /2001:db8:77::10\/128 scope global nodad deprecated/);
    t.is(at('a', 'sysctl', '-n', 'net.ipv6.conf.all.forwarding').trim(), '0');
    t.log(`claim of 2 IPv4 and 2 IPv6 addresses, p50: ${await groupCost(t)} us`);
    a.process.kill('SIGKILL');
    const killed = netlite.monotonic();
    await until('the addresses are gone', () => held('a').length === 0);
    t.log(`after kill -9: seen gone at ${(netlite.monotonic() - killed).toFixed(1)} ms`);
    for (const address of GROUP) t.false(answers(address), address);
  },
);

async function groupCost(t: ExecutionContext): Promise<number> {
  const b = start(t, places.netns('b'));
  t.deepEqual(await b.call('vipOpen', 'vip0', true), OK);
  const cost = await b.call<number>('claimCost', GROUP);
  await b.end();
  return cost;
}

test.serial('frozen, the whole group expires; thawed, it is not renewed', async (t) => {
  const a = await box(t, 'a');
  await a.call('faceTake', 2, 'all');
  t.deepEqual(await a.call('vipRenewEvery', 2, 100), OK);
  await sleep(3000);
  t.deepEqual(held('a'), ALL_HELD);
  t.true((await a.call<unknown[]>('renewals')).every((r) => r === 'renewed'));
  a.process.kill('SIGSTOP');
  const stopped = netlite.monotonic();
  const gone = (of: string[]) => () => of.every((ip) => !held('a').includes(ip));
  await until('IPv4 is gone', gone([`${VIP}/32`, `${W4}/32`]));
  const four = netlite.monotonic() - stopped;
  await until('IPv6 is gone', gone(ALL_HELD));
  const six = netlite.monotonic() - stopped;
  t.log(`stopped, lifetime 2 s: IPv4 gone at ${four.toFixed(0)} ms, IPv6 at ${six.toFixed(0)} ms`);
  t.true(four > 1500 && six > 1500 && Math.max(four, six) < 4500);
  a.process.kill('SIGCONT');
  await sleep(300);
  t.deepEqual(held('a'), []);
  const after = await a.call<{ osError: string }[]>('renewals');
  t.like(after.at(-1), { osError: 'EADDRNOTAVAIL' });
  // The lease over, the group can be claimed again.
  t.deepEqual(await a.call('faceTake', 30, 'all'), { frames: 6 });
  t.deepEqual(held('a'), ALL_HELD);
  await a.end();
});

test.serial('all or nothing: an address that fails takes the others back', async (t) => {
  const a = await box(t, 'a');
  at('a', 'ip', 'address', 'add', `${W6}/128`, 'dev', 'x0', 'nodad');
  const taken = { osError: 'EADDRINUSE', call: `address ${W6}` };
  t.like(await a.call('vipClaim', GROUP, 30), taken);
  t.deepEqual(held('a'), []);
  at('a', 'ip', 'address', 'del', `${W6}/128`, 'dev', 'x0');
  sysctl('a', 'net.ipv6.conf.vip0.disable_ipv6', 1);
  t.like(await a.call('vipClaim', GROUP, 30), { osError: 'EACCES', call: `addAddress ${VIP6}` });
  t.deepEqual(held('a'), []);
  sysctl('a', 'net.ipv6.conf.vip0.disable_ipv6', 0);
  t.deepEqual(await a.call('vipClaim', GROUP, 30), OK);
  t.like(await a.call('vipClaim', GROUP, 30), { osError: 'EALREADY' });
  t.deepEqual(held('a'), ALL_HELD);
  // The same when it is renewed.
  sysctl('a', 'net.ipv6.conf.vip0.disable_ipv6', 1);
  t.like(await a.call('vipRenew', 30), { osError: 'EACCES' });
  t.deepEqual(held('a'), []);
  t.like(await a.call('vipRenew', 30), { osError: 'EADDRNOTAVAIL' });
  sysctl('a', 'net.ipv6.conf.vip0.disable_ipv6', 0);
  t.deepEqual(await a.call('vipClaim', GROUP, 30), OK);
  // Taken away by hand meanwhile: gone is gone.
  at('a', 'ip', 'address', 'del', `${VIP}/32`, 'dev', 'vip0');
  t.deepEqual(await a.call('vipDrop'), OK);
  t.deepEqual(held('a'), []);
  await a.end();
});

/** Echo requests every 5 ms from the host `lan`; @returns moments of the replies, in ms. */
function pinging(address: string, seconds: number): Promise<number[]> {
  const count = String(seconds * 200);
  const ping = ['ping', '-D', '-n', '-i', '0.005', '-W', '1', '-c', count, address];
  return new Promise((done) => {
    execFile('ip', ['netns', 'exec', places.netns('lan'), ...ping], (_, out) =>
      done([...out.matchAll(/^\[(\d+\.\d+)\].* bytes from/gm)].map((m) => Number(m[1]) * 1000)),
    );
  });
}

for (const address of [VIP6, VIP]) {
  test.serial(`${address} moves to the other box after kill -9, told to all`, async (t) => {
    const a = await box(t, 'a');
    const b = await box(t, 'b');
    await a.call('faceTake', 30, 'all');
    forget();
    t.true(answers(address));
    t.is(neighbour(address), LAN_MAC.a);
    const replies = pinging(address, 2);
    await sleep(700);
    a.process.kill('SIGKILL');
    await b.call('faceTake', 30, 'all');
    t.is(neighbour(address), LAN_MAC.b);
    const moments = await replies;
    const gap = Math.max(...moments.slice(1).map((m, i) => m - moments[i]!));
    t.log(`longest gap between replies, asked every 5 ms: ${gap.toFixed(0)} ms`);
    t.true(moments.length > 200 && gap < 500, `${moments.length} replies, gap ${gap}`);
    await b.end();
  });
}

test.serial('told only to those who asked, by an ordinary question', async (t) => {
  const a = await box(t, 'a');
  const b = await box(t, 'b');
  await a.call('faceTake', 30, 'hosts');
  forget();
  for (const address of GROUP) t.true(answers(address), address);
  // Both boxes heard the question, because it went to all or to the group.
  const asked = await b.call<{ vip: string; ip: string; mac: string }[]>('hosts');
  t.deepEqual(asked.map((h) => h.vip).sort(), [...GROUP].sort());
  t.true(asked.every((h) => h.mac === LAN_MAC.lan));
  a.process.kill('SIGKILL');
  t.deepEqual(await b.call('faceTake', 30, 'hosts'), { frames: 4 });
  await until('the host knows', () => GROUP.every((ip) => neighbour(ip) === LAN_MAC.b));
  for (const address of GROUP) t.true(answers(address), address);
  await b.end();
});

test.serial('who holds it defends it; who is probed hears it', async (t) => {
  const a = await box(t, 'a');
  const b = await box(t, 'b');
  await b.call('faceProbe');
  await sleep(50);
  const about = (kind: string, mac: string) => (vip: string) => ({ kind, vip, mac });
  t.deepEqual(await a.call('heard'), [VIP, W4, VIP6, W6].map(about('probed', LAN_MAC.b)));
  t.deepEqual(await b.call('heard'), []);
  await a.call('faceTake', 30, 'hosts');
  await b.call('faceProbe');
  await sleep(50);
  const heard = await b.call<{ vip: string }[]>('heard');
  const sorted = heard.sort((x, y) => GROUP.indexOf(x.vip) - GROUP.indexOf(y.vip));
  t.deepEqual(sorted, GROUP.map(about('answered', LAN_MAC.a)));
  // Another host wants the address for itself: its duplicate address detection finds ours.
  sysctl('lan', 'net.ipv6.conf.lan0.accept_dad', 1);
  at('lan', 'ip', 'address', 'add', `${VIP6}/64`, 'dev', 'lan0');
  const shown = () => at('lan', 'ip', '-6', '-o', 'address', 'show', 'dev', 'lan0', 'to', VIP6);
  await until('duplicate', () => shown().includes('dadfailed'));
  at('lan', 'ip', 'address', 'del', `${VIP6}/64`, 'dev', 'lan0');
  sysctl('lan', 'net.ipv6.conf.lan0.accept_dad', 0);
  const last = (await a.call<object[]>('heard')).at(-1);
  t.deepEqual(last, { kind: 'probed', vip: VIP6, mac: LAN_MAC.lan });
  await a.end();
  await b.end();
});

test.serial('other traffic does not wake us; the groups are told to switches', async (t) => {
  const a = await box(t, 'a');
  await a.call('faceTake', 30, 'all');
  t.true(answers(VIP6));
  const before = await a.call<number>('ndFrames');
  at('lan', 'ping', '-f', '-c', '2000', '-W', '1', VIP6);
  const frames = (await a.call<number>('ndFrames')) - before;
  t.true(frames < 20, `${frames} frames came up with 4000 packets of other kinds`);
  // Another VLAN's tag is taken off before a packet socket sees the frame. VLAN 0 is a priority.
  const lan = start(t, places.netns('lan'));
  await lan.call('arpOpen', 'lan0');
  await a.call('heard');
  const asks = [
    arpRequest(LAN_MAC.lan, HOST_ADDRESS, W4),
    ndSolicitation(LAN_MAC.lan, LAN_ADDRESS6.lan, W6),
  ].map((frame) => Buffer.from(frame).toString('hex'));
  const tag = (hex: string, id: string) => `${hex.slice(0, 24)}8100${id}${hex.slice(24)}`;
  const heard = async (frames: readonly string[]): Promise<string[]> => {
    for (const hex of frames) t.deepEqual(await lan.call('arpSend', hex), OK);
    await sleep(50);
    return (await a.call<{ vip: string }[]>('heard')).map((h) => h.vip);
  };
  t.deepEqual(await heard(asks.map((hex) => tag(hex, '001e'))), []);
  t.deepEqual(await heard(asks.map((hex) => tag(hex, 'a000'))), [W4, W6]);
  t.deepEqual(await heard(asks), [W4, W6]);
  // To another host, as it is seen when somebody runs tcpdump: 02:... in place of the group.
  at('a', 'ip', 'link', 'set', 'lan0', 'promisc', 'on');
  t.deepEqual(await heard(asks.map((hex) => `020000000099${hex.slice(12)}`)), []);
  t.deepEqual(await heard(asks), [W4, W6]);
  at('a', 'ip', 'link', 'set', 'lan0', 'promisc', 'off');
  await lan.end();
  const groups = at('a', 'ip', '-6', 'maddress', 'show', 'dev', 'lan0');
  for (const group of ['ff02::1:ff00:10', 'ff02::1:ff0a:210']) t.true(groups.includes(group));
  await a.call('faceClose');
  t.false(at('a', 'ip', '-6', 'maddress', 'show', 'dev', 'lan0').includes('ff02::1:ff00:10'));
  await a.end();
});

test.serial('what must be so at the start is said', async (t) => {
  const child = start(t, places.netns('a'));
  t.true(await child.call('hasLinkLocal', 'lan0'));
  sysctl('a', 'net.ipv6.conf.lan0.disable_ipv6', 1);
  const off = { osError: 'EAFNOSUPPORT', call: 'net.ipv6.conf.lan0.disable_ipv6 is 1' };
  t.like(await child.call('faceOpen', 'lan0', GROUP), off);
  t.false(await child.call('hasLinkLocal', 'lan0'));
  sysctl('a', 'net.ipv6.conf.lan0.disable_ipv6', 0);
  // IPv4 alone does not need it.
  t.deepEqual(await child.call('vipOpen', 'vip0'), OK);
  t.deepEqual(await child.call('vipClaim', [VIP, W4], 30), OK);
  t.deepEqual(held('a'), [`${VIP}/32`, `${W4}/32`]);
  await child.end();
});
