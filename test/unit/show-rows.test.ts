/**
 * `show` and `clear` over rows: the same before and after a switchover, page by page without a gap, each
 * place a call can be in; and a cleared call leaves nothing behind on either side, whoever is primary then.
 */

import test from 'ava';
import { parkCall } from '../../src/call/park/park.ts';
import { BINDING } from '../../src/call/rows.ts';
import { CALL_TABLES } from '../../src/call/switch.ts';
import { clear } from '../../src/call/view/clear.ts';
import { show } from '../../src/call/view/show.ts';
import {
  type CallDetail,
  type CallRow,
  SHOWN,
  type ShowAnswer,
  type Shown,
  type ShownRows,
} from '../../src/call/view/terms.ts';
import { names, Tracer } from '../../src/call/view/trace.ts';
import { isFault, parseMessage } from '../../src/sip-parser/index.ts';
import { Lab } from './call-lab.ts';
import { at, command, live, stage as media } from './conference-lab.ts';
import { type Stage, stage } from './csta-stage.ts';
import { Centrum, login, point, queue } from './distribute-lab.ts';
import { MemoryStore } from './memory-store.ts';

function asked<W extends Shown>(lab: Lab, what: W, more: object = {}): ShowAnswer<W> {
  const shop = {
    store: lab.store,
    settings: lab.settings,
    now: lab.now,
    mirrored: false,
    tables: () => ({ call: { count: 1, hash: 0 } }),
    counters: { registrations: 3 },
  };
  const answer = show(shop, { what, id: '', from: 0, limit: 100, ...more });
  if ('error' in answer) throw new Error(answer.error);
  return answer as ShowAnswer<W>;
}

const first = <W extends Shown>(lab: Lab, what: W): ShownRows[W] =>
  asked(lab, what).rows[0] as ShownRows[W];

/** 1001 calls 1002. */
function ringing(): Stage {
  const s = stage();
  s.invite('1001', '1002', 'a');
  s.answer('1002', 'b', 180);
  return s;
}

function talking(): Stage {
  const s = ringing();
  s.answer('1002', 'b', 200);
  s.ack('1001', 'a');
  return s;
}

test('a call is shown from its first INVITE to its end, and after a switchover the same', (t) => {
  const s = stage();
  t.deepEqual(asked(s.lab, 'calls').rows, []);
  s.invite('1001', '1002', 'a');
  t.is(first(s.lab, 'calls').place, 'setting-up');
  s.answer('1002', 'b', 180);
  t.is(first(s.lab, 'calls').place, 'ringing');
  s.answer('1002', 'b', 200);
  s.ack('1001', 'a');
  const up = first(s.lab, 'calls');
  t.is(up.place, 'up');
  t.deepEqual([...up.parties].sort(), ['1001', '1002']);
  t.regex(up.global, /^[0-9a-f-]{36}$/);
  const detail = first2(s.lab, String(up.id));
  s.lab.swap(false);
  t.deepEqual(first(s.lab, 'calls'), up);
  const after = first2(s.lab, String(up.id));
  t.deepEqual({ ...after, transactions: [] }, { ...detail, transactions: [] });
  t.deepEqual(
    detail.legs.map(({ side, device, state, media: m }) => [side, device, state, m.length]),
    [
      ['caller', '1001', 'confirmed', 1],
      ['callee', '1002', 'confirmed', 1],
    ],
  );
  t.regex(detail.legs[0]?.media[0] ?? '', /^audio sendrecv \d+\.\d+\.\d+\.\d+:\d+ PCMU/);
  t.true(detail.events.some(({ event }) => event === 'established'));
  for (const id of [up.global, detail.legs[0]?.callId ?? '', detail.legs[1]?.callId ?? '']) {
    t.is(first2(s.lab, id).id, up.id, id);
  }
  const none = show(
    { ...shopOf(s.lab), mirrored: true },
    { what: 'call', id: 'nobody', from: 0, limit: 1 },
  );
  t.true('error' in none && none.error === 'show-call');
});

function first2(lab: Lab, id: string): CallDetail {
  return asked(lab, 'call', { id }).rows[0] as CallDetail;
}

function shopOf(lab: Lab) {
  const { store, settings, now } = lab;
  return { store, settings, now, mirrored: false, tables: () => ({}), counters: {} };
}

test('held, queued, parked: the place of a call', (t) => {
  const s = talking();
  s.ask('1001', 'a', 'INVITE', { body: HOLD });
  s.agree('1002', 'INVITE', HOLD.replace('sendonly', 'recvonly'));
  t.is(first(s.lab, 'calls').place, 'held');

  const c = new Centrum({
    queues: [queue('6000')],
    agents: [login('a2')],
    points: [point('5000')],
  });
  c.on(2);
  c.phone(1).call('6000');
  c.pass(200);
  const busy = first(c.lab, 'queues');
  t.deepEqual([busy.number, busy.loggedOn, busy.offering], ['6000', 1, 1]);
  t.is(first(c.lab, 'calls').place, 'queued');
  c.phone(3).call('6000');
  c.pass(500);
  const waits = first(c.lab, 'queues');
  t.is(waits.waiting, 1);
  t.true(waits.longestSince > 0);
  t.is(first(c.lab, 'routing-points').number, '5000');
  t.is(first(c.lab, 'agents').agent, 'a2');

  const cast = media();
  cast.phones[0]?.call('1002');
  live(cast, 500);
  cast.phones[1]?.lift();
  live(cast, 500);
  command(cast.lab, (cx) => parkCall(cx, { connection: at(cx, '1002'), parkTo: '700' }));
  live(cast, 1500);
  t.is(first(cast.lab, 'parks').parked, '1001');
  t.true(asked(cast.lab, 'calls').rows.some((r) => (r as CallRow).place === 'parked'));
});

const HOLD =
  'v=0\r\no=- 1 2 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n' +
  'm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n';

test('page by page every row comes once, also where rows came in another order', (t) => {
  const lab = new Lab();
  for (let i = 0; i < 25; i += 1) lab.store.insert(BINDING, { aor: String(1000 + i), port: 1 });
  // as a backup has them: younger rows first
  const mixed = new MemoryStore(CALL_TABLES);
  for (let i = 0; i < 25; i += 1) mixed.insert(BINDING, { aor: String(1000 + i), port: 1 });
  const shelf = mixed.shelves.get('binding');
  if (shelf === undefined) return t.fail();
  const rows = [...shelf.rows];
  shelf.rows.clear();
  for (const [id, row] of [...rows.slice(10), ...rows.slice(0, 10)]) shelf.rows.set(id, row);
  for (const store of [lab.store, mixed]) {
    lab.store = store;
    const seen: string[] = [];
    let from: number | undefined = 0;
    while (from !== undefined) {
      const page: ShowAnswer<'registrations'> = asked(lab, 'registrations', { from, limit: 7 });
      t.true(page.rows.length <= 7);
      t.is(page.total, 25);
      seen.push(...page.rows.map(({ number }) => number));
      from = page.next;
    }
    t.deepEqual(
      seen,
      Array.from({ length: 25 }, (_, i) => String(1000 + i)),
    );
  }
});

test('nothing is shown where nothing is, and never a secret', (t) => {
  const lab = new Lab();
  for (const what of SHOWN) {
    if (what === 'call' || what === 'tables' || what === 'counters') continue;
    t.deepEqual(asked(lab, what).rows, [], what);
  }
  const c = new Centrum();
  const told = JSON.stringify(SHOWN.filter((w) => w !== 'call').map((what) => asked(c.lab, what)));
  t.regex(told, /"program":"p1"/);
  t.notRegex(told, /"word"/, 'the word by which a session is resumed');
});

for (const kind of ['ringing', 'talking'] as const) {
  for (const swapped of [false, true]) {
    test(`a ${kind} call is cleared${swapped ? ' by the next primary' : ''}`, (t) => {
      const s = kind === 'ringing' ? ringing() : talking();
      if (swapped) s.lab.swap(false);
      s.inbox('1001');
      s.inbox('1002');
      const { id } = first(s.lab, 'calls');
      const before = s.lab.log.length;
      const done = clear(s.lab.cx, { what: 'call', id: String(id) });
      t.true('ok' in done);
      const said = s.lab.log.slice(before).map(({ text }) => text.split(' ')[0]);
      if (kind === 'ringing') {
        t.true(s.lab.log.slice(before).some(({ text }) => text.startsWith('SIP/2.0 487')));
        t.true(said.includes('CANCEL'));
        s.answer('1002', 'b', 487);
        s.ack('1001', 'a');
      } else {
        t.is(said.filter((one) => one === 'BYE').length, 2);
        s.agree('1001', 'BYE');
        s.agree('1002', 'BYE');
      }
      s.lab.pass(40_000);
      t.deepEqual(asked(s.lab, 'calls').rows, []);
      t.is(s.lab.store.count(BINDING), 4, 'phones stay registered');
    });
  }
}

test('a queued call is cleared with what it waits for', (t) => {
  const c = new Centrum({ queues: [queue('6000')], agents: [login('a2')] });
  c.on(2);
  c.phone(1).call('6000');
  c.pass(300);
  const { id } = first(c.lab, 'calls');
  t.true('ok' in clear(c.lab.cx, { what: 'call', id: String(id) }));
  c.pass(1000);
  c.lab.pass(60_000);
  t.deepEqual(asked(c.lab, 'calls').rows, []);
  t.is(first(c.lab, 'queues').offering, 0);
  t.is(first(c.lab, 'agents').state, 'ready');
});

test('a registration is cleared by its extension or its number, and never by mistake', (t) => {
  const s = stage();
  const row = asked(s.lab, 'registrations', { id: '1001' }).rows[0];
  const digits = String(row?.id);
  const wrong = clear(s.lab.cx, { what: 'registration', id: digits });
  t.true('error' in wrong && wrong.error === 'clear-registration', 'a number is an extension');
  t.true('ok' in clear(s.lab.cx, { what: 'registration', id: `#${digits}` }));
  t.true('ok' in clear(s.lab.cx, { what: 'registration', id: '1002' }));
  t.deepEqual(
    asked(s.lab, 'registrations').rows.map(({ number }) => number),
    ['1003', '1004'],
  );
  t.true('error' in clear(s.lab.cx, { what: 'registration', id: '1002' }));
  t.true('error' in clear(s.lab.cx, { what: 'call', id: '77' }));
});

test('all messages of a call have one correlation, also those after its end', (t) => {
  const s = talking();
  const { global } = first(s.lab, 'calls');
  const tracer = new Tracer();
  const seen = new Set<string>();
  let looked = 0;
  const look = (): void => {
    for (const { text } of s.lab.log.slice(looked)) {
      looked += 1;
      const m = parseMessage(text);
      if (isFault(m) || m.cseqMethod === 'REGISTER') continue;
      seen.add(tracer.correlation(s.lab.store, m));
    }
  };
  looked = s.lab.log.findIndex(({ text }) => text.includes('INVITE'));
  look();
  s.ask('1001', 'a', 'BYE');
  look();
  s.agree('1002', 'BYE');
  s.lab.pass(40_000);
  t.deepEqual(asked(s.lab, 'calls').rows, []);
  // the rows are gone: a repeated message is still known
  looked = s.lab.log.findLastIndex(({ text }) => text.includes('BYE')) - 1;
  look();
  t.deepEqual([...seen], [global]);
});

test('a number is found as the user part of a URI, and not in the middle of one', (t) => {
  const of = (from: string): boolean => {
    const m = parseMessage(
      `OPTIONS sip:x@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: ${from};tag=1\r\n` +
        'To: <sip:y@z>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n\r\n',
    );
    return !isFault(m) && names(m, '1001');
  };
  t.true(of('<sip:1001@z>'));
  t.true(of('<tel:+1001>'));
  t.false(of('<sip:11001@z>'));
  t.false(of('<sip:10011@z>'));
  t.false(of('<sip:a@1001.z>'));
});
