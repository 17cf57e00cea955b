/**
 * The console as a process on a terminal (a pty that socat makes): keys as a person types them, services
 * that come and go, a terminal that is closed, one command from a shell.
 */

import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Expect } from '../console/expect.ts';
import { FakePair, PASSWORD } from '../console/fake-pair.ts';
import { FakeSockets } from '../console/fake-sockets.ts';
import { NODE, ROOT } from '../lab/places.ts';
import { sleep } from '../lab/processes.ts';

const MAIN = join(ROOT, 'src/main.ts');
const PROMPT = 'north-a (primary, in step)> ';

type Terminal = { readonly person: Expect; readonly child: ChildProcessWithoutNullStreams };

function terminal(t: ExecutionContext, root: string): Terminal {
  const command = `EXEC:${NODE} ${MAIN} console --root ${root},pty,setsid,ctty`;
  const child = spawn('socat', ['-', command]);
  child.stdin.on('error', () => {});
  t.teardown(() => child.kill('SIGKILL'));
  const person = new Expect({
    write: (bytes) => child.stdin.write(bytes),
    onData: (take) => child.stdout.on('data', take),
  });
  return { person, child };
}

async function services(t: ExecutionContext): Promise<FakeSockets> {
  const fakes = new FakeSockets(new FakePair());
  t.teardown(() => fakes.close());
  for (const service of ['control', 'system', 'monitor'] as const) await fakes.up(service);
  return fakes;
}

async function login(person: Expect): Promise<void> {
  await person.expect('login: ', 30_000);
  await person.type('admin\r');
  await person.expect('Password: ');
  await person.type(`${PASSWORD}\r`);
  await person.expect(PROMPT);
}

test('on a terminal: login, keys, pager, configuration, ladder, a service that goes away', async (t) => {
  const fakes = await services(t);
  const { person } = terminal(t, fakes.root);
  await login(person);
  await person.type('sh\tha\r');
  await person.expect('redundancy     hot-standby');
  await person.expect(PROMPT);
  await person.type('request ha ?');
  await person.expect('promote');
  await person.type('\x03');
  await person.expect(PROMPT);

  fakes.pair.rows['counters'] = Array.from({ length: 60 }, (_, i) => ({
    counter: `c${i}`,
    count: i,
  }));
  await person.command('show counters', '--More--');
  await person.type('q');
  await person.expect(PROMPT);

  await person.command('configure', '# ');
  // a paste, faster than a person
  person.send('set witnesses 192.0.2.99\rdelete witnesses 192.0.2.99\r'.repeat(200));
  person.send('set users to 2999\rcommit\r');
  await person.expect('committed as revision 2 on both boxes', 60_000);
  await person.command('exit', PROMPT);

  await person.command('monitor sip', 'SIP as it is spoken');
  await person.type('\x03');
  await person.expect(PROMPT);

  await fakes.down('control');
  await person.command('show calls', 'the service sipair does not answer');
  await fakes.up('control');
  await person.command('show calls', 'no calls');
  await person.command('exit', 'login: ');
  t.notRegex(person.transcript(), /console-fault/);
  t.notRegex(person.transcript(), new RegExp(PASSWORD));
  const audit = readFileSync(join(fakes.root, 'data/log/console.log'), 'utf8');
  t.regex(audit, /pts\/\d+ login\n/);
  t.regex(audit, /pts\/\d+ set users to 2999\n/);
});

test('a program is run, and ended by ^C', async (t) => {
  const fakes = await services(t);
  const { person } = terminal(t, fakes.root);
  await login(person);
  await person.command('ping 127.0.0.1', 'bytes from 127.0.0.1');
  await person.type('\x03');
  await person.expect(PROMPT);
  t.notRegex(person.transcript(), /cannot be started/);
});

test('the terminal is closed: the process ends', async (t) => {
  const fakes = await services(t);
  const { person, child } = terminal(t, fakes.root);
  await login(person);
  child.kill('SIGKILL');
  const audit = join(fakes.root, 'data/log/console.log');
  for (let i = 0; i < 200 && !readFileSync(audit, 'utf8').includes('logout'); i += 1) {
    await sleep(50);
  }
  t.regex(readFileSync(audit, 'utf8'), /logout/);
});

type Ran = { readonly code: number; readonly out: string };

function sipair(...args: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(NODE, [MAIN, ...args], (error, out) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out }),
    );
  });
}

test('one command from a shell: its output, its exit code', async (t) => {
  const fakes = await services(t);
  const { root } = fakes;
  const ha = await sipair('show', '--root', root, 'ha', '|', 'match', 'readiness');
  t.deepEqual(ha, { code: 0, out: '  readiness      ready to change roles\n' });
  const cli = await sipair('cli', '--root', root, '-c', 'show calls');
  t.deepEqual(cli, { code: 0, out: 'no calls\n' });
  const wrong = await sipair('show', '--root', root, 'zebra');
  t.is(wrong.code, 1);
  t.regex(wrong.out, /^unknown: zebra\n/);
  await fakes.down('control');
  const down = await sipair('show', '--root', root, 'ha');
  t.is(down.code, 1);
  t.regex(down.out, /control-unreachable/);
});

test('through a pipe: lines in, and it ends with its input', async (t) => {
  const fakes = await services(t);
  const child = spawn(NODE, [MAIN, 'console', '--root', fakes.root]);
  t.teardown(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.on('data', (bytes) => {
    out += String(bytes);
  });
  child.stdin.end(`admin\n${PASSWORD}\nshow ha | match readiness\n`);
  const code = await new Promise((resolve) => child.on('close', resolve));
  t.is(code, 0);
  t.regex(out, /ready to change roles/);
});
