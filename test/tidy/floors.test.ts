/** Imports go down only (docs/architecture.md, "Floors"). */

import { dirname, join, normalize } from 'node:path';
import test from 'ava';
import { sources } from './source.ts';

/** Folder or file below src/ → floor. `call` and `pair` share a floor and do not know each other. */
const FLOORS: readonly (readonly [string, number])[] = [
  ['src/main.ts', 8],
  ['src/edge/', 7],
  ['src/node.ts', 6],
  ['src/node-settings.ts', 6],
  ['src/input.ts', 6],
  ['src/effect.ts', 6],
  ['src/service.ts', 6],
  ['src/cdr-feed.ts', 6],
  ['src/client/', 6],
  // what people and machines are shown: it knows the words of the engine, not the engine
  ['src/panel/', 5.5],
  ['src/cti/', 5],
  ['src/status.ts', 5],
  ['src/call/', 4],
  ['src/pair/', 4],
  ['src/media/', 4],
  ['src/ledger/', 3],
  ['src/proto/', 2],
  ['src/sip-parser/', 1],
  ['src/wire/', 1],
  ['src/base/', 0],
];
/** Node modules that are pure functions and may be used below edge/. */
const PURE = ['node:crypto', 'node:zlib'];
/** Pure packages, each with the rooms that may use it. */
const PURE_IN: { readonly [name: string]: readonly string[] } = {
  zod: ['src/cti/', 'src/client/'],
};

function room(path: string): readonly [string, number] {
  const found = FLOORS.find(([prefix]) => path.startsWith(prefix));
  if (found === undefined) throw new Error(`${path} is in no room`);
  return found;
}

function imports(text: string): string[] {
  return [...text.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;]*?from\s+'([^']+)'/g)].map(
    (m) => m[1]!,
  );
}

for (const file of sources('src')) {
  test(`imports of ${file.path} go down`, (t) => {
    const [ownRoom, ownFloor] = room(file.path);
    for (const name of imports(file.text)) {
      if (!name.startsWith('.')) {
        const pure = PURE.includes(name) || (PURE_IN[name]?.includes(ownRoom) ?? false);
        if (ownFloor < 7) t.true(pure, `${name} belongs to edge/`);
        continue;
      }
      const target = normalize(join(dirname(file.path), name));
      const [theirRoom, theirFloor] = room(target);
      if (theirRoom === ownRoom) continue;
      // input, effect and node are the three doors of one room
      if (ownFloor === 6 && theirFloor === 6) continue;
      t.true(theirFloor < ownFloor, `${file.path} must not import ${target}`);
      if (ownRoom === 'src/sip-parser/') t.fail(`the parser is self-contained: ${target}`);
    }
    t.pass();
  });
}

test('the call does not know that a peer exists, the pair does not know SIP', (t) => {
  for (const file of sources('src/call'))
    t.notRegex(file.text, /from '.*\/(pair|edge)\//, file.path);
  for (const file of sources('src/pair')) {
    t.notRegex(file.text, /from '.*\/(call|sip-parser|proto\/sip|edge)\//, file.path);
  }
});

test('the media service knows neither calls nor the pair nor the ledger', (t) => {
  for (const file of sources('src/media')) {
    t.notRegex(file.text, /from '.*\/(call|pair|ledger|edge)\//, file.path);
  }
});
