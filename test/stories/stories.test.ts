/** Every story goes as it is written: `node test/stories/main.ts --write` after a change, and read the diff. */

import test from 'ava';
import { play, stories } from './play.ts';

for (const story of stories()) {
  test(story.name, (t) => {
    const { transcript, ok } = play(story.script);
    t.true(ok, transcript);
    t.is(
      transcript,
      story.transcript,
      'the transcript is another: read the diff, then main.ts --write',
    );
  });
}

test('a story that asks for too much is told so', (t) => {
  const { transcript, ok } = play('start\nkill a\nexpect primary b within 1ms\n');
  t.false(ok);
  t.regex(transcript, /FAILED {2}primary b within 1ms/);
});
