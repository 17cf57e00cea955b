/** What programs are told of what they asked for, what phones are told, and what happens when it fails. */

import test from 'ava';
import { partiesAt } from '../../src/call/control/find.ts';
import { makeCall } from '../../src/call/control/make.ts';
import { TONES } from '../../src/call/control/tones.ts';
import { deflectCall } from '../../src/call/control/transfer.ts';
import { PARTY } from '../../src/call/csta/rows.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import {
  ask,
  type Cast,
  command,
  end,
  eventsOf,
  type Func,
  faults,
  STATES,
  settle,
  stage,
  told,
  view,
} from './control-lab.ts';
import type { TransferPhone } from './transfer-phone.ts';

const FLOWS: readonly (readonly [state: string, f: Func, events: readonly string[]])[] = [
  [
    'nothing',
    'makeCall',
    [
      'serviceInitiated 1001 normal r',
      'originated 1001 normal r',
      'delivered 1004 normal r',
      'established 1004 normal r',
    ],
  ],
  [
    'nothing',
    'makePredictiveCall',
    [
      'delivered 1004 normal r',
      'established 1004 normal r',
      'delivered 1003 normal r',
      'established 1003 normal r',
    ],
  ],
  ['ringing', 'answerCall', ['established 1002 normal r']],
  [
    'ringing',
    'deflectCall',
    ['diverted 1002 redirected r', 'delivered 1004 redirected', 'established 1004 normal'],
  ],
  [
    'ringing',
    'clearConnection',
    [
      'connectionCleared 1002 callCancelled r',
      'connectionCleared 1001 abandoned r',
      'callCleared abandoned r',
    ],
  ],
  ['talking', 'holdCall', ['held 1001 normal r']],
  ['held', 'retrieveCall', ['retrieved 1001 normal r']],
  [
    'talking',
    'consultationCall',
    [
      'held 1001 consultation r',
      'serviceInitiated 1001 normal r',
      'originated 1001 normal r',
      'delivered 1004 normal r',
      'established 1004 normal r',
    ],
  ],
  ['consulting', 'alternateCall', ['held 1001 alternate r', 'retrieved 1001 normal r']],
  [
    'consulting',
    'reconnectCall',
    [
      'connectionCleared 1001 normalClearing r',
      'connectionCleared 1004 normalClearing r',
      'callCleared normalClearing r',
      'retrieved 1001 normal r',
    ],
  ],
  ['consulting', 'transferCall', ['transferred transfer r', 'callCleared transfer r']],
  [
    'consulting, ringing',
    'transferCall',
    ['established 1004 normal r', 'transferred transfer r', 'callCleared transfer'],
  ],
  [
    'talking',
    'singleStepTransferCall',
    ['delivered 1004 normal r', 'established 1004 normal r', 'transferred singleStepTransfer r'],
  ],
  ['talking', 'mute', ['muted 1001 r']],
  ['muted', 'unmute', ['unmuted 1001 r']],
  ['talking', 'generateDigits', ['digitsGenerated 1001 r']],
  [
    'talking',
    'clearCall',
    [
      'connectionCleared 1002 normalClearing r',
      'connectionCleared 1001 normalClearing r',
      'callCleared normalClearing r',
    ],
  ],
];

for (const [state, f, events] of FLOWS) {
  test(`${f} when ${state}: each event once, with the reference of the request`, (t) => {
    const cast = stage('music');
    STATES[state]?.(cast);
    const from = eventsOf(cast);
    t.is(ask(cast, f, 'r'), 'ok');
    settle(cast, 4000);
    t.deepEqual(told(cast, from), events);
    t.deepEqual([...faults(cast), ...end(cast, 0)], []);
  });
}

function phone(cast: Cast, n: number): TransferPhone {
  return cast.phones[n - 1] as TransferPhone;
}

/** What a phone was told last about its session. */
function heard(p: TransferPhone): string {
  return p.living()[0]?.heard ?? '';
}

test('who is held hears music, who holds hears nothing; afterwards they hear each other', (t) => {
  const cast = stage('music');
  STATES['held']?.(cast);
  t.regex(heard(phone(cast, 1)), /a=inactive/);
  t.regex(heard(phone(cast, 2)), /s=anncv/);
  t.is(cast.media.living().length, 1);
  ask(cast, 'retrieveCall');
  settle(cast, 1000);
  t.regex(heard(phone(cast, 1)), /s=1002v/);
  t.regex(heard(phone(cast, 2)), /s=1001v/);
  t.is(cast.media.living().length, 0);
  t.deepEqual(end(cast, 1), []);
});

test('without music who is held hears nothing', (t) => {
  const cast = stage('');
  STATES['held']?.(cast);
  t.regex(heard(phone(cast, 1)), /a=inactive/);
  t.regex(heard(phone(cast, 2)), /a=inactive/);
  t.is(view(cast), '1:1001 hold, 1:1002 connected');
  ask(cast, 'retrieveCall');
  settle(cast, 1000);
  t.deepEqual(faults(cast), []);
  t.regex(heard(phone(cast, 2)), /s=1001v/);
  t.deepEqual(end(cast, 1), []);
});

test('a music service that is not heard of: who is held hears nothing, and all goes on', (t) => {
  const cast = stage('music');
  STATES['talking']?.(cast);
  cast.media.act = () => {};
  ask(cast, 'holdCall');
  settle(cast, 40_000);
  t.regex(heard(phone(cast, 2)), /a=inactive/);
  ask(cast, 'retrieveCall');
  settle(cast, 1000);
  t.regex(heard(phone(cast, 2)), /s=1001v/);
  t.deepEqual(end(cast, 0), []);
});

test('a music service that hangs up: who is held hears nothing, and is not hung up', (t) => {
  const cast = stage('music');
  STATES['held']?.(cast);
  cast.media.bye(cast.media.living()[0] as never);
  settle(cast, 1000);
  t.is(view(cast), '1:1001 hold, 1:1002 connected');
  t.regex(heard(phone(cast, 2)), /a=inactive/);
  ask(cast, 'retrieveCall');
  settle(cast, 1000);
  t.regex(heard(phone(cast, 1)), /s=1002v/);
  t.deepEqual(end(cast, 0), []);
});

test('a phone that refreshes or re-describes its session while it is held is answered by us', (t) => {
  for (const n of [1, 2]) {
    const cast = stage('');
    STATES['held']?.(cast);
    const p = phone(cast, n);
    const talk = p.living()[0] as never;
    const own = 'v=0\r\no=x 1 2 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n';
    p.ask(talk, 'INVITE', '', `${own}m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\n`);
    settle(cast, 1000);
    t.true(p.idle);
    t.regex(heard(p), /m=audio 9 RTP\/AVP 0\r\na=inactive\r\nm=video 9 /);
    const other = phone(cast, 3 - n);
    const stories = other.story.length;
    p.ask(talk, 'INVITE');
    settle(cast, 1000);
    t.is(other.story.length, stories);
    t.deepEqual(end(cast, 0), []);
  }
});

test('a phone transfers whom a program holds for it: the music ends', (t) => {
  const cast = stage('music');
  STATES['held']?.(cast);
  const p = phone(cast, 1);
  p.ask(p.living()[0] as never, 'REFER', 'Refer-To: <sip:1004@x>\r\n');
  settle(cast, 6000);
  t.is(view(cast), '1:1002 connected, 1:1004 connected');
  t.is(cast.media.living().length, 0);
  t.deepEqual([...faults(cast), ...end(cast, 0)], []);
});

test('a muted phone is told that nothing of it is wanted; its other side is not held by that', (t) => {
  const cast = stage('music');
  STATES['muted']?.(cast);
  t.regex(heard(phone(cast, 1)), /s=1002v[\s\S]*a=sendonly/);
  t.is(view(cast), '1:1001 connected, 1:1002 connected');
  ask(cast, 'unmute');
  settle(cast, 500);
  t.regex(heard(phone(cast, 1)), /a=sendrecv/);
});

test('digits reach the other side in order', (t) => {
  const cast = stage('music');
  STATES['talking']?.(cast);
  ask(cast, 'generateDigits');
  settle(cast, 500);
  t.is(phone(cast, 2).digits, '12#');
});

test('digits keep their order when one of them is lost, and when more are asked for meanwhile', (t) => {
  const cast = stage('music');
  STATES['talking']?.(cast);
  ask(cast, 'generateDigits');
  ask(cast, 'generateDigits');
  cast.lab.swap(true);
  settle(cast, 6000);
  t.is(phone(cast, 2).digits, '12#12#');
  t.is(cast.lab.store.count(TONES), 0);
});

test('a phone steered by NOTIFY is told to hold and to talk', (t) => {
  const cast = stage('music', { hold: 'notify' });
  STATES['talking']?.(cast);
  t.is(ask(cast, 'holdCall', 'r'), 'ok');
  settle(cast, 300);
  t.deepEqual(phone(cast, 1).steered, ['hold']);
  const from = eventsOf(cast);
  const p = phone(cast, 1);
  p.ask(p.living()[0] as never, 'INVITE', '', heldBody());
  settle(cast, 500);
  // the reference waited for what the phone made of it
  t.deepEqual(told(cast, from), ['held 1001 normal r']);
  t.is(ask(cast, 'retrieveCall'), 'ok');
  settle(cast, 300);
  t.deepEqual(phone(cast, 1).steered, ['hold', 'talk']);
});

test('RFC 3261 12.2.2 a phone that is told to answer already is not told again before it heard that', (t) => {
  const cast = stage('music', { answer: 'talk' });
  phone(cast, 2).call('1001');
  settle(cast, 300, false);
  t.is(ask(cast, 'answerCall'), 'ok');
  t.is(ask(cast, 'answerCall'), 'ok');
  cast.lab.swap(false);
  t.is(ask(cast, 'answerCall'), 'ok');
  const told = cast.lab.air.filter((d) => /\r\nEvent: talk\r\n/.test(d.text));
  t.deepEqual([...new Set(told.map((d) => /CSeq: \d+/.exec(d.text)?.[0]))], ['CSeq: 2']);
  settle(cast, 500, false);
  t.deepEqual(phone(cast, 1).steered, ['talk']);
  t.is(view(cast), '1:1001 connected, 1:1002 connected');
});

function heldBody(): string {
  return 'v=0\r\no=1001 10017 2 IN IP4 192.0.2.1\r\ns=x\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendonly\r\n';
}

test('a phone that answers by itself is asked to in the INVITE; one that is not steered only rings', (t) => {
  const auto = stage('music', { answer: 'auto' });
  let invite: SipMessage | undefined;
  const inbox = phone(auto, 1).inbox.bind(phone(auto, 1));
  phone(auto, 1).inbox = () => {
    const all = inbox();
    invite ??= all.find((m) => m.method === 'INVITE');
    return all;
  };
  ask(auto, 'makeCall');
  settle(auto, 200, false);
  t.regex(invite?.header(H.AlertInfo) ?? '', /info=alert-autoanswer/);
  t.is(ask(auto, 'answerCall'), 'requestIncompatibleWithDevice');
  const manual = stage('music', { answer: 'manual' });
  ask(manual, 'makeCall');
  settle(manual, 200, false);
  t.deepEqual(phone(manual, 1).steered, []);
  t.is(ask(manual, 'answerCall'), 'requestIncompatibleWithDevice');
});

test('a call by REFER: the phone calls, and its call is the one the program knows', (t) => {
  const cast = stage('music', { make: 'refer' });
  const p = phone(cast, 1);
  const made = command(cast.lab, (cx) =>
    makeCall(cx, { callingDevice: '1001', calledDevice: '1004', userData: { a: 'b' } }),
  ) as { connection: { callId: number } };
  cast.lab.swap(false);
  const asked = p.inbox().find((m) => m.method === 'REFER');
  t.regex(asked?.header(H.ReferTo) ?? '', /<sip:1004@/);
  p.reply(asked as SipMessage, 202, 'x');
  p.call('1004');
  settle(cast, 2000);
  const id = made.connection.callId;
  t.is(view(cast), `${id}:1001 connected, ${id}:1004 connected`);
  t.deepEqual(end(cast, 0), []);
});

test('a phone that was told to call and does not: failed, and the call is over', (t) => {
  const cast = stage('music', { make: 'refer' });
  t.is(ask(cast, 'makeCall', 'r'), 'ok');
  phone(cast, 1).inbox();
  cast.lab.swap(false);
  cast.lab.pass(40_000);
  t.deepEqual(told(cast), ['failed 1001 noAnswer r', 'callCleared normalClearing']);
  t.deepEqual(end(cast, 0), []);
});

test('makeCall whose called party refuses: failed, and the caller is hung up with the reason', (t) => {
  const cast = stage('music');
  ask(cast, 'makeCall', 'r');
  settle(cast, 300, false);
  phone(cast, 4).lift(486);
  settle(cast, 1000, false);
  t.deepEqual(told(cast).slice(3), [
    'failed 1004 busy r',
    'connectionCleared 1004 busy r',
    'connectionCleared 1001 normalClearing r',
    'callCleared normalClearing',
  ]);
  t.deepEqual([...faults(cast), ...end(cast, 0)], []);
});

test('makeCall whose own phone refuses: failed', (t) => {
  const cast = stage('music', { answer: 'manual' });
  ask(cast, 'makeCall', 'r');
  settle(cast, 200, false);
  phone(cast, 1).lift(603);
  settle(cast, 1000, false);
  t.true(
    told(cast).some((e) => e.startsWith('failed 1001 callRejected r')),
    told(cast).join(),
  );
  t.deepEqual([...faults(cast), ...end(cast, 0)], []);
});

test('a transfer to somebody who refuses: failed; he is held still, and can be taken up again', (t) => {
  const cast = stage('music');
  STATES['consulting, ringing']?.(cast);
  t.is(ask(cast, 'transferCall', 'r'), 'ok');
  const from = eventsOf(cast);
  phone(cast, 4).lift(486);
  settle(cast, 2000, false);
  t.true(told(cast, from).includes('failed 1001 busy r'), told(cast, from).join());
  t.regex(heard(phone(cast, 2)), /s=anncv/);
  t.is(ask(cast, 'reconnectCall'), 'ok');
  settle(cast, 1000, false);
  t.regex(heard(phone(cast, 2)), /s=1001v/);
  t.deepEqual([...faults(cast), ...end(cast, 0)], []);
});

test('what rings cannot be deflected to a number that leads nowhere, nor without end', (t) => {
  const cast = stage('music');
  STATES['ringing']?.(cast);
  const to = (newDestination: string) =>
    command(cast.lab, (cx) => {
      const rings = [...cx.store.rows(PARTY)].find((p) => p.state === 'alerting');
      const connection = { callId: rings?.ccall ?? 0, deviceId: rings?.device ?? '' };
      return deflectCall(cx, { connection, newDestination }) as { refused?: string };
    }).refused ?? 'ok';
  t.is(to('99'), 'invalidCalledDevice');
  t.is(to('1500'), 'deviceOutOfService');
  const ping = ['1003', '1004'];
  let n = 0;
  for (; n < 20; n += 1) {
    if (to(ping[n % 2] as string) !== 'ok') break;
    settle(cast, 200, false);
  }
  t.true(n > 1 && n < 6, `${n} deflections`);
  settle(cast, 3000);
  t.deepEqual([...faults(cast), ...end(cast, 0)], []);
});

test('requests about nothing are refused by what is missing', (t) => {
  const cast = stage('music');
  const make = (callingDevice: string, calledDevice: string) =>
    (
      command(cast.lab, (cx) => makeCall(cx, { callingDevice, calledDevice })) as {
        refused?: string;
      }
    ).refused;
  t.is(make('4711', '1004'), 'invalidDeviceId');
  t.is(make('1500', '1004'), 'deviceOutOfService');
  t.is(make('1001', '4711'), 'invalidCalledDevice');
  t.is(make('1001', '10 04'), 'invalidCalledDevice');
  t.is(partiesAt(cast.lab.cx, '1001').length, 0);
});
