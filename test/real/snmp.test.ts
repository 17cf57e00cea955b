/**
 * SNMP as an operator's monitoring sees it: Debian's snmpd in front, this box's subagent behind it, asked
 * by snmpwalk, and traps and informs taken by snmptrapd, all by SNMPv3 with authentication and privacy.
 */

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { AGENTX_SOCKET, snmpConsumer } from '../../src/edge/monitor/agentx.ts';
import { type SnmpSettings, snmpdConf } from '../../src/panel/mib/snmpd-conf.ts';
import type { BoxStatus, DaemonStatus } from '../../src/panel/monitor/box-status.ts';
import { createLab, labName } from '../lab/lab.ts';
import { ROOT } from '../lab/places.ts';
import { AT, alarmOf, boxOf, daemonOf } from '../unit/status-scenes.ts';

const run = promisify(execFile);
const WAIT_MS = 30_000;
const OURS = '.1.3.6.1.4.1.32473.1.1';
const AUTH = 'authentication-1';
const PRIV = 'privacy-12345';

const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function until<T>(
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

class Stage {
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
    mkdirSync(join(root, 'state'), { recursive: true });
    mkdirSync(dirname(join(root, AGENTX_SOCKET)), { recursive: true });
  }

  static async open(t: ExecutionContext): Promise<Stage> {
    const root = mkdtempSync(join(tmpdir(), 'sipair-snmp-'));
    const stage = new Stage(root, await freePort(), await freePort());
    t.teardown(() => stage.close());
    return stage;
  }

  snmpd(snmp: SnmpSettings): ChildProcess {
    const conf = join(this.root, 'snmpd.conf');
    const place = { address: '127.0.0.1', port: this.port, interface: 'lo' };
    writeFileSync(conf, snmpdConf(snmp, { ...place, agentx: join(this.root, AGENTX_SOCKET) }), {
      mode: 0o600,
    });
    return this.spawn('snmpd', ['-f', '-Lo', '-C', '-c', conf, '-I', '-smux'], () => {});
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

const USERS = { watcher: { authKey: AUTH, privKey: PRIV } };

function consumerOf(t: ExecutionContext, stage: Stage) {
  const logs: string[] = [];
  const consumer = snmpConsumer({
    root: stage.root,
    release: 'sipair 0.1.0',
    system: { snmp: { enabled: true } },
    log: (level, text) => logs.push(`${level} ${text}`),
    askDaemon: () => Promise.resolve({}),
  });
  t.teardown(() => consumer.close());
  return { consumer, logs };
}

test('the state of a box is read by SNMPv3, survives snmpd, and is for nobody without the password', async (t) => {
  const stage = await Stage.open(t);
  const { consumer, logs } = consumerOf(t, stage);
  const status = boxOf({ alarms: [alarmOf()] });
  consumer.update(status, []);
  let snmpd = stage.snmpd({ enabled: true, location: 'rack 7', users: USERS });
  t.is(await until('role', () => stage.value(`${OURS}.2.1.0`)), '5');
  t.is(await stage.value('.1.3.6.1.2.1.1.6.0'), '"rack 7"', 'the standard MIBs are snmpd’s own');
  t.not(await stage.value('.1.3.6.1.2.1.2.1.0'), undefined);
  t.is(await stage.value('.1.3.6.1.2.1.149.1.3.1.1.1.1'), '100');
  t.is(await stage.value('.1.3.6.1.2.1.151.1.1.1.1.2.1'), 'C0 00 02 0A ');
  const index = [...Buffer.from('callsTried')].join('.');
  t.is(await stage.value(`${OURS}.3.20.1.2.${index}`), '5000000000', '64 bits');
  // both ways of walking give the same, and end
  const walked = await stage.ask('snmpwalk', [OURS]);
  const bulk = await stage.ask('snmpbulkwalk', ['-Cr25', OURS]);
  t.is(walked, bulk);
  t.true((walked ?? '').split('\n').length > 100);
  t.regex(walked ?? '', /crossover-down/);
  t.not(await stage.ask('snmpwalk', ['.1.3.6.1.2.1.207']), undefined);
  // several at once, of which one does not exist
  const some = await stage.ask('snmpget', [`${OURS}.2.2.0`, `${OURS}.2.99.0`, `${OURS}.4.1.0`]);
  t.regex(some ?? '', /2\.2\.0 = Gauge32: 3\n.*No Such.*\n.*4\.1\.0 = Gauge32: 1/);

  t.is(await stage.ask('snmpwalk', [OURS], 'another-password'), undefined, 'wrong password');
  t.is(await stage.ask('snmpset', [`${OURS}.1.2.0`, 's', 'mine']), undefined, 'nothing is written');
  const v2c = ['-v2c', '-c', 'public', '-t', '1', '-r', '0', `127.0.0.1:${stage.port}`, OURS];
  await t.throwsAsync(run('snmpwalk', v2c, { env: stage.env }), undefined, 'v2c is off');

  snmpd.kill('SIGKILL');
  await until('the end of snmpd is noticed', () => logs.find((l) => l.includes('no snmpd')));
  snmpd = stage.snmpd({ enabled: true, users: USERS, community: 'readme' });
  consumer.update(boxOf({ daemon: daemonOf({ role: 'backup' }) }), []);
  t.is(await until('role after a restart', () => stage.value(`${OURS}.2.1.0`)), '3');
  const open = ['-v2c', '-c', 'readme', '-On', `127.0.0.1:${stage.port}`, `${OURS}.2.2.0`];
  t.regex((await run('snmpget', open, { env: stage.env })).stdout, /Gauge32: 3/);
});

test('what changes is told: traps, and informs until they are acknowledged', async (t) => {
  const stage = await Stage.open(t);
  const { consumer } = consumerOf(t, stage);
  const traps = {
    once: { address: '127.0.0.1', port: stage.trapPort, kind: 'trap', user: 'watcher' },
    sure: { address: '127.0.0.1', port: stage.trapPort, kind: 'inform', user: 'watcher' },
  } as const;
  consumer.update(boxOf(), []);
  const first = stage.snmpd({ enabled: true, users: USERS });
  const engine = await until('the engine id', () => stage.value('.1.3.6.1.6.3.10.2.1.1.0'));
  first.kill('SIGKILL');
  const engineId = engine.replace(/[^0-9A-F]/gi, '');
  stage.trapd(engineId);
  await until('snmptrapd', () => (stage.heard.includes('NET-SNMP version') ? true : undefined));
  stage.snmpd({ enabled: true, users: USERS, traps });
  await until('the subagent is back', () => stage.value(`${OURS}.2.1.0`));
  t.is(await stage.value('.1.3.6.1.6.3.10.2.1.1.0'), engine, 'the engine id is that of the port');

  const alarm = alarmOf();
  consumer.update(boxOf({ alarms: [alarm] }), [
    { at: AT, kind: 'role-change', from: 'backup', to: 'primary', cause: 'peer-silent', epoch: 3 },
    { at: AT, kind: 'alarm-raised', alarm },
  ]);
  // each once as a trap and once as an inform, which snmptrapd only prints after it answered
  const count = (what: RegExp): number => [...stage.heard.matchAll(what)].length;
  const TRAP_OID = '\\.1\\.3\\.6\\.1\\.6\\.3\\.1\\.1\\.4\\.1\\.0 = OID: ';
  const role = new RegExp(`${TRAP_OID}\\.1\\.3\\.6\\.1\\.4\\.1\\.32473\\.1\\.0\\.1\\b`, 'g');
  const raised = new RegExp(`${TRAP_OID}\\.1\\.3\\.6\\.1\\.4\\.1\\.32473\\.1\\.0\\.14\\b`, 'g');
  const vrrp = new RegExp(`${TRAP_OID}\\.1\\.3\\.6\\.1\\.2\\.1\\.207\\.0\\.1\\b`, 'g');
  await until('two of each', () =>
    count(role) >= 2 && count(raised) >= 2 && count(vrrp) >= 2 ? true : undefined,
  );
  t.regex(stage.heard, /role: backup to primary \(peer-silent\), epoch 3/);
  t.regex(stage.heard, /32473\.1\.1\.4\.3\.1\.2\.9 = STRING: "crossover-down"/);
  t.regex(stage.heard, /\.1\.3\.6\.1\.2\.1\.1\.3\.0 = Timeticks/, 'the uptime is the agent’s');

  consumer.close();
  t.is(
    await until('unregistered', async () =>
      (await stage.value(`${OURS}.2.1.0`)) === undefined ? 'gone' : undefined,
    ),
    'gone',
  );
});

/** How often the backup acknowledged, and that was measured. */
function ackedBy(daemon: DaemonStatus | undefined): number {
  return Object.values(daemon?.ackLatency ?? {}).reduce((n, c) => n + c, 0);
}

test('what SNMP says is what the daemon says', async (t) => {
  const stage = await Stage.open(t);
  const lab = await createLab({ name: labName('snmp'), phones: 2 });
  t.teardown(() => lab.down());
  const { consumer } = consumerOf(t, stage);
  stage.snmpd({ enabled: true, users: USERS });
  const { primary } = await lab.status();
  const box = primary ?? 'a';
  const daemon = await until('an answer of the daemon', async () => {
    const { status } = (await lab.status()).boxes[box];
    const asked = status as unknown as DaemonStatus | undefined;
    const busy = (asked?.counters?.['requestsIn'] ?? 0) > 0 && ackedBy(asked) > 0;
    return asked?.readiness.ready === true && busy ? asked : undefined;
  });
  const status: BoxStatus = boxOf({ at: Date.now(), box, daemon });
  consumer.update(status, []);
  t.is(await until('role', () => stage.value(`${OURS}.2.1.0`)), '5');
  t.is(await stage.value(`${OURS}.2.4.0`), '1');
  t.is(await stage.value(`${OURS}.2.2.0`), `${daemon.epoch}`);
  t.is(await stage.value(`${OURS}.3.3.0`), `${daemon.registrations}`);
  const walked = (await stage.ask('snmpwalk', [`${OURS}.3.20`])) ?? '';
  const said: { [name: string]: number } = {};
  for (const [, index = '', value] of walked.matchAll(
    /3\.20\.1\.2\.([\d.]+) = Counter64: (\d+)/g,
  )) {
    said[String.fromCharCode(...index.split('.').map(Number))] = Number(value);
  }
  t.deepEqual(said, daemon.counters as { [name: string]: number });
  t.true((said['requestsOut'] ?? 0) + (said['responsesOut'] ?? 0) > 0);
});

test('the module is accepted by smilint, and its names are found by snmptranslate', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sipair-mib-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  // Debian has no modules of the IETF (they are not free); those that SMIv2 itself needs come with net-snmp
  const theirs = join(ROOT, 'node_modules/net-snmp/lib/mibs');
  for (const name of ['SNMPv2-SMI', 'SNMPv2-TC', 'SNMPv2-CONF']) {
    copyFileSync(join(theirs, `${name}.mib`), join(folder, name));
  }
  const own = join(folder, 'SIPAIR-MIB');
  copyFileSync(join(ROOT, 'src/panel/mib/mibs/SIPAIR-MIB.txt'), own);
  const conf = join(folder, 'smi.conf');
  writeFileSync(conf, `path ${folder}\n`);
  const said = execFileSync('smilint', ['-c', conf, '-s', '-l', '6', own], { encoding: 'utf8' });
  t.is(said, '');
  const translate = (name: string): string =>
    execFileSync('snmptranslate', ['-M', folder, '-m', 'SIPAIR-MIB', '-IR', '-On', name], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  t.is(translate('sipairPairReady.0'), `${OURS}.2.4.0`);
  t.is(translate('sipairAlarmRaised'), '.1.3.6.1.4.1.32473.1.0.14');
});
