/**
 * The wires of a lab, made with `ip` (iproute2). Every device is born inside a namespace of the
 * lab, so the machine's own network never sees one, and deleting the namespaces deletes all.
 */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  BOXES,
  type BoxName,
  type Cable,
  HOST_ADDRESS,
  type HostName,
  LAN_ADDRESS,
  LAN_ADDRESS6,
  LAN_MAC,
  LAN_PREFIX,
  LAN_PREFIX6,
  other,
  PHONE_ADDRESSES,
  type Places,
  X_ADDRESS,
  X_MAC,
} from './places.ts';
import { sleep } from './processes.ts';

const EVERY: readonly (HostName | 'sw')[] = ['lan', 'a', 'b', 'sw'];

/** Runs a program; rejects with its words when it fails. */
export function run(
  file: string,
  args: readonly string[],
  input = '',
  timeoutMs = 20_000,
): Promise<string> {
  return new Promise((done, fail) => {
    const child = execFile(file, [...args], { timeout: timeoutMs }, (error, stdout, stderr) => {
      if (error === null) done(stdout);
      else fail(new Error(`${file} ${args.join(' ')}: ${stderr.trim() || error.message}`));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

/** One `ip` process for many commands, in the namespace `netns` if given. */
async function ip(commands: readonly string[], netns?: string): Promise<void> {
  const where = netns === undefined ? [] : ['-n', netns];
  await run('ip', [...where, '-batch', '-'], `${commands.join('\n')}\n`);
}

export function netnsExists(name: string): boolean {
  return existsSync(`/run/netns/${name}`) || existsSync(`/var/run/netns/${name}`);
}

/** The namespaces of a lab that exist. */
export function netnsOf(places: Places): string[] {
  return EVERY.map((host) => places.netns(host)).filter(netnsExists);
}

/** With IPv6 on the LAN, or without, as is usual. */
export type Wiring = { readonly ipv6: boolean };
const IPV4_ONLY: Wiring = { ipv6: false };

/**
 * IPv6 off: its router solicitations and listener reports are noise on a LAN that people watch with
 * tcpdump. The rest is the kernel's own default, said because a distribution may have changed it
 * and a new namespace inherits. Where IPv6 is wanted it is without routers and without duplicate
 * address detection, so that an address is there at once; reports of listeners remain.
 */
async function prepare(netns: string, { ipv6 } = IPV4_ONLY): Promise<void> {
  await run('ip', ['netns', 'add', netns]);
  const settings = ['arp_ignore', 'arp_announce', 'rp_filter', 'arp_filter', 'arp_accept'];
  const script = [
    ...settings.map(
      (s) => `for d in all default; do echo 0 >/proc/sys/net/ipv4/conf/$d/${s}; done`,
    ),
    ...(ipv6
      ? ['disable_ipv6', 'accept_ra', 'router_solicitations', 'accept_dad'].map(
          (s) => `echo 0 >/proc/sys/net/ipv6/conf/default/${s}`,
        )
      : ['all', 'default'].map(
          (d) => `[ ! -d /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/${d}/disable_ipv6`,
        )),
  ].join('\n');
  await run('ip', ['netns', 'exec', netns, 'sh', '-e', '-c', script]);
  await ip(['link set lo up'], netns);
}

/** Switch, patch panel, the host `lan` and both boxes, all cables plugged in. */
export async function makeNetwork(places: Places, wiring = IPV4_ONLY): Promise<void> {
  const sw = places.netns('sw');
  const lan = places.netns('lan');
  await Promise.all([prepare(sw), prepare(lan, wiring)]);
  // No spanning tree and no forwarding delay: a port forwards as soon as it has a carrier.
  const bridge = (name: string) => [
    `link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${name} up`,
  ];
  await ip([...bridge('lan'), ...bridge('x')], sw);
  await ip([
    `link add lan0 netns ${lan} address ${LAN_MAC.lan} type veth peer name lan-lan netns ${sw}`,
  ]);
  await ip(['link set lan-lan master lan', 'link set lan-lan up'], sw);
  await ip(
    [
      'link set lan0 up',
      ...[HOST_ADDRESS, ...PHONE_ADDRESSES].map((a) => `addr add ${a}/${LAN_PREFIX} dev lan0`),
      ...address6('lan', wiring),
    ],
    lan,
  );
  await Promise.all(BOXES.map((box) => makeBox(places, box, wiring)));
  await plug(places);
}

/** The namespace of a box and its two ports, cables not yet plugged in (see `plug`). */
export async function makeBox(places: Places, box: BoxName, wiring = IPV4_ONLY): Promise<void> {
  const sw = places.netns('sw');
  const netns = places.netns(box);
  await prepare(netns, wiring);
  await ip([
    `link add lan0 netns ${netns} address ${LAN_MAC[box]} type veth peer name lan-${box} netns ${sw}`,
    `link add x0 netns ${netns} address ${X_MAC[box]} type veth peer name x-${box} netns ${sw}`,
  ]);
  await ip(
    [
      `addr add ${LAN_ADDRESS[box]}/${LAN_PREFIX} dev lan0`,
      `addr add ${X_ADDRESS[box]}/30 dev x0`,
      ...address6(box, wiring),
      'link set lan0 up',
      'link set x0 up',
      `route add default via ${HOST_ADDRESS}`,
    ],
    netns,
  );
  await ip([`link set lan-${box} master lan`, `link set x-${box} master x`], sw);
}

/** IPv6 is for the LAN: the crossover stays without. */
function address6(host: HostName, { ipv6 }: Wiring): string[] {
  if (!ipv6) return [];
  const lan = `addr add ${LAN_ADDRESS6[host]}/${LAN_PREFIX6} dev lan0 nodad`;
  return host === 'lan' ? [lan] : [lan, 'link set x0 addrgenmode none'];
}

/** Pulls every cable of a box at the same moment: nothing it says from now on is heard. */
export async function unplugBox(places: Places, box: BoxName): Promise<void> {
  // The neighbour's end of the crossover loses its carrier, as it does when a port has no power.
  const commands = [`lan-${box}`, `x-${box}`, `x-${other(box)}`].map((d) => `link set ${d} down`);
  await ip(commands, places.netns('sw'));
}

/** Takes a box's namespace away with its devices, sockets and half-closed connections. */
export async function removeBox(places: Places, box: BoxName): Promise<void> {
  await ip([`link del lan-${box}`, `link del x-${box}`], places.netns('sw'));
  await run('ip', ['netns', 'del', places.netns(box)]);
}

/**
 * Makes every port of the switch and the panel up or down as the lab's files say it should be, and
 * waits until those that are up forward: the kernel may take a second to notice a carrier.
 */
export async function plug(places: Places): Promise<void> {
  const powered = (box: BoxName) => !existsSync(places.off(box)) && netnsExists(places.netns(box));
  const cut = (cable: Cable) => existsSync(places.cut(cable));
  const up: string[] = [];
  const down: string[] = [];
  for (const box of BOXES) {
    if (!powered(box)) continue;
    (cut(`lan-${box}`) ? down : up).push(`lan-${box}`);
    // A cable has two ends: it works when both are plugged into something that has power.
    (cut('x') || !powered(other(box)) ? down : up).push(`x-${box}`);
  }
  const sw = places.netns('sw');
  const state = (ports: readonly string[], word: string) =>
    ports.map((port) => `link set ${port} ${word}`);
  await ip([...state(down, 'down'), ...state(up, 'up')], sw);
  await forwarding(sw, up);
}

const FORWARDING = '3';

/** Waits until the bridge ports forward. Rejects after 5 s. */
async function forwarding(sw: string, ports: readonly string[]): Promise<void> {
  if (ports.length === 0) return;
  const states = ports.map((port) => `/sys/class/net/${port}/brport/state`);
  const until = performance.now() + 5000;
  for (;;) {
    const text = await run('ip', ['netns', 'exec', sw, 'cat', ...states]);
    if (
      text
        .trim()
        .split('\n')
        .every((line) => line === FORWARDING)
    )
      return;
    if (performance.now() > until) throw new Error(`ports ${ports.join(', ')} do not forward`);
    await sleep(20);
  }
}

/** Processes inside the namespaces: whatever `lab exec` put there and forgot. */
export async function insiders(netns: readonly string[]): Promise<number[]> {
  const pids = new Set<number>();
  for (const name of netns) {
    const text = await run('ip', ['netns', 'pids', name]).catch(() => '');
    for (const line of text.split('\n')) if (line.trim() !== '') pids.add(Number(line));
  }
  pids.delete(process.pid);
  pids.delete(process.ppid);
  return [...pids];
}

/** Deletes namespaces; one that somebody else deletes at the same moment is deleted too. */
export async function removeNetns(names: readonly string[]): Promise<void> {
  const remove = (name: string) =>
    run('ip', ['netns', 'del', name]).catch((error: unknown) => {
      if (netnsExists(name)) throw error;
    });
  await Promise.all(names.map(remove));
}

/**
 * Asks the LAN who has the VIP; hardware addresses, every answerer once. An ordinary ARP request of
 * the host `lan`: a *probe* would look to the boxes like a stranger who wants the address.
 */
export async function whoHas(places: Places, address: string): Promise<string[]> {
  const args = ['netns', 'exec', places.netns('lan'), 'arping', '-c', '1', '-w', '1'];
  const text = await new Promise<string>((done) => {
    // Exit code 1 is "nobody answered"; the text says as much.
    execFile('ip', [...args, '-I', 'lan0', address], { timeout: 5000 }, (_, out) => done(out));
  });
  const macs = text.toLowerCase().match(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g) ?? [];
  return [...new Set(macs)];
}
