/**
 * The media service as a SIP user agent (RFC 4240): texts in, texts out. The engine is the only one
 * that can speak with it.
 *
 *   INVITE ─┬ 404, 488, 486, 503 …
 *           └ 200 ─ ACK ─ plays ─┬ INFO: a digit, as soon as a key goes down
 *                                ├ re-INVITE, UPDATE: hold, another address, another treatment
 *                                ├ the announcement ends ─ BYE, or with stay=yes INFO {"event":"end"}
 *                                └ BYE
 *
 * A request in a dialog it does not know, whose tag is of this pair: the other box answered the
 * INVITE. With a re-INVITE or an UPDATE that brings a description the session is made again and goes on
 * where it was by the pair clock.
 */

import type { Instant } from '../base/units.ts';
import { DTMF_RELAY, MEDIA_JSON } from '../proto/media.ts';
import {
  bodyOfType,
  H,
  isFault,
  M,
  parseMessage,
  reasonPhrase,
  responseText,
  type SipMessage,
  validateRequest,
  validateResponse,
} from '../sip-parser/index.ts';
import { answerText, type Described, describedIn, offerText } from './description.ts';
import {
  ask,
  contactIn,
  type Dialog,
  HOST,
  next,
  repeated,
  sidesIn,
  tagFor,
  waiting,
} from './dialog.ts';
import type { Digit } from './dtmf.ts';
import type { Library } from './library.ts';
import type { Studio } from './studio.ts';
import { type Bearings, contactUri, type Treatment, treatmentOf, wishIn } from './treatment.ts';

/** Sockets of the sessions. */
export type Ports = {
  /**
   * Opens a port for a session: the wanted one if it can be had (0: any). @returns 0 when there is
   * none.
   */
  take(id: string, family: 4 | 6, wanted: number): number;
  free(id: string): void;
};

export type AgentSettings = {
  /** The addresses media is sent from; `vip6` '' for none. */
  readonly vip: string;
  readonly vip6: string;
  /** Common to both boxes. */
  readonly key: string;
};

const ALLOW = 'Allow: INVITE, ACK, BYE, CANCEL, INFO, UPDATE, OPTIONS\r\n';
const SDP = 'application/sdp';
/** A dialog that was silent for so long is asked after: the engine may have lost it. */
const PROBE_MS = 600_000;
/** Value of Retry-After when there is no room. */
const RETRY_S = 5;
/** That there is none is told so often. */
const TELL_MS = 60_000;

/** Methods that exist, but not here: 405. Others: 501. */
const KNOWN: ReadonlySet<number> = new Set([
  M.REGISTER,
  M.SUBSCRIBE,
  M.NOTIFY,
  M.REFER,
  M.MESSAGE,
  M.PUBLISH,
  M.PRACK,
]);

export class Agent {
  /** What is to be said to the engine; the edge empties it. */
  readonly out: string[] = [];
  /** What an operator should hear; the edge empties it. */
  readonly told: string[] = [];
  /** Times there was no session or no port for somebody. */
  full = 0;
  private readonly dialogs = new Map<string, Dialog>();
  /** By Call-ID and tag of the other side: a repeated INVITE has no tag of ours. */
  private readonly calls = new Map<string, Dialog>();
  private fullToldAt: Instant = -TELL_MS;
  private readonly settings: AgentSettings;
  private readonly library: Library;
  private readonly studio: Studio;
  private readonly ports: Ports;

  constructor(settings: AgentSettings, library: Library, studio: Studio, ports: Ports) {
    this.settings = settings;
    this.library = library;
    this.studio = studio;
    this.ports = ports;
  }

  get size(): number {
    return this.dialogs.size;
  }

  /** One message of the engine. Never throws on it. */
  receive(now: Instant, text: string): void {
    const m = parseMessage(text);
    if (isFault(m)) return;
    if (!m.isRequest) {
      if (validateResponse(m) === undefined) this.response(now, m);
      return;
    }
    if (validateRequest(m) === undefined) this.request(now, m);
    else if (m.methodId !== M.ACK) this.refuse(m, 400);
  }

  /** Everything is dropped: this box is not the one that plays. */
  clear(): void {
    for (const d of this.dialogs.values()) this.ports.free(d.id);
    this.dialogs.clear();
    this.calls.clear();
    this.studio.clear();
    this.out.length = 0;
  }

  // ── what the studio tells ────────────────────────────────────────────────────────────────────

  digit(now: Instant, id: string, digit: Digit): void {
    const body = `Signal=${digit.digit}\r\nDuration=${Math.max(digit.ms, 1)}\r\nStamp=${digit.stamp}\r\n`;
    this.ask(now, id, 'INFO', DTMF_RELAY, body);
  }

  /** An announcement came to its end. RFC 4240 3.2: "the media server ... issues a BYE". */
  ended(now: Instant, id: string): void {
    const d = this.dialogs.get(id);
    if (d?.treatment.kind !== 'announcement') return;
    if (d.treatment.stay) this.ask(now, id, 'INFO', MEDIA_JSON, '{"event":"end"}');
    else this.hangUp(now, d);
  }

  private ask(now: Instant, id: string, method: string, type = '', body = ''): void {
    const d = this.dialogs.get(id);
    if (d !== undefined) this.say(ask(d, now, method, type, body));
  }

  private hangUp(now: Instant, d: Dialog): void {
    this.say(ask(d, now, 'BYE'));
    this.studio.end(d.id);
    this.ports.free(d.id);
  }

  private say(text: string): void {
    if (text !== '') this.out.push(text);
  }

  // ── time ─────────────────────────────────────────────────────────────────────────────────────

  /** Says again what was not answered. Called a few times a second. */
  due(now: Instant): void {
    for (const d of this.dialogs.values()) {
      const late = d.unheard === undefined ? undefined : repeated(d.unheard, now);
      if (late === 'over') {
        // RFC 3261 13.3.1.4: without an ACK "the session SHOULD be terminated" by BYE
        d.unheard = undefined;
        this.hangUp(now, d);
      } else if (late !== undefined) this.say(late);
      const first = d.requests[0];
      const again = first === undefined ? undefined : repeated(first, now);
      if (again === 'over') this.forget(d);
      else if (again !== undefined) this.say(again);
      else if (d.probeAt <= now && first === undefined) {
        d.probeAt = now + PROBE_MS;
        this.ask(now, d.id, 'OPTIONS');
      }
    }
  }

  private response(now: Instant, m: SipMessage): void {
    if (m.status < 200) return;
    const d = this.dialogs.get(`${m.callId} ${m.fromTag}`);
    const first = d?.requests[0];
    if (d === undefined || first === undefined || first.cseq !== m.cseq) return;
    if (first.method !== m.cseqMethod) return;
    d.requests.shift();
    // RFC 3261 12.2.1.2: 481 or 408 end the dialog
    if (first.method === 'BYE' || m.status === 481 || m.status === 408) this.forget(d);
    else this.say(next(d, now));
  }

  private forget(d: Dialog): void {
    this.dialogs.delete(d.id);
    this.calls.delete(`${d.callId} ${d.remoteTag}`);
    this.studio.end(d.id);
    this.ports.free(d.id);
  }

  // ── requests ─────────────────────────────────────────────────────────────────────────────────

  private request(now: Instant, m: SipMessage): void {
    if (m.toTag === '') {
      if (m.methodId === M.INVITE) this.invite(now, m);
      else if (m.methodId === M.OPTIONS) this.options(m);
      else if (m.methodId === M.CANCEL) this.cancel(m);
      else this.stray(m);
      return;
    }
    const d = this.dialogs.get(`${m.callId} ${m.toTag}`);
    if (d === undefined) {
      this.unknown(now, m);
      return;
    }
    if (d.remoteTag !== m.fromTag) {
      if (m.methodId !== M.ACK) this.refuse(m, 481);
      return;
    }
    d.probeAt = now + PROBE_MS;
    if (m.methodId === M.ACK) this.ack(now, m, d);
    else this.inDialog(now, m, d);
  }

  /** Without a dialog. */
  private stray(m: SipMessage): void {
    if (m.methodId === M.ACK) return;
    if (m.methodId === M.BYE || m.methodId === M.INFO || m.methodId === M.UPDATE) {
      this.refuse(m, 481);
    } else this.notHere(m);
  }

  private notHere(m: SipMessage): void {
    this.refuse(m, KNOWN.has(m.methodId) ? 405 : 501, ALLOW);
  }

  private options(m: SipMessage): void {
    this.answer(m, 200, '', `${ALLOW}Accept: ${SDP}\r\n`);
  }

  /** Our INVITEs are answered at once: there is nothing left to cancel (RFC 3261 9.2). */
  private cancel(m: SipMessage): void {
    const d = this.calls.get(`${m.callId} ${m.fromTag}`);
    if (d?.answered?.branch === m.branch) this.answer(m, 200, d.tag);
    else this.refuse(m, 481);
  }

  private invite(now: Instant, m: SipMessage): void {
    const before = this.calls.get(`${m.callId} ${m.fromTag}`);
    if (before !== undefined) {
      const { answered } = before;
      if (answered?.branch === m.branch && answered.cseq === m.cseq) this.out.push(answered.text);
      // RFC 3261 8.2.2.2
      else this.refuse(m, 482);
      return;
    }
    const wish = wishIn(m.requestUri);
    // RFC 3261 8.2.2.3
    if (m.has(H.Require)) this.refuse(m, 420, `Unsupported: ${m.values(H.Require).join(', ')}\r\n`);
    else if (wish === undefined) this.refuse(m, 404);
    else this.begin(now, m, wish.service, { at: now, since: now, port: 0 });
  }

  /** A dialog of the other box, or of ours before everything was dropped. */
  private unknown(now: Instant, m: SipMessage): void {
    if (m.methodId === M.ACK) return;
    const wish = wishIn(m.requestUri);
    const at = wish?.bearings?.at ?? 0;
    if (wish?.bearings === undefined || m.toTag !== this.tagOf(m, at)) {
      this.refuse(m, 481);
      return;
    }
    const offers = bodyOfType(m, SDP) !== undefined;
    if (m.methodId === M.BYE) this.answer(m, 200, m.toTag);
    else if (m.methodId === M.INVITE || (m.methodId === M.UPDATE && offers)) {
      this.begin(now, m, wish.service, wish.bearings);
    } else this.refuse(m, 481);
  }

  private tagOf(m: SipMessage, at: Instant): string {
    return tagFor(this.settings.key, m.callId, m.fromTag, at);
  }

  /** A dialog begins, here or again. */
  private begin(now: Instant, m: SipMessage, service: string, wanted: Bearings): void {
    const again = m.toTag !== '';
    const treatment = this.treatmentFor(service, again);
    if (typeof treatment === 'number') {
      this.refuse(m, treatment);
      return;
    }
    const described = this.offerIn(m);
    if (typeof described === 'number') {
      this.refuse(m, described, `Accept: ${SDP}\r\n`);
      return;
    }
    const family = described?.remote.family ?? 4;
    const ip = family === 6 ? this.settings.vip6 : this.settings.vip;
    const tag = again ? m.toTag : this.tagOf(m, wanted.at);
    const id = `${m.callId} ${tag}`;
    const full = ip === '' ? 488 : this.studio.refuses(treatment, id);
    const port = full === 0 ? this.ports.take(id, family, wanted.port) : 0;
    if (port === 0) {
      if (full === 503 || full === 0) this.tellFull(now, full === 0 ? 'ports' : 'sessions');
      this.refuse(m, full === 0 ? 503 : full, `Retry-After: ${RETRY_S}\r\n`);
      return;
    }
    const d: Dialog = {
      id,
      callId: m.callId,
      tag,
      remoteTag: m.fromTag,
      ...sidesIn(m),
      target: m.contactUri,
      remoteCseq: m.cseq,
      cseq: 0,
      service,
      treatment,
      bearings: { ...wanted, port },
      remote: undefined,
      here: { ip, port, id: wanted.at, version: now },
      said: '',
      offering: false,
      unheard: undefined,
      answered: undefined,
      requests: [],
      later: [],
      probeAt: now + PROBE_MS,
      ending: false,
    };
    this.dialogs.set(id, d);
    this.calls.set(`${d.callId} ${d.remoteTag}`, d);
    this.agree(now, m, d, described);
  }

  private tellFull(now: Instant, what: string): void {
    this.full += 1;
    if (now < this.fullToldAt + TELL_MS) return;
    this.fullToldAt = now;
    this.told.push(`media: all ${what} are in use: callers hear nothing`);
  }

  /** The description in a message; undefined for none, or why it cannot be taken. */
  private offerIn(m: SipMessage): Described | undefined | 415 | 488 {
    if (m.body === '') return undefined;
    const body = bodyOfType(m, SDP);
    return body === undefined ? 415 : (describedIn(body) ?? 488);
  }

  private treatmentFor(service: string, inDialog: boolean): Treatment | number {
    const found = treatmentOf(service, this.library);
    return typeof found === 'number' && inDialog ? this.substitute(service, found) : found;
  }

  /** A prompt that this box lacks: silence that is over at once, so that the call goes on. */
  private substitute(service: string, status: number): Treatment | number {
    const silence = this.library.find('silence');
    if (status !== 404 || !service.startsWith('annc@') || silence === undefined) return status;
    this.told.push(`media: a prompt is missing on this box: ${contactUri(HOST, service, NOWHERE)}`);
    const stay = /;stay=yes(?=;|$)/i.test(service);
    return { kind: 'announcement', playing: { sound: silence, times: 1, pause: 0, most: 0 }, stay };
  }

  /** 2xx to an INVITE or UPDATE: the answer to its offer, or an offer. */
  private agree(now: Instant, m: SipMessage, d: Dialog, described: Described | undefined): void {
    const invite = m.methodId === M.INVITE;
    if (described !== undefined) {
      d.remote = described.remote;
      this.describe(now, d, (here) => answerText(here, described));
    } else if (invite) {
      d.offering = true;
      this.describe(now, d, offerText);
    }
    if (m.contactUri !== '') d.target = m.contactUri;
    d.remoteCseq = m.cseq;
    const body = described !== undefined || invite ? d.said : '';
    const text = this.answer(m, 200, d.tag, ALLOW, contactIn(d), body);
    d.answered = { branch: m.branch, cseq: m.cseq, text };
    if (invite) d.unheard = waiting(text, 'INVITE', m.cseq, now);
    this.play(d);
  }

  /** RFC 3264 8: the version grows when, and only when, the description is another. */
  private describe(now: Instant, d: Dialog, write: (here: Dialog['here']) => string): void {
    if (d.said !== '' && write(d.here) === d.said) return;
    if (d.said !== '') d.here = { ...d.here, version: Math.max(d.here.version + 1, now) };
    d.said = write(d.here);
  }

  private play(d: Dialog): void {
    const { at, since } = d.bearings;
    this.studio.set({ id: d.id, at, since, treatment: d.treatment, remote: d.remote });
  }

  private ack(now: Instant, m: SipMessage, d: Dialog): void {
    if (d.unheard?.cseq !== m.cseq) return;
    d.unheard = undefined;
    if (!d.offering) return;
    d.offering = false;
    const described = this.offerIn(m);
    if (typeof described !== 'object') {
      // a re-INVITE whose offer of ours was left unanswered changes nothing
      if (d.remote === undefined) this.hangUp(now, d);
      return;
    }
    d.remote = described.remote;
    this.play(d);
  }

  private inDialog(now: Instant, m: SipMessage, d: Dialog): void {
    const { answered } = d;
    if (answered?.branch === m.branch && m.cseqMethod !== 'CANCEL' && answered.cseq === m.cseq) {
      this.out.push(answered.text);
      return;
    }
    if (m.methodId === M.CANCEL) {
      this.answer(m, answered?.branch === m.branch ? 200 : 481, d.tag);
      return;
    }
    // RFC 3261 12.2.2
    if (m.cseq < d.remoteCseq) {
      this.refuse(m, 500);
      return;
    }
    d.remoteCseq = m.cseq;
    switch (m.methodId) {
      case M.INVITE:
      case M.UPDATE:
        this.change(now, m, d);
        return;
      case M.BYE:
        this.answer(m, 200, d.tag);
        this.forget(d);
        return;
      case M.OPTIONS:
        this.options(m);
        return;
      case M.INFO:
        this.refuse(m, m.body === '' ? 200 : 415);
        return;
      default:
        this.notHere(m);
    }
  }

  /** Re-INVITE and UPDATE: another description, another treatment, or both. */
  private change(now: Instant, m: SipMessage, d: Dialog): void {
    if (d.ending) {
      this.refuse(m, m.methodId === M.INVITE ? 487 : 481);
      return;
    }
    // RFC 3261 14.2, RFC 3311 5.2: an offer of ours is still open
    if (d.offering && (m.methodId === M.INVITE || m.body !== '')) {
      this.refuse(m, 491);
      return;
    }
    const described = this.offerIn(m);
    if (typeof described === 'number') {
      this.refuse(m, described, `Accept: ${SDP}\r\n`);
      return;
    }
    const was = d.here.ip.includes(':') ? 6 : 4;
    if (described !== undefined && described.remote.family !== was) {
      this.refuse(m, 488);
      return;
    }
    const refused = this.retreat(now, m, d);
    if (refused === 0) this.agree(now, m, d, described);
    else this.refuse(m, refused);
  }

  /** Another treatment in the same dialog, or the same once more. @returns why not; 0: done. */
  private retreat(now: Instant, m: SipMessage, d: Dialog): number {
    const wish = wishIn(m.requestUri);
    if (wish === undefined) return 0;
    const since = wish.bearings?.since ?? 0;
    if (wish.service === d.service && since <= d.bearings.since) return 0;
    const treatment = this.treatmentFor(wish.service, true);
    const full = typeof treatment === 'number' ? treatment : this.studio.refuses(treatment, d.id);
    if (typeof treatment === 'number' || full !== 0) return full;
    d.service = wish.service;
    // a member that only changes how it takes part goes on
    if (treatment.kind === 'announcement') {
      d.bearings = { ...d.bearings, since: since > d.bearings.since && since <= now ? since : now };
    }
    d.treatment = treatment;
    return 0;
  }

  // ── answers ──────────────────────────────────────────────────────────────────────────────────

  private refuse(m: SipMessage, status: number, extra = ''): void {
    const retry = status === 500 ? 'Retry-After: 1\r\n' : '';
    this.answer(m, status, this.strayTag(m), extra + retry);
  }

  /** RFC 3261 8.2.7: the same for every repetition. */
  private strayTag(m: SipMessage): string {
    return m.toTag === '' ? this.tagOf(m, -m.cseq) : m.toTag;
  }

  private answer(
    m: SipMessage,
    status: number,
    toTag: string,
    extra = '',
    contact = '',
    body = '',
  ): string {
    const text = responseText(m, status, reasonPhrase(status), {
      toTag,
      contact,
      extra,
      contentType: body === '' ? '' : SDP,
      body,
      received: '',
      rport: 0,
    });
    this.out.push(text);
    return text;
  }
}

const NOWHERE: Bearings = { at: 0, since: 0, port: 0 };
