/** In the executable there is no file beside a file: only these may ask where they are. */

import test from 'ava';
import { codeOnly, sources } from './source.ts';

const MAY = [
  'src/edge/assets.ts',
  'src/edge/worker.ts',
  'src/edge/native/netlite.ts',
  'src/edge/native/raw-package.ts',
];

test('only what knows the executable asks for the place of a source file', (t) => {
  for (const file of sources('src')) {
    if (MAY.includes(file.path)) continue;
    t.notRegex(codeOnly(file.text), /\bimport\.meta\b|\b__dirname\b|\bcreateRequire\b/, file.path);
    t.notRegex(codeOnly(file.text), /\bnew Worker\(/, `${file.path}: startThread`);
  }
});

test('nothing is awaited at the top of a file: the executable is CommonJS', (t) => {
  for (const file of sources('src')) {
    t.notRegex(codeOnly(file.text), /^(const [^=]*= |export [^=]*= )?await\b/m, file.path);
  }
});
