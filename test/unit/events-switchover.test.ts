/**
 * The box is replaced at every step of the life of a subscription, its last turn said, unsaid or
 * forgotten. The watcher is strict (events-lab.ts): it complains about a version or CSeq that does not
 * rise by one, a tag that changes, a repeated NOTIFY that differs. In the end its lamp is true.
 */

import test from 'ava';
import { SUBSCRIPTION } from '../../src/call/events/rows.ts';
import { LEG } from '../../src/call/rows.ts';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, SDP } from './call-lab.ts';
import { Watcher } from './events-lab.ts';

type Death = 'said' | 'unsaid' | 'forgotten';
type Event = 'dialog' | 'presence' | 'reg';

const STEP = 100;

type Scene = {
  readonly lab: Lab;
  readonly alice: Peer;
  readonly bob: Peer;
  readonly carol: Watcher;
  steps: number;
};

/** A request of a phone that is repeated until its answer is there. */
function patient(
  s: Scene,
  p: Peer,
  text: string,
  until: (m: SipMessage) => boolean,
  at = p,
): SipMessage {
  for (let i = 0; i < 60; i += 1) {
    if (i % 5 === 0) p.send(text);
    const got = at.inbox().find(until);
    if (got !== undefined) return got;
    s.lab.pass(STEP);
    s.carol.act();
  }
  throw new Error(`${p.user} was not heard: ${text.slice(0, 30)}`);
}

function rest(s: Scene, ms: number): void {
  for (let i = 0; i < ms; i += STEP) {
    s.lab.pass(STEP);
    s.carol.act();
  }
}

function subscribe(s: Scene, expires: number): void {
  const { carol, lab } = s;
  const before = carol.statuses.length;
  const text = carol.text({ expires });
  for (let i = 0; i < 60 && carol.statuses.length === before; i += 1) {
    if (i % 5 === 0) carol.send(text);
    carol.act();
    lab.pass(STEP);
  }
}

const isFinal = (m: SipMessage): boolean => m.status >= 200;

/** Subscribes, a call comes, is answered and ends, a refresh, the phone logs off, unsubscribes. */
function play(event: Event, swapAt: number, death: Death): Scene {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002', event);
  lab.register(alice);
  lab.register(bob);
  const s: Scene = { lab, alice, bob, carol, steps: 0 };
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    s.steps += 1;
    if (s.steps !== swapAt || death !== 'forgotten') receive(ip, port, text);
    if (s.steps !== swapAt) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  subscribe(s, 600);
  rest(s, 500);
  const invite = alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') });
  const toBob = patient(s, alice, invite, (m) => m.method === 'INVITE', bob);
  after(s, invite, toBob);
  return s;
}

function after(s: Scene, invite: string, toBob: SipMessage): void {
  const { lab, alice, bob, carol } = s;
  bob.reply(toBob, 180, 'bt');
  rest(s, 600);
  bob.reply(toBob, 200, 'bt', SDP('bob'));
  let ok: SipMessage | undefined;
  for (let i = 0; i < 60 && ok === undefined; i += 1) {
    // the phone repeats its 200 until it is acknowledged, the caller its INVITE until it is answered
    ok = alice.inbox().find((m) => m.status === 200);
    if (i % 5 === 4 && ok === undefined) {
      alice.send(invite);
      bob.reply(toBob, 200, 'bt', SDP('bob'));
    }
    lab.pass(STEP);
    carol.act();
  }
  alice.ack(invite, ok as SipMessage);
  rest(s, 600);
  subscribe(s, 600);
  patient(s, alice, alice.inDialog('BYE', invite, ok as SipMessage), isFinal);
  for (let i = 0; i < 3; i += 1) {
    for (const m of bob.inbox()) if (m.method === 'BYE') bob.reply(m, 200, 'bt');
    rest(s, 600);
  }
  const off = bob.request('REGISTER', 'sip:192.0.2.10', {
    to: bob.aor,
    contact: false,
    extra: `Contact: <${bob.contact}>;expires=0\r\n`,
  });
  patient(s, bob, off, isFinal);
  rest(s, 4000);
}

const LAST: { readonly [event in Event]: RegExp } = {
  dialog:
    /<dialog-info [^>]*>\r\n(<dialog id="l\d+"><state>terminated<\/state><\/dialog>\r\n)?<\/dialog-info>/,
  presence: /<basic>closed<\/basic>/,
  reg: /id="r1002" state="(terminated|init)"/,
};

for (const event of ['dialog', 'presence', 'reg'] as const) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${event}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const { steps } = play(event, 0, death);
      t.true(steps > 10, `${steps}`);
      for (let at = 0; at <= steps; at += 1) {
        const s = play(event, at, death);
        const { carol, lab } = s;
        const where = `step ${at}: ${carol.notes.map((n) => n.state).join(', ')}`;
        t.deepEqual(carol.complaints, [], where);
        t.false(
          carol.statuses.some((status) => status === 481 || status === 500),
          where,
        );
        t.regex(carol.last.body, LAST[event], where);
        if (event === 'dialog') {
          const seen = carol.notes.flatMap((n) => [...n.body.matchAll(/<state>(\w+)</g)]);
          const states = new Set(seen.map((m) => m[1]));
          t.true(states.has('confirmed') && states.has('terminated'), where);
        }
        subscribe(s, 0);
        rest(s, 3000);
        t.true(carol.over, where);
        t.is(lab.store.count(SUBSCRIPTION), 0, where);
        t.deepEqual(carol.complaints, [], where);
      }
    });
  }
}

test('law 8: the end of a subscription is absolute, whoever leads', (t) => {
  const lab = new Lab();
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002');
  carol.subscribe({ expires: 100 });
  for (let i = 0; i < 9; i += 1) {
    lab.pass(11_000);
    lab.swap(i % 2 === 0);
    carol.act();
    t.false(carol.over);
  }
  lab.pass(1100);
  carol.act();
  t.is(carol.last.state, 'terminated;reason=timeout');
  t.deepEqual(carol.complaints, []);
});

test('what was still to be said when the box died is said: a mark is a row', (t) => {
  const lab = new Lab();
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002', 'presence');
  carol.subscribe();
  lab.register(bob);
  t.is(carol.notes.length, 1);
  lab.swap(true);
  lab.pass(400);
  carol.act();
  t.regex(carol.last.body, /<basic>open/);
  t.is(carol.notes.length, 2);
});

test('a last word that was not heard is said again, and then the row goes', (t) => {
  const lab = new Lab();
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002');
  carol.subscribe({ expires: 60 });
  lab.pass(59_900);
  lab.now += 200;
  lab.tick();
  lab.swap(true);
  carol.act();
  t.is(carol.last.state, 'terminated;reason=timeout');
  t.is(lab.store.count(SUBSCRIPTION), 0);
});

test('a warm standby keeps who watches and lost the calls: the lamps go out', (t) => {
  const lab = new Lab();
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002');
  lab.register(alice);
  lab.register(bob);
  carol.subscribe();
  alice.send(alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice') }));
  lab.pass(400);
  carol.act();
  t.deepEqual(carol.lamps, ['trying']);
  carol.answers = 0;
  carol.subscribe();
  lab.air = [];
  // what `forgetAllButWarm` does
  for (const shelf of lab.store.shelves.values()) {
    if (shelf.spec.warm) continue;
    for (const row of [...shelf.rows.values()]) lab.store.remove(shelf.spec, row as never);
  }
  t.is(lab.store.count(LEG), 0);
  carol.answers = 200;
  carol.catchUp(200);
  lab.swap(true);
  lab.pass(6000);
  carol.act();
  t.deepEqual(carol.lamps, ['terminated']);
  t.deepEqual(carol.complaints, []);
  t.is(carol.subscribe(), 200, 'and the dialog stands');
});

test('RFC 6665 4.1.3 noresource: the new primary has no such extension any more', (t) => {
  const lab = new Lab();
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002');
  carol.subscribe();
  Object.assign(lab.settings, { userFrom: 1003 });
  lab.swap(false);
  carol.act();
  t.is(carol.last.state, 'terminated;reason=noresource');
  t.is(lab.store.count(SUBSCRIPTION), 0);
});

test('RFC 6665 4.1.3 deactivated: before the CSeq runs out the watcher is sent to begin anew', (t) => {
  const lab = new Lab();
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const carol = new Watcher(lab, '1003', '192.0.2.3', '1002', 'presence');
  carol.subscribe();
  const sub = [...lab.store.rows(SUBSCRIPTION)][0];
  if (sub === undefined) throw new Error('no row');
  lab.store.patch(SUBSCRIPTION, sub, { localCseq: 2 ** 31 - 3 });
  carol.complaints.length = 0;
  lab.register(bob);
  lab.pass(400);
  carol.act();
  carol.act();
  t.is(carol.last.state, 'terminated;reason=deactivated');
  t.true(carol.last.m.cseq < 2 ** 31);
  t.is(lab.store.count(SUBSCRIPTION), 0);
});
