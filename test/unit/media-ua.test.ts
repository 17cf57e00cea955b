/** The media service as a SIP user agent: what it answers, in every order, and what is heard. */

import test from 'ava';
import { seeded } from '../../src/base/chance.ts';
import { decode, encode } from '../../src/media/g711.ts';
import { FRAME } from '../../src/media/sound.ts';
import {
  announcementUri,
  conferenceUri,
  isLocalMedia,
  LOCAL_MEDIA,
  mediaWord,
} from '../../src/proto/media.ts';
import { H, isFault, parseSdp, type Sdp, type SipMessage } from '../../src/sip-parser/index.ts';
import { encodeEvent } from '../../src/wire/rtp.ts';
import { ask, begin, Desk, joined, offer, reply, strength, toneFrame } from './media-help.ts';

function sdpOf(m: SipMessage | undefined): Sdp {
  const sdp = parseSdp(m?.body ?? '');
  if (isFault(sdp)) throw new Error('no description');
  return sdp;
}

const PHONE = ['192.0.2.9', 4000] as const;

test('an INVITE is answered, music is heard, BYE ends it', (t) => {
  const desk = new Desk();
  const ok = begin(desk);
  const [media] = sdpOf(ok).media;
  t.like(media, { port: 20_000, formats: ['0', '101'], direction: 'sendrecv' });
  t.is(sdpOf(ok).connection?.addr, '192.0.2.10');
  t.regex(ok.contactUri, /^sip:annc@127\.0\.0\.90;play=music;at=1000000;rtp=20000$/);
  desk.pass(1000);
  t.is(desk.packets.length, 50);
  const [first, second] = desk.packets;
  t.like(first, { ip: '192.0.2.9', port: 4000 });
  t.true(first?.rtp.marker && !second?.rtp.marker);
  t.is(((second?.rtp.timestamp ?? 0) - (first?.rtp.timestamp ?? 0)) >>> 0, FRAME);
  const heard = joined(desk.packets.map((p) => decode('PCMU', p.rtp.payload)));
  t.true(Math.max(...heard) > 2000);
  const [bye] = desk.say(ask({ method: 'BYE', uri: ok.contactUri, tag: ok.toTag, cseq: 2 }));
  t.is(bye?.status, 200);
  desk.packets = [];
  desk.pass(200);
  t.is(desk.packets.length, 0);
  t.deepEqual([desk.agent.size, desk.studio.size, desk.open.size], [0, 0, 0]);
});

test('the codec is the first of ours that the other side names', (t) => {
  const codec = (formats: string, rest = ''): string => {
    const desk = new Desk();
    const [answer] = desk.say(ask({ body: offer({ formats, rest }) }));
    return answer?.status === 200
      ? (sdpOf(answer).media[0]?.formats.join(' ') ?? '')
      : `${answer?.status}`;
  };
  t.is(codec('8 0 101'), '8 101');
  t.is(codec('18 0'), '0');
  t.is(codec('96 8 101', 'a=rtpmap:96 PCMU/8000\r\n'), '96 101');
  t.is(codec('18 4 101'), '488');
  t.is(codec('101'), '488');
  t.is(codec('96', 'a=rtpmap:96 PCMU/16000\r\n'), '488');
});

test('an offer of several streams: one is taken, the others are refused in their place', (t) => {
  const desk = new Desk();
  const body =
    'v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n' +
    'm=video 4002 RTP/AVP 96\r\nm=audio 4004 RTP/SAVP 0\r\nm=audio 4000 RTP/AVP 8\r\n';
  const { media } = sdpOf(desk.say(ask({ body }))[0]);
  t.deepEqual(
    media.map((m) => m.port),
    [0, 0, 20_000],
  );
});

test('IPv6 is answered from the IPv6 address', (t) => {
  const desk = new Desk();
  const [ok] = desk.say(ask({ body: offer({ address: 'IP6 2001:db8::9' }) }));
  t.is(sdpOf(ok).connection?.addr, '2001:db8::10');
  desk.pass(100);
  t.is(desk.packets[0]?.ip, '2001:db8::9');
});

test('hold: nothing is sent to who does not want to hear, and the stream goes on behind it', (t) => {
  const desk = new Desk();
  const ok = begin(desk);
  desk.pass(200);
  const before = desk.packets.at(-1)?.rtp;
  const change = (cseq: number, direction: string): SipMessage | undefined => {
    const a = { uri: ok.contactUri, tag: ok.toTag, cseq };
    const [answer] = desk.say(ask({ ...a, body: offer({ direction }) }));
    desk.say(ask({ ...a, method: 'ACK' }));
    desk.packets = [];
    desk.pass(200);
    return answer;
  };
  t.is(sdpOf(change(2, 'sendonly')).media[0]?.direction, 'recvonly');
  t.is(desk.packets.length, 0);
  t.is(sdpOf(change(3, 'inactive')).media[0]?.direction, 'inactive');
  t.is(desk.packets.length, 0);
  const back = change(4, 'recvonly');
  t.is(sdpOf(back).media[0]?.direction, 'sendonly');
  const after = desk.packets[0]?.rtp;
  t.true(after?.marker);
  t.is(after?.ssrc, before?.ssrc);
  t.is(((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0, 21 * FRAME);
  t.is(sdpOf(back).origin.sessId, sdpOf(ok).origin.sessId);
  t.true(Number(sdpOf(back).origin.sessVersion) > Number(sdpOf(ok).origin.sessVersion));
  const same = change(5, 'recvonly');
  t.is(sdpOf(same).origin.sessVersion, sdpOf(back).origin.sessVersion);
});

test('without an offer the answer brings ours, and the ACK the answer to it', (t) => {
  const desk = new Desk();
  const [ok] = desk.say(ask({}));
  t.deepEqual(sdpOf(ok).media[0]?.formats, ['8', '0', '101']);
  desk.pass(100);
  t.is(desk.packets.length, 0);
  const again = desk.say(ask({ tag: ok?.toTag ?? '', cseq: 2, body: offer({}) }));
  t.is(again[0]?.status, 491);
  desk.say(ask({ method: 'ACK', tag: ok?.toTag ?? '', body: offer({ formats: '8' }) }));
  desk.pass(100);
  t.is(desk.packets.length, 5);
  t.is(desk.packets[0]?.rtp.payloadType, 8);
  const bare = new Desk();
  const [other] = bare.say(ask({}));
  const [bye] = bare.say(ask({ method: 'ACK', tag: other?.toTag ?? '' }));
  t.is(bye?.method, 'BYE');
});

test('the end of an announcement is a BYE, with stay=yes a word', (t) => {
  const desk = new Desk();
  begin(desk, { uri: announcementUri({ play: 'hello', repeat: 2, delayMs: 40 }) });
  desk.pass(220);
  t.is(desk.heard().length, 0);
  desk.pass(40);
  const [bye] = desk.heard();
  t.is(bye?.method, 'BYE');
  t.is(bye?.requestUri, 'sip:1001@192.0.2.10:5060');
  // it is repeated until it is answered
  desk.pass(600);
  t.is(desk.heard()[0]?.text, bye?.text);
  desk.say(reply(bye as SipMessage, 200));
  t.is(desk.agent.size, 0);
  const stays = new Desk();
  const ok = begin(stays, { uri: announcementUri({ play: 'music', durationMs: 100, stay: true }) });
  stays.pass(300);
  const [info, ...more] = stays.heard();
  t.is(more.length, 0);
  t.deepEqual(mediaWord(info as SipMessage), { kind: 'end' });
  stays.say(reply(info as SipMessage, 200));
  t.is(stays.agent.size, 1);
  // and something else can be played in the same dialog
  const [next] = stays.say(
    ask({ uri: 'sip:annc@127.0.0.90;play=busy', tag: ok.toTag, cseq: 2, body: offer({}) }),
  );
  t.regex(next?.contactUri ?? '', /;play=busy;at=1000000;since=1000300;rtp=20000$/);
  stays.packets = [];
  stays.pass(400);
  const heard = joined(stays.packets.map((p) => decode('PCMU', p.rtp.payload)));
  t.true(strength(heard, 425) > 4000);
});

test('digits are told one after the other, each when it is pressed', (t) => {
  const desk = new Desk();
  begin(desk);
  const press = (event: number, timestamp: number): void =>
    desk.rtp(
      {
        payloadType: 101,
        timestamp,
        payload: encodeEvent({ event, end: false, volume: 9, duration: 400 }),
      },
      PHONE,
    );
  press(1, 1000);
  press(1, 1000);
  press(2, 3000);
  const first = desk.heard();
  t.is(first.length, 1);
  t.deepEqual(mediaWord(first[0] as SipMessage), {
    kind: 'digit',
    digit: '1',
    ms: 50,
    stamp: 1000,
  });
  t.regex(first[0]?.body ?? '', /^Signal=1\r\nDuration=50\r\n/);
  const second = desk.say(reply(first[0] as SipMessage, 200));
  t.like(mediaWord(second[0] as SipMessage), { digit: '2', stamp: 3000 });
  t.true((second[0]?.cseq ?? 0) > (first[0]?.cseq ?? 0));
  // who does not know the dialog any more ends it
  desk.say(reply(second[0] as SipMessage, 481));
  t.is(desk.agent.size, 0);
});

test('what repeats itself is answered with the same octets, and begins nothing', (t) => {
  const desk = new Desk();
  const invite = ask({ body: offer({}) });
  const [one] = desk.say(invite);
  const [two] = desk.say(invite);
  t.is(two?.text, one?.text);
  t.is(desk.agent.size, 1);
  t.is(desk.say(ask({ body: offer({}), branch: 'z9hG4bKother' }))[0]?.status, 482);
  desk.pass(600);
  t.is(desk.heard()[0]?.text, one?.text, 'a 2xx without ACK is repeated');
  t.is(desk.say(ask({ method: 'CANCEL', branch: 'z9hG4bKINVITE1' }))[0]?.status, 200);
  t.is(desk.say(ask({ method: 'CANCEL', branch: 'z9hG4bKelse' }))[0]?.status, 481);
  desk.say(ask({ method: 'ACK', tag: one?.toTag ?? '' }));
  const bye = ask({ method: 'BYE', uri: one?.contactUri ?? '', tag: one?.toTag ?? '', cseq: 2 });
  t.is(desk.say(bye)[0]?.status, 200);
  t.is(desk.say(bye)[0]?.status, 200);
  t.is(desk.agent.size, 0);
});

test('a 2xx that nobody acknowledges ends in a BYE', (t) => {
  const desk = new Desk();
  desk.say(ask({ body: offer({}) }));
  desk.pass(33_000);
  t.is(desk.heard().at(-1)?.method, 'BYE');
  desk.pass(33_000);
  t.is(desk.agent.size, 0);
});

test('refusals', (t) => {
  const status = (a: Parameters<typeof ask>[0], desk = new Desk()): number =>
    desk.say(ask(a))[0]?.status ?? 0;
  const body = offer({});
  t.is(status({ uri: 'sip:annc@127.0.0.90;play=nothing', body }), 404);
  t.is(status({ uri: 'sip:annc@127.0.0.90', body }), 400);
  t.is(status({ uri: 'sip:annc@127.0.0.90;play=music;repeat=x', body }), 400);
  t.is(status({ uri: 'sip:dialog@127.0.0.90;voicexml=x', body }), 404);
  t.is(status({ uri: 'sip:conf=@127.0.0.90', body }), 404);
  t.is(status({ uri: 'sip:conf=1@127.0.0.90;mode=coach', body }), 400);
  t.is(status({ uri: 'sip:conf=1@127.0.0.90;mode=shout', body }), 400);
  t.is(status({ body: 'v=0\r\nnonsense' }), 488);
  t.is(status({ body: 'hi', type: 'text/plain' }), 415);
  const required = ask({ body }).replace('Max-Forwards', 'Require: 100rel\r\nMax-Forwards');
  t.is(new Desk().say(required)[0]?.status, 420);
  t.is(status({ method: 'REGISTER' }), 405);
  t.is(status({ method: 'PUNT' }), 501);
  t.is(status({ method: 'BYE' }), 481);
  t.is(status({ method: 'BYE', tag: 'madeup' }), 481);
  t.is(status({ tag: 'madeup', uri: 'sip:annc@127.0.0.90;play=music;at=5;rtp=20000', body }), 481);
  t.is(status({ method: 'OPTIONS' }), 200);
  const full = new Desk(2);
  t.is(status({ body, call: 'a' }, full), 200);
  t.is(status({ body, call: 'b' }, full), 200);
  const [third] = full.say(ask({ body, call: 'c' }));
  t.is(third?.status, 503);
  t.true(third?.has(H.RetryAfter));
  t.is(status({ body: offer({ address: 'IP6 2001:db8::9' }), call: 'd' }, full), 503);
  t.deepEqual(full.agent.told, ['media: all sessions are in use: callers hear nothing']);
  t.is(full.agent.full, 2, 'said once, counted each time');
  const hall = new Desk();
  for (let i = 0; i < 32; i += 1) {
    t.is(status({ uri: 'sip:conf=x@127.0.0.90', body, call: `m${i}` }, hall), 200);
  }
  t.is(status({ uri: 'sip:conf=x@127.0.0.90', body, call: 'late' }, hall), 486);
});

test('a conference over RTP: the others are heard, oneself is not; a mode can be changed', (t) => {
  const desk = new Desk();
  const HZ = [500, 900, 1300];
  const members = HZ.map((_, i) => {
    const uri = conferenceUri({ conference: 'room 1', member: `m${i}` });
    const body = offer({ port: 4000 + 2 * i });
    return begin(desk, { uri, call: `c${i}`, body });
  });
  const ids = [...desk.open.keys()];
  let k = 0;
  const talk = (frames: number): string[] => {
    desk.packets = [];
    for (let n = 0; n < frames; n += 1, k += 1) {
      HZ.forEach((hz, i) => {
        const payload = encode('PCMU', toneFrame(hz, k));
        desk.rtp(
          { payload, timestamp: 160 * k, sequence: k & 0xffff },
          ['192.0.2.9', 4000 + 2 * i],
          ids[i],
        );
      });
      desk.pass(20);
    }
    return ids.map((id) => {
      const all = desk.packets.filter((p) => p.id === id).slice(5);
      const heard = joined(all.map((p) => decode('PCMU', p.rtp.payload)));
      return HZ.map((hz, i) => (strength(heard, hz) > 1000 ? i : '')).join('');
    });
  };
  t.deepEqual(talk(50), ['12', '02', '01']);
  const [answer] = desk.say(
    ask({
      uri: conferenceUri({ conference: 'room 1', member: 'm2', mode: 'coach', coach: 'm0' }),
      call: 'c2',
      tag: members[2]?.toTag ?? '',
      cseq: 2,
      body: offer({ port: 4004 }),
    }),
  );
  t.regex(
    answer?.contactUri ?? '',
    /^sip:conf=room%201@127\.0\.0\.90;mode=coach;coach=m0;member=m2;at=/,
  );
  t.deepEqual(talk(50), ['12', '0', '01']);
});

test('RTP is taken from where the description says, or from where it comes, and from one place', (t) => {
  const desk = new Desk();
  begin(desk, { body: offer({ address: 'IP4 10.0.0.9' }) });
  desk.pass(20);
  t.is(desk.packets.at(-1)?.ip, '10.0.0.9');
  desk.rtp({}, ['192.0.2.77', 5555]);
  desk.pass(20);
  t.like(desk.packets.at(-1), { ip: '192.0.2.77', port: 5555 });
  desk.rtp({}, ['192.0.2.78', 6666]);
  desk.pass(20);
  t.like(desk.packets.at(-1), { ip: '192.0.2.77', port: 5555 });
  // the described side is right in any case
  desk.rtp({}, ['10.0.0.9', 4000]);
  desk.rtp({}, ['192.0.2.77', 5555]);
  desk.rtp({ payloadType: 3 }, ['10.0.0.9', 4000]);
  t.is(desk.studio.strange, 3);
});

test('nothing is sent where nobody can be', (t) => {
  for (const address of ['IP4 224.0.0.1', 'IP4 255.255.255.255', 'IP4 0.0.0.0', 'IP4 a.name']) {
    const desk = new Desk();
    begin(desk, { body: offer({ address }) });
    desk.pass(100);
    t.is(desk.packets.length, 0, address);
  }
});

test('a session is made again from its dialog: same port, and the sound goes on', (t) => {
  const uri = announcementUri({ play: 'music' });
  const a = new Desk();
  const ok = begin(a, { uri });
  a.pass(5000);
  const b = new Desk();
  b.now = a.now;
  const again = { uri: ok.contactUri, tag: ok.toTag, cseq: 2, body: offer({}) };
  // whoever invents one is told so
  t.is(b.say(ask({ ...again, tag: `${ok.toTag.slice(0, -1)}_` }))[0]?.status, 481);
  t.is(
    b.say(ask({ ...again, uri: ok.contactUri.replace('at=1000000', 'at=1000001') }))[0]?.status,
    481,
  );
  t.is(b.say(ask({ ...again, method: 'INFO', body: '' }))[0]?.status, 481);
  const [answer] = b.say(ask(again));
  t.is(answer?.status, 200);
  t.is(answer?.contactUri, ok.contactUri);
  t.is(sdpOf(answer).media[0]?.port, 20_000);
  a.packets = [];
  a.pass(400);
  b.pass(400);
  // what one box sends is what the other one would have sent
  const stream = (desk: Desk): unknown =>
    desk.packets.map(({ rtp }) => [
      rtp.sequence,
      rtp.timestamp,
      rtp.ssrc,
      Buffer.from(rtp.payload).toString('hex'),
    ]);
  t.is(b.packets.length, 20);
  t.deepEqual(stream(b), stream(a));
  t.is(b.say(ask({ method: 'BYE', uri: ok.contactUri, tag: ok.toTag, cseq: 3 }))[0]?.status, 200);
  const c = new Desk();
  t.is(c.say(ask({ method: 'BYE', uri: ok.contactUri, tag: ok.toTag, cseq: 3 }))[0]?.status, 200);
  const [offered] = c.say(ask({ ...again, body: '' }));
  t.is(sdpOf(offered).media[0]?.port, 20_000);
});

test('a prompt that ended meanwhile, or that this box lacks, ends at once', (t) => {
  const a = new Desk();
  const ok = begin(a, { uri: announcementUri({ play: 'hello', stay: true }) });
  const b = new Desk();
  b.prompts = {};
  b.now = a.now + 60;
  b.say(ask({ uri: ok.contactUri, tag: ok.toTag, cseq: 2, body: offer({}) }));
  t.is(b.agent.told.length, 1);
  b.pass(100);
  t.deepEqual(mediaWord(b.heard()[0] as SipMessage), { kind: 'end' });
});

test('garbage from the engine or from the network does no harm', (t) => {
  const desk = new Desk();
  const ok = begin(desk, { uri: conferenceUri({ conference: '1' }) });
  const chance = seeded(11);
  const good = [
    ask({ body: offer({}), call: 'other' }),
    ask({ uri: ok.contactUri, tag: ok.toTag, cseq: 2, body: offer({ direction: 'sendonly' }) }),
    ask({ method: 'INFO', uri: ok.contactUri, tag: ok.toTag, cseq: 3 }),
  ];
  for (let i = 0; i < 3000; i += 1) {
    const text = [...(good[chance.u32() % good.length] as string)];
    for (let n = chance.u32() % 8; n >= 0; n -= 1) {
      text[chance.u32() % text.length] = String.fromCharCode(chance.u32() & 255);
    }
    desk.say(text.join(''));
    const bytes = Uint8Array.from({ length: chance.u32() % 400 }, () => chance.u32() & 255);
    if (bytes.length > 1 && (i & 1) === 0) {
      bytes[0] = 0x80 | ((bytes[0] as number) & 63);
      bytes[1] = (i & 2) === 0 ? 0 : 101;
    }
    const id = [...desk.open.keys()][0];
    if (id !== undefined) desk.studio.receive(id, bytes, '192.0.2.9', 4000);
    if (i % 10 === 0) desk.pass(20);
    desk.heard();
  }
  t.true(desk.agent.size <= 1000);
  t.true(desk.packets.length > 0);
});

test('names of the service', (t) => {
  t.true(isLocalMedia(LOCAL_MEDIA));
  t.false(isLocalMedia({ ...LOCAL_MEDIA, transport: 'tcp' }));
  t.false(isLocalMedia({ ...LOCAL_MEDIA, port: 5061 }));
  t.is(
    announcementUri({ play: 'a b;x', repeat: 'forever' }),
    'sip:annc@127.0.0.90;play=a%20b%3Bx;repeat=forever',
  );
  const desk = new Desk();
  desk.prompts['x'] = desk.prompts['hello'] as never;
  t.is(
    desk.say(ask({ uri: announcementUri({ play: 'file:///a/x.wav' }), body: offer({}) }))[0]
      ?.status,
    200,
  );
});

test('a description in a multipart body is found', (t) => {
  const desk = new Desk();
  const body =
    '--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/sdp\r\n\r\n' +
    `${offer({})}\r\n--b--\r\n`;
  const [ok] = desk.say(ask({ body, type: 'multipart/mixed;boundary=b' }));
  t.is(sdpOf(ok).media[0]?.port, 20_000);
});

test('what is played can be changed, begun anew, and a prompt that is missing ends at once', (t) => {
  const desk = new Desk();
  const ok = begin(desk, { uri: announcementUri({ play: 'hello', stay: true }) });
  const change = (cseq: number, uri: string): SipMessage | undefined => {
    const a = { uri: `${uri};at=1000000;since=${desk.now};rtp=20000`, tag: ok.toTag, cseq };
    const [answer] = desk.say(ask({ ...a, body: offer({}) }));
    desk.say(ask({ ...a, method: 'ACK' }));
    return answer;
  };
  const ends = (): boolean => {
    const [info] = desk.heard();
    if (info === undefined) return false;
    desk.say(reply(info, 200));
    return mediaWord(info)?.kind === 'end';
  };
  desk.pass(200);
  t.true(ends());
  const again = change(2, announcementUri({ play: 'hello', stay: true }));
  t.regex(again?.contactUri ?? '', /;since=1000200;/);
  desk.pass(60);
  t.false(ends());
  desk.pass(100);
  t.true(ends());
  t.is(change(3, announcementUri({ play: 'none', stay: true }))?.status, 200);
  desk.pass(40);
  t.true(ends());
  t.is(desk.agent.told.length, 1);
  t.is(change(4, announcementUri({ play: 'music' }))?.status, 200);
  desk.pass(1000);
  t.false(ends());
});
