// Messages: parsing, validation, building and stream framing, one rule of an RFC a test.

import test, { type ExecutionContext } from 'ava';
import {
  H,
  HEADERS,
  headerId,
  isFault,
  LIMITS,
  M,
  METHODS,
  methodId,
  parseMessage,
  type RequestParts,
  reasonPhrase,
  requestText,
  responseText,
  SIP_FAULTS,
  type SipFault,
  type SipMessage,
  StreamFramer,
  salvage,
  validateRequest,
  validateResponse,
} from '../../src/sip-parser/index.ts';

function good<T>(t: ExecutionContext, value: T | SipFault): T {
  if (!isFault(value)) return value;
  t.fail(`fault ${value.fault} at ${value.at}`);
  throw new Error('not reached: t.fail ends the test');
}

const request = (lines: string, body = ''): string =>
  `INVITE sip:b@example.com SIP/2.0\r\n${lines}\r\n${body}`;
const BASE =
  'Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1\r\nFrom: <sip:a@example.com>;tag=1\r\n' +
  'To: <sip:b@example.com>\r\nCall-ID: c1\r\nCSeq: 7 INVITE\r\nMax-Forwards: 70\r\n';
const parsed = (t: ExecutionContext, text: string): SipMessage => good(t, parseMessage(text));
const fault = (x: unknown): string => (isFault(x) ? x.fault : 'none');
const verdict = (t: ExecutionContext, lines: string): string =>
  fault(validateRequest(parsed(t, request(lines))));
const without = (name: string): string =>
  BASE.split('\r\n')
    .filter((l) => l !== '' && !l.startsWith(name))
    .map((l) => `${l}\r\n`)
    .join('');

test('RFC 3261 20: the header table finds every name, compact letter and spelling', (t) => {
  HEADERS.forEach((facts, id) => {
    t.is(facts.id, id as typeof facts.id);
    t.is(headerId(facts.name), facts.id);
    t.is(headerId(facts.name.toUpperCase()), facts.id);
    if (facts.compact !== '') t.is(headerId(facts.compact.toUpperCase()), facts.id);
  });
  t.is(HEADERS.length, Object.keys(H).length);
  const compact = HEADERS.filter((f) => f.compact !== '').map((f) => f.compact);
  t.is(new Set(compact).size, compact.length);
  for (const name of ['', 'z', 'Vib', 'Contacy', 'X-Contact', 'Tp', 'C%6Fntact', '\x36', '\x16']) {
    t.is(headerId(name), -1, name);
  }
});

test('RFC 3261 7.1: the method table finds every method, case-sensitive', (t) => {
  METHODS.forEach((name, id) => {
    t.is(methodId(name), id);
    if (name !== '') t.is(methodId(name.toLowerCase()), 0);
  });
  t.is(METHODS[M.UPDATE], 'UPDATE');
  for (const name of ['INVITED', 'ACC', 'INVITF', 'BYES']) t.is(methodId(name), 0);
});

test('RFC 3261 21: reason phrases; an unregistered status takes its class', (t) => {
  t.is(reasonPhrase(486), 'Busy Here');
  t.is(reasonPhrase(199), 'Early Dialog Terminated');
  t.is(reasonPhrase(299), 'OK');
  t.is(reasonPhrase(499), 'Bad Request');
});

test('RFC 3261 7.3.3: compact names, any case, space before the colon', (t) => {
  const m = parsed(
    t,
    request(
      'v: SIP/2.0/TCP h;branch=z9hG4bKx\r\nF : <sip:a@b>;tag=2\r\nT\t: <sip:b@b>;tag=9\r\n' +
        'i:id\r\ncseq:\t3 INVITE\r\nM: <sip:a@c>\r\nc: text/plain;x=1\r\nl: 2\r\n',
      'hi',
    ),
  );
  t.is(m.viaTransport, 'TCP');
  t.is(m.fromTag, '2');
  t.is(m.toTag, '9');
  t.is(m.callId, 'id');
  t.is(m.cseq, 3);
  t.is(m.contactUri, 'sip:a@c');
  t.is(m.contentType, 'text/plain');
  t.is(m.body, 'hi');
  t.is(validateRequest(m), undefined);
  t.is(m.lines(H.From), 'From: <sip:a@b>;tag=2\r\n');
});

test('RFC 3261 7.3.1: folded lines read as one, and are not copied as folded', (t) => {
  const m = parsed(t, request(`${BASE}Subject: a\r\n b\r\n\tc\r\nX-Y:\r\n z\r\n`, 'x\r\n y'));
  t.is(m.header(H.Subject), 'a b c');
  t.is(m.other('x-y'), 'z');
  t.is(m.lines(H.Subject), 'Subject: a b c\r\n');
  t.is(m.body, 'x\r\n y');
});

test('RFC 3261 7.3.1: list values split at top-level commas only', (t) => {
  const m = parsed(
    t,
    request(
      `${BASE}Contact: "a, \\"b" <sip:x@y;p=1,2>;q=1, <sip:z@y>\r\nContact: sip:w@y\r\n` +
        'Supported: timer ,100rel,\r\nSubject: one, two\r\n',
    ),
  );
  t.deepEqual(m.values(H.Contact), ['"a, \\"b" <sip:x@y;p=1,2>;q=1', '<sip:z@y>', 'sip:w@y']);
  t.deepEqual(m.values(H.Supported), ['timer', '100rel']);
  t.deepEqual(m.values(H.Subject), ['one, two']);
  t.deepEqual(m.values(H.Route), []);
  t.is(m.contactUri, 'sip:x@y;p=1,2');
});

test('RFC 3261 20: absent headers read as said', (t) => {
  const m = parsed(t, 'OPTIONS sip:x SIP/2.0\r\nX: 1\r\n\r\n');
  t.is(m.callId + m.cseqMethod + m.fromTag + m.toTag + m.branch + m.contactUri, '');
  t.is(m.viaHost + m.viaTransport + m.viaReceived + m.viaMaddr + m.contentType, '');
  t.deepEqual([m.cseq, m.maxForwards, m.expires, m.viaTtl, m.viaPort], [-1, -1, -1, -1, 0]);
  t.false(m.viaRport);
  t.false(m.has(H.Via));
  t.false(m.has(H.Path));
  t.is(m.header(H.Via), undefined);
  t.is(m.lines(H.Via), '');
  t.is(m.other('x'), '1');
  t.is(m.other('y'), undefined);
  t.is(fault(validateRequest(m)), 'missing-via');
});

test('RFC 3261 20.19: Expires beyond its range and malformed', (t) => {
  t.is(parsed(t, request('Expires: 60\r\n')).expires, 60);
  t.is(parsed(t, request('Expires: 99999999999999999999999\r\n')).expires, 2 ** 32 - 1);
  t.is(parsed(t, request('Expires: soon\r\n')).expires, 3600);
});

test('RFC 3261 18.1.2, RFC 3581: the parts of the top Via', (t) => {
  const m = parsed(
    t,
    request(
      'Via: SIP/2.0/UDP [2001:db8::1]:5070;ttl=3;MADDR=224.0.1.75;received=192.0.2.9;rport;' +
        'x="a;branch=no";branch=z9hG4bKq;y=2, SIP/2.0/TCP second;branch=z9hG4bKr\r\n',
    ),
  );
  t.is(m.viaHost, '[2001:db8::1]');
  t.is(m.viaPort, 5070);
  t.is(m.viaTtl, 3);
  t.is(m.viaMaddr, '224.0.1.75');
  t.is(m.viaReceived, '192.0.2.9');
  t.is(m.branch, 'z9hG4bKq');
  t.true(m.viaRport);
  t.is(m.values(H.Via).length, 2);
  const [start, end] = m.viaSpan;
  t.true(m.text.slice(start, end).endsWith('y=2'));
});

test('RFC 3261 18.3: datagram framing by Content-Length', (t) => {
  t.is(parsed(t, request('Content-Length: 2\r\n', 'abcd')).body, 'ab');
  t.is(
    parsed(t, request('Content-Length: 2\r\n', 'abcd')).text.length,
    request('Content-Length: 2\r\n').length + 2,
  );
  t.is(parsed(t, request('Subject: x\r\n', 'abcd')).body, 'abcd');
  t.is(fault(parseMessage(request('Content-Length: 5\r\n', 'abcd'))), 'body-too-short');
  for (const bad of ['', '-1', '1 2', '0x2', '2,2', '+1']) {
    t.is(fault(parseMessage(request(`Content-Length: ${bad}\r\n`, 'abcd'))), 'bad-content-length');
  }
  t.is(fault(parseMessage(request('l: 2\r\nContent-Length: 2\r\n', 'ab'))), 'duplicate-header');
});

test('RFC 3261 7.5: CRLFs before the start line; a keep-alive is no message', (t) => {
  t.is(parsed(t, `\r\n\r\n${request(BASE)}`).callId, 'c1');
  for (const text of ['', '\r\n', '\r\n\r\n']) t.is(fault(parseMessage(text)), 'keepalive');
  t.is(SIP_FAULTS.keepalive.status, 0);
});

test('RFC 3261 7: what does not begin like SIP is dropped, what does is answered', (t) => {
  for (const text of ['\0', '\0\0\0\0', 'hello', 'hello\r\n', ' \r\n\r\n', '{"a":1}\r\n', '\r']) {
    t.is(fault(parseMessage(text)), 'not-sip', JSON.stringify(text));
  }
  t.is(SIP_FAULTS['not-sip'].status, 0);
  t.is(fault(parseMessage('INVITE sip:a SIP/2.0')), 'headers-unterminated');
  t.is(fault(parseMessage(`INVITE sip:a SIP/2.0\r\n${BASE}`)), 'headers-unterminated');
});

test('RFC 3261 25.1: bare CR and LF are refused, for a copy would be a line of its own', (t) => {
  t.is(fault(parseMessage(request(`${BASE}Subject: a\nRoute: <sip:evil>\r\n`))), 'bad-line-end');
  t.is(fault(parseMessage(request(`${BASE}Subject: a\rRoute: <sip:evil>\r\n`))), 'bad-line-end');
  t.is(fault(parseMessage('INVITE sip:a SIP/2.0\nVia: x\n\n')), 'bad-line-end');
  t.is(fault(parseMessage('INVITE sip:a\r SIP/2.0\r\n\r\n')), 'bad-line-end');
});

test('RFC 3261 7.3.1: a header line needs a token and a colon', (t) => {
  for (const line of ['Foobar roobar', ': x', ' lead: x', 'a b: x', 'a(b): x', '"q": x']) {
    t.is(fault(parseMessage(`INVITE sip:a SIP/2.0\r\n${line}\r\n\r\n`)), 'bad-header-line', line);
  }
});

test('limits: size, lines and line length are bounded', (t) => {
  const big = request(`${BASE}Content-Type: a/b\r\n`, 'x'.repeat(LIMITS.messageBytes));
  t.is(fault(parseMessage(big)), 'message-too-large');
  t.is(SIP_FAULTS['message-too-large'].status, 513);
  const room = LIMITS.messageBytes - request(BASE).length;
  t.is(parsed(t, request(BASE, 'x'.repeat(room))).body.length, room);
  t.is(fault(parseMessage(request('X: 1\r\n'.repeat(LIMITS.headerLines + 1)))), 'too-many-headers');
  t.is(parsed(t, request('X: 1\r\n'.repeat(LIMITS.headerLines))).lineCount, LIMITS.headerLines);
  t.is(fault(parseMessage(request(`X: ${'y'.repeat(LIMITS.lineBytes)}\r\n`))), 'line-too-long');
  const name = 'n'.repeat(300);
  t.is(parsed(t, request(`${name}: far\r\n`)).other(name), 'far');
  const many = request(`Supported: ${'a,'.repeat(4000)}\r\n`);
  t.is(parsed(t, many).values(H.Supported).length, LIMITS.listValues);
});

test('RFC 3261 7.2: status lines', (t) => {
  const m = parsed(t, `SIP/2.0 183 Session Progress\r\n${BASE}\r\n`);
  t.deepEqual([m.isRequest, m.status, m.reason], [false, 183, 'Session Progress']);
  t.deepEqual([m.method, m.methodId, m.requestUri, m.cseqMethod], ['', 0, '', 'INVITE']);
  t.is(validateResponse(m), undefined);
  t.is(parsed(t, `SIP/2.0 200\r\n${BASE}\r\n`).status, 200);
  t.is(parsed(t, `SIP/2.0 200\r\n${BASE}\r\n`).reason, '');
  for (const s of ['99', '700', '20', '2000', 'abc', '', '4294967301', '2x0']) {
    t.is(fault(parseMessage(`SIP/2.0 ${s} X\r\n${BASE}\r\n`)), 'bad-status', s);
  }
  t.is(fault(validateResponse(parsed(t, `SIP/3.0 200 OK\r\n${BASE}\r\n`))), 'bad-version');
  t.is(
    fault(validateResponse(parsed(t, `SIP/2.0 200 OK\r\n${without('CSeq')}\r\n`))),
    'missing-header',
  );
});

test('RFC 3261 8.1.1: a sane request passes, mandatory headers must be there once', (t) => {
  t.is(verdict(t, BASE), 'none');
  t.is(verdict(t, without('Max-Forwards')), 'none');
  t.is(verdict(t, without('Via')), 'missing-via');
  for (const name of ['From', 'To', 'Call-ID', 'CSeq']) {
    t.is(verdict(t, without(name)), 'missing-header', name);
    const line = BASE.split('\r\n').find((l) => l.startsWith(name)) ?? '';
    t.is(verdict(t, `${BASE}${line}\r\n`), 'duplicate-header', name);
  }
  t.is(verdict(t, `${BASE}Max-Forwards: 70\r\n`), 'duplicate-header');
  t.is(verdict(t, `${BASE}Via: SIP/2.0/UDP h\r\nRoute: <sip:a;lr>\r\nRoute: <sip:b>\r\n`), 'none');
});

test('RFC 3261 7.1: the version decides 505 and 400', (t) => {
  const v = (line: string): string => fault(validateRequest(parsed(t, `${line}\r\n${BASE}\r\n`)));
  t.is(v('INVITE sip:b@h SIP/2.0'), 'none');
  t.is(v('INVITE sip:b@h sip/2.0'), 'none');
  t.is(v('INVITE sip:b@h SIP/3.0'), 'bad-version');
  t.is(SIP_FAULTS['bad-version'].status, 505);
  t.is(v('INVITE sip:b@h HTTP/1.1'), 'bad-start-line');
  t.is(v('INVITE sip:b@h'), 'bad-start-line');
  t.is(v('INVITE sip:b@h '), 'bad-start-line');
});

test('RFC 3261 8.1.1.1, 19.1.1: the Request-URI', (t) => {
  const v = (u: string): string =>
    fault(validateRequest(parsed(t, `INVITE ${u} SIP/2.0\r\n${BASE}\r\n`)));
  for (const ok of [
    'sip:h',
    'sips:a:pw@h:1;x',
    'tel:+1-201;phone-context=x',
    'sip:a?b@h',
    'sip:*57#@h',
  ]) {
    t.is(v(ok), 'none', ok);
  }
  for (const bad of [
    'h',
    '<sip:h>',
    'sip:',
    'sip:@h',
    'sip:a@',
    'sip:a@h?x=y',
    'sip:h:0',
    'sip:h:65536',
    'sip:a b@h',
    'sip:%zz@h',
    'sip:a@[::1',
    'sip:a@[h]',
    '1x:y',
    'sip:a@h"',
    ' sip:h',
    'sip:h SIP/2.0/UDP',
    'sip:h SIP/2.0',
    'sip:h ',
  ]) {
    t.is(v(bad), 'bad-request-uri', bad);
  }
});

test('RFC 3261 8.1.1.5: CSeq is below 2**31 and names the method', (t) => {
  const v = (s: string): string => verdict(t, `${without('CSeq')}CSeq: ${s}\r\n`);
  t.is(v('0 INVITE'), 'none');
  t.is(v('2147483647   INVITE'), 'none');
  t.is(v('2147483648 INVITE'), 'bad-cseq');
  for (const bad of ['', 'INVITE', '1', '1INVITE', '-1 INVITE', '1.5 INVITE'])
    t.not(v(bad), 'none', bad);
  t.is(v('1 BYE'), 'cseq-method');
  t.is(v('1 INVITEX'), 'cseq-method');
  t.is(v('1 invite'), 'cseq-method');
});

test('RFC 3261 20.22: Max-Forwards is 0 to 255', (t) => {
  const v = (s: string): string => verdict(t, `${without('Max')}Max-Forwards: ${s}\r\n`);
  for (const ok of ['0', '255', '0068']) t.is(v(ok), 'none');
  for (const bad of ['', '256', '-1', 'x', '7 0']) t.is(v(bad), 'bad-max-forwards', bad);
});

test('RFC 3261 20.8, 20.10, 20.20, 20.34, 20.39, 20.42: malformed headers have their own fault', (t) => {
  const v = (name: string, value: string): string =>
    verdict(t, `${without(name)}${name}: ${value}\r\n`);
  for (const bad of [
    '',
    'sip',
    '<sip:a@b',
    '"x <sip:a@b>',
    '<sip:a@b>;',
    '<sip:a@b>;;tag=1',
    '<>',
    '<sip:a@b>, <sip:c@d>',
    '<sip:a@b> x',
    '< sip:a@b>',
    'A, B <sip:a@b>',
    '"x" sip:a@b',
    'sip:a@b?c=d',
    '<sip:a@b>;tag=',
    '<sip:a@b>;tag="x',
  ]) {
    t.is(v('From', bad), 'bad-from', bad);
    t.is(v('To', bad), 'bad-to', bad);
    if (!bad.includes(',')) t.is(v('Contact', bad), 'bad-contact', bad);
  }
  t.is(v('From', '*'), 'bad-from');
  t.is(v('Contact', '*'), 'none');
  t.is(v('Contact', '<sip:a@b>;q=1,"x,y"<tel:1>'), 'none');
  t.is(v('Contact', '<sip:a@b>,'), 'bad-contact');
  t.is(v('Route', 'sip:a@b'), 'bad-route');
  t.is(v('Record-Route', '<sip:a;lr>,<sip:b;lr>'), 'none');
  t.is(v('Call-ID', ''), 'bad-call-id');
  t.is(v('Call-ID', 'a b'), 'bad-call-id');
  for (const bad of [
    '',
    'SIP/2.0/UDP',
    'SIP/2.0 UDP h',
    'SIP/2.0/UDP h:0',
    'SIP/2.0/UDP h:99999',
    'UDP h',
    'SIP/2.0/UDP h;;',
    'SIP/2.0/UDP h,',
    'SIP/3.0/UDP h',
    'SIP/2.0/UDP [::1',
    'SIP/2.0/ h',
    'SIP/2.0/UDP ;a',
    'SIP/2.0/UDP h;branch="x',
    'SIP/2.0/UDP h x',
  ]) {
    t.is(v('Via', bad), 'bad-via', bad);
  }
  t.is(v('Via', 'SIP / 2.0 / UDP h : 5060 ; branch = x , SIP/2.0/TCP [::1]:5'), 'none');
  t.is(v('Via', 'SIP/2.0/UDP h;branch=z9hG4bK'), 'bad-branch');
});

test('RFC 3261 8.2: salvage gives what a faulty request is answered with, and nothing to drop', (t) => {
  const short = request(`${BASE}Content-Length: 9\r\n`, 'x');
  t.is(salvage(short)?.callId, 'c1');
  t.is(salvage(request(`${BASE}nonsense\r\n`))?.cseq, 7);
  t.is(salvage(`INVITE sip:a SIP/2.0\r\n${BASE}`)?.branch, 'z9hG4bK1');
  t.is(salvage(request(BASE, 'x'.repeat(70_000)))?.callId, 'c1');
  t.is(salvage(request(`${BASE}Subject: a\n b\r\n`))?.branch, 'z9hG4bK1');
  t.is(salvage(short.replaceAll('INVITE', 'ACK')), undefined);
  t.is(salvage(request(without('Via'))), undefined);
  t.is(salvage('SIP/2.0 200 OK\r\n\r\n'), undefined);
  t.is(salvage('\r\n'), undefined);
});

const PARTS = {
  toTag: '',
  contact: '',
  extra: '',
  contentType: '',
  body: '',
  received: '',
  rport: 0,
};

test('RFC 3261 8.2.6: a response copies Via, From, To, Call-ID, CSeq, and tags To once', (t) => {
  const m = parsed(
    t,
    request(`${BASE}Via: SIP/2.0/TCP second\r\nRecord-Route: <sip:p;lr>\r\nTimestamp: 54\r\n`),
  );
  const ok = responseText(m, 200, 'OK', {
    ...PARTS,
    toTag: 'z',
    contact: '<sip:me>',
    extra: 'X: 1\r\n',
    contentType: 'a/b',
    body: 'hey',
  });
  t.is(
    ok,
    'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1\r\nVia: SIP/2.0/TCP second\r\n' +
      'Record-Route: <sip:p;lr>\r\nFrom: <sip:a@example.com>;tag=1\r\nTo: <sip:b@example.com>;tag=z\r\n' +
      'Call-ID: c1\r\nCSeq: 7 INVITE\r\nContact: <sip:me>\r\nX: 1\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nhey',
  );
  const trying = responseText(m, 100, 'Trying', PARTS);
  t.true(trying.includes('Timestamp: 54\r\n'));
  t.false(trying.includes('Record-Route') || trying.includes('To: <sip:b@example.com>;'));
  t.false(responseText(m, 486, 'Busy Here', PARTS).includes('Record-Route'));
  const tagged = parsed(t, request(BASE.replace('b@example.com>', 'b@example.com>;tag=own')));
  t.true(responseText(tagged, 200, 'OK', { ...PARTS, toTag: 'z' }).includes('>;tag=own\r\n'));
  const options = parsed(
    t,
    request(`${BASE}Record-Route: <sip:p;lr>\r\n`).replaceAll('INVITE', 'OPTIONS'),
  );
  t.false(responseText(options, 200, 'OK', PARTS).includes('Record-Route'));
});

test('RFC 3261 18.2.1, RFC 3581 4: received and rport are written into the top Via value only', (t) => {
  const top = (via: string, received: string, rport: number): string => {
    const m = parsed(t, request(`Via: ${via}\r\n${without('Via')}`));
    return (
      good(t, parseMessage(responseText(m, 200, 'OK', { ...PARTS, received, rport }))).header(
        H.Via,
      ) ?? ''
    );
  };
  t.is(
    top('SIP/2.0/UDP h;rport;branch=b', '1.2.3.4', 9),
    'SIP/2.0/UDP h;rport=9;branch=b;received=1.2.3.4',
  );
  t.is(top('SIP/2.0/UDP h;branch=b;rport', '', 9), 'SIP/2.0/UDP h;branch=b;rport=9');
  t.is(top('SIP/2.0/UDP h;rport=1;branch=b', '', 9), 'SIP/2.0/UDP h;rport=9;branch=b');
  t.is(top('SIP/2.0/UDP h;branch=b', '1.2.3.4', 9), 'SIP/2.0/UDP h;branch=b;received=1.2.3.4');
  t.is(
    top('SIP/2.0/UDP h;received=6.6.6.6;branch=b', '1.2.3.4', 0),
    'SIP/2.0/UDP h;branch=b;received=1.2.3.4',
  );
  t.is(
    top('SIP/2.0/UDP h;rport ;b=1 , SIP/2.0/UDP i;rport', '::1', 9),
    'SIP/2.0/UDP h;rport=9;b=1;received=::1 , SIP/2.0/UDP i;rport',
  );
});

test('RFC 3261 8.1.1: a request', (t) => {
  const o: RequestParts = {
    method: 'BYE',
    uri: 'sip:b@h',
    via: 'SIP/2.0/UDP me;branch=z9hG4bKa',
    from: '<sip:a@h>;tag=1',
    to: '<sip:b@h>;tag=2',
    callId: 'c',
    cseq: 2,
    maxForwards: 70,
    contact: '',
    routes: 'Route: <sip:p;lr>\r\n',
    extra: 'Reason: Q.850;cause=16\r\n',
    contentType: '',
    body: '',
  };
  t.is(
    requestText(o),
    'BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP me;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nRoute: <sip:p;lr>\r\n' +
      'From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\nCSeq: 2 BYE\r\nReason: Q.850;cause=16\r\n' +
      'Content-Length: 0\r\n\r\n',
  );
  t.is(validateRequest(parsed(t, requestText(o))), undefined);
});

const kinds = (f: StreamFramer, chunk: string): string[] =>
  f.push(chunk).map((x) => (x.kind === 'fault' ? x.fault.fault : x.kind));
const FRAMED = request(`${BASE}Content-Length: 2\r\n`, 'hi');

test('RFC 3261 18.3: a stream is framed by Content-Length', (t) => {
  const f = new StreamFramer();
  t.deepEqual(kinds(f, FRAMED.slice(0, 50)), []);
  const out = f.push(FRAMED.slice(50) + FRAMED + FRAMED.slice(0, -1));
  t.deepEqual(out, [
    { kind: 'message', text: FRAMED },
    { kind: 'message', text: FRAMED },
  ]);
  t.is(f.pending, FRAMED.length - 1);
  t.deepEqual(kinds(f, 'i'), ['message']);
  t.is(f.pending, 0);
  t.deepEqual(kinds(new StreamFramer(), request(`${BASE}L:\r\n 2\r\n`, 'hi')), ['message']);
});

test('RFC 5626 3.5.1: CRLF CRLF is a ping, CRLF a pong, in any chunks', (t) => {
  t.deepEqual(kinds(new StreamFramer(), '\r\n\r\n'), ['ping']);
  t.deepEqual(kinds(new StreamFramer(), '\r\n'), ['pong']);
  t.deepEqual(kinds(new StreamFramer(), `\r\n\r\n${FRAMED}\r\n`), ['ping', 'message', 'pong']);
  const f = new StreamFramer();
  t.deepEqual(
    [...'\r\n\r\n'].flatMap((c) => kinds(f, c)),
    ['pong', 'ping'],
  );
  t.deepEqual(kinds(f, FRAMED), ['message']);
});

test('RFC 3261 18.3, 20.14: a stream that cannot be framed ends in a fault', (t) => {
  const bad: ReadonlyArray<readonly [string, string]> = [
    ['missing-content-length', request(BASE)],
    ['bad-content-length', request(`${BASE}Content-Length: x\r\n`)],
    ['bad-content-length', request(`${BASE}Content-Length: 1\r\nl: 1\r\n`)],
    ['bad-content-length', request(`${BASE}Content-Length: 1\r\n 2\r\n`)],
    ['message-too-large', request(`${BASE}Content-Length: 99999\r\n`)],
    ['message-too-large', 'x'.repeat(LIMITS.headBytes + 1)],
  ];
  for (const [code, text] of bad) {
    const f = new StreamFramer();
    const out = f.push(text);
    t.is(out.length, 1);
    const frame = out[0];
    if (frame?.kind !== 'fault') {
      t.fail(code);
      continue;
    }
    t.is<string, string>(frame.fault.fault, code);
    if (text.startsWith('INVITE')) t.is(salvage(frame.text)?.callId, 'c1');
    t.deepEqual(kinds(f, FRAMED), ['stream-closed']);
    t.is(f.pending, 0);
  }
});
