/** What the tests of the media service share: tones, a measure of them, and a service with a client. */

import { Library } from '../../src/media/library.ts';
import { FRAME, RATE, Sound } from '../../src/media/sound.ts';
import { Studio } from '../../src/media/studio.ts';
import { Agent } from '../../src/media/ua.ts';
import { LOCAL_MEDIA } from '../../src/proto/media.ts';
import { isFault, parseMessage, type SipMessage } from '../../src/sip-parser/index.ts';
import { decodeRtp, encodeRtp, type Rtp } from '../../src/wire/rtp.ts';
import type { Lab } from './call-lab.ts';

/** One frame of a tone, the `nth`. */
export function toneFrame(hz: number, nth: number, amplitude = 5000): Int16Array {
  return Int16Array.from({ length: FRAME }, (_, i) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * (nth * FRAME + i)) / RATE)),
  );
}

/** Amplitude of one frequency in samples (Goertzel 1958). */
export function strength(samples: Int16Array, hz: number): number {
  const c = 2 * Math.cos((2 * Math.PI * hz) / RATE);
  let [a, b] = [0, 0];
  for (const x of samples) [a, b] = [x + c * a - b, a];
  return (2 * Math.sqrt(a * a + b * b - c * a * b)) / samples.length;
}

export function joined(frames: readonly Int16Array[]): Int16Array {
  const out = new Int16Array(frames.length * FRAME);
  frames.forEach((f, i) => {
    out.set(f, i * FRAME);
  });
  return out;
}

export type Packet = {
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  readonly rtp: Rtp;
};

export const VIP = '192.0.2.10';

/** A service, its engine side as texts, and its ports. */
export class Desk {
  now = 1_000_000;
  readonly studio: Studio;
  readonly agent: Agent;
  readonly open = new Map<string, number>();
  nextPort = 20_000;
  packets: Packet[] = [];
  prompts: Record<string, Sound> = {
    hello: new Sound('hello', new Int16Array(800).fill(1000), false),
  };
  private frame = 0;

  constructor(most?: number) {
    this.studio = new Studio(
      {
        digit: (id, digit) => this.agent.digit(this.now, id, digit),
        ended: (id) => this.agent.ended(this.now, id),
      },
      most,
    );
    const library = new Library((name) => this.prompts[name]);
    const settings = { vip: VIP, vip6: '2001:db8::10', key: 'pair key' };
    this.agent = new Agent(settings, library, this.studio, {
      take: (id, _family, wanted) => {
        const port = wanted === 0 ? this.nextPort : wanted;
        if (wanted === 0) this.nextPort += 2;
        if ([...this.open.values()].includes(port)) return 0;
        this.open.set(id, port);
        return port;
      },
      free: (id) => {
        this.open.delete(id);
      },
    });
  }

  /** Says a text to the service. @returns what it says. */
  say(text: string): SipMessage[] {
    this.agent.receive(this.now, text);
    return this.heard();
  }

  heard(): SipMessage[] {
    return this.agent.out.splice(0).map((text) => {
      const m = parseMessage(text);
      if (isFault(m)) throw new Error(`the service said ${m.fault} at ${m.at}:\n${text}`);
      return m;
    });
  }

  /** Lets time pass, frame by frame; what was sent is in `packets`. */
  pass(ms: number): void {
    const end = this.now + ms;
    this.frame = Math.max(this.frame, Math.floor(this.now / 20));
    while ((this.frame + 1) * 20 <= end) {
      this.frame += 1;
      this.now = this.frame * 20;
      this.studio.tick(this.frame, (id, bytes, ip, port) => {
        const rtp = decodeRtp(Uint8Array.from(bytes));
        if (isFault(rtp)) throw new Error(rtp.fault);
        this.packets.push({ id, ip, port, rtp: rtp as Rtp });
      });
      if (this.frame % 5 === 0) this.agent.due(this.now);
    }
    this.now = end;
  }

  /** RTP to the only, or the named, session. */
  rtp(packet: Partial<Rtp>, from: readonly [ip: string, port: number], id?: string): void {
    const key = id ?? ([...this.open.keys()][0] as string);
    const bytes = encodeRtp({
      marker: false,
      payloadType: 0,
      sequence: 1,
      timestamp: 160,
      ssrc: 9,
      payload: new Uint8Array(FRAME).fill(0xff),
      ...packet,
    });
    this.studio.receive(key, bytes, from[0], from[1]);
  }
}

/** An offer of a phone at 192.0.2.9. */
export function offer(lines: {
  formats?: string;
  direction?: string;
  address?: string;
  port?: number;
  rest?: string;
}): string {
  const { formats = '0 8 101', direction = 'sendrecv', address = 'IP4 192.0.2.9' } = lines;
  return (
    `v=0\r\no=- 1 1 IN ${address}\r\ns=-\r\nc=IN ${address}\r\nt=0 0\r\n` +
    `m=audio ${lines.port ?? 4000} RTP/AVP ${formats}\r\na=rtpmap:101 telephone-event/8000\r\n` +
    `a=${direction}\r\n${lines.rest ?? ''}`
  );
}

export type Ask = {
  method?: string;
  uri?: string;
  tag?: string;
  cseq?: number;
  branch?: string;
  body?: string;
  type?: string;
  call?: string;
};

/** A request as the engine would send it. */
export function ask(a: Ask): string {
  const { method = 'INVITE', uri = 'sip:annc@127.0.0.90;play=music', cseq = 1, body = '' } = a;
  const type = body === '' ? '' : `Content-Type: ${a.type ?? 'application/sdp'}\r\n`;
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=${a.branch ?? `z9hG4bK${method}${cseq}`};rport\r\n` +
    `Max-Forwards: 70\r\nFrom: <sip:1001@192.0.2.10>;tag=engine\r\n` +
    `To: <sip:annc@127.0.0.90>${a.tag === undefined ? '' : `;tag=${a.tag}`}\r\n` +
    `Call-ID: ${a.call ?? 'call'}\r\nCSeq: ${cseq} ${method}\r\nContact: <sip:1001@192.0.2.10:5060>\r\n` +
    `${type}Content-Length: ${body.length}\r\n\r\n${body}`
  );
}

/** The answer of the engine to a request of the service. */
export function reply(m: SipMessage, status: number): string {
  return (
    `SIP/2.0 ${status} Yes\r\nVia: ${m.text.match(/Via: (.*)\r\n/)?.[1]}\r\n` +
    `From: ${m.text.match(/From: (.*)\r\n/)?.[1]}\r\nTo: ${m.text.match(/To: (.*)\r\n/)?.[1]}\r\n` +
    `Call-ID: ${m.callId}\r\nCSeq: ${m.cseq} ${m.cseqMethod}\r\nContent-Length: 0\r\n\r\n`
  );
}

/**
 * Carries messages between the core of a lab and its media service until both are silent.
 * @returns the first word of what the service was told.
 */
export function carry(lab: Lab, desk: Desk): string[] {
  const story: string[] = [];
  for (;;) {
    const mine = lab.air.filter((s) => s.ip === LOCAL_MEDIA.ip);
    lab.air = lab.air.filter((s) => s.ip !== LOCAL_MEDIA.ip);
    desk.now = lab.now;
    for (const { text } of mine) {
      story.push(text.slice(0, text.indexOf(' ')));
      desk.agent.receive(lab.now, text);
    }
    const said = desk.agent.out.splice(0);
    if (mine.length + said.length === 0) return story;
    for (const text of said) lab.receive(LOCAL_MEDIA.ip, LOCAL_MEDIA.port, text);
  }
}

/** A session that stands: answer and acknowledged. */
export function begin(desk: Desk, a: Ask = {}): SipMessage {
  const [ok] = desk.say(ask({ body: offer({}), ...a }));
  if (ok?.status !== 200) throw new Error(`answered ${ok?.status}`);
  desk.say(ask({ ...a, method: 'ACK', tag: ok.toTag, body: '' }));
  return ok;
}
