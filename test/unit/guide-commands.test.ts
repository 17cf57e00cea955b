/**
 * What the operator's guide types at a prompt is a command: every page with `serial` blocks, by the grammar, and by the schema
 * where a place of the configuration is named. Whether it then says what the page shows is seen at real consoles (test/vm).
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CONFIGURATION, OPERATIONAL } from '../../src/panel/console/grammar.ts';
import { isWrong, parse } from '../../src/panel/console/parse.ts';
import { isTreeFault, setWords } from '../../src/panel/console/tree-tools.ts';
import { split } from '../../src/panel/console/words.ts';
import { isPlace, resolve } from '../../src/panel/tree/tree.ts';
import { stepsOf } from '../console/guide.ts';
import { ROOT } from '../lab/places.ts';

const DOCS = join(ROOT, 'docs');

/** '' or what is wrong with a line typed at a prompt. */
function wrongWith(line: string, configuring: boolean): string {
  const { words } = split(line);
  const parsed = parse(configuring ? CONFIGURATION : OPERATIONAL, words, line.length);
  if (isWrong(parsed)) return parsed.text;
  const rest = parsed.rest.map((w) => w.text);
  if (parsed.verb === 'set') {
    const fault = setWords({}, rest);
    return isTreeFault(fault) ? fault.text : '';
  }
  if (parsed.verb === 'run') return wrongWith(rest.join(' '), false);
  const place = resolve(rest);
  return isPlace(place) ? '' : place.text;
}

test('every command that the guide types exists', (t) => {
  let typed = 0;
  for (const page of readdirSync(DOCS).filter((f) => f.endsWith('.md'))) {
    let prompt = '';
    const steps = stepsOf(readFileSync(join(DOCS, page), 'utf8'));
    for (const [i, step] of steps.entries()) {
      if (step.kind === 'see') {
        prompt = step.text;
        continue;
      }
      if (!/[>#]$/.test(prompt) || step.text === '' || step.text.startsWith('^')) continue;
      typed += 1;
      const wrong = wrongWith(step.text, prompt.endsWith('#'));
      // a mistake on purpose is told in the next line
      const told = steps[i + 1]?.text ?? '';
      t.true(wrong === '' || wrong.includes(told), `${page}:${step.line}: ${step.text}: ${wrong}`);
    }
  }
  t.true(typed > 5, `${typed} commands`);
});

test('one that does not exist is told', (t) => {
  t.not(wrongWith('show configuration sight', false), '');
  t.not(wrongWith('set sites extensions 1001 name x', true), '');
  t.is(wrongWith('show configuration site', false), '');
});
