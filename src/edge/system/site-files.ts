/** Certificates and prompts on this box and at the peer (`panel/system/site-files.ts` says what they are). */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isFault } from '../../base/fault.ts';
import { parseWav } from '../../media/wav.ts';
import {
  SITE_FILE_BYTES,
  SITE_FILES_MAX,
  SITE_KINDS,
  type SiteFile,
  type SiteKind,
  siteKind,
  toGive,
} from '../../panel/system/site-files.ts';
import type { SystemFault } from '../../panel/system/terms.ts';
import { makeFolder, removeFile, writeWhole } from './files.ts';
import { type Run, runProgram } from './image.ts';
import { bring } from './image-source.ts';
import type { AgentLink } from './link.ts';

type Json = { readonly [name: string]: unknown };

export type SiteContext = {
  readonly root: string;
  readonly link: () => AgentLink | undefined;
  /** A file is another one: who reads it looks again. */
  readonly changed: () => void;
  readonly log: (text: string) => void;
  readonly run?: Run;
};

type Installed = { readonly ok: true; readonly path: string; readonly peer: boolean };

const NO_NAME: SystemFault = {
  error: 'file-name',
  text: 'a name that ends in .wav, .pem, .crt or .key is expected',
};

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** @returns '' or what is wrong with it. */
function wrongWith({ kind }: SiteKind, bytes: Uint8Array): string {
  if (bytes.length > SITE_FILE_BYTES) return 'it has more than 8 MB';
  if (kind === 'prompt') {
    const sound = parseWav(bytes);
    return isFault(sound) ? `${sound.fault}: 8000 Hz, mono, PCM, A-law or mu-law is needed` : '';
  }
  return Buffer.from(bytes).includes('-----BEGIN ') ? '' : 'it is no certificate and no key in PEM';
}

export class SiteFiles {
  private readonly context: SiteContext;

  constructor(context: SiteContext) {
    this.context = context;
  }

  list(): readonly SiteFile[] {
    return SITE_KINDS.flatMap((kind) => this.of(kind)).slice(0, SITE_FILES_MAX);
  }

  pathOf(name: string): string {
    return join(this.context.root, siteKind(name)?.folder ?? '', name);
  }

  private of({ folder, ending }: SiteKind): readonly SiteFile[] {
    let names: readonly string[];
    try {
      names = readdirSync(join(this.context.root, folder)).sort();
    } catch {
      return [];
    }
    return names.flatMap((name) => {
      const path = join(this.context.root, folder, name);
      try {
        const found = statSync(path);
        if (!ending.test(name) || !found.isFile() || found.size > SITE_FILE_BYTES) return [];
        const digest = digestOf(readFileSync(path));
        return [{ name, at: Math.round(found.mtimeMs), bytes: found.size, digest }];
      } catch {
        return [];
      }
    });
  }

  /** From a stick, a web server or a file of the box, to both boxes. */
  async install(source: string): Promise<Installed | SystemFault> {
    const name = basename(source.replace(/^usb:/, ''));
    const kind = siteKind(name);
    if (kind === undefined) return NO_NAME;
    const { root, run = runProgram } = this.context;
    const raw = join(root, 'data/image/site-file');
    // one byte more than may be, so that too much is seen as such
    const tools = { root, run, room: () => SITE_FILE_BYTES + 1 };
    try {
      makeFolder(dirname(raw));
      const fault = await bring(source, raw, tools).catch((e: Error) => `file-write: ${e.message}`);
      if (fault !== '') {
        const [, text = fault] = /^image-\w+: (.*)$/s.exec(fault) ?? [];
        const big = fault.startsWith('image-space');
        return { error: 'file-source', text: big ? 'it has more than 8 MB' : text };
      }
      const bytes = readFileSync(raw);
      const at = Date.now();
      const wrong = this.keep(name, bytes, at);
      if (wrong !== '') return { error: 'file-unusable', text: `${name}: ${wrong}` };
      const peer = this.give(name, bytes, at);
      return { ok: true, path: this.pathOf(name), peer };
    } finally {
      rmSync(raw, { force: true });
    }
  }

  /** At both boxes: one that is away would bring it back. */
  remove(name: string): { readonly ok: true } | SystemFault {
    if (siteKind(name) === undefined) return NO_NAME;
    if (!this.list().some((file) => file.name === name)) {
      return { error: 'file-none', text: `there is no ${name}` };
    }
    if (this.context.link()?.send('site-file-gone', { name }) !== true) {
      return { error: 'file-peer', text: 'the other box is away, and would bring it back' };
    }
    const fault = removeFile(this.pathOf(name));
    this.context.changed();
    return fault === '' ? { ok: true } : { error: 'file-write', text: fault };
  }

  linkUp(): void {
    this.context.link()?.send('site-files', { files: this.list() });
  }

  /** @returns whether it was one of ours. */
  message(kind: string, json: Json): boolean {
    if (kind === 'site-files') this.theirs((json['files'] ?? []) as readonly SiteFile[]);
    else if (kind === 'site-file') this.taken(json);
    else if (kind === 'site-file-gone') this.gone(String(json['name']));
    else return false;
    return true;
  }

  private theirs(files: readonly SiteFile[]): void {
    for (const { name, at } of toGive(this.list(), files)) {
      try {
        this.give(name, readFileSync(this.pathOf(name)), at);
      } catch (e) {
        this.context.log(`${name}: ${(e as Error).message}`);
      }
    }
  }

  private give(name: string, bytes: Buffer, at: number): boolean {
    const content = bytes.toString('base64');
    return this.context.link()?.send('site-file', { name, at, content }) === true;
  }

  private taken(json: Json): void {
    const name = String(json['name']);
    const bytes = Buffer.from(String(json['content']), 'base64');
    const fault = this.keep(name, bytes, Number(json['at']));
    this.context.log(fault === '' ? `${name}: from the other box` : `${name}: ${fault}`);
  }

  private gone(name: string): void {
    if (siteKind(name) === undefined) return;
    removeFile(this.pathOf(name));
    this.context.changed();
  }

  /** @returns '' or why it is not kept. */
  private keep(name: string, bytes: Buffer, at: number): string {
    const kind = siteKind(name);
    if (kind === undefined) return NO_NAME.text;
    const known = this.list();
    if (known.length >= SITE_FILES_MAX && !known.some((file) => file.name === name)) {
      return `there are ${SITE_FILES_MAX} files already`;
    }
    const fault = wrongWith(kind, bytes) || writeWhole(this.pathOf(name), bytes);
    if (fault !== '') return fault;
    const seconds = (Number.isFinite(at) ? at : 0) / 1000;
    utimesSync(this.pathOf(name), seconds, seconds);
    this.context.changed();
    return '';
  }
}
