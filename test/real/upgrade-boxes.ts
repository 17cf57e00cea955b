/**
 * Two system agents as processes on loopback, each in a folder that looks like a box with two slots: a
 * boot loader's environment and a `rauc` that are shell scripts, a daemon that answers what the test's
 * little pair is. A restart that an agent asks for ends it, and starts it from the slot that is next.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE, ROOT } from '../lab/places.ts';

export type Json = { readonly [name: string]: unknown };
export type Side = 'a' | 'b';
export const SIDES = ['a', 'b'] as const;
const OTHER = { a: 'b', b: 'a' } as const;
const PATIENCE_MS = 60_000;
/** How long a box is away that restarts. */
const AWAY_MS = 500;
const VIP = '192.0.2.10';
/** Whoever leads is asked there whether callers are answered. */
const ANSWERS = `
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (_, { port, address }) => socket.send('SIP/2.0 200 OK', port, address));
socket.bind(5060, '${VIP}');
`;

/** State of the slots as NAME=VALUE lines, as the boot loader's tool shows them. */
const BOOTENV = `#!/bin/sh
set -eu
cd "$(dirname "$0")/../../.."
. ./env
save() { printf 'ORDER="%s"\\nA_OK=%s\\nA_TRY=%s\\nA_PROVED=%s\\nB_OK=%s\\nB_TRY=%s\\nB_PROVED=%s\\n' \\
  "$ORDER" $A_OK $A_TRY $A_PROVED $B_OK $B_TRY $B_PROVED >env.new; mv env.new env; }
case $1 in
  show) tr -d '"' <env ;;
  set-primary) if [ $2 = A ]; then ORDER="A B" A_OK=1 A_TRY=0 A_PROVED=0; else ORDER="B A" B_OK=1 B_TRY=0 B_PROVED=0; fi; save ;;
  set-state)
    if [ $3 = good ]; then ok=1; else ok=0; fi
    if [ $2 = A ]; then A_OK=$ok A_TRY=0 A_PROVED=$ok; else B_OK=$ok B_TRY=0 B_PROVED=$ok; fi
    save ;;
  *) exit 2 ;;
esac
`;

/** A bundle is a line of JSON; one that says so is signed by a stranger. */
const RAUC = `#!/bin/sh
set -eu
for last; do :; done
if grep -q stranger "$last"; then echo 'signature verification failed: unable to get local issuer certificate' >&2; exit 1; fi
case $1 in
  info) head -n 1 "$last" ;;
  install)
    box=$(dirname "$last")/../..
    if [ "$(cat "$box/run/sipair/slot")" = A ]; then slot=B; else slot=A; fi
    "$box/usr/lib/sipair/bootenv" set-state $slot bad
    sleep 0.2
    head -n 1 "$last" >"$box/slot-$slot" ;;
esac
`;

export async function until(what: string, done: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await done()); await sleep(50)) {
    if (performance.now() > end) throw new Error(`waited in vain for: ${what}`);
  }
}

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

type BoxState = {
  child: ChildProcess | undefined;
  daemon: Server | undefined;
  role: 'primary' | 'backup' | 'none';
  boots: number;
  orders: number;
  errors: string;
};

export class UpgradeBoxes {
  readonly root = mkdtempSync('/tmp/sipair-upgrade-');
  /** What became of it, for people and for tests. */
  readonly story: string[] = [];
  readonly both: string[] = [];
  private readonly netns = `sipair-upgrade-${process.pid}`;
  private readonly boxes: { readonly [s in Side]: BoxState };
  private readonly phone: ChildProcess;
  private ended = false;

  constructor() {
    const fresh = (): BoxState => ({
      child: undefined,
      daemon: undefined,
      role: 'none',
      boots: 0,
      orders: 0,
      errors: '',
    });
    this.boxes = { a: fresh(), b: fresh() };
    ip('netns', 'add', this.netns);
    ip('-n', this.netns, 'link', 'set', 'lo', 'up');
    for (const address of ['169.254.77.1/32', '169.254.77.2/32', `${VIP}/32`]) {
      ip('-n', this.netns, 'address', 'add', address, 'dev', 'lo');
    }
    this.phone = spawn('ip', ['netns', 'exec', this.netns, NODE, '-e', ANSWERS], {
      stdio: 'ignore',
    });
    mkdirSync(join(this.root, 'bin'));
    writeFileSync(join(this.root, 'bin/rauc'), RAUC, { mode: 0o755 });
    const key = '7'.repeat(64);
    for (const side of SIDES) this.furnish(side, key);
  }

  path(side: Side, path: string): string {
    return join(this.root, side, path);
  }

  private furnish(side: Side, key: string): void {
    for (const folder of ['data/config', 'data/secret', 'run/sipair', 'usr/lib/sipair']) {
      mkdirSync(this.path(side, folder), { recursive: true, mode: 0o700 });
    }
    mkdirSync(this.path(side, 'proc/sys/kernel/random'), { recursive: true });
    const own = {
      name: side,
      lan: { interface: 'eth0', address: side === 'a' ? '192.0.2.11' : '192.0.2.12' },
      crossover: { interface: 'lo' },
    };
    const put = (path: string, text: string, mode = 0o600): void =>
      writeFileSync(this.path(side, path), text, { mode });
    put('data/config/identity.json', JSON.stringify({ box: side }));
    put('data/config/draft.json', JSON.stringify({ box: side, own, system: {} }));
    put('data/secret/pair.key', `${key}\n`);
    put('usr/lib/sipair/bootenv', BOOTENV, 0o755);
    put('env', 'ORDER="A B"\nA_OK=1\nA_TRY=0\nA_PROVED=1\nB_OK=1\nB_TRY=0\nB_PROVED=1\n');
    for (const slot of ['A', 'B']) put(`slot-${slot}`, '{"version":"1"}\n');
  }

  // ── power ────────────────────────────────────────────────────────────────────────────────────

  private env(side: Side): Map<string, string> {
    const text = readFileSync(this.path(side, 'env'), 'utf8').replaceAll('"', '');
    return new Map(text.split('\n').map((line) => line.split('=') as [string, string]));
  }

  /** What the boot loader does, and then the agent and the daemon. */
  async start(side: Side): Promise<void> {
    const box = this.boxes[side];
    const env = this.env(side);
    const works = (slot: string): boolean =>
      env.get(`${slot}_OK`) === '1' &&
      Number(env.get(`${slot}_TRY`)) < (env.get(`${slot}_PROVED`) === '1' ? 12 : 3);
    const slot = (env.get('ORDER') ?? '').split(' ').find(works) ?? 'A';
    env.set(`${slot}_TRY`, String(Number(env.get(`${slot}_TRY`)) + 1));
    const lines = [...env].filter(([name]) => name !== '').map(([n, v]) => `${n}="${v}"\n`);
    writeFileSync(this.path(side, 'env'), lines.join(''));
    const content = JSON.parse(readFileSync(this.path(side, `slot-${slot}`), 'utf8')) as Json;
    this.story.push(`${side} starts from ${slot}, ${content['version']}`);
    if (content['starts'] === false) {
      await sleep(100);
      return this.start(side);
    }
    box.boots += 1;
    writeFileSync(this.path(side, 'run/sipair/slot'), `${slot}\n`);
    const boot = this.path(side, 'proc/sys/kernel/random/boot_id');
    writeFileSync(boot, `${side}-${box.boots}\n`);
    const release = `IMAGE_VERSION=${content['version']}\n`;
    writeFileSync(this.path(side, 'usr/lib/os-release'), release);
    await this.daemon(side);
    const words = ['netns', 'exec', this.netns, NODE, join(ROOT, 'src/main.ts'), 'system'];
    box.child = spawn('ip', [...words, '--root', join(this.root, side), '--apply', 'none'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        PATH: `${join(this.root, 'bin')}:${process.env['PATH']}`,
        SIPAIR_PROVE_MS: '1500',
      },
    });
    box.child.stderr?.on('data', (text: Buffer) => {
      box.errors += text.toString();
    });
  }

  /** The agent and the daemon are gone at once. */
  async off(side: Side): Promise<void> {
    const box = this.boxes[side];
    const { child } = box;
    box.child = undefined;
    box.role = 'none';
    box.daemon?.close();
    box.daemon = undefined;
    rmSync(this.path(side, 'run/sipair/control.sock'), { force: true });
    const other = this.boxes[OTHER[side]];
    if (other.role === 'backup') other.role = 'primary';
    if (child !== undefined && child.exitCode === null) {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
  }

  /** Restarts what asks for it, until the test is over. */
  async watch(): Promise<void> {
    while (!this.ended) {
      for (const side of SIDES) {
        const orders = this.path(side, 'run/sipair/machine-orders');
        const text = existsSync(orders) ? readFileSync(orders, 'utf8') : '';
        const count = text.split('["power","reboot"]').length - 1;
        if (count > this.boxes[side].orders) {
          this.boxes[side].orders = count;
          void this.restart(side);
        }
      }
      await sleep(20);
    }
  }

  private async restart(side: Side): Promise<void> {
    const box = this.boxes[side];
    const other = this.boxes[OTHER[side]];
    this.story.push(`${side} restarts as ${box.role}`);
    if (other.child === undefined) this.both.push(`${side} restarts while the other is away`);
    if (box.role === 'primary') this.both.push(`${side} restarts as primary`);
    await this.off(side);
    await sleep(AWAY_MS);
    if (!this.ended) await this.start(side);
  }

  // ── the daemon ───────────────────────────────────────────────────────────────────────────────

  private async daemon(side: Side): Promise<void> {
    const box = this.boxes[side];
    const other = this.boxes[OTHER[side]];
    box.role = other.role === 'primary' ? 'backup' : 'primary';
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (bytes: Buffer) => {
        const { command } = JSON.parse(String(bytes)) as { command: string };
        const inStep = box.role !== 'none' && other.role !== 'none';
        const peer = { seen: { x: inStep, l: inStep } };
        if (command !== 'switchover') {
          const word = { role: box.role, inStep, engineRole: 'x', vip: VIP, peer };
          socket.end(`${JSON.stringify(word)}\n`);
        } else if (box.role === 'primary' && inStep) {
          box.role = 'backup';
          other.role = 'primary';
          this.story.push(`${side} hands over`);
          socket.end('{"ok":true}\n');
        } else socket.end('{"error":"switchover-refused","text":"not in step"}\n');
      });
    });
    box.daemon = server;
    const path = this.path(side, 'run/sipair/control.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
  }

  // ── asked ────────────────────────────────────────────────────────────────────────────────────

  ask(side: Side, request: object): Promise<Json> {
    return new Promise((resolve) => {
      const socket = connect(this.path(side, 'run/sipair/system.sock'));
      let text = '';
      socket.setEncoding('utf8');
      socket.on('error', (e) => resolve({ error: 'unreachable', text: e.message }));
      // an agent that is killed meanwhile
      socket.on('close', () => resolve({ error: 'unreachable', text: 'no answer' }));
      socket.on('data', (more: string) => {
        text += more;
        if (!text.includes('\n')) return;
        socket.destroy();
        resolve(JSON.parse(text) as Json);
      });
      socket.write(`${JSON.stringify(request)}\n`);
    });
  }

  async phase(side: Side): Promise<string> {
    const { upgrade } = await this.ask(side, { command: 'image', verb: 'status' });
    return String((upgrade as Json | undefined)?.['phase'] ?? '');
  }

  async version(side: Side): Promise<string> {
    const { image } = await this.ask(side, { command: 'state' });
    return String((image as Json | undefined)?.['release'] ?? '');
  }

  async linked(): Promise<void> {
    for (const side of SIDES) {
      await until(`agent ${side} sees the other`, async () => {
        const { peer } = await this.ask(side, { command: 'state' });
        return (peer as Json | undefined)?.['reachable'] === true;
      });
    }
  }

  bundle(name: string, content: Json, bytes = 0): string {
    const path = join(this.root, name);
    const head = JSON.stringify({ compatible: 'sipair-appliance', ...content });
    writeFileSync(path, `${head}\n${'x'.repeat(bytes)}`);
    return path;
  }

  words(side: Side): string {
    return this.boxes[side].errors;
  }

  async close(): Promise<void> {
    this.ended = true;
    await sleep(50);
    for (const side of SIDES) await this.off(side);
    this.phone.kill('SIGKILL');
    ip('netns', 'delete', this.netns);
    rmSync(this.root, { recursive: true, force: true });
  }
}
