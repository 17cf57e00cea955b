/**
 * The two ports of this box: which they are, from the file that the daemon reads (there before the daemon answers), and what
 * the kernel says of them.
 */

import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { PortReading } from '../../panel/monitor/box-status.ts';
import { textOf } from '../../panel/tree/defaults.ts';
import { textIn } from './kernel-file.ts';
import { placesBelow } from './places.ts';
import { objectIn } from './settings.ts';

export type OwnPort = { readonly interface: string; readonly address: string };

function boxFile(root: string): { readonly [name: string]: unknown } {
  return objectIn(placesBelow(root).boxFile) ?? {};
}

function portIn(file: { readonly [name: string]: unknown }, key: string): OwnPort | undefined {
  const port = file[key] as { readonly interface?: unknown; readonly address?: unknown } | null;
  const name = port?.interface;
  const address = port?.address;
  if (typeof name !== 'string' || typeof address !== 'string') return undefined;
  // one folder of the class, and not the way out of it
  return /^[^/\s]{1,15}$/.test(name) && !/^\.+$/.test(name)
    ? { interface: name, address }
    : undefined;
}

export function ownLan(root: string): OwnPort | undefined {
  return portIn(boxFile(root), 'lan');
}

/** '' where there is no such port, or its driver does not say it. */
function word(path: string): string {
  return textIn(path).trim();
}

/** Before there is a configuration: the ports that one has by itself. */
const USUAL = {
  lan: textOf({}, 'box a lan interface'),
  crossover: textOf({}, 'box a crossover interface'),
} as const;

/** Both ports as the kernel has them. */
export function readPorts(root: string, sys: string): readonly PortReading[] {
  const file = boxFile(root);
  const addresses = networkInterfaces();
  return (['lan', 'crossover'] as const).map((port): PortReading => {
    const name = portIn(file, port)?.interface ?? USUAL[port];
    const dir = join(sys, 'class/net', name);
    const count = (name: string): number => Number(word(join(dir, 'statistics', name)));
    const counts = (way: 'rx' | 'tx'): PortReading['received'] => ({
      packets: count(`${way}_packets`),
      bytes: count(`${way}_bytes`),
      errors: count(`${way}_errors`),
      dropped: count(`${way}_dropped`),
    });
    const mac = word(join(dir, 'address'));
    const mbit = Number(word(join(dir, 'speed')));
    const duplex = word(join(dir, 'duplex'));
    const all = addresses[name] ?? [];
    return {
      ...{ port, interface: name, present: mac !== '', mac },
      carrier: word(join(dir, 'carrier')) === '1',
      addresses: all.flatMap(({ cidr }) => (cidr === null ? [] : [cidr])),
      // -1 and "unknown" where there is no link, or no wire
      ...(mbit > 0 ? { mbit } : {}),
      ...(duplex === 'full' || duplex === 'half' ? { duplex } : {}),
      ...{ received: counts('rx'), sent: counts('tx') },
    };
  });
}
