/** Every limit is used, every fault code is raised, every counter counts: no word without a deed. */

import test from 'ava';
import { LIMITS } from '../../src/base/limits.ts';
import { SIP_FAULTS } from '../../src/sip-parser/index.ts';
import { LIMITS as SIP_LIMITS } from '../../src/sip-parser/limits.ts';
import { codeOnly, sources } from './source.ts';

const all = sources('src').map((f) => ({ path: f.path, text: f.text, code: codeOnly(f.text) }));

function usedOutside(home: string, pattern: RegExp): boolean {
  return all.some((f) => f.path !== home && pattern.test(f.code));
}

test('every limit of the engine is used', (t) => {
  for (const name of Object.keys(LIMITS)) {
    // handed over whole (LedgerSettings), it is used by the name of the field
    const taken = `\\{[^}]*\\b${name}\\b[^}]*\\} = LIMITS\\b`;
    const named = `\\b(LIMITS|settings)\\.${name}\\b`;
    const used = usedOutside('src/base/limits.ts', new RegExp(`${named}|${taken}`));
    t.true(used, `LIMITS.${name}`);
  }
});

test('every limit of the parser is used', (t) => {
  for (const name of Object.keys(SIP_LIMITS)) {
    t.true(usedOutside('src/sip-parser/limits.ts', new RegExp(`\\bLIMITS\\.${name}\\b`)), name);
  }
});

test('every fault code of the parser is raised somewhere', (t) => {
  const texts = all.filter((f) => f.path !== 'src/sip-parser/faults.ts').map((f) => f.text);
  for (const code of Object.keys(SIP_FAULTS)) {
    t.true(
      texts.some((text) => text.includes(`'${code}'`)),
      code,
    );
  }
});

test('every counter is counted', (t) => {
  const home = all.find((f) => f.path === 'src/proto/sip/counters.ts');
  const names = [...(home?.text ?? '').matchAll(/'([a-zA-Z]+)'/g)].map((m) => m[1]!);
  t.true(names.length > 5);
  for (const name of names) {
    t.true(
      all.some((f) => f !== home && f.text.includes(`'${name}'`)),
      name,
    );
  }
});

test('the mirror and record faults are raised', (t) => {
  const union = all.filter((f) =>
    /src\/(pair\/mirror-terms|ledger\/(ledger|record)|wire\/frame)\.ts/.test(f.path),
  );
  const codes = new Set(
    union.flatMap((f) =>
      [...f.text.matchAll(/\| '((?:link|record|op|frame)-[a-z-]+)'/g)].map((m) => m[1]!),
    ),
  );
  t.true(codes.size > 8);
  for (const code of codes) {
    t.true(
      all.some((f) => f.text.includes(`fault('${code}'`)),
      code,
    );
  }
});
