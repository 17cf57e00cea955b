/**
 * The wires of a lab, made with `ip` (iproute2). Every device is born inside a namespace of the
 * lab, so the machine's own network never sees one, and deleting the namespaces deletes all.
 */

import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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
import { run } from './run.ts';
import { adjustWire, type Bad, isWirePort, type WirePort, wireDevice } from './wires.ts';

export { run } from './run.ts';

const EVERY: readonly (HostName | 'sw')[] = ['lan', 'a', 'b', 'sw'];

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

/** What the lab's files say of the port of a cable. */
function badness(places: Places, port: WirePort): Bad | undefined {
  const own = readFault<Partial<Bad>>(places, `wire-${port === 'x-a' ? 'x' : port}`);
  const garp = port !== 'x-a' && existsSync(places.fault('garp'));
  if (own === undefined && !garp) return undefined;
  return { loss: 0, delay: 0, jitter: 0, ...own, garp };
}

/** The settings of a fault; undefined while there is none. */
export function readFault<T>(places: Places, name: string): T | undefined {
  try {
    return JSON.parse(readFileSync(places.fault(name), 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/**
 * Makes every port of the switch and the panel up or down, inside or outside of its bridge, as the
 * lab's files say it should be, and waits until those that are up forward: the kernel may take a
 * second to notice a carrier.
 */
export async function plug(places: Places): Promise<void> {
  const powered = (box: BoxName) => !existsSync(places.off(box)) && netnsExists(places.netns(box));
  const cut = (cable: Cable) => existsSync(places.cut(cable));
  const sw = places.netns('sw');
  const up: string[] = cut('lan-lan') ? [] : ['lan-lan'];
  const down: string[] = cut('lan-lan') ? ['lan-lan'] : [];
  for (const box of BOXES) {
    if (!powered(box)) continue;
    (cut(`lan-${box}`) ? down : up).push(`lan-${box}`);
    // A cable has two ends: it works when both are plugged into something that has power.
    (cut('x') || !powered(other(box)) ? down : up).push(`x-${box}`);
  }
  const state = (ports: readonly string[], word: string) =>
    ports.map((port) => `link set ${port} ${word}`);
  const commands = state(down, 'down');
  const members: string[] = [];
  for (const port of [...up, ...down].filter((one) => one !== 'lan-lan')) {
    const bad = isWirePort(port) ? badness(places, port) : undefined;
    if (isWirePort(port)) await adjustWire(places, port, bad);
    const placed = placement(places, port, bad);
    commands.push(...placed.commands);
    if (placed.member !== undefined && up.includes(port)) members.push(placed.member);
  }
  await ip([...commands, ...state(up, 'up')], sw);
  await forwarding(sw, up.includes('lan-lan') ? ['lan-lan', ...members] : members);
  await Promise.all(BOXES.filter(powered).map((box) => awake(places, box, up)));
}

/** Waits until the box's own kernel has noticed the carriers it should have. Rejects after 5 s. */
async function awake(places: Places, box: BoxName, up: readonly string[]): Promise<void> {
  const devices = ['lan', 'x'].filter((cable) => up.includes(`${cable}-${box}`));
  const states = devices.map((cable) => `/sys/class/net/${cable}0/operstate`);
  if (states.length > 0) await allSay(places.netns(box), states, 'up');
}

/**
 * Which device of a port is in the bridge: the port itself, the bad cable in its place, or none when
 * the switch's port failed: then frames vanish and the carrier stays.
 */
function placement(
  places: Places,
  port: string,
  bad: Bad | undefined,
): { readonly commands: readonly string[]; readonly member: string | undefined } {
  const bridge = port.startsWith('x-') ? 'x' : 'lan';
  const dead = bridge === 'lan' && existsSync(places.fault(`port-${port.slice(4)}`));
  const inside = bad === undefined ? port : wireDevice(port);
  const commands = bad === undefined ? [] : [`link set ${port} nomaster`];
  if (dead) return { commands: [...commands, `link set ${inside} nomaster`], member: undefined };
  commands.push(`link set ${inside} master ${bridge}`);
  if (bridge === 'lan') {
    // Isolated ports do not talk to each other, but with every port that is not.
    const isolated = existsSync(places.fault('hide')) ? 'on' : 'off';
    commands.push(`link set ${inside} type bridge_slave isolated ${isolated}`);
  }
  return { commands, member: inside };
}

const FORWARDING = '3';

/** Waits until the bridge ports forward. Rejects after 5 s. */
async function forwarding(sw: string, ports: readonly string[]): Promise<void> {
  const states = ports.map((port) => `/sys/class/net/${port}/brport/state`);
  if (states.length > 0) await allSay(sw, states, FORWARDING);
}

async function allSay(netns: string, files: readonly string[], word: string): Promise<void> {
  const until = performance.now() + 5000;
  for (;;) {
    const text = await run('ip', ['netns', 'exec', netns, 'cat', ...files]);
    if (
      text
        .trim()
        .split('\n')
        .every((line) => line === word)
    )
      return;
    if (performance.now() > until) throw new Error(`${netns}: ${files.join(', ')}: not ${word}`);
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
