/** `/metrics` and `/health` as curl is given them: who may ask, what is said, and when nothing is known. */

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import parse from 'parse-prometheus-text-format';
import { metricsConsumer } from '../../src/edge/monitor/metrics.ts';
import { sipairMibText } from '../../src/panel/mib/text.ts';
import { boxOf, daemonOf } from '../unit/status-scenes.ts';

const run = promisify(execFile);
const LAN = { interface: 'lo', address: '127.0.0.1' };
const LOCAL = daemonOf({ lan: LAN });

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

function stageOf(t: ExecutionContext, metrics: object | undefined, lan = LAN) {
  const root = mkdtempSync(join(tmpdir(), 'sipair-metrics-'));
  mkdirSync(join(root, 'run/sipair'), { recursive: true });
  writeFileSync(join(root, 'run/sipair/box.json'), JSON.stringify({ lan }));
  const consumer = metricsConsumer({
    root,
    release: 'sipair 0.1.0',
    system: metrics === undefined ? {} : { metrics },
    log: () => {},
    askDaemon: () => Promise.resolve({}),
  });
  t.teardown(() => {
    consumer.close();
    rmSync(root, { recursive: true, force: true });
  });
  return consumer;
}

async function curl(url: string, ...more: string[]): Promise<{ code: number; body: string }> {
  const retry = ['--retry', '20', '--retry-connrefused', '--retry-delay', '1', '--max-time', '20'];
  const { stdout } = await run('curl', ['-sS', ...retry, '-w', '\n%{http_code}', ...more, url]);
  const at = stdout.lastIndexOf('\n');
  return { code: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
}

test('who connects and says nothing keeps nobody out, and is cut off', async (t) => {
  const port = await freePort();
  const consumer = stageOf(t, { port });
  consumer.update(boxOf({ at: Date.now(), daemon: LOCAL }), []);
  t.is((await curl(`http://127.0.0.1:${port}/SIPAIR-MIB.txt`)).code, 200);
  let open = 0;
  for (let i = 0; i < 40; i += 1) {
    const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
    socket.resume();
    t.teardown(() => socket.destroy());
    socket.on('error', () => {});
    socket.on('connect', () => {
      open += 1;
      // half a request is no request
      socket.write('GET /metrics HTTP/1.1\r\n');
    });
    socket.on('close', () => {
      open -= 1;
    });
  }
  const url = `http://127.0.0.1:${port}/SIPAIR-MIB.txt`;
  const { stdout } = await run('curl', [
    '-sS',
    '--max-time',
    '20',
    '-w',
    '%{http_code}',
    '-o',
    '/dev/null',
    url,
  ]);
  t.is(stdout, '200');
  // headers may take 5 s
  for (let i = 0; open > 0 && i < 600; i += 1) await sleep(100);
  t.is(open, 0);
});

test('the state of the box for Prometheus, load balancers, and who needs the MIB', async (t) => {
  const port = await freePort();
  const consumer = stageOf(t, { port, allow: ['127.0.0.0/8'] });
  const at = `http://127.0.0.1:${port}`;
  t.is((await curl(`${at}/healthy`)).code, 404);
  // nothing is known yet
  const { stdout } = await run('curl', [
    '-sS',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    `${at}/health`,
  ]);
  t.is(stdout, '503');

  consumer.update(boxOf({ at: Date.now(), daemon: LOCAL }), []);
  const metrics = await curl(`${at}/metrics`, '-i');
  t.is(metrics.code, 200);
  t.regex(metrics.body, /content-type: text\/plain; version=0\.0\.4/i);
  const families = parse(metrics.body.slice(metrics.body.indexOf('# HELP'))) as { name: string }[];
  t.true(families.some(({ name }) => name === 'sipair_calls'));
  t.is((await curl(`${at}/health`)).code, 200);
  t.is((await curl(`${at}/health?role=primary`)).code, 200);
  t.is((await curl(`${at}/SIPAIR-MIB.txt`)).body.trim(), sipairMibText().trim());
  t.is((await curl(`${at}/metrics`, '-X', 'POST')).code, 405);

  const health = async (path: string): Promise<{ code: string; why: string }> => {
    const said = await run('curl', ['-sS', '-w', '\n%{http_code}', `${at}${path}`]);
    const [body = '', code = ''] = said.stdout.trim().split(/\n+/);
    return { code, why: (JSON.parse(body) as { why: string }).why };
  };
  const late = daemonOf({
    lan: LAN,
    role: 'backup',
    inStep: false,
    readiness: { ready: false, why: 'it is copying' },
  });
  consumer.update(boxOf({ at: Date.now(), daemon: late }), []);
  t.deepEqual(await health('/health'), { code: '503', why: 'out of step: it is copying' });
  consumer.update(boxOf({ at: Date.now() - 60_000, daemon: LOCAL }), []);
  t.is((await health('/health')).code, '503', 'an old state is no health');
  // the box is given another address: it is served there
  const moved = daemonOf({ lan: { interface: 'lo', address: '127.0.0.2' } });
  consumer.update(boxOf({ at: Date.now(), daemon: moved }), []);
  t.is((await curl(`http://127.0.0.2:${port}/health`)).code, 200);
  await t.throwsAsync(run('curl', ['-sS', `${at}/health`]));
  // what a request says is no path and no address of ours
  consumer.update(boxOf({ at: Date.now(), daemon: LOCAL }), []);
  t.is((await curl(`${at}//`, '--path-as-is')).code, 404);
});

test('a configuration that says nothing of metrics opens no port', async (t) => {
  const own = { interface: 'lo', address: '127.77.94.64' };
  for (const metrics of [undefined, {}, { allow: ['127.0.0.0/8'] }, { port: 0 }]) {
    const consumer = stageOf(t, metrics, own);
    consumer.update(boxOf({ at: Date.now(), daemon: daemonOf({ lan: own }) }), []);
    await sleep(300);
    const why = await new Promise((done) => {
      const socket = connect(9464, own.address);
      socket.on('connect', () => done('somebody listens'));
      socket.on('error', (e: NodeJS.ErrnoException) => done(e.code));
      t.teardown(() => socket.destroy());
    });
    t.is(why, 'ECONNREFUSED', JSON.stringify(metrics));
  }
});

test('who is not allowed is not answered, and a change of that counts at once', async (t) => {
  const port = await freePort();
  const consumer = stageOf(t, { port, allow: ['192.0.2.0/24'] });
  consumer.update(boxOf({ at: Date.now(), daemon: LOCAL }), []);
  const at = `http://127.0.0.1:${port}/metrics`;
  // the server may still be about to listen: then curl is refused (7); once it listens, cut off (52, 56)
  const codes: number[] = [];
  for (let i = 0; i < 100 && codes.at(-1) !== 52 && codes.at(-1) !== 56; i++) {
    const failed = await t.throwsAsync<Error & { code?: number }>(run('curl', ['-sS', at]));
    codes.push(failed?.code ?? 0);
    await new Promise((done) => setTimeout(done, 100));
  }
  t.true(codes.at(-1) === 52 || codes.at(-1) === 56, `${codes}`);
  consumer.configure?.({ metrics: { port, allow: ['127.0.0.1/32'] } });
  t.is((await curl(at)).code, 200);
  consumer.configure?.({ metrics: { port: 0 } });
  await t.throwsAsync(run('curl', ['-sS', at]));
});
