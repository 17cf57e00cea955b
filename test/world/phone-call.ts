/**
 * The two ends of a call, as a phone lives them (RFC 3261 §12 to §15). One leg a Call-ID; the plan of
 * the call, found by the name in its session description, says what this end does and when.
 */

import { type Call, isEstablished } from './book.ts';
import { VIP } from './box.ts';
import type { Phone } from './phone.ts';
import { freshSession, PhoneSessions, type Session } from './phone-session.ts';
import { PhoneTransfers } from './phone-transfer.ts';
import type { ClientTxn, ServerTxn } from './phone-txn.ts';
import { bare, callOf, goesOn, type Msg, sdp, writeRequest } from './sip-text.ts';

export type Side = 'caller' | 'callee';

export type Leg = {
  call: Call;
  side: Side;
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  /** From and To as we write them in requests of ours. */
  readonly local: string;
  remote: string;
  localSeq: number;
  remoteSeq: number;
  target: string;
  version: number;
  state: 'inviting' | 'ringing' | 'answered' | 'established' | 'ended';
  /** Our INVITE, or the one we were sent. */
  client: ClientTxn | undefined;
  server: ServerTxn | undefined;
  /** INVITEs we answered 2xx and whose ACK has not come, by CSeq. */
  readonly unacked: Map<number, ServerTxn>;
  cancelSent: boolean;
  readonly session: Session;
  /** It has answered a request that crossed its BYE. */
  crossed: boolean;
  /** It has no part in its call any more: transferred away, redirected. */
  gone: boolean;
};

/** Calls a phone takes at once; more are refused 486. */
const LINES = 4;

export class PhoneCalls {
  readonly legs = new Map<string, Leg>();
  private readonly phone: Phone;
  readonly sessions: PhoneSessions;
  readonly transfers: PhoneTransfers;

  constructor(phone: Phone) {
    this.phone = phone;
    this.sessions = new PhoneSessions(phone, (...request) => this.inDialog(...request));
    this.transfers = new PhoneTransfers(phone, this);
  }

  private get now(): number {
    return this.phone.world.queue.now;
  }

  fail(leg: Leg, what: string): void {
    this.phone.world.book.fail(this.now, leg.call, `${leg.side} ${this.phone.number}`, what);
  }

  busy(): number {
    let n = 0;
    for (const leg of this.legs.values()) if (leg.state !== 'ended') n += 1;
    return n;
  }

  setSide(leg: Leg, state: Call['callerState']): void {
    if (leg.gone) return;
    if (leg.side === 'caller') leg.call.callerState = state;
    else leg.call.calleeState = state;
  }

  offer(leg: Leg, direction: string): string {
    leg.version += 1;
    const body = sdp(this.phone.ip, leg.call.id, leg.version, direction);
    leg.call.offers.add(body);
    leg.session.said = body;
    return body;
  }

  /**
   * A session description that came must be one the other end wrote, unchanged; but where the other end
   * was exchanged for another, its o= line goes on with that of before (RFC 3264 8).
   */
  judgeBody(leg: Leg, msg: Msg): void {
    const { offers, transfer } = leg.call;
    const all = [offers, transfer?.consult?.offers, transfer?.call.offers];
    const known =
      all.some((written) => written?.has(msg.body)) ||
      (goesOn(leg.session.heard, msg.body) &&
        all.some((written) => [...(written ?? [])].some((b) => bare(b) === bare(msg.body))));
    if (msg.body === '' || !known) {
      this.phone.observe('a session description nobody in this call wrote', msg.text);
    }
    leg.session.heard = msg.body;
  }

  // ── the calling end ──────────────────────────────────────────────────────────────────────────

  dial(call: Call): void {
    const { phone } = this;
    const tag = phone.id('t');
    const leg: Leg = {
      call,
      side: 'caller',
      callId: phone.id('i'),
      localTag: tag,
      remoteTag: '',
      local: `<sip:${phone.number}@${VIP}>;tag=${tag}`,
      remote: `<sip:${call.callee}@${VIP}>`,
      localSeq: phone.world.dice.whole(1, 900),
      remoteSeq: 0,
      target: `sip:${call.callee}@${VIP}`,
      version: 0,
      state: 'inviting',
      client: undefined,
      server: undefined,
      unacked: new Map(),
      cancelSent: false,
      session: freshSession(),
      crossed: false,
      gone: false,
    };
    this.legs.set(leg.callId, leg);
    this.invite(leg, this.offer(leg, 'sendrecv'));
    if (call.plan.kind === 'cancel') {
      phone.world.queue.after(call.plan.afterMs, () => {
        call.cancelled = true;
        this.cancelIfPossible(leg);
      });
    }
  }

  private invite(leg: Leg, body: string): void {
    leg.client = this.phone.request(
      {
        method: 'INVITE',
        uri: leg.target,
        from: leg.local,
        to: leg.remote,
        callId: leg.callId,
        cseq: leg.localSeq,
        extra: [this.phone.contact, ...this.sessions.asks(leg, true)],
        body,
      },
      {
        onProvisional: (msg) => this.onProgress(leg, msg),
        onFinal: (msg) => this.onInviteFinal(leg, msg),
      },
    );
  }

  /** RFC 4028 §7.3: the interval was too short; once more with the one the server accepts. */
  private longer(leg: Leg, msg: Msg): boolean {
    if (!this.sessions.accepts(leg, msg)) return false;
    leg.localSeq += 1;
    leg.remoteTag = '';
    leg.cancelSent = false;
    this.invite(leg, leg.session.said);
    return true;
  }

  private onProgress(leg: Leg, msg: Msg): void {
    if (msg.toTag !== '') {
      if (leg.remoteTag === '') leg.remoteTag = msg.toTag;
      else if (leg.remoteTag !== msg.toTag) this.phone.observe('the To tag changed', msg.text);
      this.setSide(leg, 'early');
      this.sessions.onProgress(leg, msg);
    }
    if (msg.body !== '') this.judgeBody(leg, msg);
    this.cancelIfPossible(leg);
  }

  /** §9.1: no CANCEL before a provisional response. */
  private cancelIfPossible(leg: Leg): void {
    const txn = leg.client as ClientTxn;
    if (!leg.call.cancelled || leg.cancelSent || !txn.provisional || txn.final > 0) return;
    leg.cancelSent = true;
    this.phone.request(
      {
        method: 'CANCEL',
        uri: `sip:${leg.call.callee}@${VIP}`,
        from: leg.local,
        to: `<sip:${leg.call.callee}@${VIP}>`,
        callId: leg.callId,
        cseq: txn.cseq,
        extra: [],
        body: '',
      },
      {
        onProvisional: () => {},
        onFinal: (msg) => {
          const crossed = txn.final > 0;
          if (msg?.status !== 200 && !crossed)
            this.fail(leg, `CANCEL answered ${msg?.status ?? 0}`);
        },
      },
      txn.branch,
    );
    this.phone.world.queue.after(40_000, () => {
      if (txn.final === 0) this.fail(leg, 'no final response after CANCEL');
    });
  }

  private onInviteFinal(leg: Leg, msg: Msg | undefined): void {
    const { call } = leg;
    if (msg === undefined) {
      this.end(leg);
      this.fail(leg, 'INVITE not answered at all');
      return;
    }
    if (leg.remoteTag !== '' && msg.toTag !== leg.remoteTag && msg.status < 300) {
      this.phone.observe('the To tag changed', msg.text);
    }
    if (msg.status === 422 && this.longer(leg, msg)) return;
    if (msg.status >= 300) {
      this.end(leg);
      const expected =
        (call.plan.kind === 'unknown' && msg.status === 404) ||
        (call.cancelled && msg.status === 487) ||
        (call.calleeSaid >= 300 && msg.status === call.calleeSaid) ||
        // whom he was redirected to is not there
        (call.redirected && msg.status === 480 && call.calleeState === 'none');
      if (!expected) this.fail(leg, `INVITE answered ${msg.status}`);
      return;
    }
    if (call.calleeSaid !== 200) this.fail(leg, 'answered though the callee had not');
    leg.remoteTag = msg.toTag;
    leg.remote = msg.to;
    leg.target = msg.contact;
    leg.state = 'established';
    this.setSide(leg, 'established');
    // the answer came reliably before
    if (msg.body !== '' || leg.session.rseq === 0 || leg.session.heard === '') {
      this.judgeBody(leg, msg);
    }
    this.ack(leg, leg.client as ClientTxn);
    this.sessions.onGranted(leg, msg);
    this.onceEstablished(call);
    if (call.cancelled && call.hungBy === '') this.hangUp(leg);
  }

  /** §13.2.2.4: the ACK of a 2xx is a request of its own, repeated with every copy of the 2xx. */
  private ack(leg: Leg, txn: ClientTxn): void {
    txn.ack = writeRequest({
      method: 'ACK',
      uri: leg.target,
      via: this.phone.via(this.phone.id('z9hG4bK')),
      from: leg.local,
      to: leg.remote,
      callId: leg.callId,
      cseq: txn.cseq,
      extra: [],
      body: '',
    });
    this.phone.send(txn.ack);
  }

  // ── the called end ───────────────────────────────────────────────────────────────────────────

  /** The leg an INVITE begins; it is not among the phone's yet. */
  rung(txn: ServerTxn, call: Call, side: Side): Leg {
    const { request } = txn;
    const tag = this.phone.id('t');
    return {
      call,
      side,
      callId: request.callId,
      localTag: tag,
      remoteTag: request.fromTag,
      local: `${request.to};tag=${tag}`,
      remote: request.from,
      localSeq: this.phone.world.dice.whole(1, 900),
      remoteSeq: request.cseq,
      target: request.contact,
      version: 0,
      state: 'ringing',
      client: undefined,
      server: txn,
      unacked: new Map(),
      cancelSent: false,
      session: freshSession(),
      crossed: false,
      gone: false,
    };
  }

  onInvite(txn: ServerTxn): void {
    const { phone } = this;
    const { request } = txn;
    if (request.body === '' && this.transfers.rings(txn)) return;
    const call = phone.world.book.calls.get(callOf(request.body));
    if (call === undefined || this.legs.has(request.callId)) {
      phone.observe('an INVITE for no call that anybody made', request.text);
      phone.respond(txn, 500, phone.id('t'), [], '');
      return;
    }
    if (call.callee !== phone.number) phone.observe('an INVITE for somebody else', request.text);
    if (call.calleeState !== 'none') phone.observe('a second INVITE for one call', request.text);
    const leg = this.rung(txn, call, 'callee');
    this.judgeBody(leg, request);
    const full = this.busy() >= LINES;
    this.legs.set(leg.callId, leg);
    if (full) {
      this.refuse(leg, 486);
      return;
    }
    this.setSide(leg, 'early');
    const { plan } = call;
    if (this.transfers.redirects(leg)) return;
    if (phone.world.dice.odds(0.5)) phone.respond(txn, 100, '', [], '');
    const early = plan.kind === 'answer' && plan.early;
    phone.world.queue.after(phone.world.dice.between(5, 60), () => {
      if (leg.state !== 'ringing') return;
      const body = early ? this.offer(leg, 'sendrecv') : '';
      this.sessions.ring(leg, txn, early ? 183 : 180, body);
    });
    if (plan.kind === 'answer') {
      phone.world.queue.after(plan.ringMs, () => this.answer(leg));
    } else if (plan.kind === 'refuse') {
      phone.world.queue.after(plan.ringMs, () => this.refuse(leg, plan.code));
    }
  }

  refuse(leg: Leg, code: number): void {
    if (leg.state !== 'ringing') return;
    if (!leg.gone) leg.call.calleeSaid = code;
    this.phone.respond(leg.server as ServerTxn, code, leg.localTag, [], '');
    this.end(leg);
  }

  private answer(leg: Leg): void {
    if (leg.state !== 'ringing') return;
    this.sessions.whenAcknowledged(leg, () => {
      if (leg.state !== 'ringing') return;
      leg.call.calleeSaid = 200;
      leg.state = 'answered';
      this.accept(leg, leg.server as ServerTxn);
    });
  }

  /** 2xx with our session description; waits for the ACK. */
  accept(leg: Leg, txn: ServerTxn): void {
    leg.unacked.set(txn.request.cseq, txn);
    const body = this.sessions.repeats(leg, txn) ?? this.offer(leg, 'sendrecv');
    const extra = [this.phone.contact, ...this.sessions.grants(leg, txn.request)];
    this.phone.respond(txn, 200, leg.localTag, extra, body);
  }

  onCancel(txn: ServerTxn, invite: ServerTxn | undefined): void {
    const leg = this.legs.get(txn.request.callId);
    if (invite === undefined || leg === undefined) {
      this.phone.observe('a CANCEL for nothing', txn.request.text);
      this.phone.respond(txn, 481, this.phone.id('t'), [], '');
      return;
    }
    this.phone.respond(txn, 200, leg.localTag, [], '');
    if (leg.state !== 'ringing') return;
    if (!leg.call.cancelled && leg.call.callerState !== 'ended') {
      this.fail(leg, 'cancelled though the caller had not given up');
    }
    this.phone.respond(invite, 487, leg.localTag, [], '');
    this.end(leg);
  }

  onAck(msg: Msg): void {
    const leg = this.legs.get(msg.callId);
    const matches =
      leg !== undefined && msg.toTag === leg.localTag && msg.fromTag === leg.remoteTag;
    if (!matches) {
      this.phone.observe('an ACK for nothing', msg.text);
      return;
    }
    const txn = leg.unacked.get(msg.cseq);
    if (txn === undefined) return; // a copy
    leg.unacked.delete(msg.cseq);
    txn.repeater?.stop();
    txn.acked = true;
    if (this.transfers.acked(leg, msg)) return;
    if (leg.state !== 'answered') return;
    leg.state = 'established';
    this.setSide(leg, 'established');
    this.onceEstablished(leg.call);
  }

  /** Nobody acknowledged our final answer for 32 s. */
  noAck(txn: ServerTxn): void {
    const leg = this.legs.get(txn.request.callId);
    if (leg === undefined) return;
    leg.unacked.delete(txn.request.cseq);
    if (leg.call.hungBy === '' || txn.status >= 300) this.fail(leg, `no ACK for ${txn.status}`);
  }

  // ── both ends, in the dialog ─────────────────────────────────────────────────────────────────

  onInDialog(txn: ServerTxn): void {
    const { phone } = this;
    const msg = txn.request;
    const leg = this.legs.get(msg.callId);
    if (leg === undefined || msg.toTag !== leg.localTag || msg.fromTag !== leg.remoteTag) {
      phone.observe('a request in a dialog that does not exist', msg.text);
      phone.respond(txn, 481, '', [], '');
      return;
    }
    if (msg.cseq <= leg.remoteSeq) {
      if (!phone.disordered) phone.observe(`CSeq not above ${leg.remoteSeq}`, msg.text);
      phone.respond(txn, 500, '', [], '');
      return;
    }
    leg.remoteSeq = msg.cseq;
    if (msg.method === 'PRACK') {
      this.sessions.onRequest(leg, txn, () => '');
      return;
    }
    if (this.transfers.asked(leg, txn)) return;
    if (leg.state === 'ended') {
      // our BYE and this request crossed on the wire
      if (leg.call.hungBy === '') phone.observe('a request after the call had ended', msg.text);
      // who hears 481 from us ends the dialog (RFC 5057 §5.1), and knows nothing of our BYE then
      if (msg.method !== 'BYE') leg.crossed = true;
      phone.respond(txn, msg.method === 'BYE' ? 200 : 481, '', [], '');
      return;
    }
    if (msg.method === 'BYE') {
      phone.respond(txn, 200, '', [], '');
      if (leg.call.hungBy === '') this.fail(leg, 'hung up though nobody had');
      this.end(leg);
    } else if (msg.method === 'INVITE') {
      if (leg.session.asking) {
        phone.respond(txn, 491, '', [], '');
        return;
      }
      const refresh = this.sessions.refreshes(leg, msg);
      this.judgeBody(leg, msg);
      if (!leg.call.updating && !refresh) this.fail(leg, 're-INVITE though nobody had sent one');
      phone.world.queue.after(phone.world.dice.between(1, 80), () => {
        if (leg.state === 'ended') phone.respond(txn, 487, '', [], '');
        else this.accept(leg, txn);
      });
    } else {
      if (msg.method === 'UPDATE' && msg.body !== '') this.judgeBody(leg, msg);
      if (this.sessions.onRequest(leg, txn, () => this.offer(leg, 'sendrecv'))) return;
      phone.respond(txn, msg.method === 'OPTIONS' ? 200 : 405, '', [], '');
    }
  }

  private onceEstablished(call: Call): void {
    if (call.establishedAt > 0) return;
    if (call.callerState !== 'established' || call.calleeState !== 'established') return;
    call.establishedAt = this.now;
    this.phone.world.book.onEstablished(call);
  }

  /** Sends a re-INVITE from this end: hold or retrieve. `done` hears whether it went well. */
  update(leg: Leg, direction: string, done: (ok: boolean) => void, tries = 5): void {
    const { call } = leg;
    if (!isEstablished(call) || call.updating || leg.unacked.size > 0 || leg.gone) {
      done(call.hungBy !== '');
      return;
    }
    const { session } = leg;
    if (session.open > 0) {
      // a second request could overtake the first (RFC 3261 §12.2.2)
      this.phone.world.queue.after(500, () => this.update(leg, direction, done, tries));
      return;
    }
    call.updating = true;
    const before = session.said;
    const method = PhoneSessions.byUpdate(leg) ? 'UPDATE' : 'INVITE';
    const extra = [this.phone.contact, ...this.sessions.asks(leg, false)];
    const body = this.offer(leg, direction);
    session.asking = true;
    const txn: ClientTxn = this.inDialog(leg, method, body, extra, (msg) => {
      call.updating = false;
      session.asking = false;
      if (msg !== undefined && msg.status < 300) {
        if (msg.toTag !== leg.remoteTag) this.phone.observe('the To tag changed', msg.text);
        this.judgeBody(leg, msg);
        if (method === 'INVITE') this.ack(leg, txn);
        this.sessions.onGranted(leg, msg);
        call.updates += 1;
        done(true);
        return;
      }
      session.said = before;
      if (msg?.status === 491 && tries > 0) {
        // §14.1: the owner of the Call-ID waits longer
        const { dice, queue } = this.phone.world;
        const wait = leg.side === 'caller' ? dice.between(2100, 4000) : dice.between(0, 2000);
        queue.after(wait, () => this.update(leg, direction, done, tries - 1));
        return;
      }
      // a call that is being hung up may refuse; a living one may not
      const ok = call.hungBy !== '';
      if (!ok)
        this.fail(
          leg,
          `${method === 'INVITE' ? 're-INVITE' : method} answered ${msg?.status ?? 'by nobody'}`,
        );
      done(ok);
    });
  }

  /** Hangs up from this end. */
  hangUp(leg: Leg, done: (ok: boolean) => void = () => {}): void {
    const { call } = leg;
    if (leg.state !== 'established' || call.hungBy !== '' || leg.gone) {
      done(false);
      return;
    }
    call.hungBy = leg.side;
    call.hungAt = this.now;
    this.end(leg);
    this.inDialog(leg, 'BYE', '', [], (msg) => {
      const ok = msg?.status === 200 || (msg?.status === 481 && leg.crossed);
      if (!ok) this.fail(leg, `BYE answered ${msg?.status ?? 'by nobody'}`);
      done(ok);
    });
  }

  inDialog(
    leg: Leg,
    method: string,
    body: string,
    extra: readonly string[],
    onFinal: (msg: Msg | undefined) => void,
  ): ClientTxn {
    leg.localSeq += 1;
    return this.phone.request(
      {
        method,
        uri: leg.target,
        from: leg.local,
        to: leg.remote,
        callId: leg.callId,
        cseq: leg.localSeq,
        extra,
        body,
      },
      { onProvisional: () => {}, onFinal },
    );
  }

  end(leg: Leg): void {
    if (leg.state === 'ended') return;
    leg.state = 'ended';
    this.setSide(leg, 'ended');
  }
}
