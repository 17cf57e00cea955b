// Every message of RFC 4475 and RFC 5118 by name: the verdict of parser and validation together,
// the status a refused request would be answered with, and what each message is there to show.
// Where the RFC leaves the refusal to the element behind the parser (416, 420, 415, 483), the
// message must pass here and expose what that element needs.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import {
  H,
  isFault,
  type NameAddr,
  param,
  parseAuth,
  parseMessage,
  parseMultipart,
  parseNameAddr,
  parseSdp,
  parseUri,
  parseVia,
  responseText,
  type Sdp,
  SIP_FAULTS,
  type SipFault,
  type SipMessage,
  type SipUri,
  StreamFramer,
  salvage,
  unescapeUser,
  uriEquals,
  uriParam,
  type Via,
  validateRequest,
  validateResponse,
} from '../../src/sip-parser/index.ts';

type Entry = {
  readonly name: string;
  readonly file: string;
  readonly section: string | null;
  readonly kind: 'request' | 'response';
  readonly verdict: 'accept' | 'reject' | 'either';
  readonly ours: 'accept' | 'reject';
  readonly replies: readonly number[];
  readonly bytes: number;
  readonly sha256: string;
  readonly note: string;
};

const root = new URL('../vectors/', import.meta.url);
const suites = ['rfc4475', 'rfc5118'] as const;

function load(suite: string): Entry[] {
  const text = readFileSync(new URL(`${suite}/manifest.json`, root), 'utf8');
  return (JSON.parse(text) as { messages: Entry[] }).messages;
}

function bytes(suite: string, file: string): Buffer {
  return readFileSync(new URL(`${suite}/${file}`, root));
}

/** The message, or the fault of parser or validation. */
function judge(text: string): SipMessage | SipFault {
  const m = parseMessage(text);
  if (isFault(m)) return m;
  return (m.isRequest ? validateRequest(m) : validateResponse(m)) ?? m;
}

function good<T>(t: ExecutionContext, value: T | SipFault): T {
  if (isFault(value)) {
    t.fail(`fault ${value.fault} at ${value.at}`);
    throw new Error('not reached: t.fail ends the test');
  }
  return value;
}

const addr = (t: ExecutionContext, m: SipMessage, h: 1 | 2): NameAddr =>
  good(t, parseNameAddr(m.header(h) ?? ''));
const addrs = (t: ExecutionContext, m: SipMessage): NameAddr[] =>
  m.values(H.Contact).map((v) => good(t, parseNameAddr(v)));
const uri = (t: ExecutionContext, text: string): SipUri => good(t, parseUri(text));
const vias = (t: ExecutionContext, m: SipMessage): Via[] =>
  m.values(H.Via).map((v) => good(t, parseVia(v)));
const sdp = (t: ExecutionContext, m: SipMessage): Sdp => good(t, parseSdp(m.body));

type Check = (t: ExecutionContext, m: SipMessage, text: string) => void;

// What an accepted message must show.
const accepted: { readonly [name: string]: Check } = {
  wsinv(t, m) {
    t.is(m.maxForwards, 68);
    t.is(m.cseq, 9);
    t.is(m.cseqMethod, 'INVITE');
    t.is(addr(t, m, H.From).display, 'J Rosenberg \\"');
    t.is(m.fromTag, '98asjd8');
    t.is(m.toTag, '1918181833n');
    t.deepEqual(
      vias(t, m).map((v) => [v.transport, v.host, v.branch]),
      [
        ['UDP', '192.0.2.2', '390skdjuw'],
        ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
        ['UDP', '192.168.255.111', 'z9hG4bK30239'],
      ],
    );
    t.is(m.branch, '390skdjuw');
    t.is(m.viaHost, '192.0.2.2');
    const [contact] = addrs(t, m) as [NameAddr];
    t.is(contact.display, 'Quoted string ""');
    t.is(param(contact.params, 'q'), '0.33');
    t.is(param(contact.params, 'newparam'), 'newvalue');
    t.is(param(contact.params, 'secondparam'), '');
    t.is(m.header(H.Subject), '');
    t.is(m.other('UnknownHeaderWithUnusualValue'), ';;,,;;,;');
    t.is(
      m.other('newfangledheader')?.replace(/ +/g, ' '),
      'newfangled value continued newfangled value',
    );
    t.deepEqual(m.values(H.Route), [
      '<sip:services.example.com;lr;unknownwith=value;unknown-no-value>',
    ]);
    t.is(sdp(t, m).media.length, 2);
    t.is(m.body.length, 150);
  },
  intmeth(t, m) {
    t.is(m.method, "!interesting-Method0123456789_*+`.%indeed'~");
    t.is(m.methodId, 0);
    t.is(m.cseqMethod, m.method);
    t.is(addr(t, m, H.To).display, 'BEL:\x07 NUL:\x00 DEL:\x7f');
    t.is(m.callId, 'intmeth.word%ZK-!.*_+\'@word`~)(><:\\/"][?}{');
    t.is(m.fromTag, "_token~1'+`*%!-.");
    t.is(uri(t, m.requestUri).host, 'example.com');
    t.is(uri(t, m.requestUri).user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
    t.is(uri(t, m.requestUri).password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
    const fromParam = param(addr(t, m, H.From).params, "fromParam''~+*_!.-%") ?? '';
    t.is(Buffer.from(fromParam, 'latin1').toString('utf8'), 'работающий');
    t.truthy(m.other("extensionHeader-!.%*+_`'~"));
    t.is(m.maxForwards, 255);
  },
  esc01(t, m) {
    const r = uri(t, m.requestUri);
    t.is(unescapeUser(r.user), 'sips:user@example.com');
    t.is(r.host, 'example.net');
    t.is(unescapeUser(uri(t, addr(t, m, H.To).uri).user), 'user');
    t.is(unescapeUser(uri(t, addr(t, m, H.From).uri).user), 'I have spaces');
    const contact = uri(t, m.contactUri);
    t.is(uriParam(contact, 'name'), 'value%41');
    t.is(uriParam(contact, 'lr'), '');
    t.true(uriEquals('sip:user@example.com', addr(t, m, H.To).uri));
  },
  escnull(t, m) {
    t.is(uri(t, addr(t, m, H.To).uri).user, 'null-%00-null');
    t.is(unescapeUser('null-%00-null'), 'null-\0-null');
    const [a, b] = addrs(t, m) as [NameAddr, NameAddr];
    t.is(a.uri, 'sip:%00@host5.example.com');
    t.false(uriEquals(a.uri, b.uri));
  },
  esc02(t, m) {
    t.is(m.method, 'RE%47IST%45R');
    t.is(m.methodId, 0);
    t.is(addr(t, m, H.To).display, '%Z%45');
    t.is(addrs(t, m).length, 2);
    t.is(m.other('C%6Fntact'), '<sip:alias2@host2.example.com>');
  },
  lwsdisp(t, m) {
    t.is(addr(t, m, H.From).display, 'caller');
  },
  longreq(t, m) {
    t.is(vias(t, m).length, 34);
    t.true(m.callId.startsWith('longreq.onereally'));
    t.true(m.fromTag.length > 100);
    const reply = responseText(m, 404, 'Not Found', plain);
    const back = good(t, parseMessage(reply));
    for (const h of [H.From, H.CallId, H.CSeq] as const) t.is(back.header(h), m.header(h));
    t.deepEqual(back.values(H.Via), m.values(H.Via));
  },
  dblreq(t, m, text) {
    t.is(m.method, 'REGISTER');
    t.is(m.body, '');
    t.false(m.text.includes('INVITE'));
    const frames = new StreamFramer().push(text).filter((f) => f.kind === 'message');
    t.is(frames.length, 2);
  },
  semiuri(t, m) {
    const r = uri(t, m.requestUri);
    t.is(r.user, 'user;par=u%40example.net');
    t.is(r.host, 'example.com');
    t.is(r.params, '');
    t.is(m.values(H.Accept).length, 6);
  },
  transports(t, m) {
    t.deepEqual(
      vias(t, m).map((v) => v.transport),
      ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
    );
  },
  mpart01(t, m) {
    t.is(m.body.length, 553);
    t.true(m.body.includes('\0'));
    const parts = good(t, parseMultipart(m.header(H.ContentType) ?? '', m.body));
    t.deepEqual(
      parts.map((p) => [p.contentType, p.encoding, p.body.length]),
      [
        ['text/plain', 'binary', 5],
        ['application/octet-stream', 'binary', 342],
      ],
    );
    t.is(m.contentType, 'multipart/mixed');
    t.true(m.viaRport);
  },
  unreason(t, m) {
    t.is(m.status, 200);
    t.true(Buffer.from(m.reason, 'latin1').toString('utf8').startsWith('= 2**3 * 5**2 но сто'));
  },
  noreason(t, m) {
    t.is(m.status, 100);
    t.is(m.reason, '');
  },
  baddate(t, m) {
    t.is(m.header(H.Date), 'Fri, 01 Jan 2010 16:00:00 EST');
  },
  unkscm(t, m) {
    t.is(uri(t, m.requestUri).scheme, 'nobodyknowsthisscheme');
  },
  novelsc(t, m) {
    t.is(uri(t, m.requestUri).scheme, 'soap.beep');
  },
  unksm2(t, m) {
    t.is(uri(t, addr(t, m, H.To).uri).scheme, 'isbn');
    t.is(uri(t, addr(t, m, H.From).uri).scheme, 'http');
    t.is(uri(t, m.contactUri).scheme, 'name');
  },
  bext01(t, m) {
    t.deepEqual(m.values(H.Require), ['nothingSupportsThis', 'nothingSupportsThisEither']);
    t.deepEqual(m.values(H.ProxyRequire), ['noProxiesSupportThis', 'norDoAnyProxiesSupportThis']);
  },
  invut(t, m) {
    t.is(m.contentType, 'application/unknownformat');
    t.is(m.body.length, 40);
  },
  regaut01(t, m) {
    t.is(good(t, parseAuth(m.header(H.Authorization) ?? '')).scheme, 'NoOneKnowsThisScheme');
  },
  bcast(t, m) {
    t.is(m.values(H.Via).length, 2);
    t.is(m.status, 200);
  },
  zeromf(t, m) {
    t.is(m.maxForwards, 0);
  },
  cparam01(t, m) {
    t.is(m.contactUri, 'sip:+19725552222@gw1.example.net');
    t.is(addrs(t, m)[0]?.params, ';unknownparam');
  },
  cparam02(t, m) {
    t.is(m.contactUri, 'sip:+19725552222@gw1.example.net;unknownparam');
  },
  regescrt(t, m) {
    t.is(uri(t, m.contactUri).headers, 'Route=%3Csip:sip.example.com%3E');
    t.false(m.has(H.Route));
  },
  sdp01(t, m) {
    t.deepEqual(m.values(H.Accept), ['text/nobodyKnowsThis']);
  },
  inv2543(t, m) {
    t.is(m.branch, '');
    t.is(m.fromTag, '');
    t.is(m.maxForwards, -1);
    t.is(sdp(t, m).media.length, 1);
    t.is(m.contactUri, '');
  },
  'ipv6-good'(t, m) {
    t.is(uri(t, m.requestUri).host, '[2001:db8::10]');
    t.is(m.viaHost, '[2001:db8::9:1]');
    t.is(m.viaPort, 0);
    t.is(uri(t, m.contactUri).host, '[2001:db8::1]');
  },
  'port-ambiguous'(t, m) {
    t.is(uri(t, m.requestUri).host, '[2001:db8::10:5070]');
    t.is(uri(t, m.requestUri).port, 0);
  },
  'port-unambiguous'(t, m) {
    t.is(uri(t, m.requestUri).host, '[2001:db8::10]');
    t.is(uri(t, m.requestUri).port, 5070);
  },
  'via-received-param-with-delim'(t, m) {
    t.is(m.viaReceived, '[2001:db8::9:255]');
    t.is(m.branch, 'z9hG4bKas3-111');
  },
  'via-received-param-no-delim'(t, m) {
    t.is(m.viaReceived, '2001:db8::9:255');
    t.is(m.branch, 'z9hG4bKas3');
  },
  'ipv6-in-sdp.clfix'(t, m) {
    t.is(sdp(t, m).origin.addr, '2001:db8::20');
    t.is(sdp(t, m).connection?.addrType, 'IP6');
  },
  'mult-ip-in-header'(t, m) {
    t.deepEqual(
      vias(t, m).map((v) => [v.host, v.port, v.received]),
      [
        ['[2001:db8::9:1]', 6050, ''],
        ['192.0.2.1', 0, ''],
        ['[2001:db8::9:255]', 0, '192.0.2.200'],
      ],
    );
  },
  'mult-ip-in-sdp'(t, m) {
    t.is(m.body.length, 181);
  },
  'mult-ip-in-sdp.clfix'(t, m) {
    const d = sdp(t, m);
    t.is(d.connection, undefined);
    t.deepEqual(
      d.media.map((x) => [x.connection?.addrType, x.connection?.addr]),
      [
        ['IP4', '192.0.2.1'],
        ['IP6', '2001:db8::1'],
      ],
    );
  },
  'ipv4-mapped-ipv6'(t, m) {
    t.is(m.body.length, 236);
    t.is(m.viaPort, 19823);
  },
  'ipv4-mapped-ipv6.clfix'(t, m) {
    t.is(m.viaHost, '[::ffff:192.0.2.10]');
    t.is(sdp(t, m).origin.addr, '::ffff:192.0.2.2');
  },
  'ipv6-bug-abnf-3-colons'(t, m) {
    t.is(uri(t, m.requestUri).host, '[2001:db8:::192.0.2.1]');
  },
  'ipv6-correct-abnf-2-colons'(t, m) {
    t.is(uri(t, m.requestUri).host, '[2001:db8::192.0.2.1]');
  },
};

// The messages of the two documents, in their order. What this list has and the manifests lack
// would be left out of everything above.
const NAMES: { readonly [suite in (typeof suites)[number]]: string } = {
  rfc4475:
    'wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 ' +
    'unreason noreason badinv01 clerr ncl scalar02 scalarlg quotbal ltgtruri lwsruri lwsstart ' +
    'trws escruri baddate regbadct badaspec baddn badvers mismatch01 mismatch02 bigcode ' +
    'badbranch insuf unkscm novelsc unksm2 bext01 invut regaut01 multi01 mcl01 bcast zeromf ' +
    'cparam01 cparam02 regescrt sdp01 inv2543',
  rfc5118:
    'ipv6-good ipv6-bad port-ambiguous port-unambiguous via-received-param-with-delim ' +
    'via-received-param-no-delim ipv6-in-sdp mult-ip-in-header mult-ip-in-sdp ' +
    'ipv4-mapped-ipv6 ipv6-bug-abnf-3-colons ipv6-correct-abnf-2-colons',
};

for (const suite of suites) {
  test(`every message of RFC ${suite.slice(3)} is in its manifest`, (t) => {
    const there = new Set(load(suite).map((e) => e.name));
    const wanted = NAMES[suite].split(' ');
    t.is(wanted.length, suite === 'rfc4475' ? 49 : 12);
    t.deepEqual(
      wanted.filter((name) => !there.has(name)),
      [],
    );
  });
}

const plain = {
  toTag: 't1',
  contact: '',
  extra: '',
  contentType: '',
  body: '',
  received: '',
  rport: 0,
};

// The fault of a refused message.
const refused: { readonly [name: string]: SipFault['fault'] } = {
  badinv01: 'bad-via',
  clerr: 'body-too-short',
  ncl: 'bad-content-length',
  scalar02: 'bad-cseq',
  scalarlg: 'bad-cseq',
  quotbal: 'bad-to',
  ltgtruri: 'bad-request-uri',
  lwsruri: 'bad-request-uri',
  lwsstart: 'bad-request-uri',
  trws: 'bad-start-line',
  escruri: 'bad-request-uri',
  regbadct: 'bad-contact',
  badaspec: 'bad-to',
  baddn: 'headers-unterminated',
  'baddn.terminated': 'bad-from',
  badvers: 'bad-version',
  mismatch01: 'cseq-method',
  mismatch02: 'cseq-method',
  bigcode: 'bad-status',
  badbranch: 'bad-branch',
  insuf: 'missing-header',
  multi01: 'duplicate-header',
  mcl01: 'duplicate-header',
  test: 'bad-header-line',
  'ipv6-bad': 'bad-request-uri',
  'ipv6-in-sdp': 'body-too-short',
};

for (const suite of suites) {
  for (const e of load(suite)) {
    test(`RFC ${suite.slice(3)} ${e.section ?? 'archive'} ${e.name}: ${e.ours}, ${e.note}`, (t) => {
      const raw = bytes(suite, e.file);
      t.is(raw.length, e.bytes);
      t.is(createHash('sha256').update(raw).digest('hex'), e.sha256);
      const text = raw.toString('latin1');
      const m = judge(text);
      t.true(e.verdict === 'either' || e.verdict === e.ours);
      if (e.ours === 'accept') {
        const message = good(t, m);
        t.is(message.isRequest, e.kind === 'request');
        const check = accepted[e.name];
        if (check === undefined) return t.fail('nothing is checked of this message');
        check(t, message, text);
        return;
      }
      if (!isFault(m)) return t.fail('accepted');
      t.is<string, string>(m.fault, refused[e.name] ?? '');
      t.true(m.at >= 0 && m.at <= text.length);
      checkRefusal(t, e, text, m);
    });
  }

  test(`every file of ${suite} is in its manifest`, (t) => {
    const files = readdirSync(new URL(suite, root), { recursive: true, encoding: 'utf8' })
      .filter((f) => f.endsWith('.dat'))
      .sort();
    t.deepEqual(
      files,
      load(suite)
        .map((e) => e.file)
        .sort(),
    );
  });
}

/**
 * A refused request can be answered with an allowed status; a response or a Via-less text cannot.
 */
function checkRefusal(t: ExecutionContext, e: Entry, text: string, fault: SipFault): void {
  const status = SIP_FAULTS[fault.fault].status;
  const m = salvage(text);
  if (e.kind === 'response' || e.name === 'test') {
    t.is(m, undefined);
    return;
  }
  t.true(e.replies.includes(status));
  if (m === undefined) {
    t.fail('nothing to answer with');
    return;
  }
  const reply = good(t, parseMessage(responseText(m, status, 'X', plain)));
  t.is(reply.status, status);
  t.is(reply.branch, m.branch);
  t.is(reply.header(H.CallId), m.header(H.CallId));
  t.is(reply.cseq, m.cseq);
}
