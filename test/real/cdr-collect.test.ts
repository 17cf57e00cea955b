/** Files of CDRs as a collector fetches them: by curl, with a password, and of a growing file what is new. */

import { execFile } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { rangeOf } from '../../src/edge/cti-cdr.ts';
import { CtiServer } from '../../src/edge/cti-server.ts';
import { programConfig } from '../unit/cti-lab.ts';

const run = promisify(execFile);

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

const LINE = (guid: string): string =>
  JSON.stringify({
    guid,
    kind: 'call',
    calling: '1001',
    called: '1002',
    start: '2026-11-26T10:00:00.000Z',
    answer: '2026-11-26T10:00:02.000Z',
    end: '2026-11-26T10:01:02.000Z',
    cause: 'normalClearing',
    devices: [{ device: '1001' }, { device: '1002' }],
  });

class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), 'sipair-cdr-'));
  readonly cdr = join(this.folder, 'cdr');
  private readonly server: CtiServer;
  private readonly port: number;

  constructor(t: ExecutionContext, port: number) {
    this.port = port;
    mkdirSync(this.cdr);
    this.server = new CtiServer(
      {
        box: 'a',
        address: '127.0.0.1',
        peerAddress: '127.0.0.2',
        cti: { enabled: true, port, tlsPort: 0, periodMs: 2000, misses: 5 },
        programs: [
          { ...programConfig('collector', {}), password: 'pass:word', roles: ['report'] },
          { ...programConfig('wallboard', {}), password: 'seen', roles: ['observe'] },
        ],
        release: 'sipair test',
        cdrFolder: this.cdr,
        identity: undefined,
        firstConn: 0,
      },
      {
        ask: () => {},
        log: () => {},
        mayAnswer: () => true,
        standing: () => ({ epoch: 3, lsn: 77, inStep: true, pairNow: 5 }),
      },
    );
    t.teardown(() => {
      this.server.close();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** The code of the answer and what came. */
  async curl(path: string, ...more: string[]): Promise<{ code: number; body: string }> {
    const out = join(this.folder, 'out');
    writeFileSync(out, '');
    const args = ['-sS', '--max-time', '20', '-o', out, '-w', '%{http_code}', ...more];
    // the server may still be about to listen
    const retry = ['--retry', '20', '--retry-connrefused', '--retry-delay', '1'];
    const { stdout } = await run('curl', [
      ...args,
      ...retry,
      `http://127.0.0.1:${this.port}${path}`,
    ]);
    return { code: Number(stdout), body: readFileSync(out, 'utf8') };
  }
}

const COLLECTOR = ['-u', 'collector:pass:word'];

test('curl takes the list, a day, what is new of it, and the same as CSV', async (t) => {
  const stage = new Stage(t, await freePort());
  const day = join(stage.cdr, '2026-11-26.jsonl');
  writeFileSync(day, `${LINE('g1')}\n${LINE('g2')}\n{"guid":"half`);
  const whole = `${LINE('g1')}\n${LINE('g2')}\n`;

  const list = await stage.curl('/cdr/', ...COLLECTOR);
  t.is(list.code, 200);
  const [entry] = JSON.parse(list.body) as { day: string; file: string; bytes: number }[];
  t.is(entry?.day, '2026-11-26');
  t.is(entry?.bytes, whole.length);

  const first = await stage.curl('/cdr/2026-11-26.jsonl', ...COLLECTOR);
  t.deepEqual([first.code, first.body], [200, whole], 'whole lines only');
  const taken = ['-r', `${whole.length}-`];
  const nothing = await stage.curl('/cdr/2026-11-26.jsonl', ...COLLECTOR, ...taken);
  t.deepEqual([nothing.code, nothing.body], [416, ''], 'nothing is new');
  appendFileSync(day, `"}\n${LINE('g3')}\n`);
  const news = await stage.curl('/cdr/2026-11-26.jsonl', ...COLLECTOR, ...taken);
  t.deepEqual([news.code, news.body], [206, `{"guid":"half"}\n${LINE('g3')}\n`]);

  writeFileSync(day, `${LINE('g1')}\nno json\n${LINE('g2')}\n`);
  const csv = await stage.curl('/cdr/2026-11-26.csv', ...COLLECTOR);
  t.is(csv.code, 200);
  const rows = csv.body.split('\r\n');
  t.regex(rows[0] ?? '', /^guid,kind,calling,called,/);
  t.regex(rows[2] ?? '', /^g2,call,1001,1002,.*,60,1001 1002,/);
  t.is(rows.length, 4);
  const head = await stage.curl('/cdr/2026-11-26.jsonl', ...COLLECTOR, '--head');
  t.is(head.code, 200);
});

test('who may not, or asks for something else, is given nothing', async (t) => {
  const stage = new Stage(t, await freePort());
  writeFileSync(join(stage.cdr, '2026-11-26.jsonl'), `${LINE('g1')}\n`);
  writeFileSync(join(stage.folder, 'secret'), 'secret');
  const code = async (path: string, ...more: string[]): Promise<number> =>
    (await stage.curl(path, ...more)).code;
  const at = '/cdr/2026-11-26.jsonl';
  t.is(await code(at), 401);
  t.is(await code(at, '-u', 'collector:wrong'), 401);
  t.is(await code(at, '-u', 'nobody:pass'), 401);
  t.is(await code(at, '-u', 'wallboard:seen'), 403);
  t.is(await code(at, '-H', 'Authorization: Basic !!!'), 401);
  t.is(await code(at, ...COLLECTOR, '-X', 'DELETE'), 405);
  t.is(await code('/cdr/2026-11-25.jsonl', ...COLLECTOR), 404);
  t.is(await code('/cdr/../secret', ...COLLECTOR, '--path-as-is'), 404);
  t.is(await code('/cdr/%2e%2e%2fsecret', ...COLLECTOR), 404);
  t.is(await code('/cdrs', ...COLLECTOR), 404);
  // an empty day
  writeFileSync(join(stage.cdr, '2026-11-27.jsonl'), '{"half');
  t.is((await stage.curl('/cdr/2026-11-27.jsonl', ...COLLECTOR)).body, '');
  t.is((await stage.curl('/cdr/2026-11-27.csv', ...COLLECTOR)).body.split('\r\n').length, 2);
});

test('ranges as RFC 9110 14.2 reads them', (t) => {
  t.deepEqual(rangeOf('bytes=2-', 10), { from: 2, to: 9 });
  t.deepEqual(rangeOf('bytes=2-4', 10), { from: 2, to: 4 });
  t.deepEqual(rangeOf('bytes=2-400', 10), { from: 2, to: 9 });
  t.deepEqual(rangeOf('bytes=-3', 10), { from: 7, to: 9 });
  t.deepEqual(rangeOf('bytes=-30', 10), { from: 0, to: 9 });
  t.is(rangeOf('bytes=10-', 10), 'none');
  t.is(rangeOf('bytes=-0', 10), 'none');
  for (const other of [
    undefined,
    'bytes=-',
    'bytes=4-2',
    'bytes=0-1,3-4',
    'lines=1-2',
    'bytes=x',
  ]) {
    t.is(rangeOf(other, 10), undefined, other);
  }
});
