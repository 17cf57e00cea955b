/** What the audit log tells of a line: never a secret, however the line was mistyped. */

import test from 'ava';
import fc from 'fast-check';
import { withoutLogins } from '../../src/panel/logins.ts';
import { SCHEMA } from '../../src/panel/tree/schema.ts';
import type { Node, Type } from '../../src/panel/tree/terms.ts';
import { Bench } from '../console/bench.ts';
import { PASSWORD } from '../console/fake-pair.ts';

const KEYS: { readonly [T in Type['type']]?: string } = {
  extension: '1000',
  agents: '4711',
  numbers: '7000',
};

/** Words that lead to every secret of the schema. */
function secrets(node: Node, words: readonly string[]): (readonly string[])[] {
  if (node.kind === 'leaf') return node.secret === true ? [words] : [];
  if (node.kind === 'list') return [];
  const here = node.kind === 'map' ? [...words, KEYS[node.key.type] ?? 'nms'] : words;
  return Object.entries(node.children).flatMap(([name, child]) => secrets(child, [...here, name]));
}

const SECRETS = secrets(SCHEMA, []);
/** Both halves are looked for. */
const VALUES = [
  'swordfish',
  '"swordfish"',
  'swordfish marlin',
  '"swordfish marlin"',
  '"swordfish marlin',
  'swordfish"marlin',
  '"swordfish\\" marlin"',
  'swordfish|marlin',
  'swordfish | match marlin',
  'swordfish | marlin',
  'sip://swordfish:marlin@x',
  '[ swordfish marlin ]',
];
const MARK = /swordfish|marlin/;

function configuring(): Bench {
  const b = new Bench({ rows: 0 }).login();
  b.line('configure');
  b.audit.length = 0;
  return b;
}

const TOLD: readonly (readonly [line: string, told: string])[] = [
  ['set system snmp users nms authKey swordfish', 'set system snmp users nms authKey (secret)'],
  ['set sys snmp users nms au swordfish', 'set sys snmp users nms au (secret)'],
  ['set system snmp users nms authKey a swordfish', 'set system snmp users nms authKey (secret)'],
  ['set system snmp users nms authKey a | match x', 'set system snmp users *** authKey (secret)'],
  ['set system snmp users nms authKye swordfish', 'set system snmp users *** ***'],
  ['delete system snmp users nms authKey x', 'delete system snmp users nms authKey (secret)'],
  ['delete system snmp users nms authKey', 'delete system snmp users nms authKey'],
  ['set site centre programs "crm password swordfish"', 'set site centre programs ***'],
  ['sett system snmp users nms authKey swordfish', '***'],
  ['set sip port 5070', 'set sip port 5070'],
  ['set sip prot 5070', 'set sip ***'],
  ['set sip port 99999', 'set sip port ***'],
  ['run show ha', 'run show ha'],
  ['run show swordfish', 'run show ***'],
  ['run set system snmp community swordfish', 'run set ***'],
  ['commit comment "why it is so"', 'commit comment "why it is so"'],
  ['commit commnet swordfish', 'commit ***'],
  ['swordfish', '***'],
  ['show | mtach swordfish', 'show | ***'],
];

for (const [line, told] of TOLD) {
  test(`${line} is told as: ${told}`, (t) => {
    const b = configuring();
    b.line(line);
    t.deepEqual(b.audit, [told]);
  });
}

test('of a secret inside of edit nothing is told, nor when it is typed in operational mode', (t) => {
  const b = configuring();
  b.line('edit system snmp');
  b.line('set community swordfish');
  b.line('set comunity swordfish');
  b.line('top');
  b.line('run show ha');
  b.line('exit');
  b.line('y');
  b.line('set system snmp community swordfish');
  b.line('show configuration system snmp community swordfish');
  t.notRegex(b.audit.join('\n'), MARK);
  t.is(b.audit[1], 'set community (secret)');
  t.is(b.audit.at(-1), 'show configuration system snmp community (secret)');
});

/** One slip in a word. */
const slips: readonly ((word: string, at: number) => string)[] = [
  (w) => w,
  (w, at) => w.slice(0, at) + w.slice(at + 1),
  (w, at) => `${w.slice(0, at)}x${w.slice(at)}`,
  (w, at) => w.slice(0, at) + (w[at + 1] ?? '') + (w[at] ?? '') + w.slice(at + 2),
  (w, at) => `${w.slice(0, at)} ${w.slice(at)}`,
  (w, at) => `${w.slice(0, at)}"${w.slice(at)}`,
  (w, at) => `${w.slice(0, at)}|${w.slice(at)}`,
  (w, at) => w.slice(0, at + 1),
  (w) => `"${w}"`,
  (w) => w.toUpperCase(),
  () => '',
];

test('no slip in the line of any secret lets it out', (t) => {
  t.true(SECRETS.length >= 8, `${SECRETS.length}`);
  const slip = fc.record({ word: fc.nat(12), at: fc.nat(12), how: fc.constantFrom(...slips) });
  fc.assert(
    fc.property(
      fc.constantFrom(...SECRETS),
      fc.constantFrom('set', 'delete', 'show', 'edit', 'run set', '', 'show configuration'),
      fc.constantFrom(...VALUES),
      fc.array(slip, { maxLength: 2 }),
      fc.constantFrom(' ', '  ', ' \t'),
      fc.nat(3),
      fc.boolean(),
      (place, verb, value, all, blank, below, operational) => {
        const b = configuring();
        if (operational) b.line('exit');
        else if (below > 0) b.line(`edit ${place.slice(0, below).join(' ')}`);
        const inside = b.screen.text().includes('[edit ') ? place.slice(below) : place;
        const words = [verb, ...(operational ? place : inside)];
        for (const { word, at, how } of all) {
          const i = word % words.length;
          const old = words[i] ?? '';
          words[i] = how(old, at % Math.max(1, old.length));
        }
        b.keys(`${[...words, value].join(blank)}\r`);
        t.notRegex(b.audit.join('\n'), MARK, [...words, value].join(blank));
      },
    ),
    { numRuns: 1500 },
  );
});

test('a configuration that is pasted without load is not told', (t) => {
  const b = configuring();
  b.keys('system {\r  snmp {\r community swordfish;\r  }\r}\r## SECRET set x swordfish\r');
  t.is(b.audit.length, 6);
  t.notRegex(b.audit.join('\n'), MARK);
  b.keys('load\rset system snmp community swordfish\r\x04');
  t.notRegex(b.audit.join('\n'), MARK);
  b.keys('\x1b[A'.repeat(12));
  t.notRegex(b.screen.line(), /set system snmp community/);
});

test('a password that is typed as the name of the user is told to nobody', (t) => {
  const b = new Bench();
  b.line('swordfish');
  b.line('x');
  b.line('factory-reset');
  b.line('swordfish');
  t.notRegex(b.audit.join('\n'), MARK);
});

test('what was cut from a password does not come back, and the history ends with the session', (t) => {
  const b = new Bench();
  b.line('admin');
  b.keys('swordfish\x15\x03');
  b.keys('\x19');
  t.notRegex(b.screen.text(), MARK);
  b.keys('\x15');
  b.line('admin');
  b.line(PASSWORD);
  b.line('show log | match marlin');
  b.line('exit');
  b.login();
  const from = b.screen.text().length;
  b.keys('\x1b[A\x1b[A\x1b[A\x12marl');
  t.notRegex(b.screen.text().slice(from).replace("'marl'", ''), MARK);
});

test('names and passwords of addresses are not told, whatever their scheme', (t) => {
  for (const [typed, told] of [
    ['set site trunks t contact sip:bob:swordfish@192.0.2.9', 'sip:bob:***@192.0.2.9'],
    ['request file install http://u:sword/fish@192.0.2.7/a.pem', 'http://***@192.0.2.7/a.pem'],
  ] as const) {
    const said = withoutLogins(typed);
    t.true(said.endsWith(told), said);
  }
  const plain = 'from <sip:192.0.2.9:5060;lr> <sip:1001@192.0.2.10:5060>, https://192.0.2.7/a';
  t.is(withoutLogins(plain), plain);
});
