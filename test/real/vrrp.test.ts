/**
 * VRRP and ICMP echo by raw sockets against others: tshark reads what we say, keepalived follows it,
 * the kernel answers our echoes; and the carrier taken away. In network namespaces made here.
 */

import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import type { VrrpNeighbour, VrrpOptions } from '../../src/proto/vrrp.ts';
import { until } from './native-help.ts';
import { Capture, Child, dress, inside, ip, Keepalived, Namespaces } from './vrrp-net.ts';

const OK = { ok: true };
const VRID = 51;
const INTERVAL_CS = 50;
/** Of keepalived, priority 100: (256 - 100) * 500 ms / 256 (RFC 9568 6.1). */
const SKEW_MS = 305;
const DOWN_MS = 3 * 500 + SKEW_MS;
const VIP4 = '10.8.0.100';
const VIPS6 = ['fe80::100', '2001:db8:8::100'];
const FOUR: VrrpOptions = {
  vrid: VRID,
  priority: 200,
  intervalCs: INTERVAL_CS,
  families: { 4: { source: '10.8.0.1', vips: [VIP4] } },
  peers: [],
};
const SIX: VrrpOptions = { ...FOUR, families: { 6: { source: 'fe80::1', vips: VIPS6 } } };
const SOCKET4 = { family: 4, ifname: 'lan', address: '10.8.0.1' } as const;
const SOCKET6 = { family: 6, ifname: 'lan', address: 'fe80::1' } as const;

let namespaces: Namespaces | undefined;
let ours = '';
let theirs = '';

test.before(() => {
  namespaces = new Namespaces('sv');
  ours = namespaces.add('o');
  theirs = namespaces.add('t');
  ip('-n', ours, 'link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'lan', 'netns', theirs);
  dress(ours, '10.8.0.1/24', 'fe80::1/64', '2001:db8:8::1/64');
  dress(theirs, '10.8.0.9/24', 'fe80::9/64', '2001:db8:8::9/64');
});

test.after.always(() => namespaces?.remove());

function start(t: ExecutionContext, namespace: string): Child {
  const child = new Child(namespace);
  t.teardown(() => child.end());
  return child;
}

async function capture(t: ExecutionContext, filter: string): Promise<Capture> {
  const made = new Capture(theirs, 'lan', filter);
  t.teardown(() => made.remove());
  return made.started();
}

function keepalived(t: ExecutionContext, vips: readonly string[]): Keepalived {
  const made = new Keepalived(theirs, {
    vrid: VRID,
    priority: 100,
    seconds: INTERVAL_CS / 100,
    vips,
  });
  t.teardown(() => made.end());
  return made;
}

function fields(...names: string[]): string[] {
  return ['-T', 'fields', '-E', 'separator=;', ...names.flatMap((name) => ['-e', name])];
}

const VRRP_FIELDS = [
  ...['vrrp.version', 'vrrp.type', 'vrrp.virt_rtr_id', 'vrrp.prio', 'vrrp.addr_count'],
  ...['vrrp.short_adver_int', 'vrrp.checksum.status', 'vrrp.reserved_mbz'],
];

test.serial('tshark reads our IPv4 advertisements, by RFC 9568 and by RFC 5798', async (t) => {
  for (const [checksum, asInV2] of [
    ['message', 'TRUE'],
    ['pseudo', 'FALSE'],
  ] as const) {
    const seen = await capture(t, 'ip proto 112');
    const child = start(t, ours);
    t.deepEqual(await child.call('open', { ...FOUR, checksum }, [SOCKET4]), OK);
    await child.call('lead');
    await sleep(700);
    await child.call('quit');
    t.deepEqual(await child.call('faults'), []);
    const way = ['-o', `vrrp.v3_checksum_as_in_v2:${asInV2}`];
    const names = ['eth.dst', 'ip.src', 'ip.dst', 'ip.ttl', 'ip.dsfield', ...VRRP_FIELDS];
    const lines = await seen.read(...way, ...fields(...names, 'vrrp.ip_addr'));
    const head = '01:00:5e:00:00:12;10.8.0.1;224.0.0.18;255;0xc0';
    const line = (priority: number): string => {
      return `${head};3;1;${VRID};${priority};1;${INTERVAL_CS};1;0;${VIP4}`;
    };
    t.deepEqual(lines, [line(200), line(200), line(0)], checksum);
    t.deepEqual(seen.again(...way, '-Y', '_ws.expert'), [], 'nothing to remark');
    await child.end();
  }
});

test.serial('tshark reads our IPv6 advertisements', async (t) => {
  const seen = await capture(t, 'ip6 proto 112');
  const child = start(t, ours);
  t.deepEqual(await child.call('open', SIX, [SOCKET6]), OK);
  await child.call('lead');
  await sleep(700);
  await child.call('quit');
  t.deepEqual(await child.call('faults'), []);
  const names = ['eth.dst', 'ipv6.src', 'ipv6.dst', 'ipv6.hlim', 'ipv6.tclass', ...VRRP_FIELDS];
  const lines = await seen.read(...fields(...names, 'vrrp.ipv6_addr'));
  const line = (priority: number): string => {
    const head = '33:33:00:00:00:12;fe80::1;ff02::12;255;0x000000c0';
    return `${head};3;1;${VRID};${priority};2;${INTERVAL_CS};1;0;${VIPS6.join(',')}`;
  };
  t.deepEqual(lines, [line(200), line(200), line(0)]);
  t.deepEqual(seen.again('-Y', '_ws.expert'), []);
});

/** The life of a backup of lower priority beside us, in either family. */
async function follows(
  t: ExecutionContext,
  family: 4 | 6,
  options: VrrpOptions,
  vips: readonly string[],
): Promise<void> {
  const child = start(t, ours);
  const socket = family === 4 ? SOCKET4 : SOCKET6;
  t.deepEqual(await child.call('open', options, [socket]), OK);
  await child.call('lead');
  const other = keepalived(t, vips);
  await other.says('Entering BACKUP STATE');
  await sleep(2 * DOWN_MS);
  t.false(other.said('Entering MASTER STATE'), 'while we speak it is backup');
  t.is(await child.call('neighbour', family), null);

  const quit = performance.now();
  await child.call('quit');
  const took = (await other.says('Entering MASTER STATE', quit)) - quit;
  t.log(`after our priority 0 it took over in ${took.toFixed(0)} ms, skew ${SKEW_MS} ms`);
  t.true(took < DOWN_MS - 500, `${took} ms: by its skew, not by its timer`);
  const neighbour = async (): Promise<VrrpNeighbour | null> => child.call('neighbour', family);
  for (let i = 0; i < 100 && (await neighbour()) === null; i++) await sleep(20);
  t.like(await neighbour(), {
    ip: family === 4 ? '10.8.0.9' : 'fe80::9',
    priority: 100,
    intervalCs: INTERVAL_CS,
    leads: true,
    sameAddresses: true,
    checksum: 'pseudo',
  });
  t.regex(ip('-n', theirs, 'address', 'show', 'dev', 'lan'), new RegExp(` ${vips.at(-1)}/`));
  const heard = await child.call<{ verdict: string; ttl: number }[]>('heard');
  t.true(heard.length > 0 && heard.every((h) => h.verdict === 'lower' && h.ttl === 255));

  const preempted = performance.now();
  await child.call('preempt');
  const gone = (await other.says('Entering BACKUP STATE', preempted)) - preempted;
  t.log(`after our word it was backup in ${gone.toFixed(0)} ms`);
  // it says so before it takes its addresses away
  const has = new RegExp(` ${vips.at(-1)}/`);
  await until('keepalived has no address', () => {
    return !has.test(ip('-n', theirs, 'address', 'show', 'dev', 'lan'));
  });
  await child.call('lead');
  const led = performance.now();
  await sleep(2 * DOWN_MS);
  t.false(other.said('Entering MASTER STATE', led));
  t.is(await neighbour(), null, 'and forgotten');

  await child.call('rest');
  const rested = performance.now();
  const alone = (await other.says('Entering MASTER STATE', rested)) - rested;
  t.log(`after our silence it took over in ${alone.toFixed(0)} ms`);
  t.true(alone > 2 * 500, 'silence is not a priority of 0');
  t.deepEqual(await child.call('faults'), []);
  await child.end();
  await other.end();
}

test.serial('keepalived follows us, IPv4', (t) => {
  return follows(t, 4, { ...FOUR, checksum: 'pseudo' }, [VIP4]);
});

test.serial('keepalived follows us, IPv6', (t) => follows(t, 6, SIX, VIPS6));

test.serial('we take up the checksum that the other router understands', async (t) => {
  const child = start(t, ours);
  t.deepEqual(await child.call('open', FOUR, [SOCKET4]), OK);
  await child.call('lead');
  const other = keepalived(t, [VIP4]);
  // It reads RFC 5798 and takes ours, by RFC 9568, for damaged ...
  const master = await other.says('Entering MASTER STATE');
  // ... until it has spoken itself.
  const backup = await other.says('Entering BACKUP STATE', master);
  t.log(`two masters for ${(backup - master).toFixed(0)} ms`);
  t.true(backup - master < 2 * 500);
  await sleep(2 * DOWN_MS);
  t.false(other.said('Entering MASTER STATE', backup));
});

test.serial('a hop limit other than 255 is not heard by IPv6, and told by IPv4', async (t) => {
  const child = start(t, ours);
  const both = { ...FOUR, families: { ...FOUR.families, ...SIX.families } };
  t.deepEqual(await child.call('open', both, [SOCKET4, SOCKET6]), OK);
  // 31 33 ...: an advertisement with a checksum of 0, by a socket without our settings.
  const script = `
const { readFileSync } = require('node:fs');
const { createSocket } = require('raw-socket');
const lan = Number(readFileSync('/sys/class/net/lan/ifindex', 'latin1'));
const four = Buffer.from('3133c801006400000a080064', 'hex');
const six = Buffer.from('3133c80100640000' + '00'.repeat(16), 'hex');
for (const hops of [64, 255]) {
  const a = createSocket({ protocol: 112 });
  a.setOption(0, 33, hops);
  a.setOption(0, 32, Buffer.from([10, 8, 0, 9]), 4);
  a.wrap.send(four, 0, four.length, '224.0.0.18', () => {});
  const b = createSocket({ protocol: 112, addressFamily: 2 });
  b.setOption(41, 18, hops);
  b.setOption(41, 17, lan);
  b.wrap.send(six, 0, six.length, 'ff02::12', () => {});
}
process.exit(0);
`;
  inside(theirs, process.execPath, '-e', script);
  await sleep(200);
  const heard = await child.call<{ verdict: string; ttl: number }[]>('heard');
  const words = heard.map((h) => `${h.ttl} ${h.verdict}`).sort();
  t.deepEqual(words, ['255 vrrp-checksum', '255 vrrp-checksum', '64 vrrp-ttl']);
});

test.serial('an address that is not there, a device that is not there', async (t) => {
  const child = start(t, ours);
  const absent = { ...SOCKET4, address: '10.8.0.77' };
  t.like(await child.call('open', FOUR, [absent]), { osError: 'EADDRNOTAVAIL' });
  t.like(await child.call('open', FOUR, [{ ...SOCKET4, ifname: 'no0' }]), { osError: 'ENODEV' });
  t.like(await child.call('open', FOUR, [{ ...SOCKET6, via: 'lan' }]), { osError: 'EINVAL' });
  t.deepEqual(await child.call('open', FOUR, [SOCKET4]), OK);
  ip('-n', ours, 'link', 'set', 'lan', 'down');
  await child.call('lead');
  const [fault] = await child.call<{ errno: number }[]>('faults');
  const { ENETUNREACH, ENETDOWN } = constants.errno;
  t.true(fault?.errno === ENETUNREACH || fault?.errno === ENETDOWN, JSON.stringify(fault));
  ip('-n', ours, 'link', 'set', 'lan', 'up');
  dressAgain();
  await sleep(700);
  await child.call('faults');
  await child.call('quit');
  t.deepEqual(await child.call('faults'), [], 'and life goes on');
  await child.call('close');
  await child.call('lead');
  t.deepEqual(await child.call('faults'), []);
});

/** IPv6 addresses do not outlive a link that was down. */
function dressAgain(): void {
  for (const address of ['fe80::1/64', '2001:db8:8::1/64']) {
    ip('-n', ours, 'address', 'replace', address, 'dev', 'lan', 'nodad');
  }
}

test.serial('witnesses answer, IPv4 and IPv6; who is not there does not', async (t) => {
  const child = start(t, ours);
  t.deepEqual(await child.call('pingOpen', 'lan', '10.8.0.1'), OK);
  const there = ['10.8.0.9', '2001:db8:8::9', 'fe80::9'];
  for (const one of [...there, '10.8.0.77']) t.deepEqual(await child.call('ping', one), OK);
  await sleep(300);
  t.deepEqual((await child.call<string[]>('echoes')).sort(), [...there].sort());
  t.like(await child.call('ping', 'nobody'), { osError: 'EAFNOSUPPORT' });
  // Another program's echoes are not ours.
  inside(ours, 'ping', '-c', '1', '-W', '1', '10.8.0.9');
  t.deepEqual(await child.call('echoes'), []);
});

test.serial('the carrier is taken away; addresses and routes are there after it', async (t) => {
  const child = start(t, ours);
  for (const route of [
    ['route', 'add', 'default', 'via', '10.8.0.254'],
    ['route', 'add', '192.0.2.0/24', 'dev', 'lan', 'metric', '7'],
    ['-6', 'route', 'add', 'default', 'via', 'fe80::254', 'dev', 'lan'],
    ['-6', 'route', 'add', '2001:db8:9::/64', 'via', '2001:db8:8::254'],
  ]) {
    ip('-n', ours, ...route);
  }
  const lease = ['2001:db8:8::55/128', 'dev', 'lan', 'valid_lft', '300', 'preferred_lft', '0'];
  ip('-n', ours, 'address', 'add', ...lease, 'nodad');
  const look = (): string[] =>
    [
      ...ip('-n', ours, 'address', 'show', 'dev', 'lan').split('\n'),
      ...ip('-n', ours, 'route', 'show').split('\n'),
      ...ip('-n', ours, '-6', 'route', 'show').split('\n'),
    ]
      // seconds left, and flags that tell a state of the moment
      .map((line) => line.trim().replace(/ (linkdown|tentative|nodad)\b/g, ''))
      .map((line) => line.replace(/valid_lft (29\d|300)sec/, 'valid_lft 300sec'))
      .filter((line) => line !== '' && !line.includes('state UP'))
      .sort();
  const before = look();
  const monitor = await capture(t, 'arp or ip or ip6');
  const changes = inside(theirs, 'cat', '/sys/class/net/lan/carrier_changes');
  t.deepEqual(await child.call('bounce', 'lan'), OK);
  await sleep(200);
  t.deepEqual(look(), before);
  const after = inside(theirs, 'cat', '/sys/class/net/lan/carrier_changes');
  t.is(Number(after) - Number(changes), 2, 'the other end saw it go and come');
  inside(ours, 'ping', '-c', '1', '-W', '2', '10.8.0.9');
  inside(ours, 'ping', '-c', '1', '-W', '2', '2001:db8:8::9');
  t.true((await monitor.read()).length > 0);
  t.like(await child.call('bounce', 'no0'), { osError: 'ENODEV' });
});
