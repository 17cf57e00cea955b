/**
 * The services of two boxes for sessions without machinery: a system agent with revisions and a
 * deadline, a daemon with a few calls, a monitor. Time is an argument; nothing happens by itself.
 */

import { readRequest } from '../../src/edge/control.ts';
import { readMonitorRequest } from '../../src/edge/monitor/socket.ts';
import { stamp } from '../../src/edge/system/support.ts';
import type { Json, Service } from '../../src/panel/console/dialog.ts';
import { restarts } from '../../src/panel/tree/changes.ts';
import { verifyTree } from '../../src/panel/tree/check.ts';
import { parseText } from '../../src/panel/tree/parse.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';

import { DAEMON, HEALTH, SYSTEM } from '../unit/monitor-kit.ts';

export const NOON = Date.UTC(2026, 10, 26, 12, 0, 0);
const GREEN = { colour: 'green', blink: 'steady' };
/** It has led for an hour. */
const PRIMARY: Json = {
  ...DAEMON,
  monoNow: 3_660_000,
  since: 60_000,
  lease: 3_661_000,
  lastSwitchover: { cause: 'cold-start', epoch: DAEMON.epoch, tookMs: 40, claimedAt: 60_000 },
};
const LEDS = {
  power: GREEN,
  status: GREEN,
  ha: GREEN,
  alarm: { colour: 'off', blink: 'steady' },
};
export const PASSWORD = 'correct horse';
const TRIES = 5;
const LOCK_MS = 5 * 60_000;

export const START_TREE = parseText(`
box { a { name north-a; lan { address 192.0.2.11; prefix 24; gateway 192.0.2.1; } }
      b { name north-b; lan { address 192.0.2.12; prefix 24; gateway 192.0.2.1; } } }
vip { address 192.0.2.10; }
users { from 1000; to 1999; }
system { timeZone Europe/Berlin; ntp 192.0.2.1; }
`) as Tree;

type Revision = {
  readonly number: number;
  readonly epoch: number;
  readonly at: number;
  readonly by: string;
  readonly box: 'a' | 'b';
  readonly comment: string;
  readonly digest: string;
  readonly tree: Tree;
};

export class FakePair {
  now = NOON;
  /** Goes on with `now`, and does not step with it. */
  mono = 0;
  password: string | undefined = PASSWORD;
  identity: 'a' | 'b' | undefined = 'a';
  peerPassword = PASSWORD;
  paired = true;
  peerReachable = true;
  tries = TRIES;
  lockedUntil = 0;
  confirmBy: number | undefined;
  /** Not the newest after one that was not confirmed. */
  activeNumber = 0;
  confirmBefore = 0;
  readonly revisions: Revision[] = [];
  readonly down = new Set<Service>();
  /** Services, or commands of them, that are never answered. */
  readonly silent = new Set<string>();
  /** Commands in the midst of which a service ends. */
  readonly ends = new Set<string>();
  /** Requests in their order. */
  readonly heard: { readonly service: Service; readonly request: Json }[] = [];
  /** Lines the stream `monitor` gives. */
  messages: readonly Json[] = [];
  pairAnswer: Json | undefined;
  status: Json = PRIMARY;
  rows: { [what: string]: readonly Json[] } = {};
  dataFault = '';
  readonly files = new Map<string, string>();

  constructor(tree: Tree | 'none' = START_TREE) {
    if (tree !== 'none') this.keep(tree, 'admin', 'first boot');
  }

  private keep(tree: Tree, by: string, comment: string): Revision {
    const number = (this.revisions.at(-1)?.number ?? 0) + 1;
    const r: Revision = {
      number,
      epoch: 3,
      at: this.now,
      by,
      box: this.identity ?? 'a',
      comment,
      digest: String(number),
      tree,
    };
    this.revisions.push(r);
    this.activeNumber = number;
    return r;
  }

  active(): Revision | undefined {
    return this.revisions.find((r) => r.number === this.activeNumber);
  }

  /** Time goes on: what was not confirmed goes back. */
  pass(ms: number): void {
    this.now += ms;
    this.mono += ms;
    if (this.confirmBy === undefined || this.now < this.confirmBy) return;
    this.confirmBy = undefined;
    this.activeNumber = this.confirmBefore;
  }

  ask(service: Service, request: Json): Json | readonly Json[] | 'silent' {
    this.heard.push({ service, request });
    const command = String(request['command']);
    if (this.silent.has(service) || this.silent.has(command)) return 'silent';
    const unable = service === 'control' && this.active() === undefined;
    if (unable || this.down.has(service) || this.ends.has(command)) {
      return { error: 'control-unreachable', text: `nobody answers at ${service}.sock: ENOENT` };
    }
    switch (service) {
      case 'control':
        return this.control(request);
      case 'system':
        return this.system(request);
      case 'monitor':
        return this.monitor(request);
      default:
        return this.self(request);
    }
  }

  private control(request: Json): Json | readonly Json[] {
    // what the real one would not take is not taken here
    const read = readRequest(JSON.stringify(request));
    if ('error' in read) return read;
    switch (request['command']) {
      case 'status':
        return this.status;
      case 'show': {
        const rows = this.rows[String(request['what'])] ?? [];
        return { at: this.now, mirrored: false, rows, total: rows.length };
      }
      case 'monitor':
        return this.messages;
      case 'switchover':
        return this.switchover();
      default:
        return { ok: true };
    }
  }

  private switchover(): Json {
    if (this.status['role'] !== 'primary') {
      const text = 'refused: this box is backup; box b is the primary: ask it';
      return { ok: false, text };
    }
    const peer = { ...DAEMON.peer, role: 'primary', epoch: DAEMON.epoch + 1 };
    this.status = { ...this.status, role: 'backup', lease: 0, epoch: DAEMON.epoch + 1, peer };
    return { ok: true, text: 'box b is primary' };
  }

  private monitor(request: Json): Json {
    const read = readMonitorRequest(JSON.stringify(request));
    if ('error' in read) return read;
    if (request['command'] === 'alarms') return { active: [], history: [] };
    if (request['command'] !== 'status') return { ok: true };
    const name = this.active() === undefined ? '' : 'north-a';
    const running = this.identity !== undefined && this.active() !== undefined;
    return {
      at: this.now,
      phase: running ? 'running' : 'unconfigured',
      box: this.identity,
      name,
      release: 'sipair 0.1.0',
      health: HEALTH,
      system: SYSTEM,
      leds: LEDS,
      ...(running && !this.down.has('control') ? { daemon: this.status } : {}),
      alarms: [],
      history: [],
    };
  }

  private self(request: Json): Json {
    const file = String(request['file'] ?? '');
    switch (request['command']) {
      case 'write-file':
        this.files.set(file, String(request['text']));
        return { ok: true, path: `/data/config/saved/${file}` };
      case 'read-file': {
        const text = this.files.get(file);
        return text === undefined
          ? { error: 'file-missing', text: `there is no ${file}` }
          : { ok: true, text };
      }
      case 'admin':
        return this.admin(request);
      case 'data-fault':
        return { ok: true, text: this.dataFault };
      default:
        return { ok: true };
    }
  }

  private admin(request: Json): Json {
    const base = { ok: true, verified: false };
    if (request['verb'] === 'set-peer') {
      if (!this.peerReachable) return { error: 'admin-peer', text: 'the other box is not there' };
      const known = request['old'] === this.password;
      if (known) this.peerPassword = String(request['password']);
      return { ...base, verified: known, lockedMs: 0, triesLeft: TRIES };
    }
    if (request['verb'] === 'set' && [undefined, this.password].includes(request['old'] as never)) {
      this.password = String(request['password']);
      return { ...base, verified: true, lockedMs: 0, triesLeft: TRIES };
    }
    if (this.password === undefined) {
      return { error: 'admin-none', text: 'no password of admin was set yet' };
    }
    const lockedMs = Math.max(0, this.lockedUntil - this.now);
    if (lockedMs > 0) return { ...base, lockedMs, triesLeft: 0 };
    if (request['password'] === this.password) {
      this.tries = TRIES;
      return { ...base, verified: true, lockedMs: 0, triesLeft: TRIES };
    }
    this.tries -= 1;
    if (this.tries > 0) return { ...base, lockedMs: 0, triesLeft: this.tries };
    this.tries = TRIES;
    this.lockedUntil = this.now + LOCK_MS;
    return { ...base, lockedMs: LOCK_MS, triesLeft: 0 };
  }

  private system(request: Json): Json | readonly Json[] {
    switch (request['command']) {
      case 'admin':
        return this.admin(request);
      case 'state':
        return {
          ok: true,
          ...(this.identity === undefined ? {} : { identity: { box: this.identity } }),
          paired: this.paired,
          admin: this.password !== undefined,
          revision: {
            number: this.active()?.number ?? 0,
            ...(this.confirmBy === undefined ? {} : { confirmBy: this.confirmBy }),
          },
          peer: { reachable: this.paired && this.peerReachable },
        };
      case 'configuration':
        return this.configuration(request['revision']);
      case 'revisions':
        return {
          ok: true,
          revisions: this.revisions.map(({ tree: _, ...head }) => head),
          active: this.activeNumber,
        };
      case 'check':
        return {
          ok: true,
          faults: verifyTree(request['tree'] as Tree),
          peer: this.peerReachable ? 'checked' : 'absent',
        };
      case 'commit':
        return this.commit(request);
      case 'confirm':
        if (this.confirmBy === undefined) {
          return { error: 'confirm-none', text: 'nothing waits for a confirmation' };
        }
        this.confirmBy = undefined;
        return { ok: true, revision: this.active()?.number };
      case 'pair':
        return [{ say: 'box a: waiting for the other box on eth1' }, { code: '271828' }];
      case 'first-boot':
        return this.firstBoot(request);
      case 'log':
        return { ok: true, lines: ['2026-11-26T12:00:00Z sipair: in step'] };
      case 'support-bundle':
        return request['to'] === 'usb:'
          ? { ok: true, path: `usb:${this.bundleName()}`, bytes: 48213 }
          : { ok: true, path: `/data/log/${this.bundleName()}`, bytes: 48213 };
      case 'files':
        return this.siteFiles(request);
      case 'stick':
        return this.stick(request);
      default:
        return { ok: true };
    }
  }

  private bundleName(): string {
    return `sipair-support-${stamp(new Date(this.now))}.tar.gz`;
  }

  private siteFiles({ verb, source, file }: Json): Json {
    const path = (name: unknown): string => `/data/secret/tls/${String(name).replace(/^usb:/, '')}`;
    if (verb === 'install') {
      this.files.set(path(source), 'pem');
      return { ok: true, path: path(source), peer: this.peerReachable };
    }
    if (verb === 'delete') {
      return this.files.delete(path(file))
        ? { ok: true }
        : { error: 'file-none', text: `there is no ${String(file)}` };
    }
    const paths = [...this.files.keys()].filter((p) => p.startsWith('/data/secret'));
    return { ok: true, files: paths.map((p) => ({ path: p, at: this.now, bytes: 1704 })) };
  }

  private stick(request: Json): Json {
    const file = `usb:${String(request['file'])}`;
    if (request['verb'] === 'write') {
      this.files.set(file, String(request['text']));
      return { ok: true, path: file };
    }
    const text = this.files.get(file);
    return text === undefined
      ? { error: 'stick-read', text: `there is no ${file}` }
      : { ok: true, text };
  }

  private configuration(number: unknown): Json {
    const r =
      number === undefined ? this.active() : this.revisions.find((x) => x.number === number);
    if (r === undefined) return { error: 'configuration-none', text: 'nothing is committed yet' };
    const { tree, ...revision } = r;
    return { ok: true, revision, tree };
  }

  private commit(request: Json): Json {
    const active = this.active();
    if (request['base'] !== active?.number) {
      return { error: 'commit-stale', text: `revision ${active?.number} is active` };
    }
    const tree = request['tree'] as Tree;
    const faults = verifyTree(tree);
    if (faults.length > 0) return { error: 'commit-faults', text: 'refused', faults };
    const before = active?.tree ?? {};
    const r = this.keep(tree, String(request['by']), String(request['comment']));
    const minutes = request['confirmMin'];
    const pending = this.confirmBy !== undefined;
    this.confirmBy = typeof minutes === 'number' ? this.now + minutes * 60_000 : undefined;
    // upon one that nobody confirmed: as far back as that one
    if (!pending) this.confirmBefore = active?.number ?? 0;
    return {
      ok: true,
      revision: r.number,
      peer: this.peerReachable ? 'committed' : 'absent',
      restarts: restarts(before, tree),
      ...(this.confirmBy === undefined ? {} : { confirmBy: this.confirmBy }),
    };
  }

  private firstBoot(request: Json): Json {
    this.identity = request['box'] as 'a' | 'b';
    return { ok: true, waits: this.paired ? 'peer' : 'pairing', revision: 0 };
  }

  /** What the operator said at the stream `pair`, and what comes of it. */
  told(value: Json): readonly Json[] {
    this.pairAnswer = value;
    if (value['answer'] !== 'y') return [{ error: 'pairing-refused', text: 'refused here' }];
    const say = this.paired
      ? 'the other box has the key of this one now: nothing changes here'
      : 'both boxes have a new key';
    this.paired = true;
    return [{ say }, { ok: true }];
  }
}
