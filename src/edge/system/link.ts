/**
 * The link of the two system agents: the secure stream of the mirror (`../link.ts`) at a port and under a
 * key of its own, with two kinds of frames on it: a JSON message, and a piece of a file.
 *
 *   ┌──────┬────────┬──────┐     1  JSON, UTF-8, with "kind"
 *   │ type │ length │ body │     2  file u32, then bytes
 *   │ u8   │ u32    │      │
 *   └──────┴────────┴──────┘
 *
 * A file is announced (`file`), sent in pieces, acknowledged as it is written, and ended with its digest;
 * not more of it is under way than the receiver has not written yet, so commits pass it by.
 */

import { createHash, type Hash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { RELEASE, SYSTEM_PORT } from '../config.ts';
import { Link, type LinkConfig } from '../link.ts';
import type { Failure } from '../secure.ts';
import { Pieces } from './pieces.ts';

type Json = { readonly [name: string]: unknown };

export type AgentLinkEvents = {
  /** The peer proved itself and said which release it is. */
  readonly up: (release: string) => void;
  readonly down: () => void;
  readonly message: (kind: string, json: Json) => void;
  readonly trouble: (failure: Failure) => void;
  /** The peer has a file. @returns where it is written to; undefined: it is not wanted. */
  readonly file: (meta: Json, size: number) => string | undefined;
  /** It is there, durable and whole; or `fault` says why not, and the file is removed. */
  readonly fileDone: (meta: Json, path: string, fault: string) => void;
};

const JSON_FRAME = 1;
const FILE_FRAME = 2;
const HEAD = 5;
/** A configuration with tens of thousands of extensions fits. */
const JSON_MAX = 32 * 1024 * 1024;
const PIECE = 64 * 1024;
/** Bytes of a file that are under way. */
const WINDOW = 1024 * 1024;
/** Patient: an agent that verifies a configuration or writes a bundle has no hurry. */
const HANDSHAKE_MS = 10_000;
/** Kinds that are the link's own. */
const OWN = ['hello', 'file', 'file-ack', 'file-end', 'file-result'];

type Sending = {
  readonly id: number;
  readonly fd: number;
  readonly size: number;
  readonly hash: Hash;
  sent: number;
  acked: number;
  readonly progress: (bytes: number, size: number) => void;
  readonly done: (fault: string) => void;
};

type Receiving = {
  readonly id: number;
  readonly meta: Json;
  readonly path: string;
  readonly fd: number;
  readonly hash: Hash;
  readonly size: number;
  got: number;
};

export class AgentLink {
  /** The peer has said hello. */
  up = false;
  private readonly link: Link;
  private readonly events: AgentLinkEvents;
  private readonly pieces = new Pieces();
  private sending: Sending | undefined;
  private receiving: Receiving | undefined;
  private nextFile = 1;

  constructor(config: LinkConfig, events: AgentLinkEvents) {
    this.events = events;
    this.link = new Link(
      config,
      {
        up: () => {
          this.pieces.clear();
          this.write(JSON_FRAME, Buffer.from(JSON.stringify({ kind: 'hello', release: RELEASE })));
        },
        data: (bytes) => this.data(bytes),
        down: () => this.down(),
        trouble: events.trouble,
      },
      { port: SYSTEM_PORT, purpose: 'system tls', handshakeMs: HANDSHAKE_MS },
    );
  }

  /** @returns false when there is no peer. */
  send(kind: string, json: Json = {}): boolean {
    if (!this.up) return false;
    this.write(JSON_FRAME, Buffer.from(JSON.stringify({ ...json, kind })));
    return true;
  }

  /**
   * Sends a file; one at a time.
   * @returns '' when the peer has it, whole and durable; or why not.
   */
  sendFile(
    path: string,
    meta: Json,
    progress: (bytes: number, size: number) => void = () => {},
  ): Promise<string> {
    if (!this.up) return Promise.resolve('file-peer: the other box is not there');
    if (this.sending !== undefined) return Promise.resolve('file-busy: another file is under way');
    let fd: number;
    let size: number;
    try {
      fd = openSync(path, 'r');
      size = fstatSync(fd).size;
    } catch (e) {
      return Promise.resolve(`file-read: ${(e as Error).message}`);
    }
    const id = this.nextFile;
    this.nextFile += 1;
    return new Promise((resolve) => {
      const hash = createHash('sha256');
      this.sending = { id, fd, size, hash, sent: 0, acked: 0, progress, done: resolve };
      this.send('file', { id, size, meta });
    });
  }

  /** Ends the connection; another is made. */
  drop(): void {
    this.link.drop();
  }

  close(): void {
    this.link.close();
  }

  private write(type: number, body: Uint8Array): void {
    const head = Buffer.alloc(HEAD);
    head[0] = type;
    head.writeUInt32BE(body.length, 1);
    this.link.write(head);
    this.link.write(body);
    this.link.flush();
  }

  private down(): void {
    this.pieces.clear();
    const stood = this.up;
    this.up = false;
    this.sent('file-peer: the other box went away');
    const { receiving } = this;
    if (receiving !== undefined) this.received(receiving, 'file-peer: the other box went away');
    if (stood) this.events.down();
  }

  private data(bytes: Uint8Array): void {
    const { pieces } = this;
    pieces.push(bytes);
    while (pieces.length >= HEAD) {
      const head = pieces.peek(HEAD);
      const type = head[0];
      const length = head.readUInt32BE(1);
      const most = type === JSON_FRAME ? JSON_MAX : PIECE + 4;
      if ((type !== JSON_FRAME && type !== FILE_FRAME) || length > most) {
        this.confused('a frame that is none');
        return;
      }
      if (pieces.length < HEAD + length) return;
      const body = pieces.take(HEAD + length).subarray(HEAD);
      if (type === JSON_FRAME) this.json(body);
      else this.piece(body);
    }
  }

  private confused(what: string): void {
    this.events.trouble({ text: `system-link: the other box says ${what}`, alarm: true });
    this.link.drop();
  }

  private json(body: Buffer): void {
    let json: Json;
    try {
      json = JSON.parse(body.toString('utf8')) as Json;
    } catch {
      this.confused('what is no JSON');
      return;
    }
    const kind = String(json['kind']);
    if (!OWN.includes(kind)) {
      if (this.up) this.message(kind, json);
      return;
    }
    if (kind === 'hello') {
      this.up = true;
      this.events.up(String(json['release']));
    } else this.own(kind, json);
  }

  /** Of another release, or of nobody's: what does not understand it must not end the agent. */
  private message(kind: string, json: Json): void {
    try {
      this.events.message(kind, json);
    } catch (e) {
      this.confused(`what is not understood here: ${kind}: ${(e as Error).message}`);
    }
  }

  // ── files ────────────────────────────────────────────────────────────────────────────────────

  private own(kind: string, json: Json): void {
    const { sending, receiving } = this;
    const id = Number(json['id']);
    if (kind === 'file') this.announced(id, json);
    else if (kind === 'file-ack' && sending?.id === id) {
      sending.acked = Number(json['bytes']);
      sending.progress(sending.acked, sending.size);
      this.feed(sending);
    } else if (kind === 'file-result' && sending?.id === id) this.sent(String(json['fault']));
    else if (kind === 'file-end' && receiving?.id === id) {
      const whole = receiving.got === receiving.size;
      const same = receiving.hash.copy().digest('hex') === json['sha256'];
      this.received(
        receiving,
        whole && same ? '' : 'file-digest: it did not arrive as it was sent',
      );
    }
  }

  private announced(id: number, json: Json): void {
    const meta = (json['meta'] ?? {}) as Json;
    const size = Number(json['size']);
    const refuse = (fault: string): void => {
      this.send('file-result', { id, fault });
    };
    if (this.receiving !== undefined) {
      refuse('file-busy: another file is under way');
      return;
    }
    const path = this.events.file(meta, size);
    if (path === undefined) {
      refuse('file-unwanted: the other box does not take it');
      return;
    }
    try {
      const fd = openSync(path, 'w', 0o600);
      this.receiving = { id, meta, path, fd, size, got: 0, hash: createHash('sha256') };
      this.send('file-ack', { id, bytes: 0 });
    } catch (e) {
      refuse(`file-write: ${(e as Error).message}`);
    }
  }

  /** As much as may be under way. */
  private feed(s: Sending): void {
    const piece = Buffer.alloc(PIECE + 4);
    while (s.sent < s.size && s.sent - s.acked < WINDOW && this.sending === s) {
      let read: number;
      try {
        read = readSync(s.fd, piece, 4, PIECE, s.sent);
      } catch (e) {
        this.sent(`file-read: ${(e as Error).message}`);
        this.link.drop();
        return;
      }
      if (read === 0) {
        this.sent('file-read: it became shorter');
        this.link.drop();
        return;
      }
      piece.writeUInt32BE(s.id, 0);
      s.hash.update(piece.subarray(4, 4 + read));
      s.sent += read;
      this.write(FILE_FRAME, piece.subarray(0, 4 + read));
    }
    if (s.sent < s.size || s.acked < s.size || this.sending !== s) return;
    this.send('file-end', { id: s.id, sha256: s.hash.copy().digest('hex') });
  }

  private piece(body: Buffer): void {
    const { receiving } = this;
    if (receiving === undefined || body.readUInt32BE(0) !== receiving.id) return;
    const bytes = body.subarray(4);
    receiving.got += bytes.length;
    if (receiving.got > receiving.size) {
      this.confused('more of a file than it has');
      return;
    }
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(receiving.fd, bytes, at);
    } catch (e) {
      this.received(receiving, `file-write: ${(e as Error).message}`);
      return;
    }
    receiving.hash.update(bytes);
    this.send('file-ack', { id: receiving.id, bytes: receiving.got });
  }

  private sent(fault: string): void {
    const { sending } = this;
    if (sending === undefined) return;
    this.sending = undefined;
    closeSync(sending.fd);
    sending.done(fault);
  }

  private received(r: Receiving, problem: string): void {
    this.receiving = undefined;
    let fault = problem;
    try {
      if (fault === '') fsyncSync(r.fd);
    } catch (e) {
      fault = `file-write: ${(e as Error).message}`;
    }
    closeSync(r.fd);
    try {
      if (fault !== '') unlinkSync(r.path);
    } catch {
      // it is gone already
    }
    this.send('file-result', { id: r.id, fault });
    this.events.fileDone(r.meta, r.path, fault);
  }
}
