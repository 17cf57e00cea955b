/** The grammar: what a line means, what is wrong with it and where, what could come next. */

import test from 'ava';
import { type Completion, complete, type Knowledge } from '../../src/panel/console/complete.ts';
import { CONFIGURING } from '../../src/panel/console/configure.ts';
import { CONFIGURATION, OPERATIONAL } from '../../src/panel/console/grammar.ts';
import type { GrammarNode } from '../../src/panel/console/node.ts';
import { operates, SHOWN } from '../../src/panel/console/operate.ts';
import { isWrong, parse } from '../../src/panel/console/parse.ts';
import { readPipes } from '../../src/panel/console/pipes.ts';
import { type OperationalVerb, SUBJECTS } from '../../src/panel/console/verbs.ts';
import { quote, split } from '../../src/panel/console/words.ts';

function read(text: string, roots: readonly GrammarNode[] = OPERATIONAL): string {
  const { words, end } = split(text);
  const p = parse(roots, words, end);
  if (isWrong(p)) return `${p.at}: ${p.text}: ${p.choices.map((c) => c.word).join(' ')}`;
  const args = Object.entries(p.args).map(([k, v]) => `${k}=${v}`);
  return [p.verb, ...args, ...p.rest.map((w) => w.text)].join(', ');
}

const MEANT: readonly (readonly [line: string, meaning: string])[] = [
  ['show ha', 'show ha'],
  ['sh ha', 'show ha'],
  ['sh reg', 'show registrations'],
  ['show call 7', 'show call, id=7'],
  ['show calls', 'show calls'],
  ['show alarms history', 'show alarms-history'],
  ['show log', 'show log'],
  ['show log 20', 'show log, lines=20'],
  ['show system image', 'show image'],
  ['req ha sw', 'switchover'],
  ['req ha sw f', 'switchover force'],
  ['request system image install /data/image/x.raucb', 'image install, source=/data/image/x.raucb'],
  ['req sys im inst /x.raucb force', 'image install force, source=/x.raucb'],
  ['request system image rollback force', 'image rollback force'],
  ['ping 192.0.2.1', 'ping, host=192.0.2.1'],
  ['mon sip num 1001', 'monitor sip, number=1001'],
  ['mon sip call 7', 'monitor sip, call=7'],
  ['mon traffic eth1', 'monitor traffic, interface=eth1'],
  ['set cli screen-length 0', 'set cli, rows=0'],
];

for (const [line, meaning] of MEANT) {
  test(`${line} is ${meaning}`, (t) => t.is(read(line), meaning));
}

test('one name for one thing: no two words after show are the same picture', (t) => {
  const pictures = SUBJECTS.map((subject) => SHOWN[subject] ?? subject);
  t.is(new Set(pictures).size, pictures.length);
  t.regex(read('show health'), /^5: unknown: health: /);
});

const WRONG: readonly (readonly [line: string, wrong: RegExp])[] = [
  ['frobnicate', /^0: unknown: frobnicate: show request ping /],
  ['show', /^4: the command is not complete: ha calls /],
  ['show zebra', /^5: unknown: zebra: ha /],
  ['request s', /^8: ambiguous: s: system support$/],
  ['show ha now', /^8: nothing may follow: now: $/],
  ['show log many', /^9: a number from 1 to 5000 is expected/],
  ['show log 5001', /^9: a number from 1 to 5000 is expected/],
  ['ping -f', /^5: an address or a name is expected/],
  ['monitor traffic -w', /^16: an interface is expected/],
];

for (const [line, wrong] of WRONG) {
  test(`${line} is wrong at its place`, (t) => t.regex(read(line), wrong));
}

test('configuration mode: paths, comments, minutes', (t) => {
  t.is(read('set sip port 5070', CONFIGURATION), 'set, sip, port, 5070');
  t.is(read('commit', CONFIGURATION), 'commit');
  t.is(read('commit comment "two words"', CONFIGURATION), 'commit, comment=two words');
  t.is(read('commit confirm', CONFIGURATION), 'commit confirm');
  t.is(
    read('commit confirm 5 comment why', CONFIGURATION),
    'commit confirm, minutes=5, comment=why',
  );
  t.is(read('rollback 3', CONFIGURATION), 'rollback, number=3');
  t.is(read('run show ha', CONFIGURATION), 'run, show, ha');
  t.is(read('comp', CONFIGURATION), 'compare');
});

function verbsOf(nodes: readonly GrammarNode[]): string[] {
  return nodes.flatMap((n) => [
    ...(n.run === undefined ? [] : [n.run]),
    ...(n.kind === 'word' || n.kind === 'argument' ? verbsOf(n.next ?? []) : []),
  ]);
}

test('every command of the grammar is done by somebody', (t) => {
  const ofSession = ['configure', 'quit'];
  for (const verb of verbsOf(OPERATIONAL)) {
    t.true(operates(verb as OperationalVerb) || ofSession.includes(verb), verb);
  }
  const ofMode = ['run', 'help', 'exit'];
  for (const verb of verbsOf(CONFIGURATION)) {
    t.true(CONFIGURING.includes(verb) || ofMode.includes(verb), verb);
  }
});

test('words of one place do not begin alike, unless one is the other', (t) => {
  const look = (nodes: readonly GrammarNode[]): void => {
    const words = nodes.flatMap((n) => (n.kind === 'word' ? [n.word] : []));
    t.is(new Set(words).size, words.length);
    for (const n of nodes) if (n.kind === 'word') look(n.next ?? []);
  };
  look(OPERATIONAL);
  look(CONFIGURATION);
});

const K: Knowledge = {
  roots: CONFIGURATION,
  other: OPERATIONAL,
  paths: (words, partial) =>
    [
      { word: 'sip', help: 'SIP' },
      { word: 'site', help: 'numbers' },
    ].filter((c) => words.length === 0 && c.word.startsWith(partial)),
};

function tab(text: string, k: Knowledge = { ...K, roots: OPERATIONAL }): Completion {
  return complete(k, text);
}

test('Tab goes as far as there is no choice', (t) => {
  t.is(tab('sh').insert, 'ow ');
  t.is(tab('show al').insert, 'arms ');
  t.is(tab('show c').insert, '');
  t.deepEqual(
    tab('show c').choices.map((c) => c.word),
    ['calls', 'call', 'conferences', 'counters', 'configuration'],
  );
  t.is(tab('show ca').insert, 'll');
  t.is(tab('show ha | m').insert, 'atch ');
  t.deepEqual(
    tab('show ha | ').choices.map((c) => c.word),
    ['match', 'except', 'count', 'last', 'no-more', 'json'],
  );
  t.deepEqual(
    tab('show ha ').choices.map((c) => c.word),
    ['<enter>', '|'],
  );
  t.deepEqual(
    tab('show call ').choices.map((c) => c.word),
    ['<id>'],
  );
  t.is(tab('zebra x').text, 'unknown: zebra');
  t.is(tab('set s', K).insert, 'i');
  t.is(tab('set sit', K).insert, 'e ');
  t.is(tab('run show al', K).insert, 'arms ');
});

const TEN = Array.from({ length: 10 }, (_, i) => `line ${i} ${i % 2 === 0 ? 'even' : 'odd'}`);

function piped(text: string): readonly string[] | string {
  const s = split(text);
  const pipes = readPipes(s.pipes, s.end);
  return 'choices' in pipes ? `${pipes.at}: ${pipes.text}` : pipes.apply(TEN);
}

test('pipes', (t) => {
  t.is(piped('x | match even').length, 5);
  t.is(piped('x | except EVEN').length, 5);
  t.deepEqual(piped('x | match "line 3"'), ['line 3 odd']);
  t.deepEqual(piped('x | match even | count'), ['Count: 5 lines']);
  t.deepEqual(piped('x | last 1'), ['line 9 odd']);
  t.deepEqual(piped('x | mat even | la 1'), ['line 8 even']);
  t.is(piped('x | zebra'), '4: unknown: zebra');
  t.is(piped('x |'), '3: what?');
  t.is(piped('x | match'), '9: what?');
  t.is(piped('x | count 3'), '10: nothing may follow: 3');
  t.is(piped('x | last none'), '9: a number is expected');
});

test('an expression that is none is refused under its place; one that takes long elsewhere is not', (t) => {
  t.is(piped('x | match "a["'), '10: this expression is refused: a [ without its ]');
  t.is(piped('x | except (?=a)'), '11: this expression is refused: (?: is the only ( with a ?');
  t.deepEqual(piped(`x | match "${'.?'.repeat(20)}!!"`), []);
  t.deepEqual(piped('x | match "(.*)*.*.*even$" | last 1'), ['line 8 even']);
});

test('words, quotes and pipes', (t) => {
  const s = split('set a "b | c" d\\ | match "x');
  t.deepEqual(
    s.words.map((w) => [w.text, w.at]),
    [
      ['set', 0],
      ['a', 4],
      ['b | c', 6],
      ['d\\', 14],
    ],
  );
  t.true(s.open);
  for (const text of ['a b', 'a"b', 'a|b', '', 'plain', 'back\\slash']) {
    t.is(split(quote(text)).words[0]?.text, text);
  }
});
