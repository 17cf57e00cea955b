/** The ladder of `monitor sip`: participants as columns, messages as arrows, within the terminal. */

import test from 'ava';
import { Ladder, labelOf, type SipSeen } from '../../src/panel/console/ladder.ts';
import { Bench } from '../console/bench.ts';
import { NOON } from '../console/fake-pair.ts';

const SDP = 'Content-Type: application/sdp\r\n';

function message(
  seconds: number,
  direction: 'in' | 'out',
  peer: string,
  first: string,
  cseq = '1 INVITE',
  more = '',
): SipSeen {
  const us = '192.0.2.10:5060';
  return {
    at: NOON + seconds * 1000,
    from: direction === 'in' ? peer : us,
    to: direction === 'in' ? us : peer,
    transport: 'udp',
    direction,
    text: `${first}\r\nVia: SIP/2.0/UDP x\r\nCSeq: ${cseq}\r\n${more}\r\n`,
  };
}

const A = '192.0.2.20:5060';
const B = '192.0.2.21:5062';

const BASIC_CALL: readonly SipSeen[] = [
  message(0, 'in', A, 'INVITE sip:1002@192.0.2.10 SIP/2.0', '1 INVITE', SDP),
  message(0.002, 'out', A, 'SIP/2.0 100 Trying'),
  message(0.003, 'out', B, 'INVITE sip:1002@192.0.2.21:5062 SIP/2.0', '1 INVITE', SDP),
  message(0.05, 'in', B, 'SIP/2.0 180 Ringing'),
  message(0.052, 'out', A, 'SIP/2.0 180 Ringing'),
  message(2.1, 'in', B, 'SIP/2.0 200 OK', '1 INVITE', SDP),
  message(2.102, 'out', A, 'SIP/2.0 200 OK', '1 INVITE', SDP),
  message(2.12, 'in', A, 'ACK sip:1002@192.0.2.10 SIP/2.0', '1 ACK'),
  message(2.121, 'out', B, 'ACK sip:1002@192.0.2.21:5062 SIP/2.0', '1 ACK'),
];

test('a call of two phones', (t) => {
  const ladder = new Ladder(80);
  t.deepEqual(
    BASIC_CALL.flatMap((m) => ladder.add(m)),
    [
      '                      192.0.2.20:5060                      sipair',
      '                             |                                |',
      '12:00:00.000                 |------- INVITE 1002 +sdp ------>|',
      '12:00:00.002                 |<--------- 100 Trying ----------|',
      '                 192.0.2.20:5060           sipair            192.0.2.21:5062',
      '                        |                     |                     |',
      '12:00:00.003            |                     |- INVITE 1002 +sdp ->|',
      '12:00:00.050            |                     |<--- 180 Ringing ----|',
      '12:00:00.052            |<--- 180 Ringing ----|                     |',
      '12:00:02.100            |                     |<--- 200 OK +sdp ----|',
      '12:00:02.102            |<--- 200 OK +sdp ----|                     |',
      '12:00:02.120            |----- ACK 1002 ----->|                     |',
      '12:00:02.121            |                     |----- ACK 1002 ----->|',
    ],
  );
});

test('what a message is called', (t) => {
  t.is(labelOf('INVITE sip:1001@x SIP/2.0\r\nCSeq: 1 INVITE\r\n'), 'INVITE 1001');
  t.is(labelOf('OPTIONS sip:x SIP/2.0\r\n'), 'OPTIONS');
  t.is(labelOf('SIP/2.0 486 Busy Here\r\nCSeq: 7 INVITE\r\n'), '486 Busy Here');
  t.is(labelOf('SIP/2.0 200 OK\r\nCSeq: 7 BYE\r\n'), '200 OK (BYE)');
  t.is(labelOf(''), '');
  t.is(labelOf('x'.repeat(100)).length, 40);
});

test('no line is wider than the terminal, whatever the width', (t) => {
  for (const columns of [20, 40, 60, 80, 132]) {
    const ladder = new Ladder(columns);
    for (const m of BASIC_CALL) {
      for (const line of ladder.add(m)) t.true(line.length < columns, `${columns}: ${line}`);
    }
  }
});

test('more than four participants: a message is a line', (t) => {
  const ladder = new Ladder(80);
  const last = [1, 2, 3, 4, 5].flatMap((i) =>
    ladder.add(message(i, 'in', `198.51.100.${i}:5060`, 'OPTIONS sip:x SIP/2.0')),
  );
  t.is(last.at(-1), '12:00:05.000 198.51.100.5:5060 > sipair OPTIONS');
  t.is(ladder.add(BASIC_CALL[0] as SipSeen).at(-1), `12:00:00.000 ${A} > sipair INVITE 1002 +sdp`);
});

test('monitor sip at the console: number and call go into the question, q ends it', (t) => {
  const b = new Bench().login();
  b.pair.messages = [{ ok: true }, ...BASIC_CALL.map((m) => ({ ...m })), { dropped: 3 }];
  b.line('monitor sip number 1002');
  t.regex(b.screen.text(), /INVITE 1002 \+sdp/);
  t.regex(b.screen.text(), /3 messages are not shown/);
  t.is(b.screen.wrapped, 0);
  b.keys('q');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
  const asked = b.pair.heard.find((h) => h.request['command'] === 'monitor');
  t.deepEqual(asked?.request, { command: 'monitor', filter: { number: '1002' } });
  b.line('monitor sip');
  b.keys('\x03');
  t.is(b.screen.line(), 'north-a (primary, in step)>');
});
