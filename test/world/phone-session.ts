/**
 * What the ends of a call do beyond RFC 3261, by their manner: the callee rings reliably and waits for
 * PRACK, the caller acknowledges; both refresh sessions and watch that the other side does. Strict, as
 * everything of a phone: RSeq that does not rise by one, a reliable response to who knows none, a
 * session nobody refreshes, a refresh that changes the session are observations or failures.
 */

import type { Ability } from './manner.ts';
import type { Phone } from './phone.ts';
import type { Leg } from './phone-call.ts';
import { type ClientTxn, NO_CAP, Repeater, type ServerTxn } from './phone-txn.ts';
import type { Msg } from './sip-text.ts';

/** Kept with a leg. */
export type Session = {
  /** Callee: the reliable response out, and who waits for its PRACK. Caller: the last RSeq heard. */
  rseq: number;
  ringing: Repeater | undefined;
  onAcknowledged: (() => void) | undefined;
  /** The last description that came, and ours: what a refresh must not change. */
  heard: string;
  said: string;
  /** Session interval in seconds, who refreshes, and until when the session is good. */
  interval: number;
  refresher: 'none' | 'us' | 'server';
  goodUntil: number;
  /** A re-INVITE or an UPDATE with an offer of ours is under way. */
  asking: boolean;
  /** PRACKs and refreshes of ours that are not answered. */
  open: number;
};

export function freshSession(): Session {
  return {
    rseq: 0,
    ringing: undefined,
    onAcknowledged: undefined,
    heard: '',
    said: '',
    interval: 0,
    refresher: 'none',
    goodUntil: 0,
    asking: false,
    open: 0,
  };
}

/** A refresh that its side owes may be late by an outage, not by more. */
const GRACE_MS = 1000;

export class PhoneSessions {
  private readonly phone: Phone;
  private readonly inDialog: (
    leg: Leg,
    method: string,
    body: string,
    extra: readonly string[],
    onFinal: (msg: Msg | undefined) => void,
  ) => ClientTxn;

  constructor(phone: Phone, inDialog: PhoneSessions['inDialog']) {
    this.phone = phone;
    this.inDialog = inDialog;
  }

  private fail(leg: Leg, what: string): void {
    const { book, queue } = this.phone.world;
    book.fail(queue.now, leg.call, `${leg.side} ${this.phone.number}`, what);
  }

  private ability(leg: Leg): Ability {
    return leg.call.manner[leg.side];
  }

  private allow(leg: Leg): string {
    const update = this.ability(leg).update ? ', UPDATE' : '';
    return `Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK${update}`;
  }

  /** Lines of an INVITE, a re-INVITE or an UPDATE. */
  asks(leg: Leg, initial: boolean): string[] {
    const { manner } = leg.call;
    const can = this.ability(leg);
    const lines = can.update || manner.reliable !== 'no' ? [this.allow(leg)] : [];
    const tags = can.timer > 0 ? ['timer'] : [];
    if (initial && manner.reliable === 'can') tags.push('100rel');
    if (initial && manner.reliable === 'must') lines.push('Require: 100rel');
    if (tags.length > 0) lines.push(`Supported: ${tags.join(', ')}`);
    if (can.timer > 0) {
      const s = leg.session.interval > 0 ? leg.session.interval : can.timer;
      const role = leg.session.refresher;
      const first = can.lazy ? ';refresher=uas' : '';
      const who = role === 'us' ? ';refresher=uac' : role === 'server' ? ';refresher=uas' : first;
      lines.push(`Session-Expires: ${s}${who}`);
    }
    return lines;
  }

  // ── reliable provisional responses ───────────────────────────────────────────────────────────

  /** The callee rings; `done` when what it said is acknowledged, at once if it need not be. */
  ring(leg: Leg, txn: ServerTxn, status: number, body: string): void {
    const { phone } = this;
    const { session } = leg;
    if (body !== '') session.said = body;
    const supported = txn.request.headers.get('supported')?.join() ?? '';
    if (!leg.call.manner.early || !/\b100rel\b/.test(supported)) {
      phone.respond(txn, status, leg.localTag, [phone.contact], body);
      return;
    }
    session.rseq = phone.world.dice.whole(1, 9000);
    const extra = [phone.contact, this.allow(leg), 'Require: 100rel', `RSeq: ${session.rseq}`];
    session.ringing = new Repeater(
      phone.world.queue,
      NO_CAP,
      () => {
        if (leg.state === 'ringing') phone.respond(txn, status, leg.localTag, extra, body);
        else session.ringing?.stop();
      },
      () => {
        if (leg.state === 'ringing') this.fail(leg, `no PRACK for ${status}`);
      },
    );
  }

  /** Runs `then` when nothing the callee said waits for its PRACK (RFC 3262 3). */
  whenAcknowledged(leg: Leg, then: () => void): void {
    if (leg.session.ringing?.running === true) leg.session.onAcknowledged = then;
    else then();
  }

  /**
   * The description a 2xx of ours repeats: to a refresh, and after early media, whose description was
   * the answer already (RFC 3261 13.2.1); then it may also be left out. Undefined: a new one.
   */
  repeats(leg: Leg, txn: ServerTxn): string | undefined {
    const { session } = leg;
    if (leg.state === 'established') {
      return this.refreshes(leg, txn.request) ? session.said : undefined;
    }
    if (session.said === '') return undefined;
    return session.rseq !== 0 && this.phone.world.dice.odds(0.5) ? '' : session.said;
  }

  private onPrack(leg: Leg, txn: ServerTxn): void {
    const { phone } = this;
    const { session } = leg;
    const rack = txn.request.headers.get('rack')?.[0];
    const invite = (leg.server as ServerTxn).request;
    if (rack !== `${session.rseq} ${invite.cseq} INVITE`) {
      phone.observe(`PRACK of ${rack}, not of ${session.rseq}`, txn.request.text);
      phone.respond(txn, 481, '', [], '');
      return;
    }
    phone.respond(txn, 200, '', [], '');
    if (session.ringing?.running !== true) {
      if (leg.state !== 'ended') phone.observe('a second PRACK', txn.request.text);
      return;
    }
    session.ringing.stop();
    const then = session.onAcknowledged;
    session.onAcknowledged = undefined;
    then?.();
  }

  /** What the caller hears before the answer. */
  onProgress(leg: Leg, msg: Msg): void {
    const { phone } = this;
    if (msg.status === 100) return;
    const { reliable } = leg.call.manner;
    const rseq = Number(msg.headers.get('rseq')?.[0] ?? 0);
    if (rseq === 0) {
      if (reliable === 'must')
        phone.observe('a provisional response that is not reliable', msg.text);
      return;
    }
    if (reliable === 'no') phone.observe('a reliable response to who knows none', msg.text);
    if (msg.headers.get('require')?.join() !== '100rel') phone.observe('RSeq alone', msg.text);
    const { session } = leg;
    if (rseq === session.rseq) return;
    if (session.rseq !== 0 && rseq !== session.rseq + 1 && !phone.disordered) {
      phone.observe(`RSeq ${rseq} after ${session.rseq}`, msg.text);
    }
    session.rseq = rseq;
    leg.remote = msg.to;
    leg.target = msg.contact;
    const cseq = (leg.client as ClientTxn).cseq;
    session.open += 1;
    this.inDialog(leg, 'PRACK', '', [`RAck: ${rseq} ${cseq} INVITE`], (end) => {
      session.open -= 1;
      const ok = end?.status === 200 || leg.call.hungBy !== '';
      if (!ok) this.fail(leg, `PRACK answered ${end?.status ?? 'by nobody'}`);
    });
  }

  // ── session timers ───────────────────────────────────────────────────────────────────────────

  /** Lines of a 2xx to an INVITE or UPDATE of the server. */
  grants(leg: Leg, request: Msg): string[] {
    const can = this.ability(leg);
    const lines = can.update ? [this.allow(leg)] : [];
    if (can.timer === 0) return lines;
    lines.push('Supported: timer');
    const asked = /^(\d+)(?:\s*;\s*refresher=(ua[cs]))?/i.exec(
      request.headers.get('session-expires')?.[0] ?? '',
    );
    if (asked === null) return lines;
    const they = asked[2] === undefined ? can.lazy : asked[2] === 'uac';
    lines.push(`Session-Expires: ${asked[1]};refresher=${they ? 'uac' : 'uas'}`);
    if (they) lines.push('Require: timer');
    this.arm(leg, Number(asked[1]), they ? 'server' : 'us');
    return lines;
  }

  /** A 422 of the server: is it right, and what do we ask for next. */
  accepts(leg: Leg, msg: Msg): boolean {
    const asked = leg.session.interval > 0 ? leg.session.interval : this.ability(leg).timer;
    const least = Number(msg.headers.get('min-se')?.[0] ?? 0);
    if (asked === 0 || least <= asked) {
      this.phone.observe(`422 with Min-SE ${least} to ${asked}`, msg.text);
      return false;
    }
    leg.session.interval = least;
    return true;
  }

  /** A 2xx of the server to our INVITE, re-INVITE or UPDATE. */
  onGranted(leg: Leg, msg: Msg): void {
    const can = this.ability(leg);
    const said = /^(\d+);refresher=(ua[cs])$/.exec(msg.headers.get('session-expires')?.[0] ?? '');
    const required = /\btimer\b/.test(msg.headers.get('require')?.join() ?? '');
    if (can.timer === 0) {
      const wrong = said?.[2] === 'uac' || required;
      if (wrong) this.phone.observe('a session timer for who knows none', msg.text);
      return;
    }
    if (said === null) {
      this.phone.observe('no Session-Expires for who asked for it', msg.text);
      return;
    }
    const ours = said[2] === 'uac';
    if (ours !== required) this.phone.observe('refresher=uac goes with Require: timer', msg.text);
    this.arm(leg, Number(said[1]), ours ? 'us' : 'server');
  }

  private arm(leg: Leg, seconds: number, refresher: 'us' | 'server'): void {
    const { session } = leg;
    const { queue, dice } = this.phone.world;
    session.interval = seconds;
    session.refresher = refresher;
    session.goodUntil = queue.now + seconds * 1000;
    if (refresher === 'us') {
      const wait = dice.between(2000, Math.min(seconds * 250, 12_000));
      const { goodUntil } = session;
      queue.after(wait, () => {
        if (session.goodUntil === goodUntil) this.refresh(leg);
      });
    } else {
      queue.after(seconds * 1000 + GRACE_MS, () => this.look(leg));
    }
  }

  /** The server owed a refresh. */
  private look(leg: Leg): void {
    const { session, call } = leg;
    const over = leg.state !== 'established' || call.hungBy !== '' || call.failure !== '';
    if (over || session.refresher !== 'server') return;
    if (session.goodUntil <= this.phone.world.queue.now) this.fail(leg, 'a session not refreshed');
  }

  private refresh(leg: Leg): void {
    const { call, session } = leg;
    if (leg.state === 'ended' || call.hungBy !== '') return;
    // while the ACK of its answer is on its way there is no session to refresh yet
    if (leg.state !== 'established' || session.asking || session.open > 0) {
      this.phone.world.queue.after(500, () => this.refresh(leg));
      return;
    }
    session.open += 1;
    const extra = [this.phone.contact, ...this.asks(leg, false)];
    this.inDialog(leg, 'UPDATE', '', extra, (msg) => {
      session.open -= 1;
      if (msg?.status === 200) this.onGranted(leg, msg);
      else if (call.hungBy === '') this.fail(leg, `UPDATE answered ${msg?.status ?? 'by nobody'}`);
    });
  }

  // ── requests of the server ───────────────────────────────────────────────────────────────────

  /** PRACK and UPDATE; false: none of them. */
  onRequest(leg: Leg, txn: ServerTxn, offer: () => string): boolean {
    const msg = txn.request;
    if (msg.method === 'PRACK') {
      this.onPrack(leg, txn);
      return true;
    }
    if (msg.method !== 'UPDATE') return false;
    if (!this.ability(leg).update) {
      this.phone.observe('UPDATE to who does not allow it', msg.text);
    }
    if (msg.body === '') {
      const extra = [this.phone.contact, ...this.grants(leg, msg)];
      this.phone.respond(txn, 200, '', extra, '');
    } else if (leg.session.asking) this.phone.respond(txn, 491, '', [], '');
    else {
      if (!leg.call.updating) this.fail(leg, 'an UPDATE though nobody had sent one');
      const extra = [this.phone.contact, ...this.grants(leg, msg)];
      this.phone.respond(txn, 200, '', extra, offer());
    }
    return true;
  }

  /** True when a re-INVITE of the server only refreshes: it says what it said before. */
  refreshes(leg: Leg, msg: Msg): boolean {
    return msg.body === leg.session.heard && msg.headers.has('session-expires');
  }

  /** Both ends can: hold and retrieve go by UPDATE. */
  static byUpdate(leg: Leg): boolean {
    const { manner } = leg.call;
    return manner.hold && manner.caller.update && manner.callee.update;
  }
}
