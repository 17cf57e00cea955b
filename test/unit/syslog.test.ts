/** Syslog messages as RFC 5424 writes them, and what waits for a server that is away. */

import test from 'ava';
import fc from 'fast-check';
import { JOURNALCTL } from '../../src/edge/monitor/syslog.ts';
import type { StatusChange } from '../../src/panel/monitor/box-status.ts';
import {
  type Entry,
  entryOf,
  journalEntry,
  octetCounted,
  Spool,
  senderOf,
  syslogMessage,
} from '../../src/panel/telemetry/syslog.ts';
import { AT, alarmOf, boxOf, daemonOf } from './status-scenes.ts';

const sender = senderOf(boxOf());

function said(entry: Entry, from = sender): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
    syslogMessage(entry, from),
  );
}

test('a change of the box: priority, time, whose, and what', (t) => {
  const change: StatusChange = { at: AT, kind: 'in-step' };
  t.is(
    said(entryOf(change)),
    '<29>1 2026-11-26T22:30:15.250Z K_fertal sipair monitor in-step ' +
      '[sipair@32473 box="a" role="primary" epoch="3" inStep="true"] ' +
      '\ufeffin step: calls are protected',
  );
});

test('an alarm has its own structured data, and its severity is the priority', (t) => {
  const priority = (severity: 'critical' | 'major' | 'minor' | 'warning'): string =>
    said(entryOf({ at: AT, kind: 'alarm-raised', alarm: alarmOf({ severity }) })).split('>')[0] ??
    '';
  t.deepEqual((['critical', 'major', 'minor', 'warning'] as const).map(priority), [
    '<26',
    '<27',
    '<28',
    '<29',
  ]);
  const alarm = alarmOf({ subject: 'a "b" \\ [c]' });
  const text = said(entryOf({ at: AT, kind: 'alarm-raised', alarm }));
  // RFC 5424 6.3.3: '"', '\' and ']' are escaped, '[' is not
  t.true(
    text.includes(
      '[alarm@32473 code="crossover-down" subject="a \\"b\\" \\\\ [c\\]" severity="major" id="8"]',
    ),
  );
  t.regex(said(entryOf({ at: AT, kind: 'alarm-cleared', alarm })), /^<29>1 /);
});

test('a box without a service says so', (t) => {
  const from = senderOf(boxOf({ daemon: undefined, box: undefined, name: '' }));
  t.regex(
    said(entryOf({ at: AT, kind: 'peer-lost' }), from),
    /Z - sipair monitor peer-lost \[sipair@32473 box="" role="none"/,
  );
});

test('lines of the journal: ours without their own time and level', (t) => {
  const line = JSON.stringify({
    MESSAGE: '2026-11-26T22:30:15.250Z warning carrier lost on x',
    PRIORITY: '4',
    _SYSTEMD_UNIT: 'sipair.service',
    __REALTIME_TIMESTAMP: `${AT}123`,
  });
  t.deepEqual(journalEntry(line), {
    at: AT,
    level: 'warning',
    id: 'log',
    process: 'serve',
    text: 'carrier lost on x',
  });
  const binary = JSON.stringify({
    MESSAGE: [104, 105, 0xff],
    _SYSTEMD_UNIT: 'sipair-system.service',
  });
  t.is(journalEntry(binary)?.process, 'system');
  t.is(journalEntry(binary)?.text, 'hi\ufffd');
  t.is(journalEntry(binary)?.level, 'info');
  const of = (unit: string): string | undefined =>
    journalEntry(JSON.stringify({ MESSAGE: 'x', _SYSTEMD_UNIT: unit }))?.process;
  t.is(of('sipair-monitor.service'), 'monitor');
  t.is(of('sipair-console@ttyS0.service'), 'console');
  t.is(of('init.scope'), 'systemd');
  for (const nothing of ['', 'no json', '7', '{"MESSAGE":"  "}', '{}', 'null']) {
    t.is(journalEntry(nothing), undefined, nothing);
  }
});

test('whatever is said is one line of at most 2048 octets, cut between characters', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 3000 }), fc.string(), (text, subject) => {
      const alarm = {
        code: 'x',
        subject: subject.slice(0, 100),
        severity: 'minor',
        id: 1,
      } as const;
      const message = said({ at: AT, level: 'info', id: 'log', process: 'a b', text, alarm });
      t.true(Buffer.byteLength(message) <= 2048);
      t.false(/[\r\n]/.test(message.slice(message.indexOf('\ufeff'))));
    }),
    { numRuns: 100 },
  );
  const long = syslogMessage(
    { at: AT, level: 'info', id: 'log', process: 'serve', text: 'ä'.repeat(2000) },
    sender,
  );
  t.true(long.length > 2040 && long.length <= 2048);
});

test('what steers a terminal does not reach who reads the log, in text nor subject', (t) => {
  const text = 'a\x00b\x1b[2Jc\x7fd\x9b31me\r\nf\tg\u2028h';
  const alarm = { code: 'x', subject: text, severity: 'minor', id: 1 } as const;
  const message = said({ at: AT, level: 'info', id: 'log', process: 'p', text, alarm });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  t.notRegex(message, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/);
  t.true(message.endsWith('\ufeffa b [2Jc d 31me f g h'));
  t.true(message.includes('subject="a b [2Jc d 31me f g h"'));
  const bytes = JSON.stringify({ MESSAGE: [...Buffer.from('ä\x1b[2J')], PRIORITY: '4' });
  t.is(journalEntry(bytes)?.text, 'ä\x1b[2J', 'cleaned when it is sent');
});

test('the journal is asked for whole lines, however long', (t) => {
  t.true(JOURNALCTL.includes('--all'));
});

test('octets are counted, not characters (RFC 6587 3.4.1)', (t) => {
  t.is(Buffer.from(octetCounted(Buffer.from('hä'))).toString(), '3 hä');
});

test('the spool keeps what came last, and counts what went', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 3000 }), (sizes) => {
      const spool = new Spool(1000);
      const messages = sizes.map((size, i) => Buffer.alloc(size, i % 256));
      for (const m of messages) spool.push(m);
      const lost = spool.lost();
      t.is(spool.size, messages.length - lost);
      const kept: Uint8Array[] = [];
      for (let m = spool.take(); m !== undefined; m = spool.take()) kept.push(m);
      t.deepEqual(kept, messages.slice(lost));
      t.true(kept.reduce((n, m) => n + m.length, 0) <= 1000);
      t.is(spool.size, 0);
      t.is(spool.lost(), 0);
    }),
    { numRuns: 30 },
  );
});

test('who leads is said with each message as it is then', (t) => {
  const backup = senderOf(boxOf({ daemon: daemonOf({ role: 'backup', epoch: 4, inStep: false }) }));
  t.regex(
    said(entryOf({ at: AT, kind: 'peer-back' }), backup),
    /role="backup" epoch="4" inStep="false"/,
  );
});
