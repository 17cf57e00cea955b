/** The small pieces: words with ids, addresses in URIs, tags, transaction keys. */

import test from 'ava';
import { NEVER } from '../../src/base/units.ts';
import { sipSettings } from '../../src/proto/context.ts';
import { literalHop, nextHop, uriOf, userOf } from '../../src/proto/sip/address.ts';
import { serverKey } from '../../src/proto/sip/server.ts';
import { idIn, isWord, withoutTag, word } from '../../src/proto/sip/text.ts';
import { soonest } from '../../src/proto/sip/timers.ts';
import { parseMessage, type SipMessage } from '../../src/sip-parser/index.ts';

const SETTINGS = sipSettings({ vip: '192.0.2.10', nonceKey: 'k' });

test('a word gives back its id, and only the true random part is ours', (t) => {
  for (const id of [1, 35, 36, 123_456_789, 2 ** 40]) {
    const w = word(id, 'k3x9');
    t.is(idIn(w, 0), id);
    t.true(isWord(w, 0, 'k3x9'));
    t.false(isWord(w, 0, 'k3x8'));
    t.false(isWord(`${w}x`, 0, 'k3x9'));
    t.is(idIn(`z9hG4bK${w}`, 7), id);
  }
  for (const text of ['', '-x', '0-x', '01-x', 'A1-x', '1 -x', 'zzzzzzzzzzzzzzzzzzzz-x', '12']) {
    t.is(idIn(text, 0), 0, text);
  }
});

test('only literal addresses are followed', (t) => {
  t.deepEqual(literalHop('sip:1@192.0.2.1'), { transport: 'udp', ip: '192.0.2.1', port: 5060 });
  t.deepEqual(literalHop('sip:192.0.2.1:5070;lr'), {
    transport: 'udp',
    ip: '192.0.2.1',
    port: 5070,
  });
  t.deepEqual(literalHop('sips:a:b@192.0.2.1?x=y'), {
    transport: 'tls',
    ip: '192.0.2.1',
    port: 5061,
  });
  t.deepEqual(literalHop('sip:a@192.0.2.1;transport=TCP'), {
    transport: 'tcp',
    ip: '192.0.2.1',
    port: 5060,
  });
  t.is(literalHop('sip:a@192.0.2.1;transport=sctp'), undefined);
  t.deepEqual(literalHop('sip:a;b=c@[2001:db8::1]:5080;x'), {
    transport: 'udp',
    ip: '2001:db8::1',
    port: 5080,
  });
  t.deepEqual(literalHop('sip:[2001:db8::1]'), { transport: 'udp', ip: '2001:db8::1', port: 5060 });
  for (const uri of ['sip:a@example.net', 'tel:+4912', 'sip:a@1.2.3', 'sip:a@1.2.3.256', '']) {
    t.is(literalHop(uri), undefined, uri);
  }
  const source = { transport: 'udp', ip: '198.51.100.1', port: 9 } as const;
  const stream = { ...source, transport: 'tcp' } as const;
  t.is(nextHop(SETTINGS, 'sip:a@192.0.2.1', stream, false), stream);
  t.is(nextHop(SETTINGS, 'sip:a@192.0.2.1', source, true), source);
  t.is(nextHop(SETTINGS, 'sip:a@example.net', source, false), source);
  for (const nobody of [
    '127.0.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '[::1]',
    '[ff02::1]',
    '192.0.2.10',
  ]) {
    t.is(nextHop(SETTINGS, `sip:a@${nobody}:5062`, source, false), source, nobody);
  }
  const local = sipSettings({ vip: '127.0.0.1', nonceKey: 'k' });
  t.is(nextHop(local, 'sip:a@127.0.0.2:5062', source, false).ip, '127.0.0.2');
});

test('user parts', (t) => {
  t.is(userOf('sip:1001@host'), '1001');
  t.is(userOf('sip:1001:secret@host'), '1001');
  t.is(userOf('sip:1001;phone-context=x@host'), '1001');
  t.is(userOf('tel:1001;ext=5'), '1001');
  t.is(userOf('sip:host'), '');
});

test('URIs and tags of From and To values', (t) => {
  t.is(uriOf('"A <b> ; c" <sip:1@h;x=y>;tag=1'), 'sip:1@h;x=y');
  t.is(uriOf('sip:1@h;tag=1'), 'sip:1@h');
  t.is(withoutTag('<sip:1@h;tag=no>;tag=1'), '<sip:1@h;tag=no>');
  t.is(withoutTag('"A;tag=q" <sip:1@h>;x=1;Tag=2;y'), '"A;tag=q" <sip:1@h>;x=1;y');
  t.is(withoutTag('sip:1@h'), 'sip:1@h');
  t.is(withoutTag('sip:1@h;tag=1'), 'sip:1@h');
});

function message(method: string, via: string, to = ''): SipMessage {
  return parseMessage(
    `${method} sip:1@h SIP/2.0\r\nVia: ${via}\r\nFrom: <sip:2@h>;tag=f\r\nTo: <sip:1@h>${to}\r\n` +
      `Call-ID: c\r\nCSeq: 1 ${method}\r\nContent-Length: 0\r\n\r\n`,
  ) as SipMessage;
}

test('17.2.3 branch, sent-by and method make a transaction; ACK and CANCEL name the INVITE', (t) => {
  const via = 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKx';
  const invite = serverKey(message('INVITE', via), 'INVITE');
  t.is(serverKey(message('ACK', via, ';tag=t'), 'INVITE'), invite);
  t.not(serverKey(message('CANCEL', via), 'CANCEL'), invite);
  t.not(serverKey(message('INVITE', via.replace('5070', '5071')), 'INVITE'), invite);
  t.not(serverKey(message('INVITE', via.replace('.1:', '.2:')), 'INVITE'), invite);
});

test('17.2.3 RFC 2543 senders: the ACK with its To tag matches the INVITE without', (t) => {
  for (const via of ['SIP/2.0/UDP 192.0.2.1', 'SIP/2.0/UDP 192.0.2.1;branch=1']) {
    const invite = serverKey(message('INVITE', via), 'INVITE');
    t.is(serverKey(message('ACK', via, ';tag=t'), 'INVITE'), invite);
    t.not(serverKey(message('INVITE', `${via};x`), 'INVITE'), invite);
  }
});

test('a moment of 0 is none', (t) => {
  t.is(soonest(0, 0, 0), NEVER);
  t.is(soonest(7, 0, 5), 5);
});
