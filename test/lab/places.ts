/**
 * Where everything of a lab is: names of its network namespaces, addresses, files. One list, so
 * that `down` can find what `up` made even when `up` was killed half-way.
 *
 *        lan (192.0.2.1, phones .20-.119)
 *         |
 *   +-----+------ sw: bridge "lan" ------+
 *   |                                    |
 *   lan0 192.0.2.11                      lan0 192.0.2.12
 *   box a        VIP 192.0.2.10          box b
 *   x0 169.254.77.1 ==== sw: "x" ====    x0 169.254.77.2
 *
 * The crossover runs through a two-port bridge of its own in `sw`, a patch panel: so a cable can be
 * pulled (both boxes lose carrier) without touching an interface of either box, and a box can lose
 * its power without its neighbour losing a network device.
 */

import { join, resolve } from 'node:path';

export type BoxName = 'a' | 'b';
export type HostName = BoxName | 'lan';
/** `lan-lan` is that of the host `lan`: phones and witness are gone, the boxes see each other. */
export type Cable = 'x' | 'lan-a' | 'lan-b' | 'lan-lan';

export const BOXES: readonly BoxName[] = ['a', 'b'];
export const HOSTS: readonly HostName[] = ['a', 'b', 'lan'];
export const CABLES: readonly Cable[] = ['x', 'lan-a', 'lan-b', 'lan-lan'];

export const VIP = '192.0.2.10';
export const SIP_PORT = 5060;
export const LAN_PREFIX = 24;
export const LAN_ADDRESS: Readonly<Record<BoxName, string>> = { a: '192.0.2.11', b: '192.0.2.12' };
export const X_ADDRESS: Readonly<Record<BoxName, string>> = {
  a: '169.254.77.1',
  b: '169.254.77.2',
};
/** IPv6 on the LAN of a lab that wants it (`makeNetwork`). */
export const VIP6 = '2001:db8:77::10';
export const LAN_PREFIX6 = 64;
export const LAN_ADDRESS6: Readonly<Record<HostName, string>> = {
  lan: '2001:db8:77::1',
  a: '2001:db8:77::11',
  b: '2001:db8:77::12',
};
/** The host `lan` itself: gateway, witness, and where programs run. */
export const HOST_ADDRESS = '192.0.2.1';
/** Addresses of the host `lan` for phones. */
export const PHONE_ADDRESSES: readonly string[] = Array.from(
  { length: 100 },
  (_, i) => `192.0.2.${20 + i}`,
);
export const EXTENSIONS = { from: 1000, to: 1999 } as const;

/** Hardware addresses do not change when a box is powered off and on. */
export const LAN_MAC: Readonly<Record<HostName, string>> = {
  a: '02:00:5e:00:0a:01',
  b: '02:00:5e:00:0b:01',
  lan: '02:00:5e:00:0c:01',
};
export const X_MAC: Readonly<Record<BoxName, string>> = {
  a: '02:00:5e:00:0a:02',
  b: '02:00:5e:00:0b:02',
};

/** Top of the repository. */
export const ROOT = resolve(import.meta.dirname, '../..');
export const NODE = process.execPath;

/** One directory a lab. Root's own, 0700. */
export const LABS = '/tmp/sipair-lab';

/** Names the kernel and the file system accept everywhere. */
export function nameFault(name: string): string | undefined {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return undefined;
  return `a lab's name is a small letter, then up to 31 of a-z, 0-9, "-"; not ${JSON.stringify(name)}`;
}

export function other(box: BoxName): BoxName {
  return box === 'a' ? 'b' : 'a';
}

export type Places = {
  readonly name: string;
  readonly dir: string;
  /** Network namespace of a host; `sw` is the switch and the patch panel. */
  readonly netns: (host: HostName | 'sw') => string;
  readonly settings: string;
  readonly config: (box: BoxName) => string;
  readonly data: (box: BoxName) => string;
  readonly control: (box: BoxName) => string;
  readonly log: (box: BoxName) => string;
  readonly pid: (of: string) => string;
  /** Exists while a box has no power. */
  readonly off: (box: BoxName) => string;
  /** Exists while a cable is cut. */
  readonly cut: (cable: Cable) => string;
  /** Exists while there is a fault of this name (`faults.ts`), holding its settings. */
  readonly fault: (name: string) => string;
  readonly phones: string;
};

export function placesOf(name: string): Places {
  const dir = join(LABS, name);
  return {
    name,
    dir,
    netns: (host) => `${name}-${host}`,
    settings: join(dir, 'lab.json'),
    config: (box) => join(dir, `${box}.json`),
    data: (box) => join(dir, box),
    control: (box) => join(dir, box, 'control.sock'),
    log: (box) => join(dir, `${box}.log`),
    pid: (of) => join(dir, `${of}.pid`),
    off: (box) => join(dir, `${box}.off`),
    cut: (cable) => join(dir, `${cable}.cut`),
    fault: (name) => join(dir, `${name}.fault`),
    phones: join(dir, 'phones.jsonl'),
  };
}
