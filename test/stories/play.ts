/**
 * A story is a file: a title, a script, and the transcript of how it goes.
 *
 *   # 3: a paused machine wakes up and fights          title and remarks
 *   pair witness                                        what the pair is made of
 *   start                                               the script …
 *   ---
 *       0.00  > start                                   … and what was seen
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Setting, Stage } from './stage.ts';
import { perform } from './words.ts';

const HERE = new URL('.', import.meta.url);
const RULE = '---\n';

export type Story = { readonly name: string; readonly script: string; readonly transcript: string };

/** @returns every story, by name. */
export function stories(): Story[] {
  return readdirSync(HERE)
    .filter((name) => name.endsWith('.story'))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, HERE), 'utf8');
      const at = text.indexOf(`\n${RULE}`);
      return at < 0
        ? { name, script: text, transcript: '' }
        : { name, script: text.slice(0, at + 1), transcript: text.slice(at + 1 + RULE.length) };
    });
}

function setting(line: string): Setting {
  const words = line.split(' ');
  const phones = words.find((w) => /^\d+$/.test(w));
  return {
    witness: words.includes('witness'),
    fence: words.includes('fence'),
    measures: 'shipped',
    phones: phones === undefined ? 4 : Number(phones),
  };
}

/** @returns the transcript, and whether every expectation and promise held. `sabotage` breaks something first. */
export function play(
  script: string,
  sabotage: (stage: Stage) => void = () => {},
): { readonly transcript: string; readonly ok: boolean } {
  const lines = script
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
  const first = lines[0]?.startsWith('pair') ? (lines.shift() as string) : 'pair';
  const stage = new Stage(setting(first));
  sabotage(stage);
  for (const line of lines) {
    const allow = /^this breaks ([\w-]+)$/.exec(line);
    if (allow !== null) stage.allow(allow[1] as string);
    else perform(stage, line);
  }
  return { transcript: `${stage.lines.join('\n')}\n`, ok: !stage.broken };
}

export function write(story: Story, transcript: string): void {
  writeFileSync(new URL(story.name, HERE), `${story.script}${RULE}${transcript}`);
}
