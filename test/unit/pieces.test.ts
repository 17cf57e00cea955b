/** Bytes that come in pieces of any size come out as they were. */

import test from 'ava';
import { Pieces } from '../../src/edge/system/pieces.ts';

test('whatever the pieces are, the bytes are the same', (t) => {
  const all = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
  for (const size of [1, 2, 3, 7, 64, 999, 1000]) {
    const pieces = new Pieces();
    for (let at = 0; at < all.length; at += size) pieces.push(all.subarray(at, at + size));
    let at = 0;
    for (const n of [5, 0, 1, 4, 200, 5, 785]) {
      t.deepEqual(pieces.peek(n), all.subarray(at, at + n), `peek ${n} of pieces of ${size}`);
      t.is(pieces.length, all.length - at);
      t.deepEqual(pieces.take(n), all.subarray(at, at + n), `take ${n} of pieces of ${size}`);
      at += n;
    }
    t.is(pieces.length, 0);
  }
});

test('what was pushed is a copy; cleared is empty', (t) => {
  const pieces = new Pieces();
  const bytes = Buffer.from('abc');
  pieces.push(bytes);
  bytes.fill(0);
  t.is(pieces.peek(3).toString(), 'abc');
  pieces.clear();
  t.is(pieces.length, 0);
});
