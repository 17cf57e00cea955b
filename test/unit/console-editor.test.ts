/** Bytes to keys to a line, on a terminal that answers nothing: what is drawn is what is meant. */

import test from 'ava';
import fc from 'fast-check';
import { Editor, type EditorEvent, LINE_MAX } from '../../src/panel/console/editor.ts';
import { Keys } from '../../src/panel/console/keys.ts';
import { Screen } from '../console/screen.ts';

type Typed = {
  readonly screen: Screen;
  readonly events: EditorEvent[];
  readonly bytes: number;
  readonly line: string;
};

function type(
  bytes: string | Uint8Array,
  options: { columns?: number; history?: string[]; prompt?: string; secret?: boolean } = {},
): Typed {
  const { columns = 80, history = [], prompt = 'a> ', secret = false } = options;
  const screen = new Screen(columns);
  const editor = new Editor(columns);
  const keys = new Keys();
  const events: EditorEvent[] = [];
  screen.write(editor.begin(prompt, secret, history));
  let count = 0;
  for (const b of typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes) {
    const k = keys.byte(b);
    if (k === undefined) continue;
    const { out, event } = editor.key(k);
    count += out.length;
    screen.write(out);
    if (event === undefined) continue;
    events.push(event);
    if (!/complete|help/.test(event.event)) screen.write(editor.begin(prompt, secret, history));
  }
  return { screen, events, bytes: count, line: screen.line() };
}

const ESC = '\x1b';

/** Keys → the line with | where the cursor is. */
const EDITS: readonly (readonly [what: string, keys: string, line: string])[] = [
  ['typing', 'show ha', 'show ha|'],
  ['left, vt100', `abc${ESC}[D${ESC}[Dx`, 'ax|bc'],
  ['left, application mode', `abc${ESC}OD${ESC}ODx`, 'ax|bc'],
  ['left, emacs', 'abc\x02\x02x', 'ax|bc'],
  ['home and end, xterm', `bc${ESC}[Ha${ESC}[Fd`, 'abcd|'],
  ['home and end, linux', `bc${ESC}[1~a${ESC}[4~d`, 'abcd|'],
  ['home and end, rxvt', `bc${ESC}[7~a${ESC}[8~d`, 'abcd|'],
  ['home and end, vt220 in application mode', `bc${ESC}OHa${ESC}OFd`, 'abcd|'],
  ['home and end, emacs', 'bc\x01a\x05d', 'abcd|'],
  ['delete', `abc\x01${ESC}[3~`, '|bc'],
  ['^D within a line deletes', 'abc\x01\x04', '|bc'],
  ['backspace, both codes', 'abcd\x7f\x08', 'ab|'],
  ['^U', 'abc def\x02\x02\x02\x15', '|def'],
  ['^K and ^Y', 'abc def\x01\x0b\x19\x19', 'abc defabc def|'],
  ['^W', 'show calls\x17', 'show |'],
  ['words', `one two three${ESC}b${ESC}bx${ESC}f y`, 'one xtwo y| three'],
  ['words, xterm', `one two${ESC}[1;5Dx`, 'one x|two'],
  ['delete word on', `one two\x01${ESC}d`, '| two'],
  ['^T', 'sohw\x02\x02\x14', 'sho|w'],
  ['utf-8', 'grün\x02x', 'grüx|n'],
  ['a literal ?', 'a\x16?b', 'a?b|'],
  ['an unknown sequence is nothing', `ab${ESC}[24~${ESC}[200~c`, 'abc|'],
  ['the linux console’s F1 is nothing', `ab${ESC}[[Ac`, 'abc|'],
  ['a sequence that lost its end does not eat a control key', `ab${ESC}[\x01x`, 'x|ab'],
];

for (const [what, keys, line] of EDITS) {
  test(`editing: ${what}`, (t) => {
    const { screen } = type(keys);
    const at = line.indexOf('|');
    t.is(screen.line(), `a> ${line.replace('|', '')}`.trimEnd());
    t.is(screen.cursor(), 3 + at);
    t.deepEqual(screen.unknown, []);
  });
}

test('CR, LF and CR LF each end one line', (t) => {
  const { events } = type('a\rb\nc\r\nd\r');
  t.deepEqual(events, [
    { event: 'line', text: 'a', lost: 0 },
    { event: 'line', text: 'b', lost: 0 },
    { event: 'line', text: 'c', lost: 0 },
    { event: 'line', text: 'd', lost: 0 },
  ]);
});

test('history: up, down, and what was begun is still there', (t) => {
  const history: string[] = [];
  type('one\rtwo\rtwo\r', { history });
  t.deepEqual(history, ['one', 'two'], 'the same line twice is one');
  const up = `${ESC}[A`;
  t.is(type(`half${up}${up}`, { history: [...history] }).line, 'a> one');
  t.is(type(`half${up}${up}\x0e\x0e`, { history: [...history] }).line, 'a> half');
  t.is(type(`${up}${up}${up}${up}`, { history: [...history] }).screen.bells, 2);
});

test('^R searches, again goes further back, ^G gives up, Enter runs what was found', (t) => {
  const history = ['show ha', 'show calls', 'configure'];
  t.is(type('\x12sh', { history: [...history] }).line, "(search)'sh': show calls");
  t.is(type('\x12sh\x12', { history: [...history] }).line, "(search)'sh': show ha");
  t.is(type('my\x12sh\x07', { history: [...history] }).line, 'a> my');
  const { events } = type('\x12ha\r', { history: [...history] });
  t.deepEqual(events, [{ event: 'line', text: 'show ha', lost: 0 }]);
});

test('a line longer than the screen slides; no line ever wraps', (t) => {
  const long = Array.from({ length: 30 }, (_, i) => `word${i}`).join(' ');
  const { screen, line } = type(long, { columns: 40 });
  t.is(screen.wrapped, 0);
  t.true(line.startsWith('a> <'), line);
  t.true(line.endsWith('word29'), line);
  t.regex(type(`${long}\x01`, { columns: 40 }).line, /^a> word0 word1.*>$/);
  const { events } = type(`${long}\r`, { columns: 40 });
  t.deepEqual(events, [{ event: 'line', text: long, lost: 0 }]);
});

test('a line has a longest length', (t) => {
  const { events, screen } = type(`${'x'.repeat(LINE_MAX + 50)}\r`);
  const [event] = events;
  t.like(event, { event: 'line', lost: 50 });
  t.is(event?.event === 'line' ? event.text.length : 0, LINE_MAX);
  t.is(screen.bells, 50);
  // who has made it shorter again, and sees it, means what he sees
  t.like(type(`${'x'.repeat(LINE_MAX + 50)}\x7f\r`).events[0], { event: 'line', lost: 0 });
  t.like(type('short\r').events[0], { event: 'line', lost: 0 });
});

test('a key costs a few bytes: a slow line keeps up', (t) => {
  const plain = 'show registrations | match 10';
  t.is(type(plain).bytes, plain.length);
  // in the middle of a line what follows is written again
  const before = type('set sip port 5070\x02\x02\x02\x02').bytes;
  t.true(type('set sip port 5070\x02\x02\x02\x02x').bytes - before <= 12);
});

test('a password is not echoed, and is in no history', (t) => {
  const history: string[] = [];
  const { screen, events } = type('secret\x02\x02x\r', { secret: true, history });
  t.is(screen.text(), 'a>\na>');
  t.deepEqual(events, [{ event: 'line', text: 'secrxet', lost: 0 }]);
  t.deepEqual(history, []);
});

test('what was cut at a secret question is given back nowhere; what was cut before still is', (t) => {
  for (const cut of ['\x15', '\x17', '\x01\x0b', `\x01${ESC}d`]) {
    const editor = new Editor(80);
    const keys = new Keys();
    const feed = (text: string): string => {
      let out = '';
      for (const b of new TextEncoder().encode(text)) {
        const k = keys.byte(b);
        if (k !== undefined) out += editor.key(k).out;
      }
      return out;
    };
    editor.begin('login: ', false, []);
    feed('before\x15\r');
    editor.begin('Password: ', true, []);
    t.is(feed(`hunter2${cut}`), '');
    feed('\r');
    editor.begin('login: ', false, []);
    t.is(feed('\x19'), 'before', cut);
  }
});

test('nothing that was cut at a secret question comes back, not even within it', (t) => {
  const { events } = type('one two\x17\x19\x19\r', { secret: true });
  t.deepEqual(events, [{ event: 'line', text: 'one ', lost: 0 }]);
});

test('on the narrowest screen nothing wraps, searching included', (t) => {
  const history = ['show registrations', 'show calls'];
  for (const columns of [1, 5, 20, 22]) {
    const editor = new Editor(columns);
    const screen = new Screen(20);
    const keys = new Keys();
    screen.write(editor.begin('> ', false, [...history]));
    for (const b of new TextEncoder().encode('show configuration commands\x12registrations\x12')) {
      const k = keys.byte(b);
      if (k !== undefined) screen.write(editor.key(k).out);
    }
    t.is(screen.wrapped, 0, `${columns}`);
  }
});

test('^L draws the line anew', (t) => {
  t.is(type('show ha\x02\x0c').line, 'a> show ha');
});

test('tab and ? give what stands before the cursor; ? in quotes is text', (t) => {
  t.deepEqual(type('show h\t').events, [{ event: 'complete', text: 'show h' }]);
  t.deepEqual(type('show ?').events, [{ event: 'help', text: 'show ' }]);
  t.deepEqual(type('commit comment "why?').events, []);
});

test('whatever is typed: the screen shows the line, and nothing a terminal does not know', (t) => {
  const key = fc.constantFrom(
    ...'abc d"?'.split(''),
    ...[1, 2, 4, 5, 6, 8, 11, 16, 14, 20, 21, 23, 25, 12].map((c) => String.fromCharCode(c)),
    `${ESC}[D`,
    `${ESC}[C`,
    `${ESC}[3~`,
    `${ESC}b`,
  );
  fc.assert(
    fc.property(fc.array(key, { maxLength: 120 }), fc.constantFrom(30, 80), (all, columns) => {
      const { screen, events } = type(`x${all.join('')}`, { columns });
      t.deepEqual(screen.unknown, []);
      t.is(screen.wrapped, 0);
      t.true(screen.cursor() < columns);
      // drawn step by step or all at once: the same
      if (!events.some((e) => e.event === 'eof')) {
        const anew = type(`x${all.join('')}\x0c`, { columns });
        t.is(anew.line, screen.line());
        t.is(anew.screen.cursor(), screen.cursor());
      }
    }),
    { numRuns: 150 },
  );
});

test('noise never throws, and ^C after it is always ^C', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const { events, screen } = type(Uint8Array.from([...noise, 7, 3, 3]));
      t.true(events.some((e) => e.event === 'interrupt'));
      t.deepEqual(screen.unknown, []);
    }),
    { numRuns: 200 },
  );
});
