/** Configuration mode: mistakes with place and reason, commit on both, what goes back by itself. */

import test from 'ava';
import { asSetLines } from '../../src/panel/tree/text.ts';
import { valueAt } from '../../src/panel/tree/tree.ts';
import { Bench } from '../console/bench.ts';
import { FakePair } from '../console/fake-pair.ts';

function configuring(pair = new FakePair()): Bench {
  const b = new Bench({ pair, rows: 0 }).login();
  b.line('configure');
  return b;
}

function active(b: Bench, place: string): unknown {
  return valueAt(b.pair.active()?.tree ?? {}, place.split(' '));
}

test('set, compare, commit with a comment: on both boxes; what restarts is said', (t) => {
  const b = configuring();
  t.is(b.screen.line(), 'north-a (primary, in step)#');
  b.line('set sip port 5070');
  t.deepEqual(b.line('compare'), ['[edit]', '+   sip {', '+       port 5070;', '+   }', '[edit]']);
  t.is(active(b, 'sip port'), undefined, 'nothing before commit');
  const said = b.line('commit comment "to the new port"').join('\n');
  t.regex(said, /committed as revision 2 on both boxes/);
  t.regex(said, /starts anew, on both boxes at once \(callers notice\), because[\s\S]*sip port/);
  t.is(active(b, 'sip port'), 5070);
  t.is(b.pair.active()?.comment, 'to the new port');
  t.regex(b.line('commit').join('\n'), /nothing was changed/);
  b.line('exit');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  t.regex(b.line('show configuration revisions').join('\n'), /0 +2 .*admin@a +to the new port/);
});

const MISTAKES: readonly (readonly [line: string, at: string, why: RegExp])[] = [
  ['set sip prot 5070', 'prot', /prot is not here: port\? \(tree-unknown\)/],
  ['set sip port 99999', '99999', /\(tree-range\)|\(tree-type\)/],
  ['set box a lan address 192.0.2', '192.0.2', /an IPv4 address is needed.*\(tree-type\)/],
  ['set redundancy cold', 'cold', /\(tree-choice\)/],
  ['delete witnesses 192.0.2.99', '192.0.2.99', /\(tree-absent\)/],
  ['edit sip port', 'port', /\(tree-extra\)/],
  ['frobnicate', 'frobnicate', /unknown: frobnicate/],
];

for (const [line, at, why] of MISTAKES) {
  test(`refused, with place and reason: ${line}`, (t) => {
    const b = configuring();
    const said = b.line(line);
    const echo = b.screen.lines().find((l) => l.endsWith(line)) ?? '';
    t.is(said[0]?.indexOf('^'), echo.lastIndexOf(at));
    t.regex(said.join('\n'), why);
    t.deepEqual(b.line('compare').slice(0, 1), ['(no differences)']);
  });
}

test('a value that is missing: the caret stands at the end, with what could stand there', (t) => {
  const b = configuring();
  const said = b.line('set redundancy');
  t.regex(said.join('\n'), /\(tree-missing-value\)[\s\S]*hot-standby[\s\S]*warm-standby/);
});

test('a whole that does not fit is refused by check and by commit, with every place', (t) => {
  const b = configuring();
  b.line('set box a lan prefix 25');
  b.line('delete vip address');
  for (const command of ['check', 'commit']) {
    const said = b.line(command).join('\n');
    t.regex(said, /refused, for \d+ reasons:/, command);
    t.regex(said, /box b lan prefix\n.*one network.*\(tree-conflict\)/, command);
  }
  t.is(b.pair.revisions.length, 1);
  b.line('discard');
  t.regex(b.line('check').join('\n'), /ok, on both boxes/);
});

test('edit, up, top and exit move; paths are meant from there', (t) => {
  const b = configuring();
  b.line('edit box a lan');
  t.true(b.screen.text().includes('[edit box a lan]'));
  b.line('set prefix 26');
  t.regex(b.line('show').join('\n'), /prefix 26;/);
  t.is(b.line('up').at(-1), '[edit box a]');
  t.is(b.line('top').at(-1), '[edit]');
  b.line('edit sip');
  t.is(b.line('exit').at(-1), '[edit]');
  b.line('edit box a lan');
  t.is(b.line('exit').at(-1), '[edit box a]');
  b.keys('\x04');
  t.is(b.screen.lines().at(-2), '[edit box]');
  b.line('exit');
  t.is(b.screen.lines().at(-2), '[edit]');
  b.keys('edit box b\r');
  b.keys('set lan ?');
  t.regex(b.screen.text(), /gateway +Default router/);
});

test('leaving with changes asks; the candidate stays when the answer is no', (t) => {
  const b = configuring();
  b.line('set sip port 5070');
  b.line('exit');
  b.line('n');
  t.is(b.screen.line(), 'north-a (primary, in step)#');
  b.line('exit');
  b.line('y');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('quit leaves configuration mode from any place, and asks as exit does', (t) => {
  const b = configuring();
  b.line('edit box a lan');
  b.line('quit');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  b.line('configure');
  b.line('edit box a lan');
  b.line('set prefix 26');
  b.line('quit');
  b.line('n');
  t.is(b.screen.lines().at(-2), '[edit box a lan]');
  b.line('quit');
  b.line('y');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('JSON of the candidate, without its secrets; of what has none it is refused', (t) => {
  const b = configuring();
  b.line('set system snmp community swordfish99');
  t.regex(b.line('show vip | json').join(''), /^\{ +"address": "192\.0\.2\.10"\}/);
  t.regex(b.line('show | json').join(''), /"community": "\/\* secret \*\/"/);
  b.line('edit system snmp');
  t.regex(b.line('show | json').join(''), /^\{ +"community": "\/\* secret/);
  for (const line of [
    'compare | json',
    'commit | match x',
    'check | count',
    'set location | json',
  ]) {
    const said = b.line(line);
    const echo = b.screen.lines().find((l) => l.endsWith(line)) ?? '';
    t.regex(said.join('\n'), /pipe-not-here: /, line);
    t.is(said[0]?.indexOf('^'), echo.lastIndexOf('|') + 2);
  }
  t.is(b.pair.revisions.length, 1);
});

test('somebody else has committed since: refused, shown, and how to go on', (t) => {
  const pair = new FakePair();
  const [one, two] = [configuring(pair), configuring(pair)];
  one.line('set sip port 5070');
  two.line('set sip port 5080');
  one.line('commit');
  const said = two.line('commit').join('\n');
  t.regex(said, /commit-stale: revision 2 is active/);
  t.regex(said, /compare shows what is different; rollback 0 begins anew/);
  t.is(active(one, 'sip port'), 5070);
  t.regex(two.line('compare rollback 0').join('\n'), /- +port 5070;\n\+ +port 5080;/);
  two.line('rollback 0');
  two.line('set sip port 5080');
  t.regex(two.line('commit').join('\n'), /committed as revision 3/);
});

test('commit confirm goes back by itself; confirm keeps it', (t) => {
  const b = configuring();
  b.line('set users to 2999');
  t.regex(
    b.line('commit confirm 5').join('\n'),
    /both boxes go back at 2026-11-26 12:05:00 UTC, unless you say: confirm/,
  );
  t.is(active(b, 'users to'), 2999);
  b.pass(5 * 60_000);
  t.is(active(b, 'users to'), 1999);
  // the one that went back has the higher number, and is not the active one
  t.regex(b.line('run show configuration revisions').join('\n'), / 0 +1 .*first boot[\s\S]* 1 +2 /);
  t.regex(b.line('rollback 1').join('\n'), /as 1 commits ago/);
  t.regex(b.line('compare').join('\n'), /- +to 1999;\n\+ +to 2999;/);
  t.regex(b.line('rollback 0').join('\n'), /the candidate is revision 1, the active one/);
  b.line('set witnesses 192.0.2.1');
  b.line('set users to 3999');
  const said = b.line('commit confirm 5').join('\n');
  t.regex(
    said,
    /starts anew, first on the backup, then on the primary, because of:\n {2}witnesses/,
  );
  t.regex(b.line('confirm').join('\n'), /revision 3 stays/);
  b.pass(10 * 60_000);
  t.is(active(b, 'users to'), 3999);
  t.regex(b.line('confirm').join('\n'), /confirm-none/);
});

test('after it went back by itself: compare, commit, exit and discard know what is active now', (t) => {
  const b = configuring();
  b.line('set users to 2999');
  b.line('commit confirm 5');
  t.deepEqual(b.line('compare').slice(0, 1), ['(no differences)']);
  b.pass(5 * 60_000);
  const said = b.line('compare').join('\n');
  t.regex(said, /revision 1 is active now; this candidate was made from revision 2/);
  t.regex(said, /- +to 1999;\n\+ +to 2999;/);
  const refused = b.line('commit').join('\n');
  t.regex(refused, /commit-stale[\s\S]*nothing was changed\./);
  t.regex(refused, /rollback 1 takes revision 2 once more/);
  b.line('exit');
  t.regex(b.screen.text(), /The candidate is not what is active now \(revision 1\)\. Forget it\?/);
  b.line('n');
  b.line('rollback 1');
  t.regex(b.line('commit').join('\n'), /committed as revision 3 on both boxes/);
  t.is(active(b, 'users to'), 2999);
});

test('discard takes what is active now, and a commit follows from there', (t) => {
  const b = configuring();
  b.line('set users to 2999');
  b.line('commit confirm 5');
  b.pass(5 * 60_000);
  t.deepEqual(b.line('discard').slice(0, 1), [
    'the candidate is as the active configuration, revision 1',
  ]);
  t.deepEqual(b.line('compare').slice(0, 1), ['(no differences)']);
  b.line('set users to 3999');
  t.regex(b.line('commit').join('\n'), /committed as revision 3/);
  b.pair.down.add('system');
  b.line('set users to 4999');
  t.regex(b.line('compare').join('\n'), /does not answer[\s\S]*revision 3[\s\S]*\+ +to 4999;/);
  t.regex(b.line('discard').join('\n'), /does not answer[\s\S]*as it was begun: revision 3/);
  b.line('exit');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});

test('a commit at the other console: compare is against it, exit asks; the same change twice is none', (t) => {
  const pair = new FakePair();
  const [one, two, three] = [configuring(pair), configuring(pair), configuring(pair)];
  one.line('set sip port 5070');
  one.line('commit');
  t.regex(two.line('compare').join('\n'), /- +sip \{/);
  two.line('exit');
  t.regex(two.screen.text(), /active now \(revision 2\)\. Forget it\? \[y\/n\]\n/);
  two.line('y');
  t.is(two.screen.line(), 'north-a (primary, in step)>');
  three.line('set sip port 5070');
  t.is(three.line('compare')[1], '(no differences)');
  t.deepEqual(three.line('commit').slice(0, 1), ['nothing was changed']);
  three.line('set sip port 5080');
  t.regex(three.line('commit').join('\n'), /committed as revision 3/);
});

test('a second commit confirm goes back as far as the first; a plain commit confirms it', (t) => {
  const b = configuring();
  b.line('set users to 2999');
  b.line('commit confirm 5');
  b.line('set users to 3999');
  b.line('commit confirm 5');
  b.pass(5 * 60_000);
  t.is(active(b, 'users to'), 1999);
  b.line('rollback 0');
  b.line('set users to 2999');
  b.line('commit confirm 5');
  b.line('set users to 3999');
  t.regex(b.line('commit').join('\n'), /committed as revision 5 on both boxes/);
  b.pass(5 * 60_000);
  t.is(active(b, 'users to'), 3999);
});

test('rollback: an earlier revision becomes the candidate, commit makes it active', (t) => {
  const b = configuring();
  b.line('set sip port 5070');
  b.line('commit');
  t.regex(b.line('rollback 7').join('\n'), /there are only 2 revisions/);
  b.line('rollback 1');
  t.regex(b.line('compare').join('\n'), /- +port 5070;/);
  b.line('commit');
  t.is(active(b, 'sip port'), undefined);
  t.is(b.pair.active()?.number, 3);
});

test('the other box is away: said, and committed here', (t) => {
  const b = configuring();
  b.pair.peerReachable = false;
  b.line('set users to 2999');
  t.regex(b.line('check').join('\n'), /ok here; the other box does not answer/);
  t.regex(b.line('commit').join('\n'), /on this box; the other is away and gets it later/);
});

test('secrets are shown nowhere: not in show, compare, history, log', (t) => {
  const b = configuring();
  b.line('set system snmp users nms authKey swordfish99');
  b.line('set system snmp users nms privKey swordfish98');
  b.line('show');
  b.line('compare');
  b.line('commit');
  b.line('run show configuration');
  b.line('run show configuration commands');
  b.line('run show configuration | json');
  t.regex(b.screen.text(), /"authKey": "\/\* secret \*\/"/);
  const typed = b.screen.text().match(/swordfish/g)?.length ?? 0;
  t.is(typed, 2, 'only where it was typed');
  b.keys('\x1b[A'.repeat(10));
  t.is(b.screen.text().match(/swordfish/g)?.length, 2);
  t.notRegex(b.audit.join('\n'), /swordfish/);
  t.regex(b.audit.join('\n'), /set system snmp users nms authKey \(secret\)/);
});

test('save and load: a USB stick takes the configuration away and brings it back', (t) => {
  const b = configuring();
  t.regex(b.line('save usb:north.conf').join('\n'), /saved: usb:north\.conf; it holds secrets/);
  t.regex(b.pair.files.get('usb:north.conf') ?? '', /set vip address 192\.0\.2\.10/);
  t.regex(b.line('load usb:north.conf').join('\n'), /loaded into the candidate/);
  t.regex(b.line('load usb:other').join('\n'), /stick-read: there is no usb:other/);
  t.regex(
    b.line('run request support bundle usb').join('\n'),
    /^usb:sipair-support-\S+ \(48213 bytes\)/,
  );
});

test('save and load: a file, and a paste until ^D', (t) => {
  const b = configuring();
  b.line('set sip port 5070');
  t.regex(b.line('save mine').join('\n'), /saved: .*mine; it holds secrets/);
  b.line('discard');
  t.regex(b.line('load nothing').join('\n'), /file-missing/);
  b.line('load mine');
  t.regex(b.line('compare').join('\n'), /\+ +port 5070;/);
  b.line('discard');
  b.keys('load\rset users to 2999\rset sip port 5090\r\x04');
  t.regex(b.line('compare').join('\n'), /port 5090;[\s\S]*to 2999;/);
  b.keys('load\rset users to 2999\rset zebra 1\rset sip port x\r\x04');
  t.regex(b.screen.text(), /refused, for 2 reasons:\n {2}line 2: zebra[\s\S]*line 3: sip port/);
});

test('a fast paste of 2000 set lines arrives whole', (t) => {
  const b = configuring();
  const before = asSetLines(b.pair.active()?.tree ?? {}).length;
  const two = 'set witnesses 192.0.2.99 by icmp\rdelete witnesses 192.0.2.99\r';
  b.keys(two.repeat(1000));
  b.line('set users to 2999');
  b.line('commit');
  t.is(active(b, 'users to'), 2999);
  t.is(asSetLines(b.pair.active()?.tree ?? {}).length, before);
  t.notRegex(b.screen.text(), /\^|unknown|lost/);
  t.is(b.audit.filter((l) => l.startsWith('set ')).length, 1001);
});

test('run does an operational command, with its pipes, and its mistakes', (t) => {
  const b = configuring();
  t.deepEqual(b.line('run show ha | match readiness').slice(0, 1), [
    '  readiness      ready to change roles',
  ]);
  const said = b.line('run show zebra');
  const echo = b.screen.lines().find((l) => l.endsWith('run show zebra')) ?? '';
  t.is(said[0]?.indexOf('^'), echo.indexOf('zebra'));
});

test('a part of the active configuration: by its place, completed by the words of the schema', (t) => {
  const b = configuring();
  b.line('exit');
  t.deepEqual(b.line('show configuration vip'), ['address 192.0.2.10;']);
  t.regex(b.line('show configuration vip | json').join(''), /^\{ +"address": "192\.0\.2\.10"\}$/);
  t.regex(b.line('show configuration site').join('\n'), /nothing is set here \(tree-absent\)/);
  t.regex(b.line('show configuration zebra').join('\n'), /zebra/);
  b.keys('show configuration vi\t');
  t.regex(b.screen.line(), /show configuration vip$/);
});

test('^C while a commit waits, or no answer: it may have happened, and what tells is said', (t) => {
  const b = new Bench().login();
  b.line('configure');
  b.line('set sip port 5070');
  b.pair.silent.add('system');
  b.line('commit');
  b.keys('\x03');
  t.notRegex(b.screen.text(), /Not known/, 'nothing had been asked for');
  b.pair.silent.delete('system');
  b.pair.silent.add('commit');
  b.line('commit');
  b.keys('\x03');
  t.regex(
    b.screen.text(),
    /Not known whether[\s\S]*run show configuration revisions\s[\s\S]*compare rollback 0/,
  );
  b.pair.silent.delete('commit');
  t.is(b.line('compare').length > 1, true, 'the candidate is as it was');
  b.pair.down.add('system');
  t.notRegex(b.line('commit').join('\n'), /Not known/);
  b.pair.down.delete('system');
  b.pair.ends.add('commit');
  t.regex(b.line('commit').join('\n'), /Not known whether/);
});

test('a commit that changes nothing says that it confirms nothing', (t) => {
  const b = configuring();
  b.line('set sip port 5070');
  b.line('commit confirm 5');
  t.regex(b.line('commit').join(' '), /nothing was changed .*goes back by itself.* confirm/);
  b.line('confirm');
  t.notRegex(b.line('commit').join(' '), /goes back/);
});
