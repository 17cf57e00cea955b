/**
 * Certificates and prompts on this box and at the peer (`panel/system/site-files.ts` says what they are).
 *
 *   site-files {files}          what this box has, when the link comes up
 *   site-file {name, content}   one that the other lacks; the next when it has said
 *   site-file-taken {name}      ... this: all of them at once would be more than a link may hold
 *   site-file-gone {name}       removed by an operator
 */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, type Stats, statSync, utimesSync } from 'node:fs';
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
  usedBy,
} from '../../panel/system/site-files.ts';
import type { SystemFault, Tree } from '../../panel/system/terms.ts';
import { pemFault } from '../certificate.ts';
import { troubleOf } from '../disk-trouble.ts';
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
  /** What is active, and what both boxes may go back to by themselves: they name some of the files. */
  readonly trees: () => readonly Tree[];
  readonly log: (text: string) => void;
  readonly run?: Run;
};

type Found = { readonly name: string; readonly path: string; readonly stats: Stats };
type Installed = { readonly ok: true; readonly path: string; readonly peer: boolean };

const BUSY: SystemFault = {
  error: 'file-busy',
  text: 'another console is installing a file: try again',
};
/** 2100: a later one is no moment that a file can have. */
const LATEST = 4_102_444_800_000;

const NO_NAME: SystemFault = {
  error: 'file-name',
  text: 'a name that ends in .wav, .pem, .crt or .key is expected',
};

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What an operator brings is looked at once more closely than what the other box has. @returns '' or what is wrong with it. */
function wrongToBring(name: string, bytes: Uint8Array): string {
  return siteKind(name)?.kind === 'certificate'
    ? pemFault(Buffer.from(bytes).toString('latin1'), Date.now())
    : '';
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
  /** Digests of files by path, and of which content. */
  private readonly digests = new Map<string, { readonly of: string; readonly digest: string }>();
  /** What the peer gets yet. */
  private outgoing: readonly SiteFile[] = [];
  private installing = false;

  constructor(context: SiteContext) {
    this.context = context;
  }

  list(): readonly SiteFile[] {
    return SITE_KINDS.flatMap((kind) => this.of(kind)).slice(0, SITE_FILES_MAX);
  }

  pathOf(name: string): string {
    return join(this.context.root, siteKind(name)?.folder ?? '', name);
  }

  private of(kind: SiteKind): readonly SiteFile[] {
    return this.found(kind).flatMap(({ name, path, stats }) => {
      try {
        const digest = this.digest(path, stats);
        return [{ name, at: Math.round(stats.mtimeMs), bytes: stats.size, digest }];
      } catch {
        return [];
      }
    });
  }

  private found({ folder, ending }: SiteKind): readonly Found[] {
    let names: readonly string[];
    try {
      names = readdirSync(join(this.context.root, folder)).sort();
    } catch {
      return [];
    }
    return names.flatMap((name) => {
      const path = join(this.context.root, folder, name);
      try {
        const stats = statSync(path);
        const fits = ending.test(name) && stats.isFile() && stats.size <= SITE_FILE_BYTES;
        return fits ? [{ name, path, stats }] : [];
      } catch {
        return [];
      }
    });
  }

  /** All of them are read once, and not each time that one changes. */
  private digest(path: string, { ino, mtimeMs, ctimeMs, size }: Stats): string {
    const of = [ino, mtimeMs, ctimeMs, size].join();
    const known = this.digests.get(path);
    if (known?.of === of) return known.digest;
    const digest = digestOf(readFileSync(path));
    if (this.digests.size >= 2 * SITE_FILES_MAX) this.digests.clear();
    this.digests.set(path, { of, digest });
    return digest;
  }

  /** From a stick, a web server or a file of the box, to both boxes. */
  async install(source: string): Promise<Installed | SystemFault> {
    const name = basename(source.replace(/^usb:/, ''));
    const kind = siteKind(name);
    if (kind === undefined) return NO_NAME;
    if (this.installing) return BUSY;
    this.installing = true;
    try {
      return await this.installNow(name, source);
    } catch (e) {
      return { error: 'file-write', text: troubleOf(e).text };
    } finally {
      this.installing = false;
    }
  }

  private async installNow(name: string, source: string): Promise<Installed | SystemFault> {
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
      const at = this.moment(name);
      const wrong = wrongToBring(name, bytes) || this.keep(name, bytes, at);
      if (wrong !== '') return { error: 'file-unusable', text: `${name}: ${wrong}` };
      const peer = this.give(name, bytes, at);
      return { ok: true, path: this.pathOf(name), peer };
    } finally {
      rmSync(raw, { force: true });
    }
  }

  /** The newest of this name, also when the one before was installed under a clock that was ahead. */
  private moment(name: string): number {
    const before = this.list().find((file) => file.name === name);
    return Math.max(Date.now(), (before?.at ?? 0) + 1);
  }

  /** At both boxes: one that is away would bring it back. */
  remove(name: string): { readonly ok: true } | SystemFault {
    if (siteKind(name) === undefined) return NO_NAME;
    if (!this.list().some((file) => file.name === name)) {
      return { error: 'file-none', text: `there is no ${name}` };
    }
    const user = this.context
      .trees()
      .map((tree) => usedBy(tree, name))
      .find((place) => place !== '');
    if (user !== undefined) return { error: 'file-used', text: `${name} is in use: ${user}` };
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
    if (kind === 'site-files') {
      this.outgoing = toGive(this.list(), (json['files'] ?? []) as readonly SiteFile[]);
      this.giveNext();
    } else if (kind === 'site-file') this.taken(json);
    else if (kind === 'site-file-taken') this.takenThere(String(json['name']));
    else if (kind === 'site-file-gone') this.gone(String(json['name']));
    else return false;
    return true;
  }

  private giveNext(): void {
    const [next] = this.outgoing;
    if (next === undefined) return;
    const { name } = next;
    // as it is by now
    const at = this.list().find((file) => file.name === name)?.at ?? next.at;
    try {
      this.give(name, readFileSync(this.pathOf(name)), at);
    } catch (e) {
      this.context.log(`${name}: ${(e as Error).message}`);
      this.takenThere(name);
    }
  }

  /** Taken, or refused: the log of that box says why. */
  private takenThere(name: string): void {
    // one that was installed meanwhile is told of too, and not of this row
    if (this.outgoing[0]?.name !== name) return;
    this.outgoing = this.outgoing.slice(1);
    this.giveNext();
  }

  private give(name: string, bytes: Buffer, at: number): boolean {
    const content = bytes.toString('base64');
    return this.context.link()?.send('site-file', { name, at, content }) === true;
  }

  private taken(json: Json): void {
    const name = String(json['name']);
    const bytes = Buffer.from(String(json['content']), 'base64');
    const theirs = { name, at: Number(json['at']), bytes: bytes.length, digest: digestOf(bytes) };
    const own = this.list().filter((file) => file.name === name);
    // installed here while theirs was under way: they get it
    const fault =
      toGive(own, [theirs]).length > 0 ? 'this box has a newer one' : this.keepOf(theirs, bytes);
    this.context.log(fault === '' ? `${name}: from the other box` : `${name}: ${fault}`);
    this.context.link()?.send('site-file-taken', { name });
  }

  private keepOf({ name, at }: SiteFile, bytes: Buffer): string {
    try {
      return this.keep(name, bytes, at);
    } catch (e) {
      return troubleOf(e).text;
    }
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
    if (!(at >= 0 && at < LATEST)) return 'the clock is wrong';
    const known = SITE_KINDS.flatMap((each) => this.found(each));
    if (known.length >= SITE_FILES_MAX && !known.some((file) => file.name === name)) {
      return `there are ${SITE_FILES_MAX} files already`;
    }
    const fault = wrongWith(kind, bytes) || writeWhole(this.pathOf(name), bytes);
    if (fault !== '') return fault;
    utimesSync(this.pathOf(name), at / 1000, at / 1000);
    this.context.changed();
    return '';
  }
}
