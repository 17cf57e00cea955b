/** Promises that phones can check: what programs are told of a device is what its phone is in. */

import type { History } from './history.ts';
import type { Rule } from './rule.ts';

/** Dialogs of each phone that stand at the end. */
function standing(history: History): Map<string, number> {
  const dialogs = new Map<string, Map<string, string>>();
  for (const line of history.lines) {
    if (line.kind !== 'phone') continue;
    const own = dialogs.get(line.phone) ?? new Map<string, string>();
    dialogs.set(line.phone, own.set(line.dialog, line.state));
  }
  const count = new Map<string, number>();
  for (const [phone, own] of dialogs) {
    count.set(phone, [...own.values()].filter((s) => s === 'established').length);
  }
  return count;
}

export const phonesAgree: Rule = {
  name: 'phones-agree',
  about: 'at the end a phone has as many dialogs as its device has connections',
  find(history, broken) {
    const { quiet } = history;
    if (quiet === undefined) return;
    const at = history.lines.indexOf(quiet);
    const connections = new Map<string, number>();
    for (const c of quiet.snapshot.connections) {
      if (c.state !== 'connected' && c.state !== 'hold') continue;
      connections.set(c.deviceId, (connections.get(c.deviceId) ?? 0) + 1);
    }
    for (const [phone, dialogs] of standing(history)) {
      const own = connections.get(phone) ?? 0;
      if (own !== dialogs) broken(at, `phone ${phone} has ${dialogs} dialogs, ${own} connections`);
    }
  },
};

export const noDialogAnew: Rule = {
  name: 'no-dialog-anew',
  about: 'what a phone ended stays ended, and what it answered was not ringing again',
  find(history, broken) {
    const states = new Map<string, string>();
    for (const [n, line] of history.lines.entries()) {
      if (line.kind !== 'phone') continue;
      const key = `${line.phone} ${line.dialog}`;
      const before = states.get(key);
      states.set(key, line.state);
      const late = before === 'ended' || (before === 'established' && line.state === 'early');
      if (late) broken(n, `phone ${line.phone}: a dialog that was ${before} is ${line.state}`);
    }
  },
};
