/**
 * Plays stories by hand: `node test/stories/main.ts [--write] [NAME …]` prints the transcript of each
 * whose name contains NAME, or writes it into its file for a reader of the diff.
 */

import { play, stories, write } from './play.ts';

const words = process.argv.slice(2);
const writes = words.includes('--write');
const names = words.filter((word) => !word.startsWith('--'));
let failed = 0;
for (const story of stories()) {
  if (names.length > 0 && !names.some((name) => story.name.includes(name))) continue;
  const began = performance.now();
  const { transcript, ok } = play(story.script);
  if (!ok) failed += 1;
  const same = transcript === story.transcript ? 'as written' : 'differs';
  console.log(
    `${story.name}: ${ok ? 'holds' : 'BROKEN'}, ${same}, ${(performance.now() - began).toFixed(0)} ms`,
  );
  if (writes) write(story, transcript);
  else if (names.length > 0 || !ok) console.log(transcript);
}
process.exitCode = failed > 0 ? 1 : 0;
