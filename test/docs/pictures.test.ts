/** The manual's pictures are the program's tables. */

import test from 'ava';
import { PICTURE_NAMES, readArchitecture, withPictures } from './pictures.ts';

test('docs/architecture.md shows the tables as they are (./build.sh docs)', (t) => {
  const text = readArchitecture();
  t.is(text, withPictures(text));
  for (const name of PICTURE_NAMES) t.true(text.includes(`<!-- picture: ${name} -->`), name);
});
