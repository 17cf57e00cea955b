/**
 * The box is replaced at every step of a call: rows as text into a fresh store, `resume`, and the
 * call goes on. In the hard variant everything the old box had not handed to the network is lost
 * with it, as when it dies between writing and sending. Phones here act by themselves, repeat
 * themselves as RFC 3261 17 says, and complain about anything a phone would notice: a tag that
 * changes, a CSeq that does not grow, 481, a final answer after a final answer.
 */

import test from 'ava';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, line, Peer, SDP } from './call-lab.ts';

const STEP = 50;

/** A request of ours that is repeated until it is answered. */
type Pending = {
  text: string;
  method: string;
  at: number;
  wait: number;
  stop: boolean;
  provisional: boolean;
};

class Phone extends Peer {
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
  autoAnswer = true;

  start(text: string): void {
    const method = text.slice(0, text.indexOf(' '));
    const p = { text, method, at: this.lab.now + 500, wait: 500, stop: false, provisional: false };
    this.pending.push(p);
    this.send(text);
  }

  call(uri: string, offer = true): void {
    this.state = 'calling';
    this.invite = this.request('INVITE', uri, offer ? { body: SDP(this.user) } : {});
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
    const o = { body: SDP('again') };
    this.start(
      this.answer !== undefined
        ? this.inDialog('INVITE', this.invite, this.answer, o)
        : this.backward('INVITE', this.incoming as SipMessage, this.tag, o),
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
          if (this.state === 'ringing') this.reply(m, 180, this.tag);
          return;
        }
        this.done.set(m.branch + m.method, 'x');
        if (m.toTag !== '') this.accept(m);
        else {
          this.incoming = m;
          this.state = 'ringing';
          this.reply(m, 180, this.tag);
        }
        return;
      case 'ACK':
        this.unheard = undefined;
        return;
      case 'BYE':
        this.state = 'over';
        this.reply(m, 200, this.tag);
        return;
      case 'CANCEL':
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

  /** The user lifts the handset; also the answer to a re-INVITE. */
  accept(m: SipMessage): void {
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
    this.reply(m, status, this.tag, status === 200 ? SDP(this.user) : '');
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
      if (m.status === 180) this.heardRinging = true;
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

type Script = { readonly at: number; readonly do: (a: Phone, b: Phone) => void }[];

const CALL: Script = [
  { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
  { at: 600, do: (_, b) => b.accept(b.incoming as SipMessage) },
];

const SCRIPTS: Record<string, Script> = {
  'the caller hangs up': [...CALL, { at: 2000, do: (a) => a.bye() }],
  'the callee hangs up': [...CALL, { at: 2000, do: (_, b) => b.bye() }],
  'offerless, the caller hangs up': [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10', false) },
    { at: 600, do: (_, b) => b.accept(b.incoming as SipMessage) },
    { at: 2000, do: (a) => a.bye() },
  ],
  'the caller re-INVITEs, then the callee hangs up': [
    ...CALL,
    { at: 2000, do: (a) => a.reinvite() },
    { at: 8000, do: (_, b) => b.bye() },
  ],
  'the callee re-INVITEs, then the caller hangs up': [
    ...CALL,
    { at: 2000, do: (_, b) => b.reinvite() },
    { at: 8000, do: (a) => a.bye() },
  ],
  'the caller cancels': [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
    {
      at: 600,
      do: (a) => {
        const sent = a.invite;
        a.start(
          sent
            .replace(/^INVITE/, 'CANCEL')
            .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
            .replace(/Content-Type: .*\r\n/, '')
            .replace(/Content-Length: [\s\S]*$/, 'Content-Length: 0\r\n\r\n'),
        );
      },
    },
  ],
  'the phone refuses': [
    { at: 0, do: (a) => a.call('sip:1002@192.0.2.10') },
    {
      at: 600,
      do: (_, b) => {
        b.state = 'over';
        b.conclude(b.incoming as SipMessage, 486);
      },
    },
  ],
};

type Outcome = { steps: number; a: Phone; b: Phone; lab: Lab };

/**
 * How much the other box knows of the last input: said: all, and what it caused was sent. unsaid:
 * all, but nothing it caused had left the old box. forgotten: nothing, the old box died with it.
 */
type Death = 'said' | 'unsaid' | 'forgotten';

/**
 * Plays a script; at the input number `swapAt` (0: never) the box is replaced. Returns how many
 * inputs there were.
 */
function play(script: Script, swapAt: number, death: Death): Outcome {
  const lab = new Lab();
  const a = new Phone(lab, '1001', '192.0.2.1');
  const b = new Phone(lab, '1002', '192.0.2.2');
  lab.register(a);
  lab.register(b);
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

for (const [name, script] of Object.entries(SCRIPTS)) {
  for (const death of ['said', 'unsaid', 'forgotten'] as const) {
    test(`${name}: the box is replaced at every step, its last turn ${death}`, (t) => {
      const { steps } = play(script, 0, death);
      t.true(steps > 3);
      for (let at = 0; at <= steps; at += 1) {
        const { a, b, lab } = play(script, at, death);
        const where = `step ${at}: ${a.story.join(', ')} // ${b.story.join(', ')}`;
        t.deepEqual([a.complaints, b.complaints], [[], []], where);
        t.is(a.state, 'over', where);
        t.is(b.state, 'over', where);
        if (/hangs up/.test(name)) t.not(a.answer, undefined, where);
        // Nobody repeats a 180: what is forgotten of it is forgotten.
        if (death !== 'forgotten') t.true(a.heardRinging, where);
        t.true(a.pending.every((p) => p.stop) && b.pending.every((p) => p.stop), where);
        t.is(b.unheard, undefined, where);
        lab.pass(120_000);
        t.is(lab.rows(), 2, `${where}: rows are left`);
      }
    });
  }
}

test('an established call survives any number of replacements, with growing CSeq', (t) => {
  const lab = new Lab();
  const a = new Phone(lab, '1001', '192.0.2.1');
  const b = new Phone(lab, '1002', '192.0.2.2');
  lab.register(a);
  lab.register(b);
  a.call('sip:1002@192.0.2.10');
  const settle = (): void => {
    for (let i = 0; i < 40; i += 1) {
      a.act();
      b.act();
      lab.pass(STEP);
    }
  };
  settle();
  b.accept(b.incoming as SipMessage);
  settle();
  const cseqs: number[] = [];
  for (let i = 0; i < 5; i += 1) {
    lab.swap(i % 2 === 0);
    (i % 2 === 0 ? a : b).reinvite();
    settle();
    cseqs.push(
      Number(
        (i % 2 === 0 ? b : a).story
          .filter((s) => s.startsWith('INVITE'))
          .at(-1)
          ?.split(' ')
          .at(-1),
      ),
    );
  }
  t.deepEqual(cseqs, [2, 1, 3, 2, 4]);
  lab.swap(false);
  a.bye();
  settle();
  t.deepEqual([a.complaints, b.complaints], [[], []]);
  t.is(b.state, 'over');
});
