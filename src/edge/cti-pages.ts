/**
 * What the port of the programs serves besides WebSocket: the document of the services, the client
 * library for browsers, and pages made of files in `edge/web/`.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openRpcText } from '../cti/document.ts';
import { RELEASE } from './config.ts';

export type Page = { readonly type: string; readonly body: string | Uint8Array };

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.json': 'application/json',
};

/** Only what lies in these folders is served, by its name; nothing of a request is a path. */
function filesOf(folder: string, prefix: string, pages: Map<string, () => Page>): void {
  const path = fileURLToPath(new URL(folder, import.meta.url));
  if (!existsSync(path)) return;
  for (const name of readdirSync(path)) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    pages.set(`${prefix}${name}`, () => {
      const text = readFileSync(`${path}/${name}`, 'utf8');
      // a browser reads no types
      return { type, body: name.endsWith('.ts') ? stripTypeScriptTypes(text) : text };
    });
  }
}

function all(): ReadonlyMap<string, () => Page> {
  const pages = new Map<string, () => Page>();
  filesOf('./web/', '/wallboard/', pages);
  filesOf('../client/', '/client/', pages);
  const board = pages.get('/wallboard/wallboard.html') ?? pages.get('/wallboard/index.html');
  if (board !== undefined) {
    pages.set('/wallboard', board);
    pages.set('/wallboard/', board);
  }
  pages.set('/openrpc.json', () => ({ type: 'application/json', body: openRpcText(RELEASE) }));
  return pages;
}

const PAGES = all();
const made = new Map<string, Page>();

/** @returns what is at this path; undefined: nothing. */
export function page(path: string): Page | undefined {
  const known = made.get(path);
  if (known !== undefined) return known;
  const found = PAGES.get(path)?.();
  if (found !== undefined) made.set(path, found);
  return found;
}
