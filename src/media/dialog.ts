/**
 * A dialog of the media service (RFC 3261 12.1.1), and what it says in it. Nothing in it would be
 * missed after a switchover: tag and Contact hold all of it, and the engine keeps both.
 */

import { createHmac } from 'node:crypto';
import type { Instant } from '../base/units.ts';
import { LOCAL_MEDIA } from '../proto/media.ts';
import { withoutTag } from '../proto/sip/text.ts';
import { H, requestText, type SipMessage } from '../sip-parser/index.ts';
import type { Here, Remote } from './description.ts';
import { type Bearings, contactUri, type Treatment } from './treatment.ts';

export const HOST = LOCAL_MEDIA.ip;

/** RFC 3261 17.1.1.1, and how long anything is repeated. */
const T1 = 500;
const T2 = 4000;
const GIVE_UP = 64 * T1;
/** Requests that wait for their turn in a dialog; a caller who presses more keys loses them. */
const MOST_WAITING = 64;
/** CSeq numbers a second: they grow by the pair clock, so that those of another box are lower. */
const CSEQ_MS = 10;

/** Something of ours that is repeated until it is answered. */
export type Waiting = {
  readonly text: string;
  readonly method: string;
  readonly cseq: number;
  resendAt: Instant;
  wait: number;
  readonly giveUpAt: Instant;
};

/** The last request of the other side that changed the session, and what it was answered. */
export type Answered = { readonly branch: string; readonly cseq: number; readonly text: string };

export type Dialog = {
  /** Call-ID and our tag. */
  readonly id: string;
  readonly callId: string;
  readonly tag: string;
  readonly remoteTag: string;
  /** Values of From and To without tags, as we say them: ours, the other side's. */
  readonly localUri: string;
  readonly remoteUri: string;
  target: string;
  remoteCseq: number;
  cseq: number;
  /** What was asked for, and since when. */
  service: string;
  treatment: Treatment;
  bearings: Bearings;
  remote: Remote | undefined;
  here: Here;
  /** The description we said last; the version of its o= line belongs to it. */
  said: string;
  /** Our offer waits for the answer of an ACK. */
  offering: boolean;
  /** The ACK to our last 2xx is awaited. */
  unheard: Waiting | undefined;
  answered: Answered | undefined;
  /** Requests of ours: the first is out, the others wait for its end. */
  readonly requests: Waiting[];
  readonly later: { readonly method: string; readonly type: string; readonly body: string }[];
  /** When the other side is asked whether it still knows the dialog. */
  probeAt: Instant;
  /** Our BYE is out. */
  ending: boolean;
};

/** The tag of a dialog: it can be checked by whoever has the pair key, and made by nobody else. */
export function tagFor(key: string, callId: string, remoteTag: string, at: Instant): string {
  const text = `media ${callId}\n${remoteTag}\n${at}`;
  return `m${createHmac('sha256', key).update(text).digest('hex').slice(0, 20)}`;
}

export function contactIn(d: Dialog): string {
  return `<${contactUri(HOST, d.service, d.bearings)}>`;
}

/** Both sides' names, from a request of the other side. */
export function sidesIn(m: SipMessage): { localUri: string; remoteUri: string } {
  return {
    localUri: withoutTag(m.header(H.To) ?? ''),
    remoteUri: withoutTag(m.header(H.From) ?? ''),
  };
}

export function waiting(text: string, method: string, cseq: number, now: Instant): Waiting {
  return { text, method, cseq, resendAt: now + T1, wait: T1, giveUpAt: now + GIVE_UP };
}

/** Asks in the dialog, after everything that was asked before. @returns the text to send, if any. */
export function ask(d: Dialog, now: Instant, method: string, type = '', body = ''): string {
  if (d.ending || d.later.length >= MOST_WAITING) return '';
  d.later.push({ method, type, body });
  if (method === 'BYE') d.ending = true;
  return next(d, now);
}

/** The next request of a dialog, when none is out. */
export function next(d: Dialog, now: Instant): string {
  const wish = d.requests.length === 0 ? d.later.shift() : undefined;
  if (wish === undefined) return '';
  d.cseq = Math.max(d.cseq + 1, Math.floor((now - d.bearings.at) / CSEQ_MS) + 1);
  const text = requestText({
    method: wish.method,
    uri: d.target,
    via: `SIP/2.0/UDP ${HOST}:${LOCAL_MEDIA.port};branch=z9hG4bK${d.tag}${d.cseq};rport`,
    from: `${d.localUri};tag=${d.tag}`,
    to: `${d.remoteUri};tag=${d.remoteTag}`,
    callId: d.callId,
    cseq: d.cseq,
    maxForwards: 70,
    contact: '',
    routes: '',
    extra: '',
    contentType: wish.type,
    body: wish.body,
  });
  d.requests.push(waiting(text, wish.method, d.cseq, now));
  return text;
}

/** What is to be said again now; `over` when nobody answers any more. */
export function repeated(w: Waiting, now: Instant): string | 'over' | undefined {
  if (now >= w.giveUpAt) return 'over';
  if (now < w.resendAt) return undefined;
  w.wait = Math.min(2 * w.wait, T2);
  w.resendAt = now + w.wait;
  return w.text;
}
