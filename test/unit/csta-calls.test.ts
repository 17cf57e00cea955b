/**
 * What a program hears of what phones do by themselves: for each kind of call the whole stream of
 * events. The box is replaced before each step, with what it had still to say to the phones, and
 * without: the stream is the same, nothing twice, nothing lost.
 */

import test from 'ava';
import { CDR } from '../../src/call/csta/cdr.ts';
import { SDP } from './call-lab.ts';
import { SCENARIOS, type Scenario } from './csta-scenes.ts';
import { type Stage, stage } from './csta-stage.ts';

type Outcome = { readonly events: string[]; readonly wrong: string[] };

/** Each call that is over has one CDR, and it names who was in it. */
function recordsOf(s: Stage): string[] {
  const over = s.events
    .filter((e) => e.includes(' callCleared '))
    .map((e) => Number.parseInt(e, 10));
  const rows = [...s.lab.store.rows(CDR)].map((row) => JSON.parse(row.line));
  const told = rows.map((cdr) => cdr.callId).sort();
  const out = told.join() === over.sort().join() ? [] : [`calls ${over} are over, CDRs ${told}`];
  for (const cdr of rows) {
    const there = cdr.log.map((d: { device: string }) => d.device);
    for (const e of s.events) {
      const [id, event, device] = e.split(' ');
      const named = there.includes(device ?? '');
      if (Number(id) === cdr.callId && event === 'established' && !named) out.push(`no ${device}`);
    }
  }
  return out;
}

function run(sc: Scenario, at: number, lose: boolean): Outcome {
  const s = sc.setup();
  for (let i = 0; i <= sc.steps.length; i += 1) {
    if (i === at) s.lab.swap(lose);
    sc.steps[i]?.(s);
    const wrong = s.look();
    if (wrong.length > 0) return { events: s.events, wrong: [`step ${i}`, ...wrong] };
  }
  return { events: s.events, wrong: recordsOf(s) };
}

function told(sc: Scenario, events: readonly string[]): string[] {
  return sc.loose ? events.map((e) => e.replace(/\).*/, ')')).sort() : [...events];
}

test('a repeated INVITE that leads nowhere is answered again and told once', (t) => {
  const s = stage();
  const peer = s.phone('1005');
  const invite = peer.request('INVITE', 'sip:7777@192.0.2.10', { callId: 'again', body: SDP('x') });
  for (let i = 0; i < 3; i += 1) peer.send(invite);
  t.is(s.inbox('1005').filter((m) => m.status === 404).length, 3);
  t.deepEqual(s.look(), []);
  t.is(s.events.filter((e) => !e.includes('backInService')).length, 5);
});

for (const sc of SCENARIOS) {
  test(`what a program hears: ${sc.name}`, (t) => {
    const { events, wrong } = run(sc, -1, false);
    t.deepEqual(wrong, []);
    t.deepEqual(events, sc.events);
    for (let at = 0; at <= sc.steps.length; at += 1) {
      for (const lose of [false, true]) {
        const other = run(sc, at, lose);
        t.deepEqual(other.wrong, [], `a new box before step ${at}, ${lose}`);
        t.deepEqual(
          told(sc, other.events),
          told(sc, events),
          `a new box before step ${at}, ${lose}`,
        );
      }
    }
  });
}
