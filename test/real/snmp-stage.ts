/**
 * A stage for SNMP: Debian's snmpd as the appliance's unit starts it (its command and its environment are read from the unit, with
 * the folders below a root of its own), snmptrapd as a receiver, and the tools that ask.
 */

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { AGENTX_SOCKET } from '../../src/edge/monitor/agentx.ts';
import { type SnmpSettings, snmpdConf } from '../../src/panel/mib/snmpd-conf.ts';
import { ROOT } from '../lab/places.ts';

export const run = promisify(execFile);
const WAIT_MS = 30_000;
export const OURS = '.1.3.6.1.4.1.32473.1.1';
export const AUTH = 'authentication-1';
export const PRIV = 'privacy-12345';

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

export async function until<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(200);
  }
}

/** Of the appliance: the drop-in of snmpd's unit, and what runs before it. */
const UNIT = 'image/root/etc/systemd/system/snmpd.service.d/10-sipair.conf';
const BOOTS = 'image/root/usr/lib/sipair/snmp-boots';

/** A port that nobody has just now. */
function freePort(): Promise<number> {
  return new Promise((done) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => done(port));
    });
  });
}

export class Stage {
  readonly root: string;
  readonly port: number;
  readonly trapPort: number;
  readonly env: NodeJS.ProcessEnv;
  private readonly children: ChildProcess[] = [];
  heard = '';

  constructor(root: string, port: number, trapPort: number) {
    this.root = root;
    this.port = port;
    this.trapPort = trapPort;
    this.env = { ...process.env, MIBS: '', SNMP_PERSISTENT_DIR: join(root, 'state') };
    for (const folder of ['state', 'data/snmp', 'run/snmp', 'run/snmpd', 'run/sipair']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
  }

  static async open(t: ExecutionContext): Promise<Stage> {
    const root = mkdtempSync(join(tmpdir(), 'sipair-snmp-'));
    const stage = new Stage(root, await freePort(), await freePort());
    t.teardown(() => stage.close());
    return stage;
  }

  /** A file of the appliance with its folders below this root. */
  private here(file: string): string {
    return readFileSync(join(ROOT, file), 'utf8').replace(/\/(?:data|run)\/snmpd?\b/g, (path) =>
      join(this.root, path),
    );
  }

  /** What the unit runs before snmpd: a fault of it is none of snmpd's. */
  private before(): void {
    const script = join(this.root, 'snmp-boots');
    writeFileSync(script, this.here(BOOTS));
    spawnSync('bash', [script], { stdio: 'ignore' });
  }

  snmpd(snmp: SnmpSettings): ChildProcess {
    const conf = join(this.root, 'run/snmp/snmpd.conf');
    const place = { address: '127.0.0.1', port: this.port, interface: 'lo' };
    writeFileSync(conf, snmpdConf(snmp, { ...place, agentx: join(this.root, AGENTX_SOCKET) }), {
      mode: 0o600,
    });
    const unit = this.here(UNIT);
    if (/^ExecStartPre=-\S+\/snmp-boots$/m.test(unit)) this.before();
    // the account is that of the appliance
    const command = (/^ExecStart=(\S.*)$/m.exec(unit)?.[1] ?? '').replace(
      / -[ug] Debian-snmp/g,
      '',
    );
    const [program = '', ...args] = command.split(' ');
    const state = /^Environment=.*\bSNMP_PERSISTENT_DIR=(\S+)$/m.exec(unit)?.[1] ?? '';
    return this.spawn(program, args, () => {}, { SNMP_PERSISTENT_DIR: state });
  }

  /** Takes what comes; traps of an engine are only understood by who knows its id. */
  trapd(engineId: string): ChildProcess {
    const conf = join(this.root, 'snmptrapd.conf');
    const keys = `SHA-256 "${AUTH}" AES "${PRIV}"`;
    const lines = [
      `createUser -e 0x${engineId} watcher ${keys}`,
      `createUser watcher ${keys}`,
      'authUser log watcher priv',
      'disableAuthorization no',
    ];
    writeFileSync(conf, `${lines.join('\n')}\n`);
    const env = { SNMP_PERSISTENT_DIR: join(this.root, 'trapstate') };
    const args = ['-f', '-Lo', '-On', '-C', '-c', conf, `udp:127.0.0.1:${this.trapPort}`];
    return this.spawn('snmptrapd', args, (text) => (this.heard += text), env);
  }

  private spawn(
    program: string,
    args: readonly string[],
    take: (text: string) => void,
    more: NodeJS.ProcessEnv = {},
  ): ChildProcess {
    // it ends with this process, however that ends
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...args], {
      env: { ...this.env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout?.setEncoding('utf8').on('data', take);
    child.stderr?.setEncoding('utf8').on('data', take);
    this.children.push(child);
    return child;
  }

  /** @returns what the tool said, or undefined when it was refused or heard nothing. */
  async ask(
    tool: 'snmpget' | 'snmpwalk' | 'snmpbulkwalk' | 'snmpset',
    names: readonly string[],
    auth: string = AUTH,
  ): Promise<string | undefined> {
    const who = ['-v3', '-l', 'authPriv', '-u', 'watcher', '-a', 'SHA-256', '-A', auth];
    const how = ['-x', 'AES', '-X', PRIV, '-On', '-Oe', '-t', '2', '-r', '1'];
    const options = { env: this.env, maxBuffer: 1e8 };
    try {
      const args = [...who, ...how, `127.0.0.1:${this.port}`, ...names];
      return (await run(tool, args, options)).stdout;
    } catch {
      return undefined;
    }
  }

  /** Value of one instance, as snmpget prints it after the type. */
  async value(oid: string): Promise<string | undefined> {
    const text = await this.ask('snmpget', [oid]);
    const found = /= (?:[\w-]+: )?(.*)/.exec(text ?? '')?.[1];
    return found === undefined || found.startsWith('No Such') ? undefined : found;
  }

  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(
      this.children.map((child) =>
        child.exitCode === null && child.signalCode === null
          ? new Promise((done) => child.once('exit', done))
          : undefined,
      ),
    );
    rmSync(this.root, { recursive: true, force: true });
  }
}
