/**
 * A phone that watches others, in the SIP core's lab: it subscribes, answers each NOTIFY or not, and
 * complains about what no notifier may do: a version or a CSeq that does not rise by one, another tag,
 * a NOTIFY while one is not answered, one after the last.
 */

import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { type Lab, Peer } from './call-lab.ts';

export type Note = {
  readonly m: SipMessage;
  /** Subscription-State. */
  readonly state: string;
  /** -1 in packages without versions. */
  readonly version: number;
  readonly body: string;
};

export const TYPES: { readonly [event: string]: string } = {
  dialog: 'application/dialog-info+xml',
  presence: 'application/pidf+xml',
  'message-summary': 'application/simple-message-summary',
  reg: 'application/reginfo+xml',
};

export type Ask = {
  readonly expires?: number;
  readonly extra?: string;
  readonly contact?: boolean;
  readonly event?: string;
  readonly branch?: string;
};

export class Watcher extends Peer {
  readonly complaints: string[] = [];
  readonly notes: Note[] = [];
  readonly statuses: number[] = [];
  /** What it answers a NOTIFY with; 0: nothing. */
  answers = 200;
  answerExtra = '';
  event: string;
  watched: string;
  private toTag = '';
  private lastCseq = 0;
  private readonly seen = new Map<string, string>();
  private open = '';
  over = false;

  constructor(lab: Lab, user: string, ip: string, watched: string, event = 'dialog') {
    super(lab, user, ip);
    this.watched = watched;
    this.event = event;
  }

  text(ask: Ask = {}): string {
    const expires = ask.expires === undefined ? '' : `Expires: ${ask.expires}\r\n`;
    return this.request('SUBSCRIBE', `sip:${this.watched}@192.0.2.10`, {
      ...(this.toTag === '' ? {} : { toTag: this.toTag }),
      callId: `w${this.user}${this.event}${this.watched}`,
      extra: `Event: ${ask.event ?? this.event}\r\n${expires}${ask.extra ?? ''}`,
      ...(ask.contact === false ? { contact: false } : {}),
      ...(ask.branch === undefined ? {} : { branch: ask.branch }),
    });
  }

  /** Sends a SUBSCRIBE, new or in the dialog. @returns the status it got. */
  subscribe(ask: Ask = {}): number {
    this.send(this.text(ask));
    this.act();
    return this.statuses.at(-1) ?? 0;
  }

  answer: SipMessage | undefined;

  /** Reads the post and answers it. */
  act(): void {
    for (const m of this.inbox()) {
      if (!m.isRequest) {
        this.statuses.push(m.status);
        this.answer = m;
        if (m.status === 200 && m.cseqMethod === 'SUBSCRIBE') this.toTag = m.toTag;
        continue;
      }
      if (m.method === 'NOTIFY') this.notified(m);
      else this.complaints.push(`unexpected ${m.method}`);
    }
  }

  private notified(m: SipMessage): void {
    const before = this.seen.get(m.branch);
    if (before !== undefined) {
      if (before !== m.text) this.complaints.push('a repeated NOTIFY differs');
      this.reply(m, this.answers, 'x', '', this.answerExtra);
      return;
    }
    this.seen.set(m.branch, m.text);
    if (this.open !== '') this.complaints.push('a NOTIFY while another is not answered');
    if (this.over) this.complaints.push('a NOTIFY after the last one');
    if (this.toTag !== '' && m.fromTag !== this.toTag) this.complaints.push('the tag changed');
    if (this.lastCseq !== 0 && m.cseq !== this.lastCseq + 1) {
      this.complaints.push(`CSeq ${m.cseq} after ${this.lastCseq}`);
    }
    this.lastCseq = m.cseq;
    const version = Number(/ version="(\d+)"/.exec(m.body)?.[1] ?? -1);
    const last = this.notes.at(-1);
    if (version >= 0 && version !== (last?.version ?? -1) + 1) {
      this.complaints.push(`version ${version} after ${last?.version}`);
    }
    const state = m.header(H.SubscriptionState) ?? '';
    this.over = state.startsWith('terminated');
    this.notes.push({ m, state, version, body: m.body });
    if (this.answers === 0) this.open = m.branch;
    else this.reply(m, this.answers, 'x', '', this.answerExtra);
  }

  /** Answers the NOTIFY that waits. */
  catchUp(status: number): void {
    const note = this.notes.at(-1);
    this.open = '';
    if (note !== undefined) this.reply(note.m, status, 'x');
  }

  get last(): Note {
    const note = this.notes.at(-1);
    if (note === undefined) throw new Error(`${this.user} was told nothing`);
    return note;
  }

  /** The states of the calls it was told of last. */
  get lamps(): string[] {
    return lampsOf(this.last.body);
  }
}

export function lampsOf(body: string): string[] {
  return [...body.matchAll(/<state>([a-z]+)<\/state>/g)].map((m) => m[1] as string);
}
