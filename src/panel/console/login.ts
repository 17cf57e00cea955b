/** Who are you: the only user is admin, and nothing tells a stranger more than that it was wrong. */

import {
  ask,
  type Dialog,
  failed,
  type Json,
  line,
  question,
  say,
  text,
  UNREACHABLE,
} from './dialog.ts';
import { factoryReset } from './operate.ts';

/** 4 min 10 s */
function waiting(ms: number): string {
  const s = Math.ceil(ms / 1000);
  return s < 60 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}

/** Asks the agent; without it the process of the console looks at the file itself. */
export function* admin(request: Json): Dialog<Json> {
  const answer = yield* ask('system', request);
  return answer['error'] === UNREACHABLE ? yield* ask('self', request) : answer;
}

function* refused(answer: Json): Dialog<void> {
  const lockedMs = Number(answer['lockedMs'] ?? 0);
  if (lockedMs > 0) {
    yield* say(`too many wrong passwords: locked, for ${waiting(lockedMs)} more`);
    yield { want: 'audit', text: 'login refused: locked' };
    return;
  }
  if (failed(answer)) yield* say(`${text(answer, 'error')}: ${text(answer, 'text')}`);
  else {
    const left = Number(answer['triesLeft'] ?? 0);
    yield* say(`wrong${left > 0 ? `; ${left} more tries` : ''}`);
  }
  yield { want: 'audit', text: 'login refused' };
}

/**
 * Asks until somebody is admin. @param isNew whether nobody can be: asked at every line, as the agent may
 * have come only now. @returns false when it is so.
 */
export function* login(name: string, isNew: () => Dialog<boolean>): Dialog<boolean> {
  for (;;) {
    const got = yield* line({ prompt: `${name} login: ` });
    const user = got?.text.trim() ?? '';
    if (user === 'factory-reset') {
      yield* factoryReset();
      continue;
    }
    if (yield* isNew()) return false;
    if (user === '') continue;
    const password = yield* question('Password: ', true);
    if (user !== 'admin') {
      // the same answer, and the same look at the lock
      yield* say('wrong');
      yield { want: 'audit', text: 'login refused: no such user' };
      continue;
    }
    const answer = yield* admin({ command: 'admin', verb: 'verify', password });
    if (!failed(answer) && answer['verified'] === true) {
      yield { want: 'audit', text: 'login' };
      return true;
    }
    const none = answer['error'] === 'admin-none';
    if (none && (yield* isNew())) return false;
    yield* refused(answer);
    if (none) yield* say('It is asked for when its services answer: Enter looks again.');
  }
}
