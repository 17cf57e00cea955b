/**
 * Two engines and a program that goes on at the other when one dies, at every step of what is between
 * them: what was acknowledged was done, what was not is done once when it is repeated.
 */

import test from 'ava';
import { SESSION } from '../../src/call/csta/rows.ts';
import { readFrame } from '../../src/cti/door.ts';
import { Hub } from '../../src/cti/hub.ts';
import { PLAIN_CENTRE } from '../../src/proto/centre.ts';
import { sipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { programConfig } from './cti-lab.ts';
import { Bench, type Hand } from './engine-pair.ts';

type Frame = {
  readonly id?: string;
  readonly method?: string;
  readonly result?: { readonly [name: string]: unknown };
  readonly params?: { readonly id: number; readonly event: string; readonly changed?: string[] };
};

/** A program at one box: the hub, and what it was told. */
class Desk {
  readonly hub = new Hub();
  readonly hand: Hand;
  readonly frames: Frame[] = [];
  closed = false;
  private taken = 0;

  constructor(hand: Hand) {
    this.hand = hand;
    this.hub.serves(true);
    this.hub.open(1);
  }

  send(id: string, method: string, params: object): void {
    const asked = readFrame(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    if (typeof asked === 'string') throw new Error(asked);
    this.hub.asked(1, 'desk', asked.id, asked.method, asked.params);
    this.pump();
  }

  /** Takes what the engine let go, and what follows from it. */
  pump(): void {
    for (;;) {
      const effect = this.hub.out.shift();
      if (effect !== undefined) {
        if (effect.kind === 'ask') this.hand.give(effect.request);
        else if (effect.kind === 'gap') this.hub.goOn(effect.conn);
        else if (effect.kind === 'send') this.frames.push(JSON.parse(effect.text));
        continue;
      }
      const said = this.hand.programs[this.taken];
      if (said === undefined) return;
      this.taken += 1;
      this.hub.take(said);
    }
  }

  answer(id: string): Frame | undefined {
    return this.frames.find((f) => f.id === id);
  }

  get events(): readonly NonNullable<Frame['params']>[] {
    return this.frames.flatMap((f) =>
      f.method === 'event' && f.params !== undefined ? [f.params] : [],
    );
  }
}

const PHONE = '192.0.2.21';

function sip(hand: Hand, method: string, user: number, to: number, more: string): void {
  const text =
    `${method} sip:${to}@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP ${PHONE}:5060;branch=z9hG4bK-${method}-${user}\r\n` +
    `From: <sip:${user}@192.0.2.10>;tag=f${user}\r\nTo: <sip:${to}@192.0.2.10>\r\n` +
    `Call-ID: ${method}-${user}\r\nCSeq: 1 ${method}\r\nContact: <sip:${user}@${PHONE}:5060>\r\n` +
    `Max-Forwards: 70\r\n${more}`;
  hand.give({ kind: 'sip', transport: 'udp', ip: PHONE, port: 5060, text });
}

const SDP =
  'v=0\r\no=- 1 1 IN IP4 192.0.2.21\r\ns=x\r\nc=IN IP4 192.0.2.21\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

function pairWith(): Bench {
  const centre = { ...PLAIN_CENTRE, programs: [programConfig('desk')] };
  const sipOf = sipSettings({
    vip: '192.0.2.10',
    nonceKey: 'k',
    csta: true,
    site: { ...PLAIN_SITE, centre },
  });
  const bench = new Bench('hot-standby', {}, undefined, {}, sipOf);
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  for (const user of [1001, 1002]) {
    sip(bench.a, 'REGISTER', user, user, 'Expires: 600\r\nContent-Length: 0\r\n\r\n');
  }
  bench.settle();
  const body = `Content-Type: application/sdp\r\nContent-Length: ${SDP.length}\r\n\r\n${SDP}`;
  sip(bench.a, 'INVITE', 1001, 1002, body);
  bench.settle();
  return bench;
}

const REQUESTS = 6;

function ask(desk: Desk, i: number): void {
  desk.send(`r${i}`, 'associateData', { callId: 1, attach: { [`k${i}`]: `${i}` } });
}

/** One turn of one box at a time; the death of a is after `steps` of them. */
function story(steps: number): {
  readonly old: Desk;
  readonly next: Desk;
  readonly session: string;
} {
  const bench = pairWith();
  const old = new Desk(bench.a);
  const settle = (): void => {
    for (let i = 0; i < 6; i += 1) {
      bench.settle();
      old.pump();
    }
  };
  old.send('s', 'startSession', { program: 'desk', password: 'x' });
  settle();
  old.send('m', 'monitorStart', { all: true });
  settle();
  const session = String(old.answer('s')?.result?.['session']);
  let left = steps;
  const hands = [bench.a, bench.b] as const;
  for (let i = 0; i < REQUESTS; i += 1) {
    ask(old, i);
    for (let n = 0; n < 3 && left > 0; n += 1, left -= 1) {
      const hand = hands[n % 2] as Hand;
      const other = hands[(n + 1) % 2] as Hand;
      hand.turn(bench.now);
      for (const bytes of hand.wire) other.give({ kind: 'link-data', bytes });
      hand.wire = [];
      old.pump();
    }
    if (left === 0) break;
  }
  // a is dead: nothing of what it has not sent comes out any more
  bench.cut = true;
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  bench.crown('b', 'peer-silent');
  const next = new Desk(bench.b);
  const on = (): void => {
    for (let i = 0; i < 6; i += 1) {
      bench.settle();
      next.pump();
    }
  };
  const since = old.events.at(-1)?.id ?? Number(old.answer('s')?.result?.['position']);
  next.send('again', 'resumeSession', { program: 'desk', password: 'x', session, since });
  on();
  for (let i = 0; i < REQUESTS; i += 1) {
    if (old.answer(`r${i}`) === undefined) ask(next, i);
  }
  on();
  return { old, next, session };
}

test('a box dies at any step of six requests: each is done once, each event comes once', (t) => {
  for (let steps = 0; steps <= 3 * REQUESTS; steps += 1) {
    const { old, next } = story(steps);
    t.is(typeof next.answer('again')?.result?.['missed'], 'number', `${steps}: resumed`);
    const events = [...old.events, ...next.events];
    t.deepEqual(
      events.flatMap((e) => e.changed ?? []),
      Array.from({ length: REQUESTS }, (_, i) => `k${i}`),
      `after ${steps} steps`,
    );
    t.true(events.every((e, i) => i === 0 || e.id > (events[i - 1]?.id ?? 0)));
    const answered = Array.from({ length: REQUESTS }, (_, i) => `r${i}`).map(
      (id) => [old, next].filter((d) => d.answer(id)?.result !== undefined).length,
    );
    t.deepEqual(
      answered,
      Array.from({ length: REQUESTS }, () => 1),
    );
  }
});

test('warm standby forgets sessions, agents and states of devices: the program is told so', (t) => {
  const centre = { ...PLAIN_CENTRE, strict: 'no', programs: [programConfig('desk')] } as const;
  const sipOf = sipSettings({
    vip: '192.0.2.10',
    nonceKey: 'k',
    csta: true,
    site: { ...PLAIN_SITE, centre },
  });
  const bench = new Bench('warm-standby', {}, undefined, {}, sipOf);
  bench.crown('a');
  bench.followAll('b');
  bench.connect();
  const old = new Desk(bench.a);
  old.send('s', 'startSession', { program: 'desk', password: 'x' });
  bench.settle();
  old.pump();
  const session = String(old.answer('s')?.result?.['session']);
  t.not(session, 'undefined');
  old.send('on', 'setAgentState', {
    deviceId: '1001',
    agentId: 'a1',
    requestedAgentState: 'loggedOn',
  });
  old.send('dnd', 'setDoNotDisturb', { deviceId: '1001', doNotDisturbOn: true });
  bench.settle();
  old.pump();
  for (const id of ['on', 'dnd']) t.not(old.answer(id)?.result, undefined, id);
  bench.cut = true;
  bench.b.give({ kind: 'link-down' });
  bench.settle();
  bench.crown('b', 'peer-silent');
  const next = new Desk(bench.b);
  next.send('again', 'resumeSession', { program: 'desk', password: 'x', session, since: 0 });
  bench.settle();
  next.pump();
  const { error } = next.answer('again') as unknown as { error: { data: { code: string } } };
  t.is(error.data.code, 'unknownSession');
  next.send('anew', 'startSession', { program: 'desk', password: 'x' });
  bench.settle();
  next.pump();
  next.send('device', 'snapshotDevice', { deviceId: '1001' });
  next.send('agents', 'snapshotAgents', {});
  bench.settle();
  next.pump();
  t.is(JSON.stringify(next.answer('agents')?.result).includes('a1'), false);
  t.deepEqual(next.answer('agents')?.result, { agents: [] });
  t.false(JSON.stringify(next.answer('device')?.result).includes('"doNotDisturbOn":true'));
});

test('a box that does not serve says so at once, whatever its gate', (t) => {
  const bench = pairWith();
  const desk = new Desk(bench.b);
  desk.send('x', 'startSession', { program: 'desk', password: 'x' });
  bench.settle();
  desk.pump();
  const { error } = desk.answer('x') as unknown as { error: { data: { code: string } } };
  t.is(error.data.code, 'notPrimary');
});

test('a box that was to hand over and stays knows who went meanwhile', (t) => {
  const bench = pairWith();
  const desk = new Desk(bench.a);
  const settle = (): void => {
    for (let i = 0; i < 6; i += 1) {
      bench.settle();
      desk.pump();
    }
  };
  desk.send('s', 'startSession', { program: 'desk', password: 'x' });
  settle();
  const away = () => [...bench.a.engine.ledger.rows(SESSION)].map((s) => s.endsAt !== 0);
  t.deepEqual(away(), [false]);
  bench.a.give({ kind: 'order', order: { kind: 'resign' } });
  settle();
  t.is(bench.a.engine.role, 'resigning');
  desk.hub.closed(1);
  settle();
  t.deepEqual(away(), [false]);
  bench.a.give({ kind: 'order', order: { kind: 'stay' } });
  settle();
  t.is(bench.a.engine.role, 'primary');
  t.deepEqual(away(), [true]);
});
