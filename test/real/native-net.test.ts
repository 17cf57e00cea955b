/**
 * Netlink, ARP frames and the virtual address against the real kernel, in network namespaces that
 * are made here and removed at the end. Runs as root; without the privilege it fails, it does not
 * skip.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { netlite } from '../../src/edge/native/netlite.ts';
import { type Child, start, until } from './native-help.ts';

const { EADDRNOTAVAIL, ENETDOWN } = constants.errno;
const SERVER = `sn${process.pid}s`;
const CLIENT = `sn${process.pid}c`;
const VIP = '10.7.0.100';

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

test.before(() => {
  if (process.getuid?.() !== 0) throw new Error('these tests need root: namespaces, TUN, FIFO');
  if (!existsSync('/dev/net/tun')) throw new Error('these tests need /dev/net/tun');
  // What a run that was killed left behind.
  for (const line of String(execFileSync('ip', ['netns', 'list'])).split('\n')) {
    const [name, pid] = /^sn(\d+)[sc](?= |$)/.exec(line) ?? [];
    if (name !== undefined && !existsSync(`/proc/${pid}`)) ip('netns', 'del', name);
  }
  ip('netns', 'add', SERVER);
  ip('netns', 'add', CLIENT);
  ip('-n', SERVER, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan', 'netns', CLIENT);
  for (const [ns, address] of [
    [SERVER, '10.7.0.1/24'],
    [CLIENT, '10.7.0.9/24'],
  ] as const) {
    ip('-n', ns, 'link', 'set', 'lo', 'up');
    ip('-n', ns, 'address', 'add', address, 'dev', 'lan');
    ip('-n', ns, 'link', 'set', 'lan', 'up');
  }
});

test.after.always(() => {
  for (const ns of [SERVER, CLIENT]) {
    try {
      ip('netns', 'del', ns);
    } catch {
      // It was not made.
    }
  }
});

const OK = { ok: true };

// ---- netlink, in a namespace --------------------------------------------------------------------

test.serial(
  'netlink: addresses with and without lifetime, links with carrier, errors',
  async (t) => {
    const child = start(t, SERVER);
    const add = (a: object): Promise<unknown> => child.call('addAddress', { ifname: 'lan', ...a });
    t.deepEqual(await add({ ip: '10.7.0.50', prefix: 32, validLftSec: 30 }), OK);
    t.deepEqual(await add({ ip: '10.7.0.51', prefix: 32, validLftSec: 0 }), OK);
    const six = { ip: '2001:db8::50', prefix: 128, validLftSec: 40, nodad: true };
    t.deepEqual(await add(six), OK);
    // Idempotent, and it changes the lifetime.
    t.deepEqual(await add({ ip: '10.7.0.50', prefix: 32, validLftSec: 90 }), OK);
    t.deepEqual(await add({ ...six, validLftSec: 70 }), OK);
    type Address = { ip: string; prefix: number; validLftSec: number };
    const all = await child.call<Address[]>('addresses', 'lan');
    const find = (text: string): Address => {
      const found = all.find((a) => a.ip === text);
      if (found === undefined) throw new Error(`${text} is not there`);
      return found;
    };
    t.is(find('10.7.0.1').prefix, 24);
    t.true(find('10.7.0.50').validLftSec > 80);
    t.is(find('10.7.0.51').validLftSec, 0);
    t.true(find('2001:db8::50').validLftSec > 60);
    const shown = execFileSync('ip', ['-n', SERVER, '-6', 'address', 'show', 'dev', 'lan']);
    t.regex(String(shown), /2001:db8::50\/128 scope global nodad/);
    for (const name of ['10.7.0.50', '10.7.0.51']) {
      t.deepEqual(await child.call('delAddress', { ifname: 'lan', ip: name, prefix: 32 }), OK);
    }
    t.deepEqual(await child.call('delAddress', { ifname: 'lan', ip: six.ip, prefix: 128 }), OK);
    const gone = { ifname: 'lan', ip: '10.7.0.50', prefix: 32 };
    t.like(await child.call('delAddress', gone), { osError: 'EADDRNOTAVAIL' });
    t.like(await child.call('addAddress', { ...gone, ifname: 'no0', validLftSec: 1 }), {
      osError: 'ENODEV',
    });
    t.like(await add({ ip: '10.7.0.50', prefix: 33, validLftSec: 1 }), { osError: 'EINVAL' });
    t.like(await add({ ip: 'nonsense', prefix: 32, validLftSec: 1 }), { osError: 'EINVAL' });
    t.like(await add({ ip: '10.7.0.50', prefix: 32, validLftSec: 1.5 }), { osError: 'EINVAL' });

    const mac = readMac();
    t.like(await child.call('link', 'lan'), {
      ifname: 'lan',
      up: true,
      carrier: true,
      hwaddr: mac,
    });
    t.is(await child.call('hwaddr', 'lan'), mac);
    t.like(await child.call('link', 'no0'), { osError: 'ENODEV' });
    const links = await child.call<{ ifname: string; mtu: number }[]>('links');
    t.deepEqual(links.map((l) => l.ifname).sort(), ['lan', 'lo']);
    t.is(links.find((l) => l.ifname === 'lan')?.mtu, 1500);
    t.log(`address renewal, p50: ${await child.call('renewCost', 'lan', '10.7.0.52')} us`);
    await child.end();
  },
);

function readMac(): string {
  const shown = String(execFileSync('ip', ['-n', SERVER, 'link', 'show', 'dev', 'lan']));
  return /link\/ether ([0-9a-f:]{17})/.exec(shown)?.[1] ?? 'none';
}

type Event = {
  kind: string;
  gone?: boolean;
  link?: { ifname: string; up: boolean; carrier: boolean };
  address?: { ip: string; validLftSec: number };
};

test.serial('netlink: the monitor tells addresses, carrier and its own overrun', async (t) => {
  const child = start(t, SERVER);
  const peer = start(t, CLIENT);
  await child.call('monitor');
  const seen: Event[] = [];
  const wait = (what: string, has: (e: Event) => boolean): Promise<void> =>
    (async () => {
      for (let i = 0; i < 500; i++, await sleep(4)) {
        seen.push(...(await child.call<Event[]>('events')));
        if (seen.some(has)) return;
      }
      throw new Error(`no event: ${what}; seen ${JSON.stringify(seen)}`);
    })();
  const a = { ifname: 'lan', ip: '10.7.0.60', prefix: 32 };
  await child.call('addAddress', { ...a, validLftSec: 9 });
  await wait('added', (e) => e.address?.ip === a.ip && !e.gone && e.address.validLftSec === 9);
  await child.call('delAddress', a);
  await wait('removed', (e) => e.address?.ip === a.ip && e.gone === true);
  // The cable is pulled at the other end.
  t.deepEqual(await peer.call('setLinkDown', 'lan'), OK);
  await wait('no carrier', (e) => e.link?.ifname === 'lan' && e.link.up && !e.link.carrier);
  t.like(await child.call('link', 'lan'), { up: true, carrier: false });
  seen.length = 0;
  t.deepEqual(await peer.call('setLinkUp', 'lan'), OK);
  await wait('carrier', (e) => e.link?.ifname === 'lan' && e.link.carrier);
  seen.length = 0;
  await child.call('churn', 'lan', 2000);
  await wait('overrun', (e) => e.kind === 'overrun');
  seen.length = 0;
  await child.call('addAddress', { ...a, validLftSec: 8 });
  await wait('life after an overrun', (e) => e.address?.ip === a.ip && !e.gone);
  await child.call('delAddress', a);
  await child.end();
  await peer.end();
});

// ---- frames, VIP --------------------------------------------------------------------------------

test.serial('packet: ARP frames both ways, and life after the interface was down', async (t) => {
  const [a, b] = [start(t, SERVER), start(t, CLIENT)];
  t.deepEqual(await a.call('arpOpen', 'lan'), OK);
  t.deepEqual(await b.call('arpOpen', 'lan'), OK);
  t.like(await a.call('arpOpen', 'no0'), { osError: 'ENODEV' });
  const mac = readMac().replaceAll(':', '');
  const heard = async (): Promise<void> => {
    for (let i = 0; i < 100; i++, await sleep(5)) {
      await a.call('arpProbe', 'lan', '10.7.0.1', '10.7.0.9', 0);
      const frames = await b.call<string[]>('frames');
      const answers = await a.call<string[]>('frames');
      const request = frames.find((f) => f.startsWith(`ffffffffffff${mac}0806000108000604`));
      const reply = answers.find((f) => f.slice(28, 44) === '0001080006040002');
      if (request === undefined || reply === undefined) continue;
      t.is(request.length, 120); // padded to 60 bytes
      return;
    }
    t.fail('no ARP in a second');
  };
  await heard();
  await a.call('setLinkDown', 'lan');
  t.like(await a.call('arpProbe', 'lan', '10.7.0.1', '10.7.0.9', 0), { errno: ENETDOWN });
  await sleep(30);
  await a.call('setLinkUp', 'lan');
  await heard();
  // The error was met, or taken by the send; in either case reading goes on.
  t.true((await a.call<{ errors: number }>('arpErrors')).errors <= 2);
  await a.end();
  await b.end();
});

/** A client that asks for the VIP every 5 ms, and what it hears. */
async function prober(t: ExecutionContext): Promise<Child> {
  const client = start(t, CLIENT);
  await client.call('arpOpen', 'lan');
  await client.call('arpProbe', 'lan', '10.7.0.9', VIP, 5);
  return client;
}

async function answered(client: Child): Promise<void> {
  await client.call('replies');
  for (let i = 0; i < 200; i++, await sleep(10)) {
    if ((await client.call<number[]>('replies')).length >= 3) return;
  }
  throw new Error('nobody answers for the VIP');
}

/** Waits for `ms`; @returns the moments of the replies heard meanwhile. */
async function listen(client: Child, ms: number): Promise<number[]> {
  await sleep(ms);
  return client.call<number[]>('replies');
}

function deviceThere(): boolean {
  return String(execFileSync('ip', ['-n', SERVER, 'link', 'show'])).includes('vip0');
}

test.serial('vip: answered on the LAN; kill -9 takes device and address at once', async (t) => {
  const client = await prober(t);
  const server = start(t, SERVER);
  t.deepEqual(await server.call('vipOpen', 'vip0'), OK);
  t.is((await listen(client, 100)).length, 0);
  const other = start(t, SERVER);
  t.like(await other.call('vipOpen', 'vip0'), { osError: 'EBUSY' });
  await other.end();
  t.deepEqual(await server.call('vipClaim', [VIP], 30), OK);
  t.like(await server.call('vipClaim', [VIP], 30), { osError: 'EALREADY' });
  await answered(client);
  t.like(await server.call('link', 'vip0'), { up: true, carrier: true });
  const killed = netlite.monotonic();
  server.process.kill('SIGKILL');
  await until('the device is gone', () => !deviceThere());
  const gone = netlite.monotonic() - killed;
  const last = (await listen(client, 300)).at(-1) ?? killed;
  t.log(
    `after kill -9: last ARP reply at ${(last - killed).toFixed(1)} ms, ` +
      `device seen gone at ${gone.toFixed(1)} ms`,
  );
  t.true(last - killed < 500);
  await client.end();
});

test.serial('vip: drop is at once, and the address can be claimed again', async (t) => {
  const client = await prober(t);
  const server = start(t, SERVER);
  await server.call('vipOpen', 'vip0');
  for (let i = 0; i < 3; i++) {
    t.deepEqual(await server.call('vipClaim', [VIP], 30), OK);
    await answered(client);
    t.deepEqual(await server.call('vipDrop'), OK);
    const dropped = netlite.monotonic();
    const late = (await listen(client, 100)).filter((at) => at > dropped + 20);
    t.deepEqual(late, []);
  }
  t.like(await server.call('vipRenew', 5), { osError: 'EADDRNOTAVAIL' });
  // The device was opened without IPv6.
  t.like(await server.call('vipClaim', ['2001:db8::1'], 5), { osError: 'EACCES' });
  t.like(await server.call('vipClaim', [], 5), { osError: 'EINVAL' });
  t.like(await server.call('vipClaim', [VIP], 0), { osError: 'EINVAL' });
  await server.call('vipClose');
  t.false(deviceThere());
  await server.end();
  await client.end();
});

test.serial('vip: renewed it stays; stopped it expires; thawed it is not renewed', async (t) => {
  const client = await prober(t);
  const server = start(t, SERVER);
  await server.call('vipOpen', 'vip0');
  t.deepEqual(await server.call('vipClaim', [VIP], 2), OK);
  t.deepEqual(await server.call('vipRenewEvery', 2, 100), OK);
  await answered(client);
  const steady = await listen(client, 5000);
  const gaps = steady.slice(1).map((at, i) => at - (steady[i] ?? at));
  t.true(steady.length > 300 && Math.max(...gaps) < 1000, `${steady.length} ${Math.max(...gaps)}`);
  t.true((await server.call<unknown[]>('renewals')).every((r) => r === 'renewed'));

  await client.call('replies');
  const stopped = netlite.monotonic();
  server.process.kill('SIGSTOP');
  const last = (await listen(client, 4500)).at(-1) ?? stopped;
  t.log(`stopped, lifetime 2 s: last ARP reply ${(last - stopped).toFixed(0)} ms after`);
  t.true(last - stopped > 1500 && last - stopped < 4000, `${last - stopped}`);
  server.process.kill('SIGCONT');
  t.deepEqual(await listen(client, 500), []);
  const after = await server.call<{ osError: string }[]>('renewals');
  t.true(after.length > 0);
  // The one before the stop may still be in the list.
  t.like(after.at(-1), { osError: 'EADDRNOTAVAIL' });
  await server.end();
  await client.end();
});

test.serial('sockets are bound to an address that is not there yet', async (t) => {
  const child = start(t, SERVER);
  for (const free of [VIP, '2001:db8::100']) {
    const r = await child.call<{ [name: string]: number }>('freebind', free);
    t.is(r['udp'], -EADDRNOTAVAIL);
    t.is(r['tcp'], -EADDRNOTAVAIL);
    t.true((r['udpFree'] ?? -1) >= 0 && (r['tcpFree'] ?? -1) >= 0, JSON.stringify(r));
  }
  await child.end();
});

test.serial('threads: FIFO priority', async (t) => {
  const child = start(t, SERVER);
  const tid = await child.call<number>('tid');
  t.is(tid, child.process.pid ?? 0);
  const policy = (): string | undefined =>
    readFileSync(`/proc/${tid}/stat`, 'latin1')
      .replace(/^.*\) /, '')
      .split(' ')[38];
  t.is(await child.call('fifo', 10), 0);
  t.is(policy(), '1');
  t.is(await child.call('fifo', 0), 0);
  t.is(policy(), '0');
  await child.end();
});
