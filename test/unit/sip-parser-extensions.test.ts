// Header values that extensions of SIP bring: what the grammar of each RFC allows is read and
// written back, what it forbids is a fault of its own code.

import test, { type ExecutionContext } from 'ava';
import {
  addresses,
  assertedIdentity,
  escapeUriHeader,
  formatEvent,
  formatRAck,
  formatReason,
  formatReferTo,
  formatReplaces,
  formatSessionExpires,
  formatSubscriptionState,
  H,
  HEADERS,
  hasWord,
  headerId,
  isFault,
  M,
  METHODS,
  methodId,
  parseEtag,
  parseEvent,
  parseFlowTimer,
  parseMessage,
  parseMinSe,
  parseRAck,
  parseReason,
  parseReferredBy,
  parseReferTo,
  parseReplaces,
  parseRetryAfter,
  parseRSeq,
  parseSessionExpires,
  parseSubscriptionState,
  parseUri,
  type SipFault,
  type SipMessage,
  sameEvent,
  uriHeaders,
  words,
} from '../../src/sip-parser/index.ts';

function good<T>(t: ExecutionContext, value: T | SipFault): T {
  if (!isFault(value)) return value;
  t.fail(`fault ${value.fault} at ${value.at}`);
  throw new Error('not reached: t.fail ends the test');
}

function refuses(
  t: ExecutionContext,
  parse: (text: string) => unknown,
  code: SipFault['fault'],
  bad: readonly string[],
): void {
  for (const text of bad) {
    const got = parse(text);
    t.is(isFault(got) ? got.fault : 'none', code, JSON.stringify(text));
    if (isFault(got)) t.true(got.at >= 0 && got.at <= text.length);
  }
}

function message(t: ExecutionContext, lines: string): SipMessage {
  return good(t, parseMessage(`OPTIONS sip:h SIP/2.0\r\n${lines}\r\n\r\n`));
}

test('RFC 3262, 3515, 6665, 3903: their methods are known by number', (t) => {
  for (const name of ['PRACK', 'REFER', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH'] as const) {
    t.is(methodId(name), M[name]);
    t.is(METHODS[M[name]], name);
    t.is(methodId(name.toLowerCase()), 0);
  }
});

test('RFC 3261 7.3.3 and its extensions: compact forms of the headers', (t) => {
  const forms: readonly (readonly [string, number])[] = [
    ['x', H.SessionExpires],
    ['r', H.ReferTo],
    ['b', H.ReferredBy],
    ['o', H.Event],
    ['u', H.AllowEvents],
    ['k', H.Supported],
  ];
  for (const [letter, id] of forms) {
    t.is(headerId(letter), id as never);
    t.is(headerId(letter.toUpperCase()), id as never);
    t.is(headerId(HEADERS[id]?.name ?? ''), id as never);
  }
});

test('RFC 3262 7.2: RAck', (t) => {
  const r = good(t, parseRAck(' 776656 \t 1 INVITE '));
  t.deepEqual(r, { rseq: 776_656, cseq: 1, method: 'INVITE', methodId: M.INVITE });
  t.is(formatRAck(r), '776656 1 INVITE');
  t.is(good(t, parseRAck('4294967295 2147483647 x')).methodId, 0);
  refuses(t, parseRAck, 'bad-rack', [
    '',
    '1',
    '1 2',
    '1 INVITE',
    '1 2INVITE',
    '0 1 INVITE',
    '4294967296 1 INVITE',
    '1 2147483648 INVITE',
    '-1 1 INVITE',
    '1 1 INVITE x',
    '1 1 IN;VITE',
    '1,1 INVITE',
  ]);
});

test('RFC 3262 7.1: RSeq', (t) => {
  t.is(parseRSeq(' 1 '), 1);
  t.is(parseRSeq('4294967295'), 2 ** 32 - 1);
  refuses(t, parseRSeq, 'bad-rseq', ['', '0', '4294967296', '1 2', 'x', '-1', '1;a']);
});

test('RFC 4028 4: Session-Expires', (t) => {
  t.deepEqual(parseSessionExpires('1800'), { seconds: 1800, refresher: '' });
  t.deepEqual(parseSessionExpires('90 ; x=1;Refresher = UAS'), { seconds: 90, refresher: 'uas' });
  t.deepEqual(parseSessionExpires('90;refresher=me'), { seconds: 90, refresher: '' });
  t.deepEqual(parseSessionExpires('99999999999999999999;refresher=uac'), {
    seconds: 2 ** 32 - 1,
    refresher: 'uac',
  });
  t.is(formatSessionExpires({ seconds: 90, refresher: 'uac' }), '90;refresher=uac');
  t.is(formatSessionExpires({ seconds: 90, refresher: '' }), '90');
  refuses(t, parseSessionExpires, 'bad-session-expires', [
    '',
    ';refresher=uac',
    'x',
    '90 refresher=uac',
    '90;',
    '90,91',
    '9.5',
    '90;refresher=',
    '90;refresher="uac',
  ]);
});

test('RFC 4028 5, RFC 5626 10, RFC 3261 20.33: Min-SE, Flow-Timer, Retry-After', (t) => {
  t.is(parseMinSe('90'), 90);
  t.is(parseMinSe('120;x=y'), 120);
  refuses(t, parseMinSe, 'bad-min-se', ['', 'x', '90,', '90;']);
  t.is(parseFlowTimer(' 30'), 30);
  refuses(t, parseFlowTimer, 'bad-flow-timer', ['', '0', '30;x', 'x']);
  t.deepEqual(parseRetryAfter('18000;duration=3600'), { seconds: 18_000, duration: 3600 });
  t.deepEqual(parseRetryAfter("120 (I'm in a \\) (long) meeting)"), {
    seconds: 120,
    duration: -1,
  });
  t.deepEqual(parseRetryAfter('5 (a) ;duration=x'), { seconds: 5, duration: -1 });
  refuses(t, parseRetryAfter, 'bad-retry-after', ['', 'soon', '5 (a', '5 x', '5;', '5,6']);
});

test('RFC 6665 8.2.1: Event', (t) => {
  const e = good(t, parseEvent(' presence.winfo.winfo ;x="a;b";ID=17 '));
  t.is(e.package, 'presence');
  t.is(e.template, 'winfo.winfo');
  t.is(e.id, '17');
  t.is(formatEvent(e), 'presence.winfo.winfo;id=17');
  t.is(formatEvent(good(t, parseEvent('message-summary'))), 'message-summary');
  const same = (a: string, b: string) => sameEvent(good(t, parseEvent(a)), good(t, parseEvent(b)));
  t.true(same('dialog;id=1;x=2', 'dialog;x=3;id=1'));
  t.false(same('dialog;id=1', 'dialog'));
  t.false(same('dialog', 'Dialog'));
  t.false(same('presence', 'presence.winfo'));
  refuses(t, parseEvent, 'bad-event', [
    '',
    ';id=1',
    '.winfo',
    'presence.',
    'a..b',
    'a b',
    'a,b',
    'a;',
    'a;id=1;id=2',
    'a;id="1;2"',
  ]);
});

test('RFC 6665 8.2.3: Subscription-State', (t) => {
  const s = good(t, parseSubscriptionState('Terminated;Reason=TimeOut;retry-after=5;x'));
  t.deepEqual(s, { state: 'terminated', reason: 'timeout', expires: -1, retryAfter: 5 });
  t.is(formatSubscriptionState(s), 'terminated;reason=timeout;retry-after=5');
  t.deepEqual(parseSubscriptionState('active;expires=600'), {
    state: 'active',
    reason: '',
    expires: 600,
    retryAfter: -1,
  });
  t.is(
    formatSubscriptionState({ state: 'active', reason: '', expires: 0, retryAfter: -1 }),
    'active;expires=0',
  );
  t.is(good(t, parseSubscriptionState('active;expires=soon')).expires, -1);
  t.is(good(t, parseSubscriptionState('terminated;reason="a;b"')).reason, '');
  refuses(t, parseSubscriptionState, 'bad-subscription-state', ['', ';a', 'a b', 'a;', 'a,b']);
});

test('RFC 3326 2: Reason', (t) => {
  const r = good(t, parseReason('Q.850 ;cause=16 ;text="Normal \\"clearing\\""'));
  t.deepEqual(r, { protocol: 'Q.850', cause: 16, text: 'Normal "clearing"' });
  t.is(formatReason(r), 'Q.850;cause=16;text="Normal \\"clearing\\""');
  t.is(formatReason(good(t, parseReason('SIP'))), 'SIP');
  refuses(t, parseReason, 'bad-reason', ['', ';cause=1', 'SIP cause=1', 'SIP;']);
});

test('RFC 3903 11.3: entity tags', (t) => {
  t.is(parseEtag(' dx200xyz '), 'dx200xyz');
  refuses(t, parseEtag, 'bad-etag', ['', ' ', 'a b', 'a,b', '"a"', 'a;b']);
});

test('RFC 3891 6.1: Replaces', (t) => {
  const r = good(t, parseReplaces('98732@sip.example.com ;from-tag=r33th4x0r ;to-tag=ff87ff'));
  t.deepEqual(r, {
    callId: '98732@sip.example.com',
    toTag: 'ff87ff',
    fromTag: 'r33th4x0r',
    earlyOnly: false,
  });
  t.is(formatReplaces(r), '98732@sip.example.com;to-tag=ff87ff;from-tag=r33th4x0r');
  const odd = good(t, parseReplaces('a"<b>;to-tag=7;from-tag=8;early-only;x=y'));
  t.deepEqual(odd, { callId: 'a"<b>', toTag: '7', fromTag: '8', earlyOnly: true });
  t.is(formatReplaces(odd), 'a"<b>;to-tag=7;from-tag=8;early-only');
  refuses(t, parseReplaces, 'bad-replaces', [
    '',
    'a',
    'a;to-tag=1',
    'a;from-tag=1',
    ';to-tag=1;from-tag=2',
    'a;to-tag=1;from-tag=2;to-tag=1',
    'a;to-tag=1;from-tag=2;from-tag=3',
    'a;to-tag=1;from-tag=2;early-only;early-only',
    'a;to-tag=1;from-tag=2,b;to-tag=1;from-tag=2',
    'a;to-tag;from-tag=2',
    'a;to-tag="1;x";from-tag=2',
    'a b;to-tag=1;from-tag=2',
  ]);
});

test('RFC 3515 2.1, RFC 3891 3: Refer-To, with a method and with a dialog to replace', (t) => {
  const plain = good(t, parseReferTo('"B" <sip:bob@biloxi.example.com;transport=tcp>;x=1'));
  t.deepEqual(plain, {
    display: 'B',
    uri: 'sip:bob@biloxi.example.com;transport=tcp',
    scheme: 'sip',
    method: 'INVITE',
    replaces: undefined,
    headers: [],
    params: ';x=1',
  });
  t.is(good(t, parseReferTo('sip:bob@h;x=1')).uri, 'sip:bob@h');
  t.is(good(t, parseReferTo('<tel:+1201>')).scheme, 'tel');
  const method = good(t, parseReferTo('<sip:conf@h;METHOD=BYE;lr>'));
  t.is(method.method, 'BYE');
  t.is(method.uri, 'sip:conf@h;lr');
  const attended = good(
    t,
    parseReferTo(
      '<sips:dave@denver.example.org?Replaces=12345%40192.168.118.3%3Bto-tag%3D12345%3Bfrom-tag%3D5FFE-3994&Require=replaces>',
    ),
  );
  t.is(attended.uri, 'sips:dave@denver.example.org');
  t.deepEqual(attended.replaces, {
    callId: '12345@192.168.118.3',
    toTag: '12345',
    fromTag: '5FFE-3994',
    earlyOnly: false,
  });
  t.deepEqual(attended.headers, [['Require', 'replaces']]);
  const back = formatReferTo(attended.uri, attended.replaces);
  t.deepEqual(good(t, parseReferTo(back)).replaces, attended.replaces);
  t.is(formatReferTo('sip:a@h', undefined), '<sip:a@h>');
  t.true(formatReferTo('sip:a@h?x=y', attended.replaces).startsWith('<sip:a@h?x=y&Replaces='));
  refuses(t, parseReferTo, 'bad-refer-to', [
    '',
    'bob',
    '<sip:a@h>,<sip:b@h>',
    '<sip:a@h',
    '<sip:a@h?Replaces=x>',
    '<sip:a@h?Replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2&replaces=a%3Bto-tag%3D1%3Bfrom-tag%3D2>',
    '<sip:a@h?Subject=a%0D%0AX-Evil:%20y>',
    '<sip:a@h?Subject=a%0>',
    '<sip:a@h?Subject>',
    '<sip:a@h?=x>',
    '<sip:a@h?a%20b=x>',
    '<sip:a@h;method=>',
    '<sip:a@h;method=a%0d%0ab>',
    `<sip:a@h?${'a=b&'.repeat(16)}c=d>`,
    'sip:a@h?a=b',
  ]);
});

test('RFC 3261 19.1.1: the headers of a URI', (t) => {
  const u = good(t, parseUri('sip:a@h?Subject=a%20b&priority=&X=1=2'));
  t.deepEqual(uriHeaders(u), [
    ['Subject', 'a b'],
    ['priority', ''],
    ['X', '1=2'],
  ]);
  t.deepEqual(uriHeaders(good(t, parseUri('sip:a@h'))), []);
  t.is(escapeUriHeader('a@b;c=d "\xff/?'), 'a%40b%3Bc%3Dd%20%22%FF/?');
});

test('RFC 3892 2: Referred-By', (t) => {
  const r = good(
    t,
    parseReferredBy('"R" <sip:referror@h>;cid="20398823.2UWQFN309shb3@referror.example"'),
  );
  t.is(r.cid, '20398823.2UWQFN309shb3@referror.example');
  t.is(r.uri, 'sip:referror@h');
  t.is(good(t, parseReferredBy('sip:r@h')).cid, '');
  refuses(t, parseReferredBy, 'bad-name-addr', ['', 'x', '<sip:a@h>,<sip:b@h>']);
});

test('RFC 3327 4, RFC 3608 5: Path and Service-Route, all lines, brackets demanded', (t) => {
  const m = message(
    t,
    'Path: <sip:p1@h;lr> , <sip:p2,x@h;lr>;a="b,c"\r\npath: <sip:p3@h>\r\nService-Route: sip:h;lr\r\nRoute: <sip:a>,<sip:b',
  );
  t.deepEqual(
    good(t, addresses(m, H.Path)).map((a) => a.uri),
    ['sip:p1@h;lr', 'sip:p2,x@h;lr', 'sip:p3@h'],
  );
  t.deepEqual(addresses(m, H.RecordRoute), []);
  for (const h of [H.ServiceRoute, H.Route] as const) {
    const got = addresses(m, h);
    t.is(isFault(got) && got.fault, 'bad-route');
  }
  const many = addresses(message(t, `Path: ${'<sip:a>,'.repeat(300)}<sip:b>`), H.Path);
  t.is(isFault(many) && many.fault, 'bad-route');
  const contact = addresses(message(t, 'Contact: <sip:a@b>, bad'), H.Contact);
  t.deepEqual(contact, { fault: 'bad-contact', at: 1 });
});

test('RFC 3325 9.1: one sip and one tel address, and no third', (t) => {
  const of = (value: string) => assertedIdentity(message(t, `P-Asserted-Identity: ${value}`));
  const both = good(t, of('"Cullen, J" <sip:fluffy@cisco.com>, tel:+14085264000'));
  t.is(both.sip?.display, 'Cullen, J');
  t.is(both.tel?.uri, 'tel:+14085264000');
  t.deepEqual(of('<SIPS:a@b>'), {
    sip: { display: '', uri: 'SIPS:a@b', params: '' },
    tel: undefined,
  });
  for (const bad of ['<sip:a@b>,<sip:c@d>', '<tel:1>,<tel:2>', '<http://h>', 'x']) {
    const got = of(bad);
    t.is(isFault(got) && got.fault, 'bad-name-addr', bad);
  }
  const preferred = assertedIdentity(
    message(t, 'P-Preferred-Identity: <sip:a@b>'),
    H.PPreferredIdentity,
  );
  t.is(good(t, preferred).sip?.uri, 'sip:a@b');
});

test('RFC 3261 7.3.1, RFC 6665 8.2.1: words of list headers', (t) => {
  const m = message(
    t,
    'k: timer, 100rel\r\nSupported: , Replaces ,\r\nRequire:\r\nAllow: INVITE,ACK\r\nu: dialog,presence.winfo',
  );
  t.deepEqual(words(m, H.Supported), ['timer', '100rel', 'Replaces']);
  t.true(hasWord(m, H.Supported, '100REL'));
  t.true(hasWord(m, H.Supported, 'replaces'));
  t.false(hasWord(m, H.Supported, '100'));
  t.false(hasWord(m, H.Require, 'timer'));
  t.deepEqual(words(m, H.Require), []);
  t.true(hasWord(m, H.Allow, 'INVITE'));
  t.false(hasWord(m, H.Allow, 'invite'));
  t.true(hasWord(m, H.AllowEvents, 'dialog'));
  t.false(hasWord(m, H.AllowEvents, 'Dialog'));
  t.false(hasWord(m, H.ProxyRequire, 'x'));
});
