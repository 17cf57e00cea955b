/**
 * A party that acts by itself, for tests that replace the box at every step: it repeats its requests
 * and final responses as RFC 3261 17 says, answers by a script, and complains about what a neighbour
 * would notice: a tag that changes, a CSeq that does not grow, 481, two final answers.
 */

import type { SipMessage } from '../../src/sip-parser/index.ts';
import { type Lab, line, Peer, SDP } from './call-lab.ts';

type Asked = {
  text: string;
  method: string;
  at: number;
  wait: number;
  done: boolean;
  heard: boolean;
};
type Final = { m: SipMessage; status: number; extra: string; at: number; wait: number };

/** What a party does with an INVITE: statuses one after the other, `extra` with the last one. */
export type Answers = readonly {
  readonly after: number;
  readonly status: number;
  readonly extra?: string;
}[];

export class Party extends Peer {
  readonly complaints: string[] = [];
  readonly story: string[] = [];
  /** Decides about a new request; default: INVITE rings and is answered, all else is 200. */
  script: (m: SipMessage) => Answers = (m) =>
    m.method === 'INVITE'
      ? [
          { after: 0, status: 180 },
          { after: 300, status: 200 },
        ]
      : [{ after: 0, status: 200 }];
  asked: Asked[] = [];
  finals = new Map<string, Final>();
  /** Dialogs as callee: Call-ID → up or over. */
  readonly dialogs = new Map<string, 'ringing' | 'up' | 'over'>();
  invite = '';
  answer: SipMessage | undefined;
  refusal = 0;
  lastIn: SipMessage | undefined;
  private readonly later: { at: number; m: SipMessage; status: number; extra: string }[] = [];
  private readonly said = new Map<string, string>();
  private readonly cseqs = new Map<string, number>();

  constructor(lab: Lab, user: string, ip: string) {
    super(lab, user, ip);
  }

  ask(text: string): void {
    const method = text.slice(0, text.indexOf(' '));
    this.asked.push({ text, method, at: this.lab.now + 500, wait: 500, done: false, heard: false });
    this.send(text);
  }

  call(number: string): void {
    this.invite = this.request('INVITE', `sip:${number}@192.0.2.10`, { body: SDP(this.user) });
    this.ask(this.invite);
  }

  bye(): void {
    if (this.answer !== undefined) {
      this.ask(this.inDialog('BYE', this.invite, this.answer, { contact: false }));
    } else if (this.lastIn !== undefined) {
      this.dialogs.set(this.lastIn.callId, 'over');
      this.ask(this.backward('BYE', this.lastIn, `t${this.user}`, { contact: false, cseq: 50 }));
    }
  }

  giveUp(): void {
    this.ask(
      this.invite
        .replace(/^INVITE/, 'CANCEL')
        .replace(/CSeq: (\d+) INVITE/, 'CSeq: $1 CANCEL')
        .replace(/Content-Type: .*\r\n/, '')
        .replace(/Content-Length: [\s\S]*$/, 'Content-Length: 0\r\n\r\n'),
    );
  }

  act(): void {
    const { now } = this.lab;
    for (const m of this.inbox()) {
      this.story.push(`${line(m)} ${m.cseq}`);
      if (m.isRequest) this.requested(m);
      else this.responded(m);
    }
    for (const due of this.later.filter((l) => l.at <= now)) {
      this.later.splice(this.later.indexOf(due), 1);
      if (due.m.method !== 'INVITE' || !this.finals.has(due.m.branch))
        this.say(due.m, due.status, due.extra);
    }
    for (const a of this.asked) {
      if (a.done || a.at > now || (a.method === 'INVITE' && a.heard)) continue;
      a.wait = a.method === 'INVITE' ? a.wait * 2 : Math.min(a.wait * 2, 4000);
      a.at = now + a.wait;
      this.send(a.text);
    }
    for (const f of this.finals.values()) {
      if (f.at > now) continue;
      f.wait = Math.min(f.wait * 2, 4000);
      f.at = now + f.wait;
      this.put(f.m, f.status, f.extra);
    }
  }

  private put(m: SipMessage, status: number, extra: string): void {
    const sdp = m.method === 'INVITE' && status === 200 ? SDP(this.user) : '';
    this.reply(m, status, `t${this.user}`, sdp, extra);
  }

  private say(m: SipMessage, status: number, extra: string): void {
    this.said.set(m.branch + m.method, `${status} ${extra}`);
    if (m.method === 'INVITE' && m.toTag === '' && status === 180) {
      this.dialogs.set(m.callId, 'ringing');
    }
    if (m.method === 'INVITE' && status >= 200) {
      this.finals.set(m.branch, { m, status, extra, at: this.lab.now + 500, wait: 500 });
      if (m.toTag === '') this.dialogs.set(m.callId, status < 300 ? 'up' : 'over');
    }
    this.put(m, status, extra);
  }

  private requested(m: SipMessage): void {
    if (m.method === 'ACK') {
      for (const [branch, f] of this.finals) {
        if (f.m.callId === m.callId && f.m.cseq === m.cseq) {
          this.finals.delete(branch);
          this.said.set(`${branch}INVITE`, '');
        }
      }
      return;
    }
    const before = this.said.get(m.branch + m.method);
    if (before !== undefined) {
      const [status, ...rest] = before.split(' ');
      if (before !== '' && Number(status) > 0) this.put(m, Number(status), rest.join(' '));
      return;
    }
    this.said.set(m.branch + m.method, '');
    if (m.method === 'CANCEL') {
      this.say(m, 200, '');
      const ringing = this.later.filter((l) => l.m.branch === m.branch);
      for (const l of ringing) this.later.splice(this.later.indexOf(l), 1);
      const got = this.lastIn;
      if (
        got?.branch === m.branch &&
        !this.finals.has(m.branch) &&
        this.dialogs.get(m.callId) !== 'up'
      ) {
        this.say(got, 487, '');
      }
      return;
    }
    const last = this.cseqs.get(m.callId) ?? 0;
    if (m.cseq <= last) this.complaints.push(`${m.method} ${m.cseq} after ${last}`);
    this.cseqs.set(m.callId, m.cseq);
    if (m.method === 'INVITE') {
      this.lastIn = m;
    }
    if (m.method === 'BYE' && this.dialogs.has(m.callId)) this.dialogs.set(m.callId, 'over');
    for (const { after, status, extra = '' } of this.script(m)) {
      if (after === 0) this.say(m, status, extra);
      else this.later.push({ at: this.lab.now + after, m, status, extra });
    }
  }

  private responded(m: SipMessage): void {
    if (m.status === 481) this.complaints.push(line(m));
    const a = this.asked.find(
      (x) => x.text.includes(`branch=${m.branch};`) && x.method === m.cseqMethod,
    );
    if (a === undefined) return;
    if (m.status < 200) {
      a.heard = true;
      return;
    }
    const first = !a.done;
    a.done = true;
    if (a.method !== 'INVITE') return;
    if (first && m.status < 300) this.answer = m;
    else if (first) this.refusal = m.status;
    else if (
      (m.status < 300 ? 200 : m.status) !== (this.answer === undefined ? this.refusal : 200)
    ) {
      this.complaints.push(`a second final answer: ${m.status}`);
    }
    if (this.answer !== undefined && m.toTag !== this.answer.toTag) {
      this.complaints.push('the tag of the answer changed');
    }
    this.ack(a.text, m);
  }
}
