/** The manual's pictures are the program's tables. */

import test from 'ava';
import { DOCUMENTS, PICTURE_NAMES, readDocument, withPictures } from './pictures.ts';

for (const document of DOCUMENTS) {
  test(`docs/${document} shows the tables as they are (./build.sh docs)`, (t) => {
    const text = readDocument(document);
    t.is(text, withPictures(text));
  });
}

test('every picture is shown somewhere', (t) => {
  const all = DOCUMENTS.map(readDocument).join('');
  for (const name of PICTURE_NAMES) t.true(all.includes(`<!-- picture: ${name} -->`), name);
});
