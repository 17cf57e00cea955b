/** A session from login to logout, with fake services: what a person sees, and what cannot go wrong. */

import test from 'ava';
import fc from 'fast-check';
import { screenSize } from '../../src/panel/console/session.ts';
import { SUBJECTS } from '../../src/panel/console/verbs.ts';
import type { Tree } from '../../src/panel/tree/terms.ts';
import { setPath } from '../../src/panel/tree/tree.ts';
import { Bench } from '../console/bench.ts';
import { FakePair, PASSWORD, START_TREE } from '../console/fake-pair.ts';

function logged(options: ConstructorParameters<typeof Bench>[0] = {}): Bench {
  return new Bench(options).login();
}

test('login: the prompt tells name, role, in step, alarms; nothing of the password is seen', (t) => {
  const b = logged();
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  t.false(b.screen.text().includes(PASSWORD));
  t.deepEqual(b.audit, ['login']);
  b.pair.status = {
    ...b.pair.status,
    inStep: false,
    role: 'backup',
    alarms: { active: [{ code: 'x' }], over: [] },
  };
  b.pair.down.add('monitor');
  b.pass(5000);
  b.line('');
  t.is(b.screen.line(), 'north-a (backup, not in step, 1 alarm)>');
});

test('a wrong user is told no more than a wrong password', (t) => {
  const b = new Bench();
  b.line('root');
  t.deepEqual(b.line('x').slice(-1), ['wrong']);
  b.line('admin');
  t.deepEqual(b.line('x').slice(-1), ['wrong; 4 more tries']);
  t.true(b.audit.includes('login refused: no such user'));
});

test('lockout: five wrong ones lock for five minutes; what is left is shown', (t) => {
  const b = new Bench();
  for (let i = 0; i < 5; i += 1) {
    b.line('admin');
    b.line('wrong one');
  }
  t.regex(b.screen.text(), /too many wrong passwords: locked, for 5 min 0 s more/);
  b.pass(70_000);
  b.line('admin');
  t.deepEqual(b.line(PASSWORD).slice(-1), [
    'too many wrong passwords: locked, for 3 min 50 s more',
  ]);
  b.pass(4 * 60_000);
  b.login();
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('locate: for an hour, for so long, and off again', (t) => {
  const b = logged();
  t.deepEqual(b.line('request locate on'), ['all lights blink for 60 min']);
  t.deepEqual(b.line('request locate on 5'), ['all lights blink for 5 min']);
  t.deepEqual(b.line('request locate off'), ['the lights are as before']);
});

test('without the agent the console looks at the password itself', (t) => {
  const pair = new FakePair();
  pair.down.add('system');
  const b = new Bench({ pair });
  t.regex(b.screen.text(), /The services of this box are starting/);
  b.pass(30_000);
  b.login();
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  t.true(pair.heard.some((h) => h.service === 'self' && h.request['command'] === 'admin'));
});

test('idle for too long: logged out', (t) => {
  const b = logged();
  b.pass(14 * 60_000);
  t.is(b.ends, 0);
  b.keys('x');
  b.pass(14 * 60_000);
  t.is(b.ends, 0);
  b.pass(60_000);
  t.is(b.ends, 1);
  t.regex(b.screen.text(), /idle for too long: logged out/);
  t.is(b.screen.line(), 'sipair login:');
  b.line('show ha');
  t.is(b.screen.line(), 'Password:');
});

test('a screen of whatever size a terminal tells can be drawn upon', (t) => {
  t.deepEqual(screenSize(132, 50), { columns: 132, rows: 50 });
  t.deepEqual(screenSize(0, 0), { columns: 80, rows: 24 }, 'a serial line');
  t.deepEqual(screenSize(1, 1), { columns: 20, rows: 5 });
  t.deepEqual(screenSize(65_535, 65_535), { columns: 500, rows: 500 });
  t.deepEqual(screenSize(Number.NaN, -1), { columns: 80, rows: 24 });
  const b = logged(screenSize(9, 2));
  for (const line of ['show ha', 'show alarms', 'show configuration', 'show phones', 'nonsense']) {
    b.line(`${line} | no-more`);
  }
  t.is(b.screen.line(), '>');
});

test('a clock that is set logs nobody out, and lets nobody stay', (t) => {
  const b = logged();
  // the first commit starts the time service: an hour, or ten years
  b.line('configure');
  b.line('set sip port 5070');
  for (const ms of [3_600_000, 10 * 365 * 86_400_000]) b.step(ms);
  t.is(b.ends, 0);
  t.regex(b.line('show sip').join('\n'), /port 5070/, 'the candidate is there');
  b.pass(14 * 60_000);
  b.step(-86_400_000);
  t.is(b.ends, 0);
  b.pass(60_000);
  t.is(b.ends, 1, 'idle is idle, whatever the clock was set to');
});

test('a clock that is set back: the login goes on, and the prompt is asked for', (t) => {
  const pair = new FakePair();
  pair.down.add('system');
  const b = new Bench({ pair });
  t.regex(b.screen.text(), /The services of this box are starting/);
  b.step(-86_400_000);
  b.pass(30_000);
  b.login();
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  b.step(86_400_000);
  pair.status = { ...pair.status, role: 'backup' };
  b.pass(4000);
  b.step(-86_400_000);
  b.line('');
  t.is(b.screen.line(), 'north-a (backup, in step)>');
});

test('a data partition that is not there is said before the login', (t) => {
  const pair = new FakePair();
  pair.dataFault = 'e2fsck: bad superblock';
  const b = new Bench({ pair });
  t.regex(b.screen.text(), /could not be mounted: e2fsck: bad superblock[\s\S]*factory-reset/);
  t.is(b.screen.line(), 'sipair login:');
});

test('without the data partition nothing is asked as on a first day; factory-reset is heard', (t) => {
  const pair = new FakePair(undefined);
  pair.dataFault = 'e2fsck: bad superblock';
  pair.password = undefined;
  pair.identity = undefined;
  const b = new Bench({ pair });
  t.is(b.screen.line(), 'sipair login:');
  t.notRegex(b.screen.text(), /This box is new/);
  b.line('factory-reset');
  t.is(b.screen.line(), 'Type factory-reset to go on:');
  b.line('factory-reset');
  t.true(pair.heard.some((h) => h.request['word'] === 'factory-reset'));
});

test('a password: changed by who knows it; of the other box by who is admin here', (t) => {
  const b = logged();
  const answers = (...lines: readonly string[]): string =>
    lines.flatMap((line) => b.line(line)).join('\n');
  const change = 'request system password';
  t.regex(answers(change, 'not it', 'another one', 'another one'), /wrong password; nothing was/);
  t.is(b.pair.password, PASSWORD);
  t.regex(answers(change, PASSWORD, 'another one', 'another one'), /of admin was changed/);
  t.is(b.pair.password, 'another one');

  const peer = 'request system password other-box';
  t.regex(answers(peer, PASSWORD, 'for the other', 'for the other'), /wrong password; nothing/);
  t.regex(answers(peer, 'another one', 'short'), /at least 10 characters/);
  t.regex(answers(peer, 'another one', 'for the other', 'for the otter'), /the two differ/);
  t.is(b.pair.peerPassword, PASSWORD);
  t.regex(
    answers(peer, 'another one', 'for the other', 'for the other'),
    /of admin of the other box was changed/,
  );
  t.is(b.pair.peerPassword, 'for the other');
  t.is(b.pair.password, 'another one');
  b.pair.peerReachable = false;
  t.regex(
    answers(peer, 'another one', 'for the third', 'for the third'),
    /admin-peer: the other box/,
  );
  for (const text of [b.screen.text(), ...b.audit]) {
    t.notRegex(text, /another one|for the other/);
  }
});

test('certificates and prompts: installed, shown, deleted', (t) => {
  const b = logged();
  t.deepEqual(b.line('show files'), ['no files']);
  t.deepEqual(b.line('request file install usb:north.pem'), [
    '/data/secret/tls/north.pem, on both boxes',
  ]);
  t.regex(
    b.line('show files').join('\n'),
    /2026-11-26 12:00:00 +1704 +\/data\/secret\/tls\/north\.pem/,
  );
  t.deepEqual(b.line('request file delete north.pem'), ['removed from both boxes']);
  t.regex(b.line('request file delete north.pem').join('\n'), /file-none: there is no north\.pem/);
});

test('the configuration says when idle is too long', (t) => {
  const tree = setPath(START_TREE, ['system', 'console', 'idleMin', '3']) as Tree;
  const b = logged({ pair: new FakePair(tree) });
  b.pass(2 * 60_000);
  t.is(b.ends, 0);
  b.pass(60_000);
  t.is(b.ends, 1);
});

for (const subject of SUBJECTS) {
  test(`show ${subject} shows something and goes on`, (t) => {
    const b = logged({ rows: 0 });
    const words = subject
      .replace('alarms-history', 'alarms history')
      .replace(/^(commands|revisions)$/, 'configuration $1')
      .replace(/^revision$/, 'configuration revision 1')
      .replace(/^image$/, 'system image')
      .replace(/^call$/, 'call 7');
    const lines = b.line(`show ${words}`);
    t.true(lines.length > 0, lines.join('\n'));
    t.notRegex(lines.join('\n'), /console-fault|unknown/);
    t.is(b.screen.line(), 'north-a (primary, in step)>');
  });
}

test('a mistake: the caret stands under the place, and what could stand there follows', (t) => {
  const b = logged();
  const lines = b.line('show zebra');
  const [caret = '', said, choice] = lines;
  const echo = b.screen.lines().find((l) => l.endsWith('show zebra')) ?? '';
  t.is(echo.indexOf('zebra'), caret.indexOf('^'));
  t.is(said, 'unknown: zebra');
  t.regex(choice ?? '', /^ {2}ha {2}calls {2}call /);
  t.regex(b.line('request zebra')[2] ?? '', /^ {2}ha +the pair/);
});

test('? shows what could stand there and gives the line back; Tab completes', (t) => {
  const b = logged();
  b.keys('request ha ?');
  t.regex(b.screen.text(), /switchover +the backup becomes primary/);
  t.is(b.screen.line(), 'north-a (primary, in step)> request ha');
  b.keys('sw\t');
  t.is(b.screen.line(), 'north-a (primary, in step)> request ha switchover');
});

test('pager: space a screen, Enter a line, / searches, q ends', (t) => {
  const b = logged({ rows: 10 });
  b.pair.rows['counters'] = Array.from({ length: 60 }, (_, i) => ({ counter: `c${i}`, count: i }));
  b.line('show counters');
  t.is(b.screen.line(), '--More--');
  const seen = b.screen.lines().length;
  b.keys(' ');
  t.is(b.screen.lines().length, seen + 9);
  b.keys('\r');
  t.is(b.screen.lines().length, seen + 10);
  b.keys('/c50\r');
  t.regex(b.screen.text(), /^c50/m);
  t.notRegex(b.screen.text(), /^c40/m);
  b.keys('q');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  b.line('show counters | no-more');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  b.line('set cli screen-length 0');
  b.line('show counters');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('^C ends the pager and a command that waits', (t) => {
  const b = logged({ rows: 10 });
  b.pair.rows['counters'] = Array.from({ length: 60 }, (_, i) => ({ counter: `c${i}`, count: i }));
  b.line('show counters');
  b.keys('\x03');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  b.pair.silent.add('control');
  b.line('show calls');
  t.is(b.screen.line(), '');
  b.keys('typed ahead, and dropped\x03');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('what is typed while a command runs waits for the prompt', (t) => {
  const b = logged();
  b.line('ping 192.0.2.1');
  t.deepEqual(b.spawned, [['ping', '-c', '5', '-w', '15', '192.0.2.1']]);
  b.output('64 bytes from 192.0.2.1\n');
  b.over();
  t.regex(b.screen.text(), /64 bytes from 192\.0\.2\.1/);
  b.line('ping 192.0.2.1');
  b.keys('\x03');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('pipes and json', (t) => {
  const b = logged();
  t.deepEqual(b.line('show ha | match readiness'), ['  readiness      ready to change roles']);
  t.deepEqual(b.line('show ha | json | match inStep | count'), ['Count: 2 lines']);
});

test('an order is asked for when it may hurt', (t) => {
  const b = logged();
  b.line('request ha switchover force');
  t.is(b.screen.line(), 'Calls may be lost. Go on? [y/n]');
  t.deepEqual(b.line('n').slice(-1), ['nothing was done']);
  t.false(b.pair.heard.some((h) => h.request['command'] === 'switchover'));
  t.deepEqual(b.line('request ha switchover').slice(-1), ['box b is primary']);
  t.is(b.screen.line(), 'north-a (backup, in step)>', 'the prompt knows at once');
});

test('an image is installed on a box alone only when that is said, and asked for', (t) => {
  const b = logged();
  const told = () => b.pair.heard.filter((h) => h.request['command'] === 'image');
  b.line('request system image install /x.raucb');
  t.deepEqual(told().at(-1)?.request, { command: 'image', verb: 'install', source: '/x.raucb' });
  b.line('request system image install /x.raucb force');
  t.is(b.screen.line(), 'Calls may be interrupted. Go on? [y/n]');
  t.is(told().length, 1);
  b.line('y');
  t.deepEqual(told().at(-1)?.request, {
    command: 'image',
    verb: 'install',
    source: '/x.raucb',
    force: true,
  });
});

test('everything down: who does not answer and what can be done is said; the console lives', (t) => {
  const pair = new FakePair();
  const b = logged({ pair });
  for (const service of ['control', 'system', 'monitor'] as const) pair.down.add(service);
  b.pass(10_000);
  b.line('');
  t.is(b.screen.line(), 'north-a (sipair down)>');
  t.regex(b.line('show ha').join('\n'), /the service sipair does not answer[\s\S]*show log/);
  t.regex(b.line('show configuration').join('\n'), /sipair-system does not answer/);
  t.regex(
    b.line('show system').join('\n'),
    /sipair-monitor does not answer: calls are not affected/,
  );
  t.regex(b.line('configure').join('\n'), /sipair-system does not answer/);
  b.line('show log');
  t.is(b.spawned.at(-1)?.[0], 'journalctl');
  b.over();
  b.line('request system reboot');
  t.deepEqual(b.line('y').slice(-1), ['the box starts anew']);
  t.true(pair.heard.some((h) => h.service === 'self' && h.request['command'] === 'reboot'));
});

test('the journal itself goes through pipes and pager, too', (t) => {
  const pair = new FakePair();
  const b = logged({ pair });
  pair.down.add('system');
  b.line('show log 500 | match wanted | no-more');
  t.is(b.spawned.at(-1)?.[0], 'journalctl');
  b.output('a line\nthe wan');
  b.output('ted one\r\nmore\nwanted too');
  b.over();
  const said = b.screen.lines().slice(-4);
  t.deepEqual(said.slice(0, 3), [
    '(sipair-system does not answer: from the journal itself)',
    'the wanted one',
    'wanted too',
  ]);
  b.line('show log | json');
  b.output('a\nb\n');
  b.over();
  t.regex(b.screen.text(), /\[\n {2}"a",\n {2}"b"\n\]/);
  b.line('show log');
  b.output('line\n'.repeat(60));
  b.over();
  t.is(b.screen.line(), '--More--');
  b.keys('q');
  b.line('show log');
  b.output('half');
  b.keys('\x03');
  t.regex(b.screen.line(), />$/);
});

test('a pipe where none is: refused, and nothing is begun', (t) => {
  const b = logged();
  for (const line of [
    'ping 192.0.2.1 | match x',
    'traceroute 192.0.2.1 | count',
    'monitor sip | match 1001',
    'monitor traffic | count',
    'request ha switchover | match ok',
    'help | json',
    'configure | json',
  ]) {
    t.regex(b.line(line).join('\n'), /^ +\^\n.*pipe-not-here: /, line);
  }
  t.deepEqual(b.spawned, []);
  t.false(b.pair.heard.some((h) => h.request['command'] === 'switchover'));
  b.line('request ha switchover | no-more');
  t.true(b.pair.heard.some((h) => h.request['command'] === 'switchover'));
});

test('JSON of the log, of set lines and of the release without its agent', (t) => {
  const b = logged({ rows: 0 });
  t.deepEqual(JSON.parse(b.line('show log | json').join('')), [
    '2026-11-26T12:00:00Z sipair: in step',
  ]);
  const lines = JSON.parse(b.line('show configuration commands | json').join('')) as string[];
  t.true(lines.includes('set vip address 192.0.2.10'));
  for (const service of ['system', 'monitor', 'control'] as const) b.pair.down.add(service);
  t.like(JSON.parse(b.line('show version | json').join('')), { console: 'sipair 0.1.0' });
});

test('an answer that no formatter understands does not end the session', (t) => {
  const b = logged();
  b.pair.status = { role: 'primary', inStep: true };
  t.regex(b.line('show ha').join('\n'), /console-fault: /);
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('factory reset: only after its word, also from the login prompt', (t) => {
  const b = new Bench();
  b.line('factory-reset');
  b.line('yes');
  t.regex(b.screen.text(), /The other box is not touched[\s\S]*nothing was done/);
  t.false(b.pair.heard.some((h) => h.request['command'] === 'factory-reset'));
  b.line('factory-reset');
  b.line('factory-reset');
  t.deepEqual(b.pair.heard.at(-1)?.request, { command: 'factory-reset', word: 'factory-reset' });
});

test('a terminal of 40 columns: nothing wraps', (t) => {
  const b = logged({ columns: 40 });
  b.keys('show ?');
  b.keys('\x15');
  b.line('show configuration');
  b.line('show zebra');
  b.keys('set cli screen-length 24 and so on and so on and so on');
  t.is(b.screen.wrapped, 0);
  t.deepEqual(b.screen.unknown, []);
});

test('CR LF, LF and lost bytes: the next prompt comes', (t) => {
  const b = new Bench();
  b.keys('admin\r\n');
  b.keys(`${PASSWORD}\r\n`);
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  b.keys('show \x1b[');
  b.keys('\x03');
  b.keys('show ha | count\n');
  t.regex(b.screen.text(), /Count: \d+ lines/);
});

test('what a phone sent cannot steer the terminal', (t) => {
  const b = logged();
  b.pair.rows['counters'] = [{ counter: '\x1b[2J\x07evil', count: 1 }];
  b.line('show counters');
  t.deepEqual(b.screen.unknown, []);
  t.is(b.screen.bells, 0);
});

test('noise never ends a session, and ^C ^C exit always gets out', (t) => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  const words = fc
    .array(
      fc.constantFrom(
        ...[
          'show ',
          'ha',
          'configure\r',
          'set sip port ',
          '5070',
          '\r',
          '\t',
          '?',
          '| ',
          'match x',
        ],
        ...['\x1b[A', '\x12', '"', 'exit\r', 'monitor sip\r', 'ping ::1\r', 'load\r', '\x04', '/'],
      ),
      { maxLength: 60 },
    )
    .map((all) => new TextEncoder().encode(all.join('')));
  fc.assert(
    fc.property(fc.oneof(bytes, words), fc.boolean(), (noise, down) => {
      const b = logged();
      if (down) b.pair.down.add('control');
      b.raw(noise);
      const { ends } = b;
      // a session that noise has ended is at the login prompt already
      b.keys('\x03\x03');
      for (let i = 0; i < 4 && b.ends === ends; i += 1) b.keys('exit\ry\r');
      t.true(b.ends > ends || /login:$|Password:$/.test(b.screen.line()), b.screen.line());
      t.notRegex(b.screen.text(), /console-fault/);
      t.deepEqual(b.screen.unknown, []);
    }),
    { numRuns: 150 },
  );
});

test('the password of a web server is in no log', (t) => {
  const b = logged();
  b.line('request file install https://me:p@ss:swordfish@192.0.2.7/north.pem');
  b.line('show ha | match a@b');
  t.deepEqual(b.audit.slice(1), [
    'request file install https://***@192.0.2.7/north.pem',
    'show ha | match a@b',
  ]);
});

test('the log tells every command', (t) => {
  const b = logged();
  b.line('show ha');
  b.line('request support bundle');
  b.line('exit');
  t.deepEqual(b.audit, ['login', 'show ha', 'request support bundle', 'exit', 'logout']);
  t.regex(b.screen.text(), /sipair-support-20261126T\d{6}\.tar\.gz \(48213 bytes\)/);
});
