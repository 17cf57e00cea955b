/**
 * The files of CDRs for programs that collect them: a list, and each day as it is or as CSV. By HTTP at the
 * port of the programs, with the password of a program of the role `report` (RFC 7617). A collector that
 * comes again asks for what is new (`Range: bytes=N-`, RFC 9110 14.2): a file only grows. Both boxes have
 * the same lines, in another order perhaps: a collector stays with one, and knows a call by its guid.
 */

import { closeSync, createReadStream, openSync, readSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { cdrFiles } from './cdr-file.ts';
import { csvHeader, csvLine } from './cdr-report.ts';
import type { Auth } from './cti-auth.ts';

/** At once, of all programs: reading costs the disk. */
const DOWNLOADS = 4;
/** Who takes nothing for so long is let go. */
const STALL_MS = 30_000;
const PIECE_BYTES = 65_536;
const NAME = /^\/cdr\/(\d{4}-\d\d-\d\d)\.(jsonl|csv)$/;

type Credentials = { readonly name: string; readonly password: string };

function credentialsOf(request: IncomingMessage): Credentials | undefined {
  const basic = /^Basic ([\w+/]+={0,2})$/i.exec(request.headers.authorization ?? '');
  if (basic === null) return undefined;
  const text = Buffer.from(basic[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Where the last whole line ends: what follows is being written just now, or was cut off by a crash. */
function wholeLines(path: string): number {
  const fd = openSync(path, 'r');
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    let end = statSync(path).size;
    while (end > 0) {
      const from = Math.max(0, end - PIECE_BYTES);
      const read = readSync(fd, piece, 0, end - from, from);
      const at = piece.subarray(0, read).lastIndexOf(0x0a);
      if (at >= 0) return from + at + 1;
      end = from;
    }
    return 0;
  } finally {
    closeSync(fd);
  }
}

type Range = { readonly from: number; readonly to: number };

/** @returns what of `size` octets is asked for; undefined: all; 'none': nothing there. */
export function rangeOf(header: string | undefined, size: number): Range | undefined | 'none' {
  // of several ranges, or in other units, the whole file is a right answer too
  const m = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (m === null || (m[1] === '' && m[2] === '')) return undefined;
  const last = size - 1;
  if (m[1] === '') {
    const tail = Number(m[2]);
    return tail === 0 || size === 0 ? 'none' : { from: Math.max(0, size - tail), to: last };
  }
  const from = Number(m[1]);
  const to = m[2] === '' ? last : Math.min(last, Number(m[2]));
  if (from > last) return 'none';
  return to < from ? undefined : { from, to };
}

async function* csvOf(path: string, end: number): AsyncGenerator<string> {
  yield csvHeader();
  if (end === 0) return;
  const input = createReadStream(path, { encoding: 'latin1', end: end - 1 });
  for await (const text of createInterface({ input })) {
    let line: { readonly [name: string]: unknown };
    try {
      line = JSON.parse(text);
    } catch {
      continue;
    }
    yield csvLine(line);
  }
}

export class CdrPages {
  private readonly folder: string;
  private readonly auth: Auth;
  private running = 0;

  constructor(folder: string, auth: Auth) {
    this.folder = folder;
    this.auth = auth;
  }

  /** @returns false when the path is none of these. */
  serve(request: IncomingMessage, response: ServerResponse): boolean {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (path !== '/cdr' && !path.startsWith('/cdr/')) return false;
    const source = request.socket.remoteAddress ?? '';
    const who = credentialsOf(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') say(response, 405, 'GET only');
    else if (who === undefined) unknown(response);
    else {
      this.auth.prove(source, who.name, who.password, (verdict) => {
        if (verdict === 'wait') say(response, 429, 'too many passwords: later');
        else if (verdict === 'no') unknown(response);
        else if (this.auth.program(who.name)?.roles.includes('report') !== true) {
          say(response, 403, 'the role report is needed');
        } else this.tryToGive(path, request, response);
      });
    }
    return true;
  }

  /** A disk that fails, a file that is removed just now: that is for who asked to know. */
  private tryToGive(path: string, request: IncomingMessage, response: ServerResponse): void {
    try {
      this.give(path, request, response);
    } catch (e) {
      if (response.headersSent) response.destroy();
      else say(response, 503, (e as Error).message);
    }
  }

  private give(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (path === '/cdr' || path === '/cdr/') {
      this.list(response);
      return;
    }
    const [, day, form] = NAME.exec(path) ?? [];
    const name = `${day}.jsonl`;
    // only what lies in the folder is served, by its name
    if (day === undefined || !cdrFiles(this.folder).includes(name)) {
      say(response, 404, 'no such file; /cdr/ lists them');
      return;
    }
    if (this.running >= DOWNLOADS) {
      say(response, 503, 'too many downloads: later');
      return;
    }
    const file = join(this.folder, name);
    const size = wholeLines(file);
    response.setTimeout(STALL_MS, () => response.destroy());
    const body =
      form === 'csv'
        ? csvBody(file, size, response)
        : linesBody(file, size, request.headers.range, response);
    if (body === undefined) return;
    if (request.method === 'HEAD') {
      body.destroy();
      response.end();
      return;
    }
    this.running += 1;
    // who goes away in the middle is nobody's trouble
    pipeline(body, response)
      .catch(() => response.destroy())
      .finally(() => {
        this.running -= 1;
      });
  }

  private list(response: ServerResponse): void {
    const files = cdrFiles(this.folder).map((name) => {
      const path = join(this.folder, name);
      const at = statSync(path).mtime.toISOString();
      return { day: name.slice(0, 10), file: name, bytes: wholeLines(path), changed: at };
    });
    response.writeHead(200, { ...PLAIN, 'Content-Type': 'application/json' });
    response.end(`${JSON.stringify(files)}\n`);
  }
}

const PLAIN = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  Connection: 'close',
} as const;

function say(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { ...PLAIN, 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}

function unknown(response: ServerResponse): void {
  response.setHeader('WWW-Authenticate', 'Basic realm="sipair", charset="UTF-8"');
  say(response, 401, 'a program of the role report may read this');
}

function csvBody(file: string, size: number, response: ServerResponse): Readable {
  response.writeHead(200, { ...PLAIN, 'Content-Type': 'text/csv; charset=utf-8' });
  return Readable.from(csvOf(file, size));
}

function linesBody(
  file: string,
  size: number,
  header: string | undefined,
  response: ServerResponse,
): Readable | undefined {
  const range = rangeOf(header, size);
  const type = { ...PLAIN, 'Content-Type': 'application/x-ndjson', 'Accept-Ranges': 'bytes' };
  if (range === 'none') {
    response.writeHead(416, { ...type, 'Content-Range': `bytes */${size}` });
    response.end();
    return undefined;
  }
  const { from, to } = range ?? { from: 0, to: size - 1 };
  const part = range === undefined ? {} : { 'Content-Range': `bytes ${from}-${to}/${size}` };
  const head = { ...type, ...part, 'Content-Length': to - from + 1 };
  response.writeHead(range === undefined ? 200 : 206, head);
  // a day whose only line is being written
  return size === 0 ? Readable.from([]) : createReadStream(file, { start: from, end: to });
}
