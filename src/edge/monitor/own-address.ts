/** The own LAN address, from the file that the daemon reads: there before the daemon answers. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type OwnLan = { readonly interface: string; readonly address: string };

export function ownLan(root: string): OwnLan | undefined {
  try {
    const file: unknown = JSON.parse(readFileSync(join(root, 'run/sipair/box.json'), 'utf8'));
    if (typeof file !== 'object' || file === null || !('lan' in file)) return undefined;
    const lan = file.lan as { readonly interface?: unknown; readonly address?: unknown } | null;
    const name = lan?.interface;
    const address = lan?.address;
    if (typeof name !== 'string' || typeof address !== 'string') return undefined;
    return { interface: name, address };
  } catch {
    return undefined;
  }
}
