/** The phones of the world: correct towards a correct server, and they notice a bad one. */

import test from 'ava';
import { Book } from '../world/book.ts';
import { VIP } from '../world/box.ts';
import { Dice } from '../world/dice.ts';
import { Host } from '../world/host.ts';
import { Phone } from '../world/phone.ts';
import { Queue } from '../world/queue.ts';
import { type Msg, readSip, sdp, writeRequest, writeResponse } from '../world/sip-text.ts';
import { Switch } from '../world/switch.ts';

const FAIR = { loss: 0, duplicate: 0, reorder: 0, latency: [0.1, 0.1] } as const;
const IP = '192.0.2.101';

/** A phone and a server that answers as the test says. */
function stage(answer: (msg: Msg) => readonly string[]) {
  const queue = new Queue();
  const lan = new Switch(queue, new Dice(1), FAIR);
  const server = new Host(queue, lan, 'server', '02:00:00:00:00:01', VIP);
  const host = new Host(queue, lan, 'phone', '02:00:00:00:00:65', IP);
  const book = new Book();
  const world = { queue, dice: new Dice(2), book, disordered: false };
  const phone = new Phone(world, host, '1000', IP);
  const heard: Msg[] = [];
  const say = (text: string): void => {
    server.send({ srcIp: VIP, srcPort: 5060, dstIp: IP, dstPort: 5060, text });
  };
  server.onUdp = (udp) => {
    const msg = readSip(udp.text ?? '');
    if (typeof msg === 'string') throw new Error(msg);
    heard.push(msg);
    for (const text of answer(msg)) say(text);
  };
  const run = (ms: number): void => queue.runUntil(queue.now + ms, () => {});
  const call = () =>
    book.open(0, '1000', '1001', {
      kind: 'answer',
      ringMs: 100,
      talkMs: 1e9,
      hangUp: 'caller',
      updates: [],
      early: false,
    });
  const seen = (): string[] => book.observations.map((o) => o.what);
  return { phone, book, heard, say, run, call, seen };
}

const CONTACT = [`Contact: <sip:1001@${VIP}:5060>`];

test('an INVITE nobody answers is repeated after 0.5, 1, 2 … s and given up after 32', (t) => {
  const { phone, book, heard, run, call } = stage(() => []);
  phone.calls.dial(call());
  run(31_700);
  t.deepEqual([heard.length, book.failures.length], [7, 0]);
  run(2000);
  t.is(heard.length, 7);
  t.is(book.failures[0]?.what, 'INVITE not answered at all');
});

test('a provisional stops the repeating; every copy of a 2xx gets the ACK again', (t) => {
  const { phone, heard, say, run, call, seen } = stage((msg) =>
    msg.method === 'INVITE' ? [writeResponse(msg, 180, 'far', CONTACT, '')] : [],
  );
  const made = call();
  phone.calls.dial(made);
  run(2000);
  t.is(heard.length, 1);
  made.calleeSaid = 200;
  const body = sdp('192.0.2.102', made.id, 1, 'sendrecv');
  made.offers.add(body);
  const ok = writeResponse(heard[0] as Msg, 200, 'far', CONTACT, body);
  say(ok);
  say(ok);
  run(5);
  t.deepEqual(
    heard.map((m) => m.method),
    ['INVITE', 'ACK', 'ACK'],
  );
  t.is(heard[1]?.text, heard[2]?.text);
  t.is(made.callerState, 'established');
  t.deepEqual(seen(), []);
});

test('what no correct server says is noticed', (t) => {
  const { phone, heard, say, run, call, seen } = stage(() => []);
  const made = call();
  phone.calls.dial(made);
  run(1);
  const invite = heard[0] as Msg;
  made.calleeSaid = 486;
  say(writeResponse(invite, 180, 'far', CONTACT, ''));
  say(writeResponse(invite, 180, 'other', CONTACT, ''));
  say(writeResponse(invite, 486, 'far', [], ''));
  say(writeResponse(invite, 180, 'far', CONTACT, ''));
  say(writeResponse(invite, 500, 'far', [], ''));
  const elsewhere = new Map([['via', ['SIP/2.0/UDP x;branch=z9hG4bKno']]]);
  say(writeResponse({ ...invite, headers: elsewhere }, 200, 'far', [], ''));
  say('garbage');
  run(5);
  t.deepEqual(seen(), [
    'the To tag changed',
    'a provisional response after the final one',
    'another final response than 486 before',
    'a response to nothing',
    'unreadable: no end of headers',
  ]);
});

test('a called phone rings, answers, wants an ACK, and watches CSeq and tags', (t) => {
  const { phone, book, heard, say, run, call, seen } = stage(() => []);
  const made = { ...call(), callee: '1000' };
  book.calls.set(made.id, made);
  const body = sdp('192.0.2.102', made.id, 1, 'sendrecv');
  made.offers.add(body);
  const request = (method: string, cseq: number, toTag: string, branch: string): string =>
    writeRequest({
      method,
      uri: `sip:1000@${IP}:5060`,
      via: `SIP/2.0/UDP ${VIP}:5060;branch=z9hG4bK${branch}`,
      from: `<sip:1001@${VIP}>;tag=far`,
      to: `<sip:1000@${VIP}>${toTag === '' ? '' : `;tag=${toTag}`}`,
      callId: 'one',
      cseq,
      extra: CONTACT,
      body: method === 'INVITE' ? body : '',
    });
  say(request('INVITE', 7, '', 'a'));
  run(1000);
  const copies = heard.filter((m) => m.status === 200);
  t.true(copies.length >= 2, 'the 2xx is repeated until the ACK');
  const tag = copies[0]?.toTag ?? '';
  say(request('ACK', 7, tag, 'b'));
  run(5000);
  t.is(heard.filter((m) => m.status === 200).length, copies.length);
  t.is(made.calleeState, 'established');
  t.deepEqual(seen(), []);
  say(request('OPTIONS', 7, tag, 'c'));
  say(request('BYE', 9, 'wrong', 'd'));
  run(5);
  t.deepEqual(seen(), ['CSeq not above 7', 'a request in a dialog that does not exist']);
  t.is(heard.at(-1)?.status, 481);
  say(request('BYE', 10, tag, 'e'));
  run(5);
  t.is(book.failures.at(-1)?.what, 'hung up though nobody had');
  t.is(phone.calls.busy(), 0);
});

test('a registration is renewed at half its time; a refusal is a failure', (t) => {
  let ok = true;
  const { phone, book, heard, run } = stage((msg) => {
    const contact = `${(msg.headers.get('contact') as string[])[0]};expires=30`;
    return [writeResponse(msg, ok ? 200 : 500, 'far', ok ? [`Contact: ${contact}`] : [], '')];
  });
  phone.register();
  run(14_000);
  t.is(heard.length, 1);
  t.true(phone.registered);
  run(2000);
  t.is(heard.length, 2);
  ok = false;
  run(15_000);
  t.is(book.failures[0]?.what, 'REGISTER answered 500');
});

for (const told of [true, false]) {
  const what = told ? 'told of the success he may be' : 'told of nothing he may not be';
  test(`a transferor who does not hang up: ${what} hung up before the target has its ACK`, (t) => {
    const { phone, book, heard, say, run, call } = stage((msg) => {
      if (msg.method === 'INVITE') return [writeResponse(msg, 200, 'far', CONTACT, body)];
      return msg.method === 'REFER' ? [writeResponse(msg, 202, '', [], '')] : [];
    });
    const made = call();
    const body = sdp('192.0.2.102', made.id, 1, 'sendrecv');
    made.offers.add(body);
    made.calleeSaid = 200;
    made.calleeState = 'established';
    phone.calls.dial(made);
    run(5);
    const [leg] = phone.calls.legs.values();
    if (leg === undefined) return t.fail();
    const plan = { at: 0, by: 'caller', to: '1002', leaves: 'never', refused: false } as const;
    phone.calls.transfers.begin(leg, { ...plan, ringMs: 10, attended: false });
    run(5);
    t.is(heard.at(-1)?.method, 'REFER');
    const request = (method: string, cseq: number, extra: readonly string[], tail: string): void =>
      say(
        writeRequest({
          method,
          uri: `sip:1000@${IP}:5060`,
          via: `SIP/2.0/UDP ${VIP}:5060;branch=z9hG4bK${cseq}`,
          from: `<sip:1001@${VIP}>;tag=far`,
          to: `<sip:1000@${VIP}>;tag=${leg.localTag}`,
          callId: leg.callId,
          cseq,
          extra,
          body: tail,
        }),
      );
    if (made.transfer === undefined) return t.fail();
    made.transfer.said = 200;
    const over = ['Event: refer', 'Subscription-State: terminated;reason=noresource'];
    if (told) request('NOTIFY', 1, over, 'SIP/2.0 200 OK\r\n');
    request('BYE', 2, [], '');
    run(5);
    t.deepEqual(
      book.failures.map((f) => f.what),
      told ? [] : ['hung up though nobody had'],
    );
    // whoever is called does not know yet: until its ACK the end is still this phone's
    t.is(made.callerState, told ? 'established' : 'ended');
    t.is(phone.calls.busy(), 0);
  });
}
