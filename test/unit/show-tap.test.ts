/**
 * Who watches SIP messages: he gets what his filter names and the rest of the same call, in order, no more
 * than he may, and hears what he missed; nobody watching is nothing done. And the sentry's side: an engine
 * that is silent is an answer, a watcher who does not read is told less.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { CCALL } from '../../src/call/csta/rows.ts';
import type { Asker, ControlRequest } from '../../src/edge/control.ts';
import { readDesk } from '../../src/edge/control-desk.ts';
import { HepSender } from '../../src/edge/hep.ts';
import { Inquiries } from '../../src/edge/inquiries.ts';
import type { ToDesk } from '../../src/edge/show-desk.ts';
import { MOST_WATCHERS, type SipLine, SipTap } from '../../src/edge/sip-tap.ts';
import type { EngineInput } from '../../src/input.ts';
import { LOCAL_MEDIA } from '../../src/proto/media.ts';
import type { Lab } from './call-lab.ts';
import { type Stage, stage } from './csta-stage.ts';

type Line = SipLine | { readonly dropped: number };

function tapOf(lab: Lab): { readonly tap: SipTap; readonly told: (readonly [number, Line])[] } {
  const told: (readonly [number, Line])[] = [];
  const say = { tell: (id: number, line: Line) => told.push([id, line]), warn: () => {} };
  return { tap: new SipTap(lab.store, lab.settings, undefined, say), told };
}

const heard = (text: string, ip = '192.0.2.1'): EngineInput => {
  return { kind: 'sip', transport: 'udp', ip, port: 5060, text };
};

/** What the box said since `from`, as the edge gives it to the tap. */
function said(s: Stage, from: number): Parameters<SipTap['said']>[0] {
  return s.lab.log.slice(from).map((one) => ({ stamp: 1, ...one }));
}

const firsts = (told: readonly (readonly [number, Line])[], id: number): string[] =>
  told.flatMap(([to, line]) =>
    to !== id || 'dropped' in line ? [] : [(line.text.split('\r\n')[0] as string).slice(0, 12)],
  );

test('a filter by number, call or method, and the whole call once a message fits', (t) => {
  const s = stage();
  const { tap, told } = tapOf(s.lab);
  t.false(tap.on);
  const all = { number: '', call: '', method: '' };
  t.true(tap.watch(1, all));
  t.true(tap.watch(2, { ...all, number: '1002' }));
  t.true(tap.watch(3, { ...all, method: 'BYE' }));
  t.true(tap.watch(4, { ...all, number: '1003' }));
  t.false(tap.watch(5, all), `no more than ${MOST_WATCHERS}`);
  const before = s.lab.log.length;
  s.invite('1001', '1002', 'a');
  s.answer('1002', 'b', 180);
  s.answer('1002', 'b', 200);
  tap.said(said(s, before));
  const middle = s.lab.log.length;
  s.ack('1001', 'a');
  s.ask('1001', 'a', 'BYE');
  tap.said(said(s, middle));
  const everything = s.lab.log.slice(before).map(({ text }) => text.slice(0, 12));
  t.deepEqual(
    firsts(told, 1).map((l) => l.trim()),
    everything.map((l) => (l.split('\r\n')[0] ?? '').trim()),
  );
  t.deepEqual(firsts(told, 2), firsts(told, 1), 'both legs of the call');
  t.true(firsts(told, 3).every((l) => l.startsWith('BYE') || l.startsWith('SIP/2.0 200')));
  t.is(firsts(told, 3).length, 2, 'the BYE and its answer');
  t.deepEqual(firsts(told, 4), []);
  const lines = told.flatMap(([id, l]) => (id === 1 && !('dropped' in l) ? [l] : []));
  t.is(new Set(lines.map(({ call }) => call)).size, 1, 'one ladder');
  t.true(
    lines.every((l, i) => i === 0 || l.at > (lines[i - 1] as SipLine).at),
    'in order',
  );
  t.is(lines[0]?.from, '192.0.2.10:5060');
  for (const id of [1, 2, 3, 4]) tap.unwatch(id);
  t.false(tap.on);
});

test('a call that is up is watched by its number, its global id or a Call-ID', (t) => {
  const s = stage();
  s.invite('1001', '1002', 'a');
  s.answer('1002', 'b', 200);
  s.ack('1001', 'a');
  s.invite('1003', '1004', 'c');
  const { tap, told } = tapOf(s.lab);
  const all = { number: '', call: '', method: '' };
  tap.watch(1, { ...all, call: '1' });
  tap.watch(2, { ...all, call: 'c1' });
  tap.watch(3, { ...all, call: 'c2' });
  const before = s.lab.log.length;
  s.ask('1001', 'a', 'BYE');
  tap.said(said(s, before));
  t.is(firsts(told, 1).length, 2, 'BYE onward, 200 back');
  t.deepEqual(firsts(told, 2), firsts(told, 1));
  t.deepEqual(firsts(told, 3), []);
});

test('a clock that is set back: moments follow it, and who watches goes on to be told', (t) => {
  const s = stage();
  const { tap, told } = tapOf(s.lab);
  tap.watch(1, { number: '', call: '', method: '' });
  const real = Date.now;
  const began = real();
  try {
    for (const now of [began, began, began - 500, began - 3_600_000, began - 3_600_000]) {
      Date.now = () => now;
      tap.heard([heard('OPTIONS sip:x SIP/2.0\r\n\r\n')], true);
    }
  } finally {
    Date.now = real;
  }
  const moments = told.flatMap(([, line]) => ('dropped' in line ? [] : [line.at - began]));
  t.is(moments.length, 5);
  const [first = 0, second = 0, third = 0, fourth = 0, fifth = 0] = moments;
  t.true(first < second && second < third && third < 1, 'a little step keeps the order');
  t.true(fourth < -3_599_000 && fifth > fourth && fifth < -3_599_000);
});

test('copies for Homer rest for a moment after the kernel refused one, whatever the clock says', async (t) => {
  const warned: string[] = [];
  // nobody has the right to send there
  const config = { address: '255.255.255.255', port: 9, id: 1, key: '' };
  const hep = new HepSender(config, (text) => warned.push(text));
  const peer = { transport: 'udp', ip: '192.0.2.1', port: 5060 } as const;
  const queue = (atUs: number): number => {
    const before = hep.counters.hepDropped;
    hep.queue('in', peer, '192.0.2.10:5060', atUs, '', 'OPTIONS');
    return hep.counters.hepDropped - before;
  };
  const now = Date.now() * 1000;
  t.is(queue(now), 0);
  hep.flush();
  t.is(hep.counters.hepDropped, 1);
  t.is(warned.length, 1);
  await sleep(200);
  t.is(queue(now - 86_400_000_000), 0, 'tried again');
});

test('the next primary knows the calls it takes over', (t) => {
  const s = stage();
  const { tap, told } = tapOf(s.lab);
  tap.watch(1, { number: '', call: '', method: '' });
  s.invite('1001', '1002', 'a');
  s.answer('1002', 'b', 200);
  s.ack('1001', 'a');
  const guid = [...s.lab.store.rows(CCALL)][0]?.guid;
  tap.heard([], true);
  const before = s.lab.log.length;
  s.ask('1001', 'a', 'BYE');
  tap.said(said(s, before));
  t.deepEqual([...new Set(told.map(([, l]) => ('call' in l ? l.call : '')))], [guid]);
});

test('what is no SIP is shown to who sees everything; what is said inside the box to nobody', (t) => {
  const s = stage();
  const { tap, told } = tapOf(s.lab);
  tap.watch(1, { number: '', call: '', method: '' });
  tap.watch(2, { number: '1001', call: '', method: '' });
  tap.heard(
    [
      heard('GET / HTTP/1.1\r\n\r\n'),
      heard('\xc3\xa9'),
      heard('x', LOCAL_MEDIA.ip),
      { kind: 'tick' },
    ],
    true,
  );
  t.deepEqual(
    told.map(([id, l]) => [id, 'text' in l ? l.text : '']),
    [
      [1, 'GET / HTTP/1.1\r\n\r\n'],
      [1, '\u00e9'],
    ],
  );
});

test('a flood is cut, counted and told', (t) => {
  const s = stage();
  const { tap, told } = tapOf(s.lab);
  tap.watch(1, { number: '', call: '', method: '' });
  const flood = Array.from({ length: 5000 }, () => heard('OPTIONS'));
  tap.heard(flood, true);
  const got = told.length;
  t.true(got >= 500 && got < 5000, `${got} of 5000`);
  const end = Date.now() + 20;
  while (Date.now() < end);
  tap.heard([heard('OPTIONS')], true);
  const missed = told.flatMap(([, l]) => ('dropped' in l ? [l.dropped] : []));
  const lines = told.filter(([, l]) => !('dropped' in l)).length;
  t.is(missed.reduce((sum, n) => sum + n, 0) + lines, 5001, 'none is lost without a word');
});

type Talk = {
  readonly inquiries: Inquiries;
  readonly orders: ToDesk[];
  readonly answers: object[];
  readonly lines: string[];
  behind: boolean;
  gone: () => void;
  ask(request: object): boolean;
};

function talk(): Talk {
  const orders: ToDesk[] = [];
  const answers: object[] = [];
  const lines: string[] = [];
  const it: Talk = {
    ...{ orders, answers, lines, behind: false, gone: () => {} },
    inquiries: new Inquiries((m) => orders.push(m)),
    ask(request) {
      const asker: Asker = {
        line: (json) => lines.push(json),
        isBehind: () => it.behind,
        onGone: (act) => {
          it.gone = act;
        },
      };
      const read = (readDesk(request) ?? request) as ControlRequest;
      return it.inquiries.takes(read, (value) => answers.push(value), asker);
    },
  };
  return it;
}

test('the sentry passes questions on, once each, and what is not for it to others', (t) => {
  const it = talk();
  t.false(it.ask({ command: 'status', digest: false }));
  t.true(it.ask({ command: 'show', what: 'calls', limit: 5 }));
  t.deepEqual(it.orders[0], {
    ...{ kind: 'show', id: 1 },
    request: { what: 'calls', id: '', from: 0, limit: 5 },
  });
  it.inquiries.told({ kind: 'told', id: 1, json: '{"rows":[]}' });
  it.inquiries.told({ kind: 'told', id: 1, json: '{"rows":[1]}' });
  t.deepEqual(it.lines, ['{"rows":[]}']);
});

test('an engine that is silent is an answer', async (t) => {
  const it = talk();
  it.ask({ command: 'show', what: 'agents' });
  for (let i = 0; i < 300 && it.answers.length === 0; i += 1) {
    await new Promise((done) => setTimeout(done, 50));
  }
  t.is((it.answers[0] as { error: string }).error, 'engine-silent');
  it.inquiries.told({ kind: 'told', id: 1, json: 'late' });
  t.deepEqual(it.lines, []);
});

test('who watches and does not read is told how much he missed; who goes is forgotten', (t) => {
  const it = talk();
  it.ask({ command: 'monitor', filter: { number: 1001, method: 'invite' } });
  t.deepEqual(it.orders[0], {
    ...{ kind: 'watch', id: 1 },
    filter: { number: '1001', call: '', method: 'INVITE' },
  });
  it.inquiries.told({ kind: 'told', id: 1, json: '{"ok":true}' });
  it.behind = true;
  for (let i = 0; i < 3; i += 1) it.inquiries.told({ kind: 'told', id: 1, json: 'm' });
  it.behind = false;
  it.inquiries.told({ kind: 'told', id: 1, json: '{"n":4}' });
  t.deepEqual(it.lines, ['{"ok":true}', '{"n":4}']);
  t.deepEqual(it.answers, [{ dropped: 3 }]);
  it.gone();
  t.deepEqual(it.orders[1], { kind: 'unwatch', id: 1 });
  it.inquiries.told({ kind: 'told', id: 1, json: 'more' });
  t.is(it.lines.length, 2);
});
