/**
 * Where the fuzzer begins: the messages of RFC 4475 and RFC 5118, and one of each kind they do not
 * have (extensions of later years, parts, streams).
 */

import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../vectors/', import.meta.url);

function vectors(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((f) => f.endsWith('.dat') && /^rfc(4475|5118)/.test(f))
    .sort()
    .map((f) => readFileSync(new URL(f, root), 'latin1'));
}

const HEAD =
  'Via: SIP/2.0/UDP [2001:db8::1]:5060;rport;branch=z9hG4bKa\r\nv: SIP/2.0/TCP h;received=192.0.2.1\r\n' +
  'Max-Forwards: 70\r\nFrom: "A \\" B" <sip:a@h>;tag=1\r\nTo: sip:b@h;tag=2\r\ni: x@h\r\n';

const one = (method: string, lines: string, body = ''): string =>
  `${method} sip:b@h;transport=tcp SIP/2.0\r\n${HEAD}CSeq: 7 ${method}\r\n${lines}` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

const SDP =
  'v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\ni=x\r\nc=IN IP4 192.0.2.1/127\r\nb=AS:64\r\nt=0 0\r\nk=clear:x\r\n' +
  'a=sendonly\r\nm=audio 5004/2 RTP/AVP 0 101\r\ni=t\r\nc=IN IP6 ::1\r\nb=AS:1\r\na=rtpmap:101 x/8000\r\na=inactive\r\n';

const PARTS =
  `pre\r\n--b\r\nContent-Type: application/sdp;\r\n charset=x\r\nContent-ID: <a@b>\r\n\r\n${SDP}\r\n--b\r\n` +
  'Content-Type: multipart/x;boundary=c\r\n\r\n--c\r\n\r\ny\r\n--c--\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n--b--';

const EXTENSIONS: readonly string[] = [
  one(
    'INVITE',
    'k: timer, 100rel\r\nx: 1800;refresher=uac\r\nMin-SE: 90\r\nc: application/sdp\r\n',
    SDP,
  ),
  one('INVITE', 'Replaces: a@b;to-tag=1;from-tag=2;early-only\r\nRequire: replaces\r\n'),
  one('INVITE', 'c: multipart/mixed;boundary="b"\r\n', PARTS),
  one('PRACK', 'RAck: 1 7 INVITE\r\n'),
  one(
    'REFER',
    'r: <sip:c@h?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=x>\r\nb: <sip:a@h>;cid="a@b"\r\n',
  ),
  one('REFER', 'Refer-To: "C" <sips:c@h;method=BYE;maddr=1.2.3.4>\r\nRefer-Sub: false\r\n'),
  one('SUBSCRIBE', 'o: presence.winfo;id=4\r\nExpires: 600\r\nu: dialog, reg\r\nm: *\r\n'),
  one('NOTIFY', 'Event: dialog\r\nSubscription-State: terminated;reason=timeout;retry-after=5\r\n'),
  one('PUBLISH', 'SIP-If-Match: abc\r\nEvent: presence\r\n'),
  one(
    'REGISTER',
    'Path: <sip:p;lr>,<sip:q;lr>\r\nContact: <sip:a@[::1]:5061;ob>;+sip.instance="<urn:x>";reg-id=1;q=.5\r\n',
  ),
  one(
    'REGISTER',
    'Authorization: Digest username="a", realm="r", nonce="n", uri="sip:h", response="0",nc=1\r\n',
  ),
  one(
    'INVITE',
    'P-Asserted-Identity: "X" <sip:x@h>, tel:+1201\r\nPrivacy: id\r\nDiversion: <tel:1>;reason=x\r\n',
  ),
  one('BYE', 'Reason: Q.850;cause=16;text="a \\" b"\r\n'),
  `SIP/2.0 183 Session Progress\r\n${HEAD}CSeq: 7 INVITE\r\nRSeq: 5\r\nRequire: 100rel\r\nl: 0\r\n\r\n`,
  `SIP/2.0 200 OK\r\n${HEAD}CSeq: 7 REGISTER\r\nService-Route: <sip:s;lr>\r\nFlow-Timer: 30\r\nSIP-ETag: e\r\nl: 0\r\n\r\n`,
  `SIP/2.0 503\r\n${HEAD}CSeq: 7 INVITE\r\nRetry-After: 120 (a (b));duration=9\r\nl: 0\r\n\r\n`,
  `SIP/2.0 401 Unauthorized\r\n${HEAD}CSeq: 7 INVITE\r\nWWW-Authenticate: Basic YTpi\r\nl: 0\r\n\r\n`,
  `\r\n\r\n${one('OPTIONS', '')}\r\n\r\n\r\n${one('MESSAGE', 'c: text/plain\r\n', 'hello')}\r\n`,
  `${one('INFO', 'X:\r\n folded\r\n\tagain\r\n')}${one('UPDATE', 'Content-Length:\r\n  0\r\n')}`,
  '\r\n\r\n',
  '\r\n',
  '',
];

/** Values by themselves: what stands behind the colons of the messages above. */
function values(): string[] {
  const lines = EXTENSIONS.flatMap((text) => text.split('\r\n'));
  const found = lines.flatMap((line) => {
    const colon = line.indexOf(': ');
    return colon > 0 && line.length > colon + 8 ? [line.slice(colon + 2)] : [];
  });
  return [...new Set(found), SDP];
}

/** Every seed, in an order that does not change. */
export function seeds(): string[] {
  return [...EXTENSIONS, ...vectors(), ...values()];
}
