/** The manual's pictures are the program's tables. */

import test from 'ava';
import {
  DOCUMENTS,
  PICTURE_NAMES,
  RPC_DOCUMENT,
  readDocument,
  rpcDocument,
  WHOLE_DOCUMENTS,
  withPictures,
} from './pictures.ts';

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

for (const [document, text] of Object.entries(WHOLE_DOCUMENTS)) {
  test(`docs/${document} is what the console says (./build.sh docs)`, (t) => {
    t.is(readDocument(document), text());
  });
}

test('docs/cti.openrpc.json is what the services are (./build.sh docs)', (t) => {
  t.is(readDocument(RPC_DOCUMENT), rpcDocument());
});

/** One line of the document. */
type Rpc = {
  readonly methods: readonly {
    readonly name: string;
    readonly params: readonly { readonly name: string; readonly required: boolean }[];
  }[];
};

test('a machine finds in it what a service takes', (t) => {
  const { methods } = JSON.parse(rpcDocument()) as Rpc;
  const hold = methods.find((m) => m.name === 'holdCall');
  t.deepEqual(
    hold?.params.map((p) => [p.name, p.required]),
    [['connection', true]],
  );
  const data = methods.find((m) => m.name === 'associateData');
  t.true(data?.params.some((p) => p.name === 'attach' && !p.required));
});
