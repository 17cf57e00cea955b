/** `monitor sip`: the daemon tells SIP while somebody listens; here it becomes a ladder. */

import { complain } from './context.ts';
import { type Dialog, failed, here, type Json, say, text } from './dialog.ts';
import { Ladder, type SipSeen } from './ladder.ts';
import { harmless } from './pager.ts';
import type { Parsed } from './parse.ts';

function seen(value: Json): SipSeen | undefined {
  if (typeof value['text'] !== 'string' || typeof value['from'] !== 'string') return undefined;
  return {
    at: Number(value['at'] ?? 0),
    from: text(value, 'from'),
    to: text(value, 'to'),
    transport: text(value, 'transport'),
    direction: text(value, 'direction'),
    text: text(value, 'text'),
  };
}

function* told(ladder: Ladder, value: Json): Dialog<void> {
  const message = seen(value);
  if (message !== undefined) {
    for (const line of ladder.add(message)) yield* say(harmless(line));
  }
  const dropped = Number(value['dropped'] ?? 0);
  if (dropped > 0) yield* say(`(${dropped} messages are not shown: too many at once)`);
}

export function* monitorSip(args: Parsed['args']): Dialog<void> {
  const { number, call } = args;
  const { settings } = yield* here();
  const ladder = new Ladder(settings.columns);
  const filter = {
    ...(number === undefined ? {} : { number }),
    ...(call === undefined ? {} : { call }),
  };
  yield* say('SIP as it is spoken; q or ^C ends');
  yield { want: 'open', service: 'control', request: { command: 'monitor', filter } };
  try {
    for (;;) {
      const got = yield { want: 'event' };
      if (got.got === 'over') {
        if (got.dropped > 0) yield* say(`(${got.dropped} messages are not shown)`);
        yield* say('the service has ended it');
        return;
      }
      if (got.got === 'key' && got.key.text === 'q') return;
      if (got.got !== 'value') continue;
      if (failed(got.value)) {
        yield* complain('control', got.value);
        return;
      }
      yield* told(ladder, got.value);
    }
  } finally {
    yield { want: 'stop' };
  }
}
