// No regular expression that text of the network reaches walks back more than a fixed number of
// times over an octet: the steps of each are counted under texts made to hurt it.

import test from 'ava';
import { USUAL } from '../../src/sip-parser/usual.ts';
import { codeOnly, sources } from '../tidy/source.ts';
import { steps, worstGrowth } from './regex-steps.ts';

/** Ten times the text may take ten times the steps and a little more. */
const LINEAR = 13;

const ROOMS = /^src\/(sip-parser|proto\/sip|call)\//;
// A literal stands behind one of these, a division never does.
const LITERAL =
  /(?:[=(,:!&|?[{;]|=>|\breturn)\s*\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([a-z]*)/g;

const found: { readonly name: string; readonly regex: RegExp }[] = USUAL.map((regex, i) => ({
  name: `src/sip-parser/usual.ts ${i}`,
  regex,
}));
for (const file of sources('src').filter((f) => ROOMS.test(f.path))) {
  const text = file.text.replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  for (const [, source, flags] of text.matchAll(LITERAL)) {
    const name = `${file.path} ${source}`;
    if (found.some((f) => f.name === name)) continue;
    found.push({ name, regex: new RegExp(source ?? '', flags) });
  }
}

test('the count finds what walks back too often, and nothing else', (t) => {
  for (const bad of [
    /^(?:a+)+$/,
    /a+b/,
    /;\s*\s*x/,
    /^(?:a|a)*$/,
    /^(?:\s*,?\s*)*x/,
    /^[a-z]*[a-y]*$/,
  ]) {
    t.true(worstGrowth(bad).growth > LINEAR * 2, bad.source);
  }
  for (const good of [/^a+$/, /\r\n[ \t]+/g, /;x=[^;]*/i, /^(?:a|b)*$/, /["\\]/]) {
    t.true(worstGrowth(good).growth < LINEAR, good.source);
  }
  t.is(steps(/^b/, 'a'.repeat(100)), steps(/^b/, 'a'));
});

test('every regular expression of the rooms that read messages is found', (t) => {
  t.true(found.length > 25, `${found.length}`);
  let written = 0;
  for (const file of sources('src').filter((f) => ROOMS.test(f.path))) {
    written += (codeOnly(file.text).match(/new RegExp\(/g) ?? []).length;
  }
  t.is(written, USUAL.length, 'a regular expression made of parts: add it to USUAL or its like');
});

for (const { name, regex } of found) {
  test(`linear: ${name}`, (t) => {
    const { growth, pump } = worstGrowth(regex);
    t.true(growth < LINEAR, `steps grow ${growth.toFixed(1)} times with ${JSON.stringify(pump)}`);
  });
}
