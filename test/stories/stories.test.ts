/** Every story goes as it is written: `node test/stories/main.ts --write` after a change, and read the diff. */

import test from 'ava';
import { VIP } from '../world/box.ts';
import { readArp } from '../world/ether.ts';
import { play, stories } from './play.ts';
import type { Stage } from './stage.ts';

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

test('one-face sees a winner that does not announce itself after the heal', (t) => {
  const story = stories().find((one) => one.name.includes('hidden-without-fence'));
  // the story's own expectations aside: the oracle must see it
  const script = (story?.script ?? '')
    .replace('this breaks one-face', '')
    .replace(/^expect.*$/gm, '');
  const mute = (stage: Stage): void => {
    for (const box of stage.world.pair) {
      const raw = box.kernel.raw.bind(box.kernel);
      box.kernel.raw = (bytes, dst, src) => {
        if (stage.now < 3000 || readArp(bytes)?.senderIp !== VIP) raw(bytes, dst, src);
      };
    }
  };
  t.true(play(`${script}\nwait 5s\n`).ok, 'without the saboteur');
  const { transcript } = play(`${script}\nwait 5s\n`, mute);
  t.regex(transcript, /BROKEN {2}one-face: nobody announced within 100 ms of the heal/);
});

test('a story that asks for too much is told so', (t) => {
  const { transcript, ok } = play('start\nkill a\nexpect primary b within 1ms\n');
  t.false(ok);
  t.regex(transcript, /FAILED {2}primary b within 1ms/);
});
