/**
 * Two boxes out of their cartons, each with its system agent and a person at its console: first boot,
 * the same code on both, one configuration on both, a commit; then an agent dies.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Expect } from '../console/expect.ts';
import { PASSWORD } from '../console/fake-pair.ts';
import { NODE, ROOT } from '../lab/places.ts';

type Side = 'a' | 'b';
const SIDES = ['a', 'b'] as const;
const MAIN = join(ROOT, 'src/main.ts');
const SLOW_MS = 60_000;
const OTHER_PASSWORD = 'set from box a';

function ip(...args: readonly string[]): void {
  const { status, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ip ${args.join(' ')}: ${stderr}`);
}

/** Two network namespaces with a cable between their ports eth1. */
class Cartons {
  readonly folder = mkdtempSync(join(tmpdir(), 'sipair-cartons-'));
  readonly agents = new Map<Side, ChildProcess>();
  private readonly children: ChildProcess[] = [];

  constructor() {
    for (const side of SIDES) ip('netns', 'add', this.netns(side));
    const [a, b] = [this.netns('a'), this.netns('b')];
    ip('-n', a, 'link', 'add', 'eth1', 'type', 'veth', 'peer', 'name', 'eth1', 'netns', b);
    for (const [i, side] of SIDES.entries()) {
      const n = this.netns(side);
      ip('-n', n, 'address', 'add', `169.254.77.${i + 1}/24`, 'dev', 'eth1');
      for (const port of ['lo', 'eth1']) ip('-n', n, 'link', 'set', port, 'up');
    }
  }

  private netns(side: Side): string {
    return `sipair-carton-${side}-${process.pid}`;
  }

  root(side: Side): string {
    return join(this.folder, side);
  }

  agent(side: Side): void {
    const words = ['netns', 'exec', this.netns(side), NODE, MAIN, 'system'];
    const args = [...words, '--root', this.root(side), '--apply', 'none'];
    const child = spawn('ip', args, { stdio: 'ignore' });
    this.children.push(child);
    this.agents.set(side, child);
  }

  console(side: Side): Expect {
    const command = `EXEC:${NODE} ${MAIN} console --root ${this.root(side)},pty,setsid,ctty`;
    const child = spawn('socat', ['-', command]);
    child.stdin.on('error', () => {});
    this.children.push(child);
    return new Expect({
      write: (bytes) => child.stdin.write(bytes),
      onData: (take) => child.stdout.on('data', take),
    });
  }

  close(): void {
    for (const child of this.children) child.kill('SIGKILL');
    for (const side of SIDES) ip('netns', 'delete', this.netns(side));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Question → answer, in their order. */
const ANSWERS: { readonly [S in Side]: readonly (readonly [string, string])[] } = {
  a: [
    ['a or b?', 'a'],
    ['Name', 'north-a'],
    ['Address', '192.0.2.11'],
    ['prefix', ''],
    ['Gateway', '192.0.2.1'],
    ['Time zone [', 'Europe/Berlin'],
    ['Time servers', '-'],
    ['VIP: ', '192.0.2.10'],
    ['Numbers', '1000-1999'],
    ['right?', 'y'],
  ],
  b: [
    ['a or b?', 'b'],
    ['Name', 'north-b'],
    ['Address', '192.0.2.12'],
    ['prefix', ''],
    ['Gateway', '192.0.2.1'],
    ['right?', 'y'],
  ],
};

async function answer(person: Expect, side: Side): Promise<void> {
  await person.expect('Password of admin: ', SLOW_MS);
  person.send(`${PASSWORD}\r`);
  await person.expect('Again: ');
  person.send(`${PASSWORD}\r`);
  for (const [question, text] of ANSWERS[side]) {
    await person.expect(question);
    person.send(`${text}\r`);
  }
  await person.expect('Pair with the other box now?');
}

async function codeAt(person: Expect): Promise<string> {
  const shown = await person.expect(/code: \d{3} \d{3}/, SLOW_MS);
  await person.expect('y or n');
  return shown.slice(-7);
}

function twoPeople(t: ExecutionContext): { cartons: Cartons; a: Expect; b: Expect } {
  const cartons = new Cartons();
  t.teardown(() => cartons.close());
  for (const side of SIDES) cartons.agent(side);
  return { cartons, a: cartons.console('a'), b: cartons.console('b') };
}

test('two consoles: first boot, the same code, one configuration, a commit', async (t) => {
  const { cartons, a, b } = twoPeople(t);
  await Promise.all([answer(a, 'a'), answer(b, 'b')]);
  a.send('y\r');
  b.send('y\r');
  const [codeA, codeB] = await Promise.all([codeAt(a), codeAt(b)]);
  t.is(codeA, codeB);
  a.send('y');
  b.send('y');
  await Promise.all([a.expect('That was all.', SLOW_MS), b.expect('That was all.', SLOW_MS)]);
  await Promise.all([a.expect('> '), b.expect('> ')]);
  for (const person of [a, b]) {
    t.is(person.transcript().match(/^paired: /gm)?.length, 1, 'said once');
    // there is no monitor and no service here; what is said must be true all the same
    t.notRegex(person.transcript(), /\(unconfigured\)|nothing is committed|is not paired/);
  }

  // revision 1 is there by itself
  for (const person of [a, b]) {
    for (let i = 0; ; i += 1) {
      const seen = await person.command('show configuration commands | no-more', /\)> $/);
      if (/set vip address 192\.0\.2\.10/.test(seen)) {
        t.regex(seen, /set box a name north-a/);
        t.regex(seen, /set box b name north-b/);
        break;
      }
      if (i > 200) throw new Error(`revision 1 does not come: ${seen}`);
    }
  }

  await a.command('configure', '# ');
  await a.command('set users to 2999', '# ');
  await a.command(
    'commit comment "more numbers"',
    'committed as revision 2 on both boxes',
    SLOW_MS,
  );
  await a.expect('# ');
  await b.command('show configuration commands | match users', 'set users to 2999');
  await b.expect('> ');

  // a candidate made before the other box committed is refused, and nothing of it stays
  await b.command('configure', '# ');
  await b.command('set users to 3999', '# ');
  await a.command('set users to 1999', '# ');
  await a.command('commit', 'committed as revision 3 on both boxes', SLOW_MS);
  await b.command('commit', 'commit-stale', SLOW_MS);
  await b.expect('# ');

  // what an operator has when a password was forgotten, and what leaves the box
  await a.command('exit', '> ');
  await a.command('show files', 'no files');
  await a.expect('> ');
  await a.command('request support bundle usb', 'stick-none: ', SLOW_MS);
  await a.expect('> ');
  await a.command('request system password other-box', 'Password of this box: ');
  await a.command(PASSWORD, 'New password of the other box: ');
  await a.command(OTHER_PASSWORD, 'Again: ');
  await a.command(OTHER_PASSWORD, 'the password of admin of the other box was changed', SLOW_MS);

  // without its agent the console still knows the password
  cartons.agents.get('b')?.kill('SIGKILL');
  await b.command('commit', 'sipair-system does not answer', SLOW_MS);
  await b.expect('# ');
  await b.command('exit', 'Forget the changes?');
  await b.command('y', '> ');
  await b.command('exit', 'login: ');
  await b.command('admin', 'Password: ');
  await b.command('wrong', 'wrong; 4 more tries');
  await b.expect('login: ');
  await b.command('admin', 'Password: ');
  await b.command(OTHER_PASSWORD, '> ');
  for (const person of [a, b]) t.notRegex(person.transcript(), /console-fault/);
});
