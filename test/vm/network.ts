/**
 * The wires of two virtual appliances: one namespace with a bridge for the LAN (the phones live on its address), a bridge of two
 * ports for the crossover, and a tap for each port of each machine. Deleting the namespace deletes all.
 */

import { BOXES, HOST_ADDRESS, LAN_PREFIX, PHONE_ADDRESSES } from '../lab/places.ts';
import { run } from '../lab/run.ts';
import type { VmPlaces } from './places.ts';

export const PORTS = ['lan', 'x'] as const;
export type Port = (typeof PORTS)[number];

async function ip(netns: string, commands: readonly string[]): Promise<void> {
  await run('ip', ['-n', netns, '-batch', '-'], `${commands.join('\n')}\n`);
}

export async function makeWires({ netns }: VmPlaces): Promise<void> {
  await run('ip', ['netns', 'add', netns]);
  // IPv6 off: its solicitations are noise on a LAN that people watch.
  await run('ip', [
    ...['netns', 'exec', netns, 'sh', '-c'],
    'for d in all default; do echo 1 >/proc/sys/net/ipv6/conf/$d/disable_ipv6; done; true',
  ]);
  const bridge = (name: string) => [
    `link add ${name} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set ${name} up`,
  ];
  await ip(netns, [
    'link set lo up',
    ...PORTS.flatMap(bridge),
    ...[HOST_ADDRESS, ...PHONE_ADDRESSES].map((a) => `addr add ${a}/${LAN_PREFIX} dev lan`),
    ...BOXES.flatMap((box) =>
      PORTS.flatMap((port) => [
        `tuntap add ${port}-${box} mode tap`,
        `link set ${port}-${box} master ${port} up`,
      ]),
    ),
  ]);
}

export async function removeWires({ netns }: VmPlaces): Promise<void> {
  await run('ip', ['netns', 'del', netns]);
}
