/**
 * A phone that acts by itself in several dialogs: it repeats what RFC 3261 17 says, answers what it
 * is asked, and complains about what a phone would notice: a tag that changes, a CSeq that does not
 * grow, a request in no dialog, a final answer after another.
 */

import { H, parseMessage, type SipMessage } from '../../src/sip-parser/index.ts';
import { type Lab, line, Peer, SDP, uriIn } from './call-lab.ts';

type Pending = {
  readonly text: string;
  readonly method: string;
  readonly branch: string;
  at: number;
  wait: number;
  provisional: boolean;
  final: string;
};

type Talk = {
  readonly callId: string;
  readonly tag: string;
  remoteTag: string;
  readonly local: string;
  readonly remote: string;
  target: string;
  seen: number;
  state: 'calling' | 'ringing' | 'talking' | 'over';
  invite: SipMessage | undefined;
  /** What it last heard the other side describe. */
  heard: string;
  /** Offers it refused since. */
  refused: number;
  /** The Request-URI it was called by. */
  readonly asked: string;
};

export class TransferPhone extends Peer {
  readonly complaints: string[] = [];
  readonly story: string[] = [];
  readonly talks = new Map<string, Talk>();
  readonly fragments: string[] = [];
  /** NOTIFYs by which it was steered, and digits it was sent. */
  readonly steered: string[] = [];
  digits = '';
  /** What it answers the next re-INVITEs with; 0: nothing. */
  reinvites: number[] = [];
  pending: Pending[] = [];
  /** Final answers to INVITEs that wait for their ACK, by Call-ID and CSeq. */
  private readonly unheard = new Map<string, { send: () => void; at: number; wait: number }>();
  private readonly known = new Map<string, () => void>();
  answers: 'never' | 'soon' | 'refuses' = 'soon';
  /** Provisional responses with descriptions: the tags they came with. */
  readonly early: string[] = [];
  private version = 0;

  constructor(lab: Lab, user: string, ip: string) {
    super(lab, user, ip);
  }

  private start(text: string): void {
    const m = parseMessage(text) as SipMessage;
    this.pending.push({
      text,
      method: m.method,
      branch: m.branch,
      at: this.lab.now + 500,
      wait: 500,
      provisional: false,
      final: '',
    });
    this.send(text);
  }

  get idle(): boolean {
    return this.unheard.size === 0 && this.pending.every((p) => p.final !== '');
  }

  living(): Talk[] {
    return [...this.talks.values()].filter((t) => t.state === 'talking');
  }

  private describe(): string {
    this.version += 1;
    const origin = `o=${this.user} ${this.user}7 ${this.version} IN IP4 ${this.ip}`;
    return SDP(`${this.user}v${this.version}`).replace(/o=[^\r]*/, origin);
  }

  call(number: string): Talk {
    const callId = `${this.user}n${this.talks.size}`;
    const tag = `t${this.talks.size}u${this.user}`;
    const uri = `sip:${number}@192.0.2.10`;
    const talk: Talk = {
      callId,
      tag,
      remoteTag: '',
      local: this.aor,
      remote: uri,
      target: uri,
      seen: 0,
      state: 'calling',
      invite: undefined,
      heard: '',
      refused: 0,
      asked: '',
    };
    this.talks.set(callId, talk);
    this.start(this.request('INVITE', uri, { fromTag: tag, callId, body: this.describe() }));
    return talk;
  }

  /** A request in a dialog. */
  ask(talk: Talk, method: string, extra = '', body = ''): void {
    this.start(this.inside(talk, method, extra, body));
  }

  private inside(talk: Talk, method: string, extra = '', body = '', cseq = 0): string {
    return this.request(method, talk.target, {
      to: talk.remote,
      toTag: talk.remoteTag,
      fromTag: talk.tag,
      callId: talk.callId,
      extra,
      body,
      ...(cseq > 0 ? { cseq } : {}),
    });
  }

  /**
   * RFC 3264 8: one session, one origin line, and a version that grows by one when anything changed; an
   * offer that was refused was said, too.
   */
  private hears(talk: Talk, body: string): void {
    if (body === '') return;
    const [before, now] = [talk.heard, body].map((text) => /o=(\S+ \S+) (\d+) ([^\r]+)/.exec(text));
    if (before && now) {
      const same = talk.heard.replace(before[0], '') === body.replace(now[0], '');
      const grown = Number(now[2]) - Number(before[2]);
      const one = before[1] === now[1] && before[3] === now[3];
      // back to what it was before an offer it refused, the session has changed twice
      const most = same && talk.refused === 0 ? 0 : 1 + talk.refused;
      if (!one || grown < (same ? 0 : 1) || grown > most) {
        this.complaints.push(`${before[0]} became ${now[0]}`);
      }
    }
    talk.heard = body;
    talk.refused = 0;
  }

  bye(talk: Talk): void {
    if (talk.state !== 'talking') return;
    talk.state = 'over';
    this.ask(talk, 'BYE');
  }

  act(): void {
    for (const m of this.inbox()) {
      this.story.push(`${line(m)} ${m.cseq}`);
      if (m.isRequest) this.asked(m);
      else this.told(m);
    }
    const { now } = this.lab;
    for (const p of this.pending) {
      if (p.final !== '' || p.at > now || (p.method === 'INVITE' && p.provisional)) continue;
      p.wait = p.method === 'INVITE' ? p.wait * 2 : Math.min(p.wait * 2, 4000);
      p.at = now + p.wait;
      this.send(p.text);
    }
    for (const u of this.unheard.values()) {
      if (u.at > now) continue;
      u.wait = Math.min(u.wait * 2, 4000);
      u.at = now + u.wait;
      u.send();
    }
  }

  private conclude(m: SipMessage, talk: Talk, status: number): void {
    const body = status === 200 ? this.describe() : '';
    const send = (): void => this.reply(m, status, talk.tag, body);
    this.unheard.set(`${m.callId} ${m.cseq}`, { send, at: this.lab.now + 500, wait: 500 });
    send();
  }

  private asked(m: SipMessage): void {
    if (m.method === 'ACK') {
      this.unheard.delete(`${m.callId} ${m.cseq}`);
      const talk = this.talks.get(m.callId);
      if (talk !== undefined) this.hears(talk, m.body);
      return;
    }
    const again = this.known.get(m.branch + m.method);
    if (again !== undefined) {
      again();
      return;
    }
    const talk = this.talks.get(m.callId);
    if (m.method === 'CANCEL') {
      this.reply(m, 200, talk?.tag ?? 'x');
      if (talk?.state === 'ringing' && talk.invite !== undefined) {
        talk.state = 'over';
        this.conclude(talk.invite, talk, 487);
      }
      return;
    }
    if (talk === undefined) {
      if (m.method === 'INVITE' && m.toTag === '') this.rings(m);
      else this.complaints.push(`${m.method} in no dialog`);
      return;
    }
    if (m.cseq <= talk.seen) this.complaints.push(`${m.method} ${m.cseq} after ${talk.seen}`);
    if (m.fromTag !== talk.remoteTag) this.complaints.push(`tag of ${m.method} changed`);
    talk.seen = m.cseq;
    this.inDialogAsked(m, talk);
  }

  private inDialogAsked(m: SipMessage, talk: Talk): void {
    const key = m.branch + m.method;
    const say = (status: number): void => {
      const send = (): void => this.reply(m, status, talk.tag);
      this.known.set(key, send);
      send();
    };
    if (m.method === 'INVITE') {
      this.known.set(key, () => {});
      if (talk.state !== 'talking') {
        this.complaints.push(`re-INVITE when ${talk.state}`);
        this.conclude(m, talk, 481);
        return;
      }
      const status = this.reinvites.shift() ?? 200;
      if (status === 200) this.hears(talk, m.body);
      else if (m.body !== '') talk.refused += 1;
      if (status > 0) this.conclude(m, talk, status);
    } else if (m.method === 'NOTIFY' && /^(?:talk|hold)$/.test(m.header(H.Event) ?? '')) {
      say(200);
      this.steered.push(m.header(H.Event) ?? '');
      if (m.header(H.Event) === 'talk' && talk.state === 'ringing') this.lift();
    } else if (m.method === 'INFO') {
      say(200);
      this.digits += /Signal=(.)/.exec(m.body)?.[1] ?? '';
    } else if (m.method === 'NOTIFY') {
      this.fragments.push(
        `${m.body.split(' ')[1]} ${/^[a-z]+/.exec(m.header(H.SubscriptionState) ?? '')?.[0]}`,
      );
      say(200);
    } else if (m.method === 'BYE') {
      talk.state = 'over';
      say(200);
    } else {
      this.complaints.push(`unexpected ${m.method}`);
      say(405);
    }
  }

  private rings(m: SipMessage): void {
    const talk: Talk = {
      callId: m.callId,
      tag: `t${this.talks.size}u${this.user}`,
      remoteTag: m.fromTag,
      local: this.aor,
      remote: uriIn(m.header(H.From) ?? ''),
      target: m.contactUri,
      seen: m.cseq,
      state: 'ringing',
      invite: m,
      heard: m.body,
      refused: 0,
      asked: m.requestUri,
    };
    this.talks.set(m.callId, talk);
    this.known.set(m.branch + m.method, () => {
      if (talk.state === 'ringing') this.reply(m, 180, talk.tag);
    });
    this.reply(m, 180, talk.tag);
  }

  /** Ends whatever it has: by CANCEL, a refusal, or BYE. */
  hangUp(): void {
    for (const talk of this.talks.values()) {
      if (talk.state === 'talking') this.bye(talk);
      else if (talk.state === 'calling') this.withdraw(talk);
    }
    while (this.lift(486));
  }

  private withdraw(talk: Talk): void {
    const sent = this.pending.find((p) => p.method === 'INVITE' && p.text.includes(talk.callId));
    if (sent === undefined || sent.final !== '' || !sent.provisional) return;
    if (this.pending.some((p) => p.method === 'CANCEL' && p.branch === sent.branch)) return;
    const m = parseMessage(sent.text) as SipMessage;
    const { requestUri, fromTag, callId, cseq, branch } = m;
    const same = { fromTag, callId, cseq, branch, contact: false };
    this.start(this.request('CANCEL', requestUri, same));
  }

  /** Lifts the handset, or refuses, whatever rings. */
  lift(status = 200): boolean {
    for (const talk of this.talks.values()) {
      if (talk.state !== 'ringing' || talk.invite === undefined) continue;
      talk.state = status === 200 ? 'talking' : 'over';
      this.conclude(talk.invite, talk, status);
      return true;
    }
    return false;
  }

  private told(m: SipMessage): void {
    const p = this.pending.find((x) => x.branch === m.branch && x.method === m.cseqMethod);
    if (p === undefined) {
      this.complaints.push(`${line(m)} to nothing`);
      return;
    }
    if (m.status < 200) {
      p.provisional = true;
      const talk = this.talks.get(m.callId);
      if (m.body !== '') this.early.push(m.toTag);
      // RFC 3261 12.1: another tag is another early dialog, and the answer may be of either
      if (talk !== undefined && m.toTag !== '' && (talk.remoteTag === '' || m.body !== '')) {
        talk.remoteTag = m.toTag;
      }
      return;
    }
    if (p.final !== '' && p.final !== m.text && m.status < 300) {
      this.complaints.push('a second final answer');
    }
    const first = p.final === '';
    p.final = m.text;
    const talk = this.talks.get(m.callId) as Talk;
    if (m.status === 481 && talk.state !== 'over') this.complaints.push(line(m));
    if (p.method !== 'INVITE') return;
    if (m.status >= 300) {
      if (talk.state === 'calling') talk.state = 'over';
      this.ack(p.text, m);
      return;
    }
    if (first) {
      this.hears(talk, m.body);
      talk.target = m.contactUri;
      const forked = this.early.includes(talk.remoteTag);
      if (forked && talk.remoteTag === m.toTag)
        this.complaints.push('a second answer in one dialog');
      if (talk.remoteTag !== '' && talk.remoteTag !== m.toTag && !forked) {
        this.complaints.push('other tag');
      }
      talk.remoteTag = m.toTag;
      if (talk.state === 'calling') talk.state = 'talking';
    }
    this.send(this.inside(talk, 'ACK', '', '', m.cseq));
  }
}
