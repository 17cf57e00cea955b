/** What waits for a connection is not overtaken by a later message of its call. */

import test from 'ava';
import type { Peer } from '../../src/base/peer.ts';
import { Waiting, type Waits } from '../../src/proto/sip/waiting.ts';

const HOST = '192.0.2.7';
const peer = (port: number, ip = HOST): Peer => ({ transport: 'tls', ip, port });

const say = (start: string, call: string, cseq: string): string =>
  `${start}\r\nVia: SIP/2.0/TLS 192.0.2.10;branch=z9hG4bK1\r\nCall-ID: ${call}\r\nCSeq: ${cseq}\r\n\r\n`;
const ask = (method: string, cseq: number, call = 'one'): string =>
  say(`${method} sip:a@b SIP/2.0`, call, `${cseq} ${method}`);
const reply = (status: number, cseq: number, call = 'one'): string =>
  say(`SIP/2.0 ${status} Words`, call, `${cseq} INVITE`);

/** A connection to where the phone listens is being made, and `texts` wait for it. */
function stage(...texts: readonly string[]) {
  const waiting = new Waiting();
  const waits: Waits = { peer: peer(5061), texts: [] };
  for (const text of texts) waiting.add(waits, text);
  return { waiting, waits };
}

test('an INVITE that waits goes before the BYE that follows it by another connection', (t) => {
  const { waiting, waits } = stage(ask('INVITE', 1), ask('INVITE', 1, 'two'), ask('INFO', 2));
  t.deepEqual(waiting.overtaken(peer(40_001), ask('BYE', 3)), [ask('INVITE', 1), ask('INFO', 2)]);
  t.deepEqual(waits.texts, [ask('INVITE', 1, 'two')]);
  t.deepEqual(waiting.overtaken(peer(40_001), ask('BYE', 3)), []);
  t.deepEqual(waiting.overtaken(peer(40_001), ask('BYE', 2, 'two')), [ask('INVITE', 1, 'two')]);
});

test('a provisional response goes before the final one', (t) => {
  const { waiting } = stage(reply(180, 7));
  t.deepEqual(waiting.overtaken(peer(40_001), reply(487, 7)), [reply(180, 7)]);
});

test('a request that is said again does not bring a later one forward, nor itself twice', (t) => {
  const { waiting, waits } = stage(ask('UPDATE', 2), ask('BYE', 3));
  t.deepEqual(waiting.overtaken(peer(40_001), ask('UPDATE', 2)), []);
  t.deepEqual(waits.texts, [ask('BYE', 3)]);
  t.deepEqual(waiting.overtaken(peer(40_001), ask('BYE', 3)), []);
  t.deepEqual(waits.texts, []);
});

test('what goes the same way waits for it; another host and another transport get nothing', (t) => {
  const { waiting, waits } = stage(ask('INVITE', 1));
  for (const to of [peer(5061), peer(40_001, '192.0.2.8'), { ...peer(40_001), transport: 'ws' }]) {
    t.deepEqual(waiting.overtaken(to as Peer, ask('BYE', 2)), []);
  }
  t.is(waits.texts.length, 1);
});

test('once it stands, or cannot be made, nothing waits', (t) => {
  const { waiting, waits } = stage(ask('INVITE', 1), reply(200, 4, 'two'));
  waiting.over(waits);
  t.deepEqual(waiting.overtaken(peer(40_001), ask('BYE', 2)), []);
  t.deepEqual(waiting.overtaken(peer(40_001), ask('BYE', 2, 'two')), []);
  t.is(waits.texts.length, 2);
});
