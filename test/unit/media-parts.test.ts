/** The parts of the media service: coding, sounds, files, order of packets, digits, mixing. */

import test from 'ava';
import { isFault } from '../../src/base/fault.ts';
import { Digits } from '../../src/media/dtmf.ts';
import { decode, encode } from '../../src/media/g711.ts';
import { Jitter } from '../../src/media/jitter.ts';
import { Library } from '../../src/media/library.ts';
import { type MixMember, mix } from '../../src/media/mixer.ts';
import { FRAME, frameAt, RATE, Sound } from '../../src/media/sound.ts';
import { parseWav } from '../../src/media/wav.ts';
import { decodeEvent, decodeRtp, encodeEvent, encodeRtp, type Rtp } from '../../src/wire/rtp.ts';
import { joined, strength, toneFrame } from './media-help.ts';

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replace(/ /g, ''), 'hex'));

test('RTP: the worked example both ways, and every header part that may stand before the payload', (t) => {
  const example = hex('80650007 00000640 decade01 058a0320');
  const rtp = decodeRtp(example) as Rtp;
  t.like(rtp, { marker: false, payloadType: 101, sequence: 7, timestamp: 1600, ssrc: 0xdecade01 });
  t.deepEqual(decodeEvent(rtp.payload), { event: 5, end: true, volume: 10, duration: 800 });
  const payload = encodeEvent({ event: 5, end: true, volume: 10, duration: 800 });
  t.deepEqual(encodeRtp({ ...rtp, payload }), example);
  // two contributing sources, an extension of one word, three octets of padding
  const full = hex('b2800001 00000002 00000003 0000000400000005 00010001 aabbccdd 112233 000003');
  const all = decodeRtp(full) as Rtp;
  t.deepEqual([...all.payload], [0x11, 0x22, 0x33]);
  t.true(all.marker);
});

test('RTP: what is none has a fault and never throws', (t) => {
  const cases: readonly (readonly [string, string])[] = [
    ['', 'rtp-length'],
    ['8000', 'rtp-length'],
    ['400000010000000200000003', 'rtp-version'],
    ['80c800010000000200000003', 'rtp-control'],
    ['80c900010000000200000003', 'rtp-control'],
    ['8f0000010000000200000003', 'rtp-length'],
    ['900000010000000200000003', 'rtp-length'],
    ['90000001000000020000000300010fff', 'rtp-length'],
    ['a0000001000000020000000300', 'rtp-padding'],
    ['a0000001000000020000000309', 'rtp-padding'],
  ];
  for (const [bytes, why] of cases) {
    const got = decodeRtp(hex(bytes));
    t.is(isFault(got) ? got.fault : '', why, bytes);
  }
  // all of it is padding
  t.is((decodeRtp(hex('a000000100000002000000030002')) as Rtp).payload.length, 0);
  t.deepEqual(decodeEvent(hex('0102')), { fault: 'event-length', at: 2 });
});

test('G.711: the codes of ITU-T, and there and back without further loss', (t) => {
  t.is(encode('PCMU', Int16Array.of(0))[0], 0xff);
  t.is(encode('PCMA', Int16Array.of(0))[0], 0xd5);
  t.is(encode('PCMU', Int16Array.of(32_767))[0], 0x80);
  t.is(encode('PCMU', Int16Array.of(-32_768))[0], 0x00);
  t.is(encode('PCMA', Int16Array.of(32_767))[0], 0xaa);
  t.is(encode('PCMA', Int16Array.of(-32_768))[0], 0x2a);
  t.is(decode('PCMU', Uint8Array.of(0x00))[0], -32_124);
  t.is(decode('PCMA', Uint8Array.of(0xaa))[0], 32_256);
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const codec of ['PCMU', 'PCMA'] as const) {
    const again = encode(codec, decode(codec, all));
    // mu-law has two zeros
    t.deepEqual(
      [...again],
      [...all].map((c) => (codec === 'PCMU' && c === 0x7f ? 0xff : c)),
    );
    for (let x = -32_000; x <= 32_000; x += 97) {
      const back = decode(codec, encode(codec, Int16Array.of(x)))[0] as number;
      t.true(Math.abs(back - x) <= Math.max(16, Math.abs(x) / 16), `${codec} ${x} ${back}`);
    }
  }
});

test('a sound is played so often, with pauses, no longer than asked', (t) => {
  const sound = new Sound('x', new Int16Array(3 * FRAME - 5), false);
  t.is(sound.frames, 3);
  const all = (times: number, pause: number, most: number): number[] => {
    const out: number[] = [];
    for (let k = 0; k < 12; k += 1) out.push(frameAt({ sound, times, pause, most }, k));
    return out;
  };
  t.deepEqual(all(1, 0, Infinity).slice(0, 4), [0, 1, 2, -2]);
  t.deepEqual(all(2, 2, Infinity).slice(0, 9), [0, 1, 2, -1, -1, 0, 1, 2, -2]);
  t.deepEqual(all(Infinity, 0, 5).slice(0, 6), [0, 1, 2, 0, 1, -2]);
  t.is(frameAt({ sound, times: 1, pause: 0, most: Infinity }, -1), -1);
});

test('the library: tones, music that loops without a click, chimes, files first, no paths', (t) => {
  const own = new Sound('music', new Int16Array(160), false);
  const library = new Library((name) => (name === 'mine' ? own : undefined));
  const busy = library.find('busy');
  t.true(strength(busy?.samples.subarray(0, 4000) as Int16Array, 425) > 5000);
  t.is(Math.max(...(busy?.samples.subarray(4000) ?? [])), 0);
  const music = library.find('music') as Sound;
  t.true(music.endless && music.frames > 500);
  t.is(library.find('music'), music);
  const { samples } = music;
  let step = 0;
  for (let i = 1; i < samples.length; i += 1) {
    step = Math.max(step, Math.abs((samples[i] as number) - (samples[i - 1] as number)));
  }
  t.true(Math.abs((samples[0] as number) - (samples.at(-1) as number)) <= step);
  for (const name of ['welcome', 'all-busy', 'goodbye']) t.false(library.find(name)?.endless);
  t.is(library.find('file:///prompts/mine.wav'), own);
  t.is(library.find('http://host/a/mine.WAV'), own);
  for (const bad of [
    '',
    '..',
    '../busy/..',
    '.hidden',
    'a b',
    'none',
    'constructor',
    '__proto__',
  ]) {
    t.is(library.find(bad), undefined, bad);
  }
});

function wav(
  format: number,
  bits: number,
  rate: number,
  channels: number,
  data: Uint8Array,
): Uint8Array {
  const b = Buffer.alloc(58 + data.length + (data.length & 1));
  b.write('RIFF', 0, 'latin1');
  b.writeUInt32LE(b.length - 8, 4);
  b.write('WAVELIST', 8, 'latin1');
  b.writeUInt32LE(5, 16);
  b.write('fmt ', 26, 'latin1');
  b.writeUInt32LE(16, 30);
  b.writeUInt16LE(format, 34);
  b.writeUInt16LE(channels, 36);
  b.writeUInt32LE(rate, 38);
  b.writeUInt16LE(bits, 48);
  b.write('data', 50, 'latin1');
  b.writeUInt32LE(data.length, 54);
  b.set(data, 58);
  return b;
}

test('WAV: PCM, A-law, mu-law; everything else is refused by a code', (t) => {
  const pcm = Int16Array.of(1, -2, 300, -32_768);
  t.deepEqual(parseWav(wav(1, 16, 8000, 1, new Uint8Array(pcm.buffer))), pcm);
  t.deepEqual(parseWav(wav(6, 8, 8000, 1, Uint8Array.of(0xd5, 0xaa))), Int16Array.of(8, 32_256));
  t.deepEqual(
    parseWav(wav(7, 8, 8000, 1, Uint8Array.of(0xff, 0x00, 0x80))),
    Int16Array.of(0, -32_124, 32_124),
  );
  const code = (bytes: Uint8Array): string => {
    const got = parseWav(bytes);
    return 'fault' in got ? got.fault : 'good';
  };
  const data = new Uint8Array(8);
  t.is(code(wav(1, 8, 8000, 1, data)), 'wav-format');
  t.is(code(wav(3, 32, 8000, 1, data)), 'wav-format');
  t.is(code(wav(1, 16, 44_100, 1, data)), 'wav-rate');
  t.is(code(wav(1, 16, 8000, 2, data)), 'wav-rate');
  t.is(code(new Uint8Array(100)), 'wav-shape');
  const whole = wav(1, 16, 8000, 1, data);
  for (let n = 0; n <= whole.length; n += 1) code(whole.subarray(0, n));
  t.is(code(whole.subarray(0, whole.length - 3)), 'good');
});

test('packets of a member: in order whatever the network did, silence for what is lost', (t) => {
  const said = Array.from({ length: 20 }, (_, k) => toneFrame(400, k));
  const run = (order: readonly (readonly number[])[]): (Int16Array | undefined)[] => {
    const jitter = new Jitter();
    return order.map((arrivals) => {
      for (const k of arrivals)
        jitter.put((4_294_967_000 + k * FRAME) >>> 0, said[k] as Int16Array);
      const frame = jitter.take();
      return frame === undefined ? undefined : Int16Array.from(frame);
    });
  };
  // two frames are held back
  const plain = run([[0], [1], [2], [3], [4]]);
  t.deepEqual(plain.slice(2), said.slice(0, 3));
  const mixed = run([[0], [2], [1], [3], [4]]);
  t.deepEqual(mixed.slice(2), said.slice(0, 3));
  const lost = run([[0], [], [2], [3], [4], []]);
  t.deepEqual(lost[3], new Int16Array(FRAME));
  t.deepEqual(lost[4], said[2]);
  const twice = run([[0, 0], [1], [1, 2], [3], [0]]);
  t.deepEqual(twice.slice(2), said.slice(0, 3));
  // a burst longer than the buffer begins anew, and does not grow
  const burst = run([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], [14], [15], [16]]);
  t.true(burst.filter((f) => f !== undefined).length >= 3);
});

test('a member whose packets are 10 or 30 ms long is heard as well', (t) => {
  for (const length of [80, 240]) {
    const jitter = new Jitter();
    const heard: Int16Array[] = [];
    let written = 0;
    for (let k = 0; k < 40; k += 1) {
      while (written < (k + 1) * FRAME) {
        const at = written;
        const part = Int16Array.from({ length }, (_, i) =>
          Math.round(5000 * Math.sin((2 * Math.PI * 400 * (at + i)) / RATE)),
        );
        jitter.put(written, part);
        written += length;
      }
      const frame = jitter.take();
      if (k >= 10 && frame !== undefined) heard.push(Int16Array.from(frame));
    }
    t.is(heard.length, 30);
    t.true(strength(joined(heard), 400) > 4900);
  }
});

const HZ = { a: 400, b: 700, c: 1100, d: 1500 } as const;
type Name = keyof typeof HZ;

/** What each of them hears of each. */
function conference(modes: Record<string, Partial<MixMember>>): Record<string, string> {
  const frames: Record<string, Int16Array[]> = {};
  for (let k = 0; k < 25; k += 1) {
    const members = Object.entries(modes).map(([name, given]): MixMember => {
      const says = toneFrame(HZ[name as Name], k);
      return {
        mode: 'talk',
        member: name,
        coached: '',
        says,
        hears: new Int16Array(FRAME),
        ...given,
      };
    });
    mix(members);
    for (const m of members) {
      const heard = frames[m.member] ?? [];
      frames[m.member] = [...heard, Int16Array.from(m.hears)];
    }
  }
  return Object.fromEntries(
    Object.entries(frames).map(([name, all]) => {
      const heard = (Object.keys(HZ) as Name[]).filter((n) => strength(joined(all), HZ[n]) > 1000);
      return [name, heard.join('')];
    }),
  );
}

test('three members hear the two others, and not themselves', (t) => {
  t.deepEqual(conference({ a: {}, b: {}, c: {} }), { a: 'bc', b: 'ac', c: 'ab' });
  t.deepEqual(conference({ a: {}, b: { says: undefined } }), { a: '', b: 'a' });
});

test('who listens is heard by nobody, who coaches by one, who is muted by nobody', (t) => {
  t.deepEqual(conference({ a: {}, b: {}, c: { mode: 'listen' } }), { a: 'b', b: 'a', c: 'ab' });
  const coached = { a: {}, b: {}, c: { mode: 'coach', coached: 'b' } } as const;
  t.deepEqual(conference(coached), { a: 'b', b: 'ac', c: 'ab' });
  t.deepEqual(conference({ a: {}, b: { mode: 'muted' } }), { a: '', b: 'a' });
  t.deepEqual(conference({ a: {}, b: {}, d: { mode: 'coach', coached: 'gone' } }), {
    a: 'b',
    b: 'a',
    d: 'ab',
  });
});

test('loud members are clipped, not folded over', (t) => {
  const says = new Int16Array(FRAME).fill(30_000);
  const members = ['a', 'b', 'c'].map((member): MixMember => {
    return { mode: 'talk', member, coached: '', says, hears: new Int16Array(FRAME) };
  });
  mix(members);
  t.is(members[0]?.hears[0], 32_767);
});

test('a digit is told once, at its first packet, whatever is lost or late', (t) => {
  const digits = new Digits();
  const packet = (event: number, timestamp: number, duration: number, end = false): Rtp => ({
    marker: false,
    payloadType: 101,
    sequence: 1,
    timestamp,
    ssrc: 1,
    payload: encodeEvent({ event, end, volume: 10, duration }),
  });
  t.deepEqual(digits.take(packet(5, 1000, 160)), { digit: '5', ms: 20, stamp: 1000 });
  t.is(digits.take(packet(5, 1000, 320)), undefined);
  for (let i = 0; i < 3; i += 1) t.is(digits.take(packet(5, 1000, 800, true)), undefined);
  // only its end arrived
  t.is(digits.take(packet(11, 4000, 800, true))?.digit, '#');
  t.is(digits.take(packet(5, 1000, 800, true)), undefined);
  t.is(digits.take(packet(15, 4_294_967_000, 160)), undefined);
  const late = new Digits();
  t.is(late.take(packet(10, 4_294_967_000, 160))?.digit, '*');
  t.is(late.take(packet(0, 100, 160))?.digit, '0');
  t.is(late.take(packet(16, 5000, 160)), undefined);
  t.is(late.take({ ...packet(1, 9000, 1), payload: new Uint8Array(2) }), undefined);
});
