/**
 * What must hold for any octets, as one function that throws when it does not: nothing throws, the
 * verdict is total and the same twice, what is read is written and read back the same, and a stream
 * yields the same messages however it is cut. That work is bounded the engine sees by its counters.
 */

import * as sip from '../../src/sip-parser/index.ts';

/** A broken promise of the parser; `rule` stays the same while an input is made smaller. */
export class Broken extends Error {
  readonly rule: string;

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.rule = rule;
  }
}

function demand(holds: boolean, rule: string, detail: () => string): void {
  if (!holds) throw new Broken(rule, detail());
}

const show = (x: unknown): string => JSON.stringify(x) ?? 'undefined';

/** Checks everything about `text`; the verdict in one word. `cuts` says where a stream is cut. */
export function check(text: string, cuts: readonly number[]): string {
  // Values by themselves: one that stands in a message is reached by few of the edits.
  if (!text.includes('\r\n')) {
    checkValue(text);
    return 'value';
  }
  if (text.startsWith('v=')) checkSdp(text);
  checkStream(text, cuts);
  const m = sip.parseMessage(text);
  const answerable = sip.salvage(text);
  if (answerable !== undefined) checkResponse(answerable);
  if (!(m instanceof sip.SipMessage)) {
    checkFault(m, text.length);
    return m.fault;
  }
  const verdict = judge(m);
  readAll(m);
  checkCanonical(m, verdict);
  return verdict;
}

function judge(m: sip.SipMessage): string {
  const once = m.isRequest ? sip.validateRequest(m) : sip.validateResponse(m);
  const twice = m.isRequest ? sip.validateRequest(m) : sip.validateResponse(m);
  demand(show(once) === show(twice), 'verdict is the same twice', () => show([once, twice]));
  if (once === undefined) return m.isRequest ? 'request' : 'response';
  checkFault(once, m.text.length);
  return once.fault;
}

function checkFault(f: sip.SipFault, size: number): void {
  demand(f.fault in sip.SIP_FAULTS, 'a fault has a known code', () => f.fault);
  demand(f.at >= 0 && f.at <= size, 'a fault is inside the text', () => show(f));
}

const PLAIN = { toTag: 't', contact: '', extra: '', contentType: '', body: '' };

function checkResponse(m: sip.SipMessage): void {
  const built = sip.responseText(m, 400, 'Bad', { ...PLAIN, received: '::1', rport: 5 });
  demand(!/\r(?!\n)|(?<!\r)\n/.test(built), 'no bare line end in a response', () => show(built));
}

/** The message in canonical names without folding: parsing that gives the same message again. */
function checkCanonical(m: sip.SipMessage, verdict: string): void {
  const built = canonical(m);
  const again = sip.parseMessage(built);
  if (!(again instanceof sip.SipMessage)) {
    throw new Broken('canonical text parses', show([again, built]));
  }
  demand(canonical(again) === built, 'canonical text is stable', () =>
    show([built, canonical(again)]),
  );
  demand(judge(again) === verdict, 'canonical text has the same verdict', () => show(built));
  demand(again.body === m.body, 'body is kept', () => show(built));
  for (const facts of sip.HEADERS) {
    const [a, b] = [m.values(facts.id), again.values(facts.id)];
    demand(show(a) === show(b), 'values are kept', () => show([facts.name, a, b]));
  }
  // An answer to it is a message that belongs to it.
  if (verdict !== 'request') return;
  const answer = sip.parseMessage(
    sip.responseText(m, 200, 'OK', { ...PLAIN, received: '192.0.2.9', rport: 9 }),
  );
  if (!(answer instanceof sip.SipMessage)) throw new Broken('an answer parses', show(answer));
  demand(judge(answer) === 'response', 'an answer is valid', () => show(answer.text));
  const same = (k: 'callId' | 'cseq' | 'cseqMethod' | 'fromTag' | 'branch') => m[k] === answer[k];
  demand(
    same('callId') && same('cseq') && same('cseqMethod') && same('fromTag') && same('branch'),
    'an answer belongs to its request',
    () => show([m.text, answer.text]),
  );
}

function canonical(m: sip.SipMessage): string {
  const at = m.text.indexOf('\r\n', m.argStart);
  let start = m.argStart;
  while (start > 0 && m.text.charCodeAt(start - 1) !== 10) start -= 1;
  let out = `${m.text.slice(start, at)}\r\n`;
  for (let i = 0; i < m.lineCount; i += 1) {
    const id = m.lineId(i);
    const name = sip.HEADERS[id]?.name ?? m.lineName(i);
    out += `${name}: ${m.valueAt(i)}\r\n`;
  }
  return `${out}\r\n${m.body}`;
}

type Codec = readonly [
  name: string,
  read: (text: string) => unknown,
  write: (value: never) => string,
];

const same = (text: string): string => text;

/** Each value parser with its writer; reading what was written gives the value again. */
const CODECS: readonly Codec[] = [
  ['name-addr', sip.parseNameAddr, sip.formatNameAddr],
  ['URI', sip.parseUri, sip.formatUri],
  ['Via', sip.parseVia, sip.formatVia],
  ['RAck', sip.parseRAck, sip.formatRAck],
  ['RSeq', sip.parseRSeq, (n: number) => `${n}`],
  ['Session-Expires', sip.parseSessionExpires, sip.formatSessionExpires],
  ['Min-SE', sip.parseMinSe, (n: number) => `${n}`],
  ['Flow-Timer', sip.parseFlowTimer, (n: number) => `${n}`],
  ['Retry-After', sip.parseRetryAfter, writeRetryAfter],
  ['Event', writeless(sip.parseEvent), sip.formatEvent],
  ['Subscription-State', sip.parseSubscriptionState, sip.formatSubscriptionState],
  ['Reason', sip.parseReason, sip.formatReason],
  ['entity tag', sip.parseEtag, same],
  ['Replaces', sip.parseReplaces, sip.formatReplaces],
];

function writeRetryAfter(r: sip.RetryAfter): string {
  return r.duration < 0 ? `${r.seconds}` : `${r.seconds};duration=${r.duration}`;
}

// formatEvent leaves foreign parameters out, so they are no part of what comes back.
function writeless(read: typeof sip.parseEvent): (text: string) => unknown {
  return (text) => {
    const e = read(text);
    return sip.isFault(e) ? e : { package: e.package, template: e.template, id: e.id };
  };
}

function checkValue(text: string): void {
  for (const [name, read, write] of CODECS) {
    const value = read(text);
    if (sip.isFault(value)) {
      checkFault(value, text.length);
      continue;
    }
    const written = write(value as never);
    const back = read(written);
    demand(show(back) === show(value), `${name} is read back`, () => show([text, written, back]));
  }
  checkRefer(text);
  sip.parseAuth(text);
  sip.parseReferredBy(text);
  sip.param(text, 'tag');
  const set = sip.setParam(sip.withoutParam(text, 'lr'), 'x', 'y');
  demand(set.endsWith(';x=y'), 'a parameter is set', () => show([text, set]));
  const whole = sip.unescapeUser(sip.escapeUser(text));
  demand(whole === text, 'escapes are undone', () => show([text, whole]));
  demand(sip.unquote(sip.quote(text)) === text, 'quotes are undone', () => show(text));
}

function checkRefer(text: string): void {
  const r = sip.parseReferTo(text);
  if (sip.isFault(r)) return;
  const back = sip.parseReferTo(sip.formatReferTo(r.uri, r.replaces));
  const kept = !sip.isFault(back) && back.uri === r.uri && show(back.replaces) === show(r.replaces);
  demand(kept, 'Refer-To is read back', () => show([text, r, back]));
  for (const [name, value] of r.headers) {
    demand(!/[\r\n\0]/.test(name + value), 'no line end out of a URI', () => show(r));
  }
}

/** Values of each kind that one message is examined for; more says nothing new. */
const VALUES = 8;

function readAll(m: sip.SipMessage): void {
  for (const facts of sip.HEADERS) {
    if (!m.has(facts.id)) continue;
    for (const value of m.values(facts.id).slice(0, VALUES)) checkValue(value);
  }
  for (const h of [sip.H.Route, sip.H.Path, sip.H.Contact, sip.H.Diversion] as const) {
    const all = sip.addresses(m, h);
    const count = m.values(h).length;
    demand(sip.isFault(all) || all.length === count, 'no address is left out', () => show(all));
  }
  sip.assertedIdentity(m);
  sip.hasWord(m, sip.H.Supported, '100rel');
  checkValue(m.requestUri);
  demand(
    !sip.isFault(sip.parseUri(m.requestUri)) === sip.uriEquals(m.requestUri, m.requestUri),
    'a URI equals itself',
    () => show(m.requestUri),
  );
  const [a, b] = [m.requestUri, m.contactUri];
  demand(sip.uriEquals(a, b) === sip.uriEquals(b, a), 'URI equality has no order', () =>
    show([a, b]),
  );
  checkBody(m);
  const numbers = [m.cseq, m.maxForwards, m.expires, m.viaPort, m.viaTtl, m.status];
  demand(!numbers.some(Number.isNaN), 'a number is a number', () => show(numbers));
  const words = [m.callId, m.cseqMethod, m.fromTag, m.toTag, m.branch, m.viaHost, m.viaTransport];
  words.push(m.viaMaddr, m.viaReceived, m.contactUri, m.contentType, m.reason, m.requestUri);
  demand(!/[\r\n]/.test(words.join('')), 'no line end inside a value', () => show(words));
}

// Written in the order of RFC 8866, and with the t= line that old devices leave out.
function essence(sdp: sip.Sdp): unknown {
  const media = sdp.media.map((m) => ({ ...m, extra: [...m.extra].sort() }));
  return { ...sdp, media, times: sdp.times.length > 0 ? sdp.times : ['t=0 0'] };
}

function checkSdp(body: string): void {
  const sdp = sip.parseSdp(body);
  if (!sip.isFault(sdp)) {
    const text = sip.formatSdp(sdp);
    const back = sip.parseSdp(text);
    const kept = !sip.isFault(back) && show(essence(back)) === show(essence(sdp));
    demand(kept, 'SDP is read back', () => show([body, text, back]));
  }
  sip.rewriteSdpOrigin(body, '1', '2');
}

function checkBody(m: sip.SipMessage): void {
  if (m.body === '') return;
  checkSdp(m.body);
  const parts = sip.parseMultipart(m.header(sip.H.ContentType) ?? '', m.body);
  if (!sip.isFault(parts)) {
    const size = parts.reduce((sum, p) => sum + p.body.length, 0);
    demand(size <= m.body.length, 'parts fit into the body', () => show(m.body));
  }
  sip.bodyOfType(m, 'application/sdp');
}

function checkStream(text: string, cuts: readonly number[]): void {
  const whole = outcome([text]);
  const pieces: string[] = [];
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    if (cut <= from || cut >= text.length) continue;
    pieces.push(text.slice(from, cut));
    from = cut;
  }
  pieces.push(text.slice(from));
  const cut = outcome(pieces);
  demand(show(whole) === show(cut), 'frames do not depend on the cuts', () =>
    show([pieces.map((p) => p.length), whole, cut]),
  );
}

/** The messages, the fault that ended the stream and the octets that wait. */
function outcome(pieces: readonly string[]): unknown {
  const framer = new sip.StreamFramer();
  const messages: string[] = [];
  let fault = '';
  for (const piece of pieces) {
    for (const frame of framer.push(piece)) {
      if (frame.kind === 'message') messages.push(frame.text);
      if (frame.kind === 'fault' && fault === '') fault = frame.fault.fault;
    }
    const most = sip.LIMITS.messageBytes + piece.length;
    demand(framer.pending <= most, 'a stream keeps a bounded number of octets', () =>
      show([framer.pending, piece.length]),
    );
  }
  return { messages, fault, pending: framer.pending };
}
