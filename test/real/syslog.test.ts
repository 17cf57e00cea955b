/** Syslog against Debian's rsyslog: by UDP, by TCP with octet counting, by TLS; and while it is away. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { syslogConsumer } from '../../src/edge/monitor/syslog.ts';
import { AT, alarmOf, boxOf } from '../unit/status-scenes.ts';

const WAIT_MS = 30_000;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`waited in vain: ${what}`);
    await sleep(100);
  }
}

function freeTcp(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

function freeUdp(): Promise<number> {
  return new Promise((done) => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1', () => {
      const { port } = socket.address();
      socket.close(() => done(port));
    });
  });
}

/** A certificate authority, and a server's certificate for 127.0.0.1. */
function certificates(root: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: root, stdio: 'ignore' });
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.pem',
    '-subj',
    '/CN=ca',
    '-days',
    '2',
  );
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=logs');
  writeFileSync(join(root, 'ext'), 'subjectAltName=IP:127.0.0.1\n');
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'ext'];
  openssl('x509', '-req', '-in', 'server.csr', ...by, '-out', 'server.pem', '-days', '2');
}

type Ports = { readonly udp: number; readonly tcp: number; readonly tls: number };

function config(root: string, ports: Ports): string {
  const files = ['ca', 'server'].map((n) => join(root, `${n}.pem`));
  const format =
    '%pri%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%|%inputname%\\n';
  return `global(workDirectory="${root}" DefaultNetstreamDriver="ossl"
  DefaultNetstreamDriverCAFile="${files[0]}" DefaultNetstreamDriverCertFile="${files[1]}"
  DefaultNetstreamDriverKeyFile="${join(root, 'server.key')}")
module(load="imudp") module(load="imtcp")
template(name="all" type="string" string="${format}")
ruleset(name="keep") { action(type="omfile" file="${join(root, 'out')}" template="all") }
input(type="imudp" address="127.0.0.1" port="${ports.udp}" ruleset="keep" name="udp")
input(type="imtcp" address="127.0.0.1" port="${ports.tcp}" ruleset="keep" name="tcp" StreamDriver.Name="ptcp" StreamDriver.Mode="0")
input(type="imtcp" address="127.0.0.1" port="${ports.tls}" ruleset="keep" name="tls"
  StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
`;
}

class Collector {
  readonly root: string;
  readonly ports: Ports;
  private child: ChildProcess | undefined;

  private constructor(root: string, ports: Ports) {
    this.root = root;
    this.ports = ports;
    certificates(root);
    writeFileSync(join(root, 'rsyslog.conf'), config(root, ports));
  }

  static async make(t: ExecutionContext): Promise<Collector> {
    const root = mkdtempSync(join(tmpdir(), 'sipair-syslog-'));
    const ports = { udp: await freeUdp(), tcp: await freeTcp(), tls: await freeTcp() };
    const collector = new Collector(root, ports);
    t.teardown(async () => {
      await collector.stop();
      rmSync(root, { recursive: true, force: true });
    });
    return collector;
  }

  start(): void {
    const args = ['-n', '-f', join(this.root, 'rsyslog.conf'), '-i', join(this.root, 'pid')];
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', 'rsyslogd', ...args], {
      stdio: 'ignore',
    });
  }

  async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined) return;
    child.kill('SIGKILL');
    if (child.exitCode === null) await new Promise((done) => child.once('exit', done));
    rmSync(join(this.root, 'pid'), { force: true });
  }

  get lines(): string[] {
    const file = join(this.root, 'out');
    return existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((l) => l !== '')
      : [];
  }

  /** The first line that came by `input` and has `text`. */
  find(input: string, text: string): string | undefined {
    return this.lines.find((l) => l.endsWith(`|${input}`) && l.includes(text));
  }
}

test('rsyslog reads what a box says, by UDP, TCP and TLS, and after it was away', async (t) => {
  const collector = await Collector.make(t);
  const { root, ports } = collector;
  mkdirSync(join(root, 'data/secret/tls'), { recursive: true });
  writeFileSync(join(root, 'data/secret/tls/syslog-ca.pem'), readFileSync(join(root, 'ca.pem')));
  const journal = join(root, 'journal');
  writeFileSync(journal, '');
  const logs: string[] = [];
  const server = (transport: keyof Ports, level: string) => ({
    address: '127.0.0.1',
    port: ports[transport],
    transport,
    level,
  });
  const system = {
    syslog: { u: server('udp', 'notice'), c: server('tcp', 'info'), s: server('tls', 'error') },
  };
  const consumer = syslogConsumer(
    {
      root,
      release: 'sipair 0.1.0',
      system,
      log: (_, text) => logs.push(text),
      askDaemon: () => Promise.resolve({}),
    },
    ['tail', '-n', '0', '-F', '-s', '0.1', journal],
  );
  t.teardown(() => consumer.close());

  // nobody is there yet: streams wait
  const alarm = alarmOf({ subject: 'a "b" ]', text: 'Käfertal antwortet nicht' });
  consumer.update(boxOf(), [{ at: AT, kind: 'alarm-raised', alarm }]);
  await until('it is said that nobody is there', () =>
    logs.find((l) => l.includes('ECONNREFUSED')),
  );
  collector.start();
  const line = await until('the alarm by TCP', () => collector.find('tcp', 'crossover-down'));
  t.is(
    line,
    '27|2026-11-26T22:30:15.250Z|K_fertal|sipair|monitor|alarm-raised|' +
      '[sipair@32473 box="a" role="primary" epoch="3" inStep="true"]' +
      '[alarm@32473 code="crossover-down" subject="a \\"b\\" \\]" severity="major" id="8"]|' +
      '\ufeffalarm crossover-down: Käfertal antwortet nicht|tcp',
  );
  await until('the alarm by TLS', () => collector.find('tls', 'crossover-down'));

  await until('by UDP', () => {
    // a datagram for nobody is lost
    consumer.update(boxOf(), [{ at: AT + 1, kind: 'in-step' }]);
    return collector.find('udp', 'in step: calls are protected');
  });
  await until('by TCP', () => collector.find('tcp', 'in step: calls are protected'));
  // the log of the box: `info` goes to who wants it
  const say = (priority: number, text: string): void => {
    const j = { MESSAGE: text, PRIORITY: `${priority}`, _SYSTEMD_UNIT: 'sipair.service' };
    appendFileSync(journal, `${JSON.stringify({ ...j, __REALTIME_TIMESTAMP: `${AT}000` })}\n`);
  };
  await until('a line of the log', () => {
    say(6, '2026-11-26T22:30:15.250Z info box a on 192.0.2.11');
    return collector.find('tcp', 'box a on 192.0.2.11');
  });
  say(2, 'alarm lan-down: no carrier');
  await until('a grave one by TLS', () => collector.find('tls', 'lan-down: no carrier'));
  t.is(collector.find('udp', 'box a on 192.0.2.11'), undefined, 'less than it was to be told');
  t.is(collector.find('tls', 'in step'), undefined);

  await collector.stop();
  // what the kernel had taken when it died is lost; what comes after it was noticed is not
  const noticed = (): number => logs.filter((l) => l.includes('syslog: c ')).length;
  const before = noticed();
  await until('its end is noticed', () => (noticed() > before ? true : undefined));
  for (let i = 0; i < 50; i++)
    consumer.update(boxOf(), [
      { at: AT + i, kind: 'configuration', revision: 100 + i, by: 'admin' },
    ]);
  collector.start();
  await until('all that was said meanwhile', () => collector.find('tcp', 'revision 149'));
  const revisions = collector.lines
    .filter((l) => l.endsWith('|tcp') && l.includes('configuration: revision'))
    .map((l) => Number(/revision (\d+)/.exec(l)?.[1]));
  t.deepEqual(
    revisions,
    Array.from({ length: 50 }, (_, i) => 100 + i),
    'in order, each once',
  );
});

test('a log server that nobody vouches for is told nothing', async (t) => {
  const collector = await Collector.make(t);
  collector.start();
  const logs: string[] = [];
  const consumer = syslogConsumer(
    {
      // without the file of its authority
      root: join(collector.root, 'elsewhere'),
      release: 'sipair 0.1.0',
      system: {
        syslog: { s: { address: '127.0.0.1', port: collector.ports.tls, transport: 'tls' } },
      },
      log: (_, text) => logs.push(text),
      askDaemon: () => Promise.resolve({}),
    },
    undefined,
  );
  t.teardown(() => consumer.close());
  consumer.update(boxOf(), [{ at: AT, kind: 'peer-lost' }]);
  await until('it is said why', () =>
    logs.find((l) => /certificate/i.test(l) || l.includes('ECONNREFUSED')),
  );
  await until('the certificate is looked at', () => {
    consumer.configure?.({});
    consumer.configure?.({
      syslog: { s: { address: '127.0.0.1', port: collector.ports.tls, transport: 'tls' } },
    });
    return logs.find((l) => /certificate/i.test(l));
  });
  t.deepEqual(collector.lines, []);
});
