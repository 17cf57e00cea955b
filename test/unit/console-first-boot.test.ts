/** The first boot: a box out of its carton asks, shows, commits and pairs; ^C goes back. */

import test from 'ava';
import { Bench } from '../console/bench.ts';
import { FakePair, PASSWORD } from '../console/fake-pair.ts';

function carton(): FakePair {
  const pair = new FakePair('none');
  pair.password = undefined;
  pair.identity = undefined;
  pair.paired = false;
  return pair;
}

function lines(b: Bench, ...all: readonly string[]): void {
  for (const l of all) b.line(l);
}

const OF_A = [
  'a',
  '',
  '192.0.2.11',
  '',
  '192.0.2.1',
  'Europe/Berlin',
  '192.0.2.1',
  '192.0.2.10',
  '',
];

function firstBoot(b: Bench): unknown {
  const found = b.pair.heard.find((h) => h.request['command'] === 'first-boot');
  return found?.request;
}

test('box a: a password, nine questions, the whole as configuration, commit, pairing', (t) => {
  const b = new Bench({ pair: carton() });
  lines(b, PASSWORD, PASSWORD, ...OF_A);
  t.regex(b.screen.text(), /This will be the configuration:[\s\S]*address 192\.0\.2\.10;/);
  t.is(firstBoot(b), undefined, 'nothing before yes');
  lines(b, 'y');
  t.deepEqual(firstBoot(b), {
    command: 'first-boot',
    box: 'a',
    own: {
      name: 'sipair-a',
      lan: { interface: 'eth0', address: '192.0.2.11', prefix: 24, gateway: '192.0.2.1' },
    },
    system: { timeZone: 'Europe/Berlin', ntp: ['192.0.2.1'] },
    shared: { vip: { address: '192.0.2.10' }, users: { from: 1000, to: 1999 } },
  });
  lines(b, 'y');
  t.regex(b.screen.text(), /code: 271 828/);
  b.keys('y');
  t.deepEqual(b.pair.pairAnswer, { answer: 'y' });
  const said = b.screen.text();
  t.is(said.match(/^paired: /gm)?.length, 1, 'once');
  t.regex(said, /paired: both boxes have the key\nThe two boxes now agree [\s\S]*That was all/);
  t.notRegex(said, /is not paired yet|nothing is committed/);
  t.is(b.screen.line(), 'sipair-a (starting)>');
  t.notRegex(b.screen.text(), new RegExp(PASSWORD));
});

test('box b is asked for what is its own', (t) => {
  const b = new Bench({ pair: carton() });
  lines(b, PASSWORD, PASSWORD, 'b', 'south', '192.0.2.12', '', '-', 'y', 'n');
  t.deepEqual(firstBoot(b), {
    command: 'first-boot',
    box: 'b',
    own: { name: 'south', lan: { interface: 'eth0', address: '192.0.2.12', prefix: 24 } },
    system: {},
  });
  t.regex(b.screen.text(), /later: request pair/);
});

const WRONG: readonly (readonly [asked: string, before: number, answer: string, why: RegExp])[] = [
  ['box', 0, 'c', /a or b/],
  ['name', 1, 'my box', /letters, digits and -/],
  ['address', 2, '192.0.2.256', /an IPv4 address is expected/],
  ['prefix', 3, '33', /a number from 8 to 30/],
  ['gateway', 4, '198.51.100.1', /is not in the network of 192\.0\.2\.11\/24/],
  ['time zone', 5, '???', /a name is expected/],
  ['time servers', 6, 'a;b', /names or addresses/],
  ['VIP that is the box itself', 7, '192.0.2.11', /that is this box/],
  ['VIP that is the broadcast address', 7, '192.0.2.255', /not an address of a host/],
  ['numbers', 8, '2000-1000', /as 1000-1999 is expected/],
];

for (const [asked, before, answer, why] of WRONG) {
  test(`a wrong answer is refused and asked again: ${asked}`, (t) => {
    const b = new Bench({ pair: carton() });
    lines(b, PASSWORD, PASSWORD, ...OF_A.slice(0, before));
    const prompt = b.screen.line();
    const said = b.line(answer).join('\n');
    t.regex(said, why);
    t.is(b.screen.line(), prompt);
  });
}

test('a password that is too short or differs is asked again; ^C too', (t) => {
  const b = new Bench({ pair: carton() });
  t.regex(b.line('short').join('\n'), /at least 10 characters/);
  t.regex(b.line('aaaaaaaaaaaa').join('\n'), /5 different/);
  b.line(PASSWORD);
  t.regex(b.line('another one').join('\n'), /the two differ/);
  b.keys('\x03');
  t.is(b.screen.line(), 'Password of admin:');
  lines(b, PASSWORD, PASSWORD);
  t.regex(b.screen.line(), /^Is this box a or b\?/);
});

test('^C goes one question back, with the answer that was given as the usual one', (t) => {
  const b = new Bench({ pair: carton() });
  lines(b, PASSWORD, PASSWORD, 'a', 'north', '192.0.2.11');
  b.keys('\x03');
  t.is(b.screen.line(), 'Address of this box on the LAN [192.0.2.11]:');
  b.keys('\x03');
  t.is(b.screen.line(), 'Name of this box [north]:');
  b.keys('\x03\x03\x03');
  t.is(b.screen.line(), 'Is this box a or b? [a]');
  lines(b, '', '', '192.0.2.21', '', '');
  t.regex(b.screen.line(), /^Time zone/);
});

test('no to the whole: once more through all, and other answers', (t) => {
  const b = new Bench({ pair: carton() });
  lines(b, PASSWORD, PASSWORD, ...OF_A, 'n');
  t.is(b.screen.line(), 'Is this box a or b? [a]');
  lines(b, '', 'other', '', '', '', '', '', '', '', 'y');
  t.like(firstBoot(b), { own: { name: 'other' } });
});

test('the power goes in the middle: the box begins again, and knows its password', (t) => {
  const pair = carton();
  lines(new Bench({ pair }), PASSWORD, PASSWORD, 'a', 'north', '192.0.2.11');
  const b = new Bench({ pair });
  t.is(b.screen.line(), 'sipair login:');
  b.login();
  t.is(b.screen.line(), 'Is this box a or b?');
});

test('different codes: refused, nothing is paired', (t) => {
  const b = new Bench({ pair: carton() });
  lines(b, PASSWORD, PASSWORD, ...OF_A, 'y', 'y');
  b.keys('x');
  t.is(b.pair.pairAnswer, undefined, 'only y and n are answers');
  b.keys('n');
  t.deepEqual(b.pair.pairAnswer, { answer: 'n' });
  t.false(b.pair.paired);
  t.regex(b.screen.text(), /pairing-refused/);
  lines(b, 'n');
  t.regex(b.screen.line(), />$/);
});

test('the console is there before the agent: it waits for it, unless somebody types', (t) => {
  const pair = carton();
  pair.down.add('system');
  const b = new Bench({ pair });
  b.pass(3000);
  t.is(
    b.screen.lines().at(-1),
    'The services of this box are starting; Enter does not wait for them.',
  );
  pair.down.delete('system');
  b.pass(1000);
  t.is(b.screen.line(), 'Password of admin:');
  pair.down.add('system');
  const other = new Bench({ pair });
  other.keys('\r');
  t.is(other.screen.line(), 'sipair login:');
  // no answer at the prompt passes: what is missing is asked anew, and said while it cannot be known
  other.keys('\r');
  t.is(other.screen.line(), 'sipair login:');
  other.line('admin');
  t.regex(
    other.line(PASSWORD).join('\n'),
    /admin-none: no password[\s\S]*when its services answer: Enter looks again/,
  );
  pair.down.delete('system');
  other.keys('\r');
  t.is(other.screen.line(), 'Password of admin:');
  lines(other, PASSWORD, PASSWORD);
  t.is(other.screen.line(), 'Is this box a or b?');
});

test('an agent that takes longer than anybody waits: whatever is typed at the login leads on', (t) => {
  for (const typed of ['', 'admin', 'root']) {
    const pair = carton();
    pair.down.add('system');
    const b = new Bench({ pair });
    for (let i = 0; i < 30; i += 1) b.pass(1000);
    t.is(b.screen.line(), 'sipair login:');
    pair.down.delete('system');
    b.line(typed);
    t.is(b.screen.line(), 'Password of admin:', typed);
    lines(b, PASSWORD, PASSWORD);
    t.is(b.screen.line(), 'Is this box a or b?');
  }
});

test('a password that is gone while the name is typed: the verdict leads to the wizard, too', (t) => {
  const pair = carton();
  pair.password = PASSWORD;
  const b = new Bench({ pair });
  b.line('admin');
  pair.password = undefined;
  b.line(PASSWORD);
  t.is(b.screen.line(), 'Password of admin:');
});

test('whoever comes to a box that is not in service yet reads why, and the prompt says it', (t) => {
  const pair = carton();
  pair.password = PASSWORD;
  pair.identity = 'b';
  const come = (): readonly string[] => {
    const b = new Bench({ pair }).login();
    return b.screen.lines().slice(-3);
  };
  t.regex(come().join('\n'), /This box is not paired yet: request pair\nsipair \(not paired\)>$/);
  pair.paired = true;
  pair.peerReachable = false;
  t.regex(come().join(' '), /the other box does not answer.*sipair \(waits for the other box\)>$/);
  pair.peerReachable = true;
  t.regex(come().join(' '), /agree on their configuration.*sipair \(starting\)>$/);
});
