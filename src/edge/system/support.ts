/**
 * The support bundle: what somebody far away needs to understand a box, in one compressed archive, and
 * nothing that opens a door. The configuration is shown without its secrets; and whatever text goes in, be
 * it a log line, has every secret of every revision and the pair key taken out once more (`masked.ts`).
 */

import { readdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Tree } from '../../panel/tree/terms.ts';
import { showTree } from '../../panel/tree/text.ts';
import { RELEASE } from '../config.ts';
import { ask } from '../control-client.ts';
import type { Places } from './files.ts';
import type { Machine } from './machine.ts';
import { masker, secretsOf } from './masked.ts';

const LOG_LINES = 20_000;
const BLOCK = 512;
const NAME_BYTES = 100;
/** Alarm history and audit log: the end of each file. */
const TAIL_BYTES = 2 * 1024 * 1024;

export type SupportFacts = {
  readonly places: Places;
  readonly machine: Machine;
  readonly tree: Tree;
  readonly state: object;
  readonly revisions: readonly object[];
};

type Part = { readonly name: string; readonly text: string };

function sizes(places: Places): string {
  const lines: string[] = [];
  const walk = (folder: string, depth: number): void => {
    let names: string[];
    try {
      names = readdirSync(folder);
    } catch {
      return;
    }
    for (const name of names) {
      const path = join(folder, name);
      try {
        const stat = statSync(path);
        lines.push(`${stat.size} ${new Date(stat.mtimeMs).toISOString()} ${path}`);
        if (stat.isDirectory() && depth > 0) walk(path, depth - 1);
      } catch {
        // it went away
      }
    }
  };
  walk(places.data, 3);
  try {
    const { bsize, blocks, bavail } = statfsSync(places.data);
    lines.push(`file system of ${places.data}: ${bsize * blocks} bytes, ${bsize * bavail} free`);
  } catch {
    // there is none
  }
  return `${lines.join('\n')}\n`;
}

function tails(places: Places): Part[] {
  let names: string[];
  try {
    names = readdirSync(places.log);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (/\.(gz|tar)$/.test(name)) return [];
    try {
      const bytes = readFileSync(join(places.log, name));
      return [{ name: `log/${name}`, text: bytes.subarray(-TAIL_BYTES).toString('utf8') }];
    } catch {
      return [];
    }
  });
}

/** @returns the archive, compressed. */
export async function supportBundle(facts: SupportFacts, at: Date): Promise<Buffer> {
  const { places, machine, tree, state, revisions } = facts;
  const pretty = (value: object): string => `${JSON.stringify(value, undefined, 2)}\n`;
  const parts: Part[] = [
    { name: 'versions.txt', text: `${RELEASE}\nnode ${process.version}\n${process.arch}\n` },
    { name: 'system-state.json', text: pretty(state) },
    {
      name: 'daemon-status.json',
      text: pretty(await ask(places.control, { command: 'status', digest: true })),
    },
    { name: 'monitor-status.json', text: pretty(await ask(places.monitor, { command: 'status' })) },
    { name: 'configuration.txt', text: `${showTree(tree).join('\n')}\n` },
    { name: 'revisions.json', text: pretty(revisions) },
    { name: 'sizes.txt', text: sizes(places) },
    { name: 'journal.txt', text: await machine.journal(LOG_LINES) },
    ...tails(places),
  ];
  const mask = masker(secretsOf(places, tree));
  const folder = `sipair-support-${stamp(at)}`;
  return gzipSync(
    tar(
      parts.map(({ name, text }) => ({ name: `${folder}/${name}`, text: mask(text) })),
      at,
    ),
  );
}

export function stamp(at: Date): string {
  return at.toISOString().replace(/[-:]/g, '').slice(0, 15);
}

/** POSIX ustar (IEEE 1003.1, pax "ustar Interchange Format"): a head of 512 bytes, then the file. */
function tar(parts: readonly Part[], at: Date): Buffer {
  const out: Buffer[] = [];
  for (const { name, text } of parts) {
    const body = Buffer.from(text, 'utf8');
    const head = Buffer.alloc(BLOCK);
    const octal = (value: number, digits: number): string =>
      `${value.toString(8).padStart(digits, '0')}\0`;
    head.write(name.slice(0, NAME_BYTES), 0, 'utf8');
    head.write(octal(0o600, 7), 100);
    head.write(octal(0, 7), 108);
    head.write(octal(0, 7), 116);
    head.write(octal(body.length, 11), 124);
    head.write(octal(Math.floor(at.getTime() / 1000), 11), 136);
    head.write('        ', 148);
    head.write('0', 156);
    head.write('ustar\u000000', 257);
    let sum = 0;
    for (const byte of head) sum += byte;
    head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    const rest = (BLOCK - (body.length % BLOCK)) % BLOCK;
    out.push(head, body, Buffer.alloc(rest));
  }
  out.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(out);
}
