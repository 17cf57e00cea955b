/** The driver of consoles itself: it waits, types like a person, keeps a transcript, and can fail. */

import test from 'ava';
import { Bench } from '../console/bench.ts';
import { Expect, type Wire } from '../console/expect.ts';
import { PASSWORD } from '../console/fake-pair.ts';
import { runGuide } from '../console/guide.ts';

/** A session in this process as a wire. */
function wired(): { readonly bench: Bench; readonly person: Expect } {
  const bench = new Bench();
  let take: (bytes: Uint8Array) => void = () => {};
  const tell = (text: string): void => take(new TextEncoder().encode(text));
  const wire: Wire = {
    write: (bytes) => bench.raw(bytes),
    onData: (to) => {
      take = to;
    },
  };
  const person = new Expect(wire);
  tell('sipair login: ');
  bench.said = tell;
  return { bench, person };
}

test('it waits for what appears, types, and the transcript is what a person saw', async (t) => {
  const { bench, person } = wired();
  await person.expect('login:');
  await person.type('admin\r', 0);
  await person.expect(/^Password: /m);
  await person.command(PASSWORD, 'in step)> ');
  const seen = await person.command('show ha | match readiness', 'in step)> ');
  t.regex(seen, /ready to change roles/);
  t.is(person.transcript(), bench.screen.text().trimStart().split('\n').slice(1).join('\n'));
});

test('what does not appear is told, with what was there', async (t) => {
  const { person } = wired();
  const error = await t.throwsAsync(person.expect('welcome', 30));
  t.regex(error?.message ?? '', /no welcome within 30 ms; last seen:\n.*login/s);
});

test('a page of the guide is run by it', async (t) => {
  const { bench, person } = wired();
  const page = `\`\`\`serial a
sipair login: › admin
Password: › ${PASSWORD}
north-a (primary, in step)> › request pair
code: <code>
…
Does the other box show the same code? › ^C
north-a (primary, in step)> › show ha | match readiness
readiness <how>
\`\`\`
`;
  const { known } = await runGuide(page, new Map([['a', person.guide()]]), () => {});
  t.is(known.get('code'), '271 828');
  t.is(known.get('how'), 'ready to change roles');
  t.deepEqual(bench.screen.unknown, []);
});
