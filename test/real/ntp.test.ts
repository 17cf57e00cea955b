/**
 * The clock of a box: Debian's chronyd with the file that is made for it asks a chronyd in another
 * namespace, and its state is read as the monitor reads it. Nothing sets a clock here (`-x`).
 */

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { trackingOf } from '../../src/edge/monitor/health.ts';
import { chronyConf } from '../../src/panel/telemetry/chrony-conf.ts';

const run = promisify(execFile);
const WAIT_MS = 90_000;
const SERVER = '192.0.2.5';

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'ignore' });
}

class Place {
  readonly netns: string;
  readonly folder: string;
  private child: ChildProcess | undefined;

  constructor(root: string, name: string) {
    this.netns = `t${process.pid}-${name}`;
    this.folder = join(root, name);
    mkdirSync(this.folder, { mode: 0o700 });
    ip('netns', 'add', this.netns);
    ip('-n', this.netns, 'link', 'set', 'lo', 'up');
  }

  chronyd(conf: string): void {
    const file = join(this.folder, 'chrony.conf');
    const own = `bindcmdaddress ${this.socket}\npidfile ${join(this.folder, 'pid')}\n`;
    writeFileSync(file, `${conf}${own}`);
    const args = ['netns', 'exec', this.netns, 'chronyd', '-d', '-x', '-u', 'root', '-f', file];
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', 'ip', ...args], { stdio: 'ignore' });
  }

  get socket(): string {
    return join(this.folder, 'sock');
  }

  /** As the monitor reads it; undefined while chronyd does not answer. */
  async clock(): Promise<ReturnType<typeof trackingOf>> {
    try {
      // as the monitor is: root, and no capability at all
      const bare = ['setpriv', '--bounding-set', '-all', '--inh-caps', '-all'];
      const ask = ['chronyc', '-h', '127.0.0.1', '-c', 'tracking'];
      const { stdout } = await run('ip', ['netns', 'exec', this.netns, ...bare, ...ask]);
      return trackingOf(stdout);
    } catch {
      return undefined;
    }
  }

  async right(): Promise<boolean> {
    const ask = ['chronyc', '-n', '-h', '127.0.0.1', 'waitsync', '1'];
    return run('ip', ['netns', 'exec', this.netns, ...ask]).then(
      () => true,
      () => false,
    );
  }

  async order(...words: readonly string[]): Promise<string> {
    return (await run('chronyc', ['-h', this.socket, ...words])).stdout;
  }

  async until(synchronised: boolean): Promise<ReturnType<typeof trackingOf>> {
    const end = Date.now() + WAIT_MS;
    let last: ReturnType<typeof trackingOf>;
    while (Date.now() < end) {
      last = await this.clock();
      if (last?.synchronised === synchronised) return last;
      await new Promise((done) => setTimeout(done, 500));
    }
    throw new Error(`waited in vain: ${JSON.stringify(last)}`);
  }

  async remove(): Promise<void> {
    const { child } = this;
    if (child !== undefined && child.exitCode === null) {
      child.kill('SIGKILL');
      await new Promise((done) => child.once('exit', done));
    }
    ip('netns', 'del', this.netns);
  }
}

test('a box follows its time server, and who looks at it is told', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'sipair-ntp-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const server = new Place(root, 'ntps');
  t.teardown(() => server.remove());
  const box = new Place(root, 'ntpc');
  t.teardown(() => box.remove());
  const pair = ['peer', 'name', 'eth0', 'netns', server.netns];
  ip('-n', box.netns, 'link', 'add', 'eth0', 'type', 'veth', ...pair);
  for (const [place, address] of [
    [server, SERVER],
    [box, '192.0.2.11'],
  ] as const) {
    ip('-n', place.netns, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    ip('-n', place.netns, 'link', 'set', 'eth0', 'up');
  }

  const conf = chronyConf([SERVER], { drift: join(box.folder, 'drift') });
  box.chronyd(conf);
  const before = await box.until(false);
  t.is(before?.source, 'chrony', 'nobody answers yet');
  t.false(await box.right(), 'as the appliance waits for the first answers');
  t.regex(await box.order('makestep', '0.5', '3'), /200 OK/, 'and lets them step the clock');
  server.chronyd('local stratum 3\nallow 192.0.2.0/24\n');
  const after = await box.until(true);
  t.true(await box.right());
  // both have the same clock
  t.true(Math.abs(after?.offsetMs ?? 1e9) < 1000);
});

test('what is no answer of chronyc is none', (t) => {
  t.is(trackingOf(''), undefined);
  t.is(trackingOf('506 Cannot talk to daemon'), undefined);
});
