/**
 * Every torture message of RFC 4475 and RFC 5118 thrown at the VIP of a real pair. Each is followed by
 * an OPTIONS: answers leave in the order they were born, so whatever is seen at the wire between two
 * answers to OPTIONS answers that message.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { createLab, labName } from '../lab/lab.ts';
import { ROOT, VIP } from '../lab/places.ts';
import { Capture } from './capture.ts';
import { Wire } from './client/raw-phone.ts';
import { write } from './client/text.ts';

type Vector = {
  readonly name: string;
  readonly file: string;
  readonly kind: string;
  readonly verdict: 'accept' | 'reject' | 'either';
  readonly ours: 'accept' | 'reject';
  /** Statuses the RFC allows; empty: none in particular. */
  readonly replies: readonly number[];
};

const VECTORS = join(ROOT, 'test/vectors');

function vectors(): (Vector & { readonly text: string })[] {
  return ['rfc4475', 'rfc5118'].flatMap((book) => {
    const text = readFileSync(join(VECTORS, book, 'manifest.json'), 'utf8');
    const { messages } = JSON.parse(text) as { messages: Vector[] };
    return messages.map((v) => ({
      ...v,
      text: readFileSync(join(VECTORS, book, v.file), 'latin1'),
    }));
  });
}

test('torture messages: answered or dropped as their table says, and the pair goes on', async (t) => {
  const lab = await createLab({ name: labName('torture') });
  t.teardown(() => lab.down());
  const before = await lab.status();
  const primary = before.primary ?? 'a';
  const wire = new Wire(lab);
  const phone = await wire.phone(1234);
  const said = await Capture.of(lab, primary);
  const all = vectors();
  t.true(all.length >= 66, `${all.length} messages`);
  for (const [i, vector] of all.entries()) {
    phone.send(vector.text);
    const via = `Via: SIP/2.0/UDP ${phone.here};branch=z9hG4bKfence${i}`;
    const who = [`From: <sip:f@${VIP}>;tag=f`, `To: <sip:${VIP}>`, `Call-ID: fence${i}`];
    phone.send(
      write(`OPTIONS sip:${VIP} SIP/2.0`, [via, ...who, 'CSeq: 1 OPTIONS', 'Max-Forwards: 70']),
    );
    await phone.next('200');
  }
  const frames = (await said.end()).filter((f) => f.udp?.from === VIP);
  const answers = new Map<number, number[]>();
  let at = 0;
  for (const { udp } of frames) {
    const text = udp?.text ?? '';
    t.is(udp?.to, '192.0.2.60', 'nobody else is ever answered');
    t.regex(text, /^SIP\/2\.0 /, 'nothing but answers');
    // a busy machine's capture may lack a frame: the fence says itself which one it is
    const fence = /Call-ID: fence(\d+)\r\n/.exec(text);
    if (fence !== null) at = Number(fence[1]) + 1;
    else answers.set(at, [...(answers.get(at) ?? []), Number(text.slice(8, 11))]);
  }
  t.is(at, all.length);
  for (const [i, v] of all.entries()) {
    const got = answers.get(i) ?? [];
    t.log(`${v.name}: ${got.join(' ') || 'dropped'}`);
    if (v.kind === 'response') t.deepEqual(got, [], `${v.name} is a response`);
    for (const status of got.filter((s) => s >= 200)) {
      // What the parser takes the core refuses for reasons of its own: nobody has that number.
      if (v.ours === 'reject') t.true(v.replies.includes(status), `${v.name}: ${status}`);
      if (v.verdict === 'reject') t.true(status >= 400, `${v.name}: ${status}`);
      t.true(
        status < 500 || status === 505 || status === 501 || status === 513,
        `${v.name}: ${status}`,
      );
    }
    t.true(got.filter((s) => s >= 200).length <= 1, `${v.name}: one final answer, not ${got}`);
  }
  const after = await lab.status({ arp: true });
  t.is(after.boxes.a.pid, before.boxes.a.pid);
  t.is(after.boxes.b.pid, before.boxes.b.pid);
  t.is(after.primary, primary);
  t.true(after.inStep);
  wire.close();
});
