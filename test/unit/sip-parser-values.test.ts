// Values inside messages: URIs, addresses, Via, credentials and session descriptions, one rule of
// an RFC a test.

import test, { type ExecutionContext } from 'ava';
import {
  bodyOfType,
  escapeUser,
  formatNameAddr,
  formatSdp,
  formatUri,
  formatVia,
  isFault,
  param,
  parseAuth,
  parseMessage,
  parseMultipart,
  parseNameAddr,
  parseSdp,
  parseUri,
  parseVia,
  rewriteSdpOrigin,
  type SipFault,
  type SipMessage,
  setParam,
  unescapeUser,
  uriEquals,
  uriParam,
  withoutParam,
} from '../../src/sip-parser/index.ts';

function good<T>(t: ExecutionContext, value: T | SipFault): T {
  if (!isFault(value)) return value;
  t.fail(`fault ${value.fault} at ${value.at}`);
  throw new Error('not reached: t.fail ends the test');
}

const fault = (x: unknown): string => (isFault(x) ? x.fault : 'none');

test('RFC 3261 19.1.1: the parts of a URI, and back', (t) => {
  const u = good(
    t,
    parseUri('SIPS:alice;day=tuesday:pa%3Dss@[2001:DB8::1]:5061;lr;transport=tcp?a=b&c=d'),
  );
  t.deepEqual(u, {
    scheme: 'sips',
    user: 'alice;day=tuesday',
    password: 'pa%3Dss',
    host: '[2001:DB8::1]',
    port: 5061,
    params: ';lr;transport=tcp',
    headers: 'a=b&c=d',
    opaque: '',
  });
  t.is(uriParam(u, 'LR'), '');
  t.is(uriParam(u, 'transport'), 'tcp');
  t.is(uriParam(u, 'trans'), undefined);
  for (const s of [
    'sip:h',
    'sip:a@h',
    'sip:a:b@h:5060;x=1?y=z',
    'tel:+1201;phone-context=x',
    'urn:service:sos',
  ]) {
    t.is(formatUri(good(t, parseUri(s))), s);
  }
  t.is(good(t, parseUri('tel:+1-201-555;isub=1')).user, '+1-201-555');
  t.is(fault(parseUri('alice@h')), 'bad-uri');
});

test('RFC 3261 19.1.2: escapes are decoded once, escapeUser is the inverse', (t) => {
  t.is(unescapeUser('a%2541%zz%4'), 'a%41%zz%4');
  t.is(escapeUser('a b@%"\xff'), 'a%20b%40%25%22%FF');
  t.is(unescapeUser(escapeUser('a b@%"\xff')), 'a b@%"\xff');
});

test('RFC 3261 19.1.4: the equal pairs of the RFC are equal, the unequal are not', (t) => {
  const same: ReadonlyArray<readonly [string, string]> = [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtlanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;newparam=5'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['TEL:+1201', 'tel:+1201'],
  ];
  const different: ReadonlyArray<readonly [string, string]> = [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@h', 'sips:a@h'],
    ['sip:a%40b@h', 'sip:a@h'],
    ['sip:a@h;maddr=1.2.3.4', 'sip:a@h'],
    ['tel:+1201', 'tel:+1202'],
    ['bad', 'bad'],
  ];
  for (const [a, b] of same) t.true(uriEquals(a, b) && uriEquals(b, a), `${a} ${b}`);
  for (const [a, b] of different) t.false(uriEquals(a, b) || uriEquals(b, a), `${a} ${b}`);
});

test('RFC 3261 20.10: name-addr and addr-spec', (t) => {
  t.deepEqual(good(t, parseNameAddr(' "A \\"B\\"" <sip:a@b;x=1>;tag=5 ')), {
    display: 'A "B"',
    uri: 'sip:a@b;x=1',
    params: ';tag=5',
  });
  t.deepEqual(good(t, parseNameAddr('sip:a@b ;tag=5')), {
    display: '',
    uri: 'sip:a@b',
    params: ';tag=5',
  });
  t.deepEqual(good(t, parseNameAddr('Bob T <sip:a@b>')), {
    display: 'Bob T',
    uri: 'sip:a@b',
    params: '',
  });
  t.is(good(t, parseNameAddr('*')).uri, '*');
  t.is(
    formatNameAddr({ display: 'A "B"', uri: 'sip:a@b', params: ';x' }),
    '"A \\"B\\"" <sip:a@b>;x',
  );
  t.is(formatNameAddr({ display: '', uri: '*', params: '' }), '*');
  t.is(fault(parseNameAddr('<sip:a@b>,<sip:c@d>')), 'bad-name-addr');
});

test('RFC 3261 25.1: reading and editing parameters', (t) => {
  const p = ';tag=1;q="a;b\\"c";lr ; x = 2';
  t.is(param(p, 'TAG'), '1');
  t.is(param(p, 'q'), 'a;b"c');
  t.is(param(p, 'lr'), '');
  t.is(param(p, 'x'), '2');
  t.is(param(p, 'b'), undefined);
  t.is(param('application/sdp;charset=x', 'charset'), 'x');
  t.is(withoutParam(p, 'q'), ';tag=1;lr ; x = 2');
  t.is(withoutParam(';a=1;a=2;b', 'A'), ';b');
  t.is(withoutParam(';lr;tag=1', 'lr'), ';tag=1');
  t.is(withoutParam(';a', 'a'), '');
  t.is(withoutParam(';a;b;a;a=1 ;c', 'a'), ';b;c');
  t.is(withoutParam(';x=";a";a', 'a'), ';x=";a"');
  t.is(setParam(';a=1;b', 'a', '2'), ';b;a=2');
  t.is(setParam('', 'a', 'x y'), ';a="x y"');
  t.is(setParam('', 'lr', ''), ';lr');
  t.is(param(setParam('', 'a', '"\\;'), 'a'), '"\\;');
});

test('RFC 3261 20.42: a Via value', (t) => {
  const v = good(
    t,
    parseVia('SIP / 2.0 / udp [::1] : 5062 ;branch=z;rport=7;ttl=5;received=1.2.3.4'),
  );
  t.is(v.transport, 'UDP');
  t.is(v.host, '[::1]');
  t.is(v.port, 5062);
  t.is(v.rport, '7');
  t.is(v.ttl, 5);
  t.is(v.received, '1.2.3.4');
  t.is(formatVia(v), 'SIP/2.0/UDP [::1]:5062;branch=z;rport=7;ttl=5;received=1.2.3.4');
  t.is(good(t, parseVia('SIP/2.0/TLS h')).rport, undefined);
  t.is(fault(parseVia('SIP/2.0/TLS h, SIP/2.0/TLS i')), 'bad-via');
});

test('RFC 7616 3.3, 3.4: challenges and credentials', (t) => {
  const a = good(
    t,
    parseAuth('Digest username="a\\"b", realm="x, y",nc=00000001 , URI="sip:h;a=b", qop=auth'),
  );
  t.is(a.scheme, 'Digest');
  t.deepEqual(Object.fromEntries(a.params), {
    username: 'a"b',
    realm: 'x, y',
    nc: '00000001',
    uri: 'sip:h;a=b',
    qop: 'auth',
  });
  t.is(good(t, parseAuth('Basic QWxh=')).params.get('token68'), 'QWxh=');
  for (const bad of [
    '',
    'Digest a',
    'Digest a="x',
    'Digest a=1,a=2',
    'Digest a=1 b=2',
    'Digest a=1,',
    'Digest a=',
    `Digest ${Array.from({ length: 40 }, (_, i) => `p${i}=1`).join(',')}`,
  ]) {
    t.is(fault(parseAuth(bad)), 'bad-auth', bad);
  }
});

const SDP =
  'v=0\r\no=a 1 2 IN IP4 192.0.2.1\r\ns=x\r\ni=info\r\nc=IN IP4 192.0.2.1\r\nb=AS:64\r\nt=0 0\r\na=group:BUNDLE 0\r\n' +
  'a=sendonly\r\nm=audio 5004/2 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=recvonly\r\nm=video 0 RTP/AVP 31\r\n' +
  'i=t\r\nc=IN IP6 ::1\r\nb=AS:1\r\n';

test('RFC 8866 5, RFC 3264 5.1: a session description, and back', (t) => {
  const s = good(t, parseSdp(SDP));
  t.deepEqual(s.origin, {
    user: 'a',
    sessId: '1',
    sessVersion: '2',
    net: 'IN',
    addrType: 'IP4',
    addr: '192.0.2.1',
  });
  t.is(s.connection?.addr, '192.0.2.1');
  t.deepEqual(
    s.media.map((m) => [m.type, m.port, m.ports, m.direction]),
    [
      ['audio', 5004, 2, 'recvonly'],
      ['video', 0, 1, 'sendonly'],
    ],
  );
  t.deepEqual(s.media[0]?.formats, ['0', '8']);
  t.deepEqual(s.media[0]?.attributes, ['rtpmap:0 PCMU/8000']);
  t.deepEqual(s.attributes, ['group:BUNDLE 0']);
  const text = formatSdp(s);
  t.deepEqual(parseSdp(text), s);
  t.true(text.includes('i=t\r\nc=IN IP6 ::1\r\nb=AS:1\r\na=sendonly\r\n'));
  t.deepEqual(parseSdp(SDP.replaceAll('\r\n', '\n')), s);
});

test('RFC 8866 5: malformed and missing lines', (t) => {
  for (const bad of [
    '',
    'v=1\r\n',
    'o=a 1 2 IN IP4 h\r\n',
    'v=0\r\ns=-\r\n',
    'v=0\r\no=a 1 2 IN IP4\r\n',
    'v=0\r\no=a 1 2 IN IP4 h\r\nm=audio x RTP/AVP 0\r\n',
    'v=0\r\no=a 1 2 IN IP4 h\r\nm=audio 70000 RTP/AVP 0\r\n',
    'v=0\r\no=a 1 2 IN IP4 h\r\nm=audio 5 RTP/AVP\r\n',
    'v=0\r\no=a 1 2 IN IP4 h\r\nc=IN\r\n',
    'v=0\r\no=a 1 2 IN IP4 h\r\nxyz\r\n',
    `v=0\r\no=a 1 2 IN IP4 h\r\n${'m=a 1 x 0\r\n'.repeat(100)}`,
    `v=0\r\no=a 1 2 IN IP4 h\r\n${'a=x\r\n'.repeat(2000)}`,
  ]) {
    t.is(fault(parseSdp(bad)), 'bad-sdp', bad.slice(0, 60));
  }
  const minimal = good(t, parseSdp('v=0\no=a 1 2 IN IP4 h\nz=1 2'));
  t.is(minimal.name, '-');
  t.is(
    formatSdp(good(t, parseSdp('v=0\no=a 1 2 IN IP4 h'))),
    'v=0\r\no=a 1 2 IN IP4 h\r\ns=-\r\nt=0 0\r\n',
  );
});

test('RFC 3264 8: the o= line alone is rewritten', (t) => {
  t.is(rewriteSdpOrigin(SDP, '99', '7'), SDP.replace('o=a 1 2 IN', 'o=a 99 7 IN'));
  t.is(rewriteSdpOrigin('o=- 1 1 IN IP4 h', '2', '3'), 'o=- 2 3 IN IP4 h');
  for (const s of ['', 'v=0\r\n', 'v=0\r\no=a 1\r\ns=- x y z\r\n'])
    t.is(rewriteSdpOrigin(s, '9', '9'), s);
});

const mixed = (body: string, type = 'multipart/mixed;boundary="b 1"'): SipMessage => {
  const text = `INVITE sip:h SIP/2.0\r\nc: ${type}\r\n\r\n${body}`;
  const m = parseMessage(text);
  if (isFault(m)) throw new Error(m.fault);
  return m;
};

test('RFC 2046 5.1.1: the parts of a body', (t) => {
  const body =
    'preamble\r\n--b 10\r\n--b 1 \t\r\nContent-Type:\r\n application/SDP;\r\n\tcharset=x\r\nX: y\r\n' +
    'content-id: <a@b>\r\nContent-Disposition: session\r\n\r\nv=0\r\n--b 1x\r\n--b 1\r\n\r\n\r\n--b 1\r\n' +
    'Content-Transfer-Encoding: BASE64\r\n\r\n--b 1--\r\nepilogue\r\n--b 1\r\n';
  const parts = good(t, parseMultipart('multipart/mixed;boundary="b 1"', body));
  t.deepEqual(parts, [
    {
      contentType: 'application/SDP; charset=x',
      disposition: 'session',
      id: 'a@b',
      encoding: '',
      body: 'v=0\r\n--b 1x',
    },
    { contentType: 'text/plain', disposition: '', id: '', encoding: '', body: '' },
    { contentType: 'text/plain', disposition: '', id: '', encoding: 'base64', body: '' },
  ]);
  t.is(bodyOfType(mixed(body), 'application/sdp'), 'v=0\r\n--b 1x');
});

test('RFC 2046 5.1.1: a body that is not what its type says', (t) => {
  const type = 'multipart/mixed;boundary=b';
  for (const bad of [
    '',
    'x',
    '--b',
    '--b--',
    '--b\r\n\r\nx',
    '--b\r\n\r\nx\r\n--b\r\n',
    '--b\r\nno name\r\n\r\nx\r\n--b--',
    '--b\r\nA: b\r\n--b--',
    `--b\r\n${'A: b\r\n'.repeat(40)}\r\nx\r\n--b--`,
    `--b\r\nA: ${'b'.repeat(9000)}\r\n\r\nx\r\n--b--`,
    `${'--b\r\n\r\nx\r\n'.repeat(40)}--b--`,
  ]) {
    const expected = bad === '--b\r\nA: b\r\n--b--' ? 'none' : 'bad-multipart';
    t.is(fault(parseMultipart(type, bad)), expected, JSON.stringify(bad.slice(0, 40)));
  }
  for (const t2 of [
    'a/b',
    'a/b;boundary=',
    `a/b;boundary=${'x'.repeat(71)}`,
    'a/b;boundary="x "',
  ]) {
    t.is(fault(parseMultipart(t2, '--x\r\n\r\n\r\n--x--')), 'bad-multipart', t2);
  }
});

test('RFC 5621 3: the body of one type, in the message or in a part of it', (t) => {
  const sdp = 'v=0\r\n';
  t.is(bodyOfType(mixed(sdp, 'Application/SDP ;x=y'), 'application/sdp'), sdp);
  t.is(bodyOfType(mixed('', 'application/sdp'), 'application/sdp'), undefined);
  t.is(bodyOfType(mixed(sdp, 'text/plain'), 'application/sdp'), undefined);
  t.is(bodyOfType(mixed('--b 1\r\n'), 'application/sdp'), undefined);
  const part = (head: string, body: string, b: string) =>
    `--${b}\r\n${head}\r\n\r\n${body}\r\n--${b}--`;
  const coded = 'Content-Type: application/sdp\r\nContent-Transfer-Encoding: base64';
  t.is(bodyOfType(mixed(part(coded, sdp, 'b 1')), 'application/sdp'), undefined);
  let nested = part('Content-Type: application/sdp', 'v=0', 'i');
  for (const b of ['j', 'b 1']) {
    nested = part(`Content-Type: multipart/x;boundary=${b === 'j' ? 'i' : 'j'}`, nested, b);
  }
  t.is(bodyOfType(mixed(nested), 'application/sdp'), 'v=0');
  const deeper = part('Content-Type: multipart/x;boundary="b 1"', nested, 'k');
  t.is(bodyOfType(mixed(deeper, 'multipart/x;boundary=k'), 'application/sdp'), undefined);
});
