/**
 * Pairing at the console: the agents of both boxes agree on a key over the crossover; each console
 * shows six digits, and a person at each says whether they are the same.
 */

import { complain, tell } from './context.ts';
import { ask, type Dialog, failed, type Json, part, say, text } from './dialog.ts';

function digits(code: string): string {
  return /^\d{6}$/.test(code) ? `${code.slice(0, 3)} ${code.slice(3)}` : code;
}

function* value(line: Json): Dialog<'over' | 'paired' | 'on' | 'compare'> {
  if ('error' in line) {
    yield* complain('system', line);
    return 'over';
  }
  if (line['ok'] === true) {
    yield* say('paired: both boxes have the key');
    return 'paired';
  }
  if ('code' in line) {
    yield* say('');
    yield* say(`    code: ${digits(text(line, 'code'))}`);
    yield* say('');
    yield* say('Does the other box show the same code? y or n');
    return 'compare';
  }
  yield* say(text(line, 'say'));
  return 'on';
}

/** @returns true when the boxes are a pair now. */
export function* pairBoxes(): Dialog<boolean> {
  yield* say('Pairing: do the same at the other box, now. ^C gives up.');
  yield { want: 'open', service: 'system', request: { command: 'pair' } };
  let comparing = false;
  let paired = false;
  try {
    for (;;) {
      const got = yield { want: 'event' };
      if (got.got === 'over') {
        yield* say('pairing ended: nothing was changed');
        return false;
      }
      if (got.got === 'value') {
        const what = yield* value(got.value);
        if (what === 'over') return false;
        if (what === 'paired') {
          paired = true;
          break;
        }
        if (what === 'compare') comparing = true;
      } else if (got.got === 'key' && comparing && /^[yn]$/i.test(got.key.text)) {
        comparing = false;
        const answer = got.key.text.toLowerCase();
        yield* say(answer === 'y' ? 'the same' : 'different: refused');
        yield { want: 'tell', value: { answer } };
      }
    }
  } finally {
    yield { want: 'stop' };
  }
  if (paired) yield* whatNow();
  return paired;
}

/** What comes next, where the first configuration has waited for this. */
function* whatNow(): Dialog<void> {
  const state = yield* ask('system', { command: 'state' });
  if (failed(state) || Number(part(state, 'revision')['number'] ?? 0) > 0) return;
  yield* tell([
    'The two boxes now agree on their configuration and start the service. Enter shows the prompt ' +
      'anew, and in it how far they are; within a minute one is primary, the other backup.',
  ]);
}

export function* pair(): Dialog<void> {
  yield* pairBoxes();
}
