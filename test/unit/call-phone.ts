/**
 * Phones that act by themselves, repeat themselves as RFC 3261 17 says, and complain about anything a
 * phone would notice: a tag that changes, a CSeq or an RSeq that does not grow, 481, a final answer
 * after a final answer. `play` lets two of them live a script and replaces the box in the middle.
 */

import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, line, Peer, SDP } from './call-lab.ts';

export const STEP = 50;

/** A request of ours that is repeated until it is answered. */
type Pending = {
  text: string;
  method: string;
  at: number;
  wait: number;
  stop: boolean;
  provisional: boolean;
};

export class Phone extends Peer {
  readonly complaints: string[] = [];
  readonly story: string[] = [];
  pending: Pending[] = [];
  /** Final response of ours to an INVITE that waits for its ACK. */
  unheard: { m: SipMessage; status: number; at: number; wait: number } | undefined;
  invite = '';
  answer: SipMessage | undefined;
  incoming: SipMessage | undefined;
  state: 'idle' | 'calling' | 'ringing' | 'talking' | 'over' = 'idle';
  heardRinging = false;
  readonly tag = `u${this.user}`;
  /** What the other side of each dialog has been called so far, and its last CSeq. */
  private readonly seen = new Map<string, { tag: string; cseq: number; acked: number }>();
  private readonly done = new Map<string, string>();
  /** What it says of itself in INVITEs and in its answers to them. */
  says = '';
  /** It rings with a reliable 183 and a description, and answers when that is acknowledged. */
  reliable = false;
  private provisional: { m: SipMessage; rseq: number; at: number; wait: number } | undefined;
  private rseq = 0;
  private wanted: SipMessage | undefined;
  /** RSeq of the last reliable response heard, by the INVITE's branch. */
  private readonly rung = new Map<string, number>();

  start(text: string): void {
    const method = text.slice(0, text.indexOf(' '));
    const p = { text, method, at: this.lab.now + 500, wait: 500, stop: false, provisional: false };
    this.pending.push(p);
    this.send(text);
  }

  call(uri: string, offer = true): void {
    this.state = 'calling';
    this.invite = this.request('INVITE', uri, {
      ...(offer ? { body: SDP(this.user) } : {}),
      extra: this.says,
    });
    this.start(this.invite);
  }

  bye(): void {
    this.state = 'over';
    if (this.answer !== undefined) this.start(this.inDialog('BYE', this.invite, this.answer));
    else if (this.incoming !== undefined) {
      this.start(this.backward('BYE', this.incoming, this.tag));
    }
  }

  reinvite(): void {
    this.within('INVITE', SDP('again'));
  }

  /** A request inside the dialog. */
  within(method: string, body = '', extra = ''): void {
    const o = { body, extra };
    this.start(
      this.answer !== undefined
        ? this.inDialog(method, this.invite, this.answer, o)
        : this.backward(method, this.incoming as SipMessage, this.tag, o),
    );
  }

  /** Looks at the post, and repeats what is due. */
  act(): void {
    for (const m of this.inbox()) {
      this.story.push(`${line(m)} cseq ${m.cseq}`);
      if (m.isRequest) this.asked(m);
      else this.told(m);
    }
    for (const p of this.pending) {
      if (p.stop || p.at > this.lab.now || (p.method === 'INVITE' && p.provisional)) continue;
      p.wait = p.method === 'INVITE' ? p.wait * 2 : Math.min(p.wait * 2, 4000);
      p.at = this.lab.now + p.wait;
      this.send(p.text);
    }
    const p = this.provisional;
    if (p !== undefined && p.at <= this.lab.now) {
      p.wait *= 2;
      p.at = this.lab.now + p.wait;
      this.ring(p.m, p.rseq);
    }
    if (this.unheard !== undefined && this.unheard.at <= this.lab.now) {
      this.unheard.wait = Math.min(this.unheard.wait * 2, 4000);
      this.unheard.at = this.lab.now + this.unheard.wait;
      this.final();
    }
  }

  private asked(m: SipMessage): void {
    const known = this.seen.get(m.callId);
    if (known !== undefined && m.method !== 'CANCEL') {
      if (known.tag !== m.fromTag) this.complaints.push(`tag ${known.tag} became ${m.fromTag}`);
      if (m.method === 'ACK') {
        if (m.cseq > known.cseq) this.complaints.push(`ACK ${m.cseq} of the future`);
      } else if (this.done.get(m.branch) === undefined && m.cseq <= known.cseq) {
        this.complaints.push(`${m.method} ${m.cseq} after ${known.cseq}`);
      }
    }
    if (m.method !== 'ACK' && m.method !== 'CANCEL') {
      this.seen.set(m.callId, { tag: m.fromTag, cseq: m.cseq, acked: 0 });
    }
    const before = this.done.get(m.branch + m.method);
    this.done.set(m.branch, m.method);
    switch (m.method) {
      case 'INVITE':
        if (before !== undefined) {
          if (this.state === 'ringing' && !this.reliable) this.reply(m, 180, this.tag);
          return;
        }
        this.done.set(m.branch + m.method, 'x');
        if (m.toTag !== '') this.accept(m);
        else {
          this.incoming = m;
          this.state = 'ringing';
          if (this.reliable) this.ringReliably(m);
          else this.reply(m, 180, this.tag);
        }
        return;
      case 'ACK':
        this.unheard = undefined;
        return;
      case 'BYE':
        this.state = 'over';
        this.reply(m, 200, this.tag);
        return;
      case 'PRACK':
        this.acknowledged(m);
        return;
      case 'UPDATE':
        this.reply(m, 200, this.tag, m.body === '' ? '' : SDP(this.user), this.says);
        return;
      case 'CANCEL':
        this.provisional = undefined;
        this.reply(m, 200, this.tag);
        if (this.state === 'ringing') {
          this.state = 'over';
          this.conclude(this.incoming as SipMessage, 487);
        }
        return;
      default:
        this.complaints.push(`unexpected ${m.method}`);
    }
  }

  private ringReliably(m: SipMessage): void {
    this.rseq += 1;
    this.provisional = { m, rseq: this.rseq, at: this.lab.now + 500, wait: 500 };
    this.ring(m, this.rseq);
  }

  private ring(m: SipMessage, rseq: number): void {
    const lines = `Require: 100rel\r\nRSeq: ${rseq}\r\nAllow: INVITE, PRACK, UPDATE\r\n`;
    this.reply(m, 183, this.tag, SDP(this.user), lines);
  }

  private acknowledged(m: SipMessage): void {
    const p = this.provisional;
    const right = `${this.rseq} ${(this.incoming as SipMessage).cseq} INVITE`;
    if (m.header(H.RAck) !== right) this.complaints.push(`PRACK of ${m.header(H.RAck)}`);
    this.reply(m, 200, this.tag);
    if (p === undefined) return;
    this.provisional = undefined;
    if (this.wanted !== undefined) this.accept(this.wanted);
  }

  /** What RFC 3262 4 demands of a caller. */
  private rings(m: SipMessage): void {
    const rseq = Number(m.header(H.RSeq));
    const last = this.rung.get(m.branch);
    if (last === rseq) return;
    if (last !== undefined && rseq !== last + 1) this.complaints.push(`RSeq ${rseq} after ${last}`);
    this.rung.set(m.branch, rseq);
    const extra = `RAck: ${rseq} ${m.cseq} INVITE\r\n`;
    this.start(this.inDialog('PRACK', this.invite, m, { extra, contact: false }));
  }

  /** The user lifts the handset; also the answer to a re-INVITE. */
  accept(m: SipMessage): void {
    if (this.provisional !== undefined) {
      this.wanted = m;
      return;
    }
    this.state = 'talking';
    this.conclude(m, 200);
  }

  /** The final response to an INVITE, repeated until its ACK (17.2.1, 13.3.1.4). */
  conclude(m: SipMessage, status: number): void {
    this.unheard = { m, status, at: this.lab.now + 500, wait: 500 };
    this.final();
  }

  private final(): void {
    if (this.unheard === undefined) return;
    const { m, status } = this.unheard;
    this.reply(m, status, this.tag, status === 200 ? SDP(this.user) : '', this.says);
  }

  private told(m: SipMessage): void {
    if (m.status === 481 || m.status === 500) this.complaints.push(line(m));
    const p = this.pending.find(
      (x) => x.text.includes(`branch=${m.branch};`) && x.method === m.cseqMethod,
    );
    if (p === undefined) {
      this.complaints.push(`${line(m)} to nothing`);
      return;
    }
    if (m.status < 200) {
      p.provisional = true;
      if (m.status === 180 || m.status === 183) this.heardRinging = true;
      if (m.has(H.RSeq)) this.rings(m);
      return;
    }
    const first = !p.stop;
    p.stop = true;
    if (p.method !== 'INVITE') return;
    const key = `final ${m.branch}`;
    const old = this.done.get(key);
    if (old !== undefined && old !== m.text) this.complaints.push('a second final answer');
    this.done.set(key, m.text);
    if (m.status < 300 && first && this.answer === undefined && this.state === 'calling') {
      this.answer = m;
      this.state = 'talking';
    }
    if (m.status >= 300 && first) this.state = 'over';
    if (this.answer !== undefined && m.toTag !== this.answer.toTag && this.invite === p.text) {
      this.complaints.push('the tag of the answer changed');
    }
    const offerless = !p.text.includes('application/sdp');
    this.ack(p.text, m, offerless && m.status < 300 ? SDP('late') : '');
  }
}

export type Script = { readonly at: number; readonly do: (a: Phone, b: Phone) => void }[];

export type Outcome = { steps: number; a: Phone; b: Phone; lab: Lab };

/**
 * How much the other box knows of the last input: said: all, and what it caused was sent. unsaid:
 * all, but nothing it caused had left the old box. forgotten: nothing, the old box died with it.
 */
export type Death = 'said' | 'unsaid' | 'forgotten';

/**
 * Plays a script; at the input number `swapAt` (0: never) the box is replaced. Returns how many
 * inputs there were.
 */
export function play(
  script: Script,
  swapAt: number,
  death: Death,
  prepare: (a: Phone, b: Phone) => void = () => {},
): Outcome {
  const lab = new Lab();
  const a = new Phone(lab, '1001', '192.0.2.1');
  const b = new Phone(lab, '1002', '192.0.2.2');
  lab.register(a);
  lab.register(b);
  prepare(a, b);
  let steps = 0;
  const receive = lab.receive.bind(lab);
  lab.receive = (ip, port, text): void => {
    const before = lab.air.length;
    steps += 1;
    if (steps !== swapAt || death !== 'forgotten') receive(ip, port, text);
    if (steps !== swapAt) return;
    if (death === 'unsaid') lab.air.length = before;
    lab.swap(false);
  };
  const start = lab.now;
  let next = 0;
  for (let ms = 0; ms < 45_000; ms += STEP) {
    const entry = script[next];
    if (entry !== undefined && entry.at <= lab.now - start) {
      // A user cannot lift a handset that does not ring yet.
      if (entry.at !== 600 || b.incoming !== undefined) {
        next += 1;
        entry.do(a, b);
      }
    }
    a.act();
    b.act();
    lab.pass(STEP);
  }
  return { steps, a, b, lab };
}
