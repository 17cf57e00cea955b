/**
 * A phone that transfers, is the target of a transfer, or redirects, as RFC 5589 and RFC 3515 have it.
 *
 * In the book the call goes on: the target takes the transferor's end of it, at the moment it hears the
 * transferee's answer. The oracles then ask of the new pair what they asked of the old one. The leg of
 * whoever went has no part in the call any more (`gone`).
 */

import { type Call, isEstablished, type Plan, type Transfer } from './book.ts';
import { VIP } from './box.ts';
import type { Phone } from './phone.ts';
import type { Leg, PhoneCalls } from './phone-call.ts';
import type { ServerTxn } from './phone-txn.ts';
import type { Msg } from './sip-text.ts';

export type TransferPlan = NonNullable<Extract<Plan, { kind: 'answer' }>['transfer']>;

/** Tries to find the call at rest, so long apart, before a transfer is given up; ms. */
const TRIES = 20;
const PAUSE = 300;
/** The target's phone gives its transferor so long to hang up by himself, ms: then we are hung up. */
const NEVER_TOLD = 60_000;

export class PhoneTransfers {
  private readonly phone: Phone;
  private readonly calls: PhoneCalls;

  constructor(phone: Phone, calls: PhoneCalls) {
    this.phone = phone;
    this.calls = calls;
  }

  // ── the transferor ───────────────────────────────────────────────────────────────────────────

  /** Transfers the other end of `leg`, as soon as nothing else is going on in its call. */
  begin(leg: Leg, plan: TransferPlan, tries = TRIES): void {
    const { call } = leg;
    const { queue, book } = this.phone.world;
    if (!isEstablished(call) || leg.gone || call.failure !== '') return;
    if (call.updating || leg.unacked.size > 0) {
      if (tries > 0) queue.after(PAUSE, () => this.begin(leg, plan, tries - 1));
      return;
    }
    call.updating = true;
    if (!plan.attended) {
      this.refer(leg, plan, undefined);
      return;
    }
    const second = book.open(queue.now, this.phone.number, plan.to, {
      kind: 'answer',
      ringMs: plan.ringMs,
      talkMs: 1e9,
      hangUp: 'caller',
      updates: [],
      early: false,
    });
    second.updating = true;
    this.calls.dial(second);
    this.consulted(leg, plan, second);
  }

  /** Waits for the consultation: answered, or it came to nothing. */
  private consulted(leg: Leg, plan: TransferPlan, second: Call): void {
    const { queue } = this.phone.world;
    const { call } = leg;
    if (second.callerState === 'ended' || second.failure !== '' || call.hungBy !== '') {
      call.updating = false;
      second.updating = false;
      return;
    }
    if (second.establishedAt > 0) this.refer(leg, plan, second);
    else queue.after(PAUSE, () => this.consulted(leg, plan, second));
  }

  private refer(leg: Leg, plan: TransferPlan, consult: Call | undefined): void {
    const { call } = leg;
    let to = `sip:${plan.to}@${VIP}`;
    if (consult !== undefined) {
      const own = [...this.calls.legs.values()].find((l) => l.call === consult) as Leg;
      const value = `${own.callId};to-tag=${own.remoteTag};from-tag=${own.localTag}`;
      to += `?Replaces=${encodeURIComponent(value)}`;
    }
    const { by, refused, ringMs, leaves } = plan;
    const begun = { said: 0, done: false, left: false, told: false };
    const transfer: Transfer = {
      by,
      to: plan.to,
      refused,
      ringMs,
      leaves,
      call,
      consult,
      ...begun,
    };
    call.transfer = transfer;
    if (consult !== undefined) consult.transfer = transfer;
    this.calls.inDialog(
      leg,
      'REFER',
      '',
      [
        this.phone.contact,
        // who is called hears by this which call it is about (RFC 3892)
        `Refer-To: <${to}>`,
        `Referred-By: <sip:${call.id}@${VIP}>`,
      ],
      (msg) => {
        if (msg?.status !== 202) {
          this.calls.fail(leg, `REFER answered ${msg?.status ?? 'by nobody'}`);
          this.over(call);
        } else if (leaves === 'accepted') {
          transfer.left = true;
          this.leave(leg);
        } else this.phone.world.queue.after(NEVER_TOLD, () => this.told(leg, transfer));
      },
    );
  }

  /** Nobody told him anything, for a minute. */
  private told(leg: Leg, transfer: Transfer): void {
    if (leg.call.transfer === transfer && leg.state === 'established' && !leg.gone) {
      this.calls.fail(leg, 'REFER accepted, and never told what became of it');
    }
  }

  /** Whoever went early, and came to nothing with it, hung up. */
  private ended({ call, by }: Transfer): void {
    if (call.hungBy !== '') return;
    call.hungBy = by;
    call.hungAt = this.phone.world.queue.now;
    if (by === 'caller') call.callerState = 'ended';
    else call.calleeState = 'ended';
  }

  private over(call: Call): void {
    const { transfer } = call;
    call.updating = false;
    call.transfer = undefined;
    if (transfer?.consult !== undefined) transfer.consult.updating = false;
  }

  /** Hangs up a leg that has, or soon will have, nothing to do with its call. */
  private leave(leg: Leg): void {
    if (leg.state !== 'established') return;
    leg.gone = true;
    this.calls.end(leg);
    this.calls.inDialog(leg, 'BYE', '', [], (msg) => {
      const ok = msg?.status === 200 || (msg?.status === 481 && leg.crossed);
      if (!ok) this.calls.fail(leg, `BYE answered ${msg?.status ?? 'by nobody'}`);
    });
  }

  private notified(leg: Leg, txn: ServerTxn): void {
    const { phone } = this;
    const { call } = leg;
    const status = Number(/^SIP\/2\.0 (\d\d\d) /.exec(txn.request.body)?.[1] ?? 0);
    const state = txn.request.headers.get('subscription-state')?.[0] ?? '';
    phone.respond(txn, 200, '', [], '');
    if (status === 0) phone.observe('a NOTIFY that says nothing', txn.request.text);
    if (status < 200) return;
    if (!state.startsWith('terminated')) phone.observe('a final NOTIFY that is none', state);
    const { transfer } = call;
    if (transfer === undefined) return;
    if (status < 300) {
      if (transfer.said !== 200) this.calls.fail(leg, 'told of a success that was none');
      // the ACK to the target may be on its way yet
      transfer.told = true;
      if (transfer.done) this.over(call);
      if (transfer.leaves === 'told') this.leave(leg);
      return;
    }
    if (transfer.said === 200) this.calls.fail(leg, `the target answered, but was told ${status}`);
    this.over(call);
    // who left at once has ended it for both
    if (transfer.left) this.ended(transfer);
  }

  // ── the target ───────────────────────────────────────────────────────────────────────────────

  /** An INVITE without an offer: a transfer, or nothing. */
  rings(txn: ServerTxn): boolean {
    const { phone } = this;
    const { request } = txn;
    const about = /^<sip:(c\d+)@/.exec(request.headers.get('referred-by')?.[0] ?? '')?.[1];
    const call = phone.world.book.calls.get(about ?? '');
    const transfer = call?.transfer;
    if (call === undefined || transfer === undefined || transfer.said !== 0) return false;
    if (transfer.to !== phone.number) phone.observe('an INVITE for somebody else', request.text);
    const from = transfer.by === 'caller' ? call.callee : call.caller;
    if (!request.from.includes(`:${from}@`)) phone.observe('not from the transferee', request.text);
    const leg = this.calls.rung(txn, call, transfer.by);
    // not yet: until it hears the answer the transferor has this end
    leg.gone = true;
    this.calls.legs.set(leg.callId, leg);
    phone.respond(txn, 180, leg.localTag, [phone.contact], '');
    phone.world.queue.after(transfer.ringMs, () => {
      if (leg.state !== 'ringing') return;
      transfer.said = transfer.refused ? 486 : 200;
      if (transfer.refused) this.calls.refuse(leg, 486);
      else {
        leg.state = 'answered';
        this.calls.accept(leg, txn);
      }
    });
    return true;
  }

  /** The ACK of the target's answer: with the transferee's answer it takes the transferor's end. */
  acked(leg: Leg, msg: Msg): boolean {
    const { transfer } = leg.call;
    const target = transfer !== undefined && this.phone.number === transfer.to && !transfer.done;
    if (!target || transfer.said !== 200) return false;
    const consulted = leg.call === transfer.consult;
    if (!consulted && leg.state !== 'answered') return false;
    if (msg.body === '') {
      // the transfer came to nothing after all, and we are about to be hung up
      leg.state = 'established';
      return true;
    }
    this.calls.judgeBody(leg, msg);
    this.takeOver(leg, transfer);
    return true;
  }

  private takeOver(leg: Leg, transfer: Transfer): void {
    const { queue } = this.phone.world;
    const { call, consult, by } = transfer;
    transfer.done = true;
    if (consult !== undefined) {
      this.calls.setSide(leg, 'ended');
      consult.hungBy = 'callee';
      consult.hungAt = queue.now;
      for (const body of consult.offers) call.offers.add(body);
    }
    leg.call = call;
    leg.side = by;
    leg.gone = false;
    leg.state = 'established';
    if (by === 'caller') call.caller = this.phone.number;
    else call.callee = this.phone.number;
    this.calls.setSide(leg, 'established');
    if (transfer.told) this.over(call);
  }

  // ── everybody ────────────────────────────────────────────────────────────────────────────────

  /** A request in a dialog that only transfers understand. @returns false when it is another's. */
  asked(leg: Leg, txn: ServerTxn): boolean {
    const { phone, calls } = this;
    const { method, body } = txn.request;
    const { transfer } = leg.call;
    if (method === 'NOTIFY') {
      this.notified(leg, txn);
      return true;
    }
    // another phone has this end now: our part in it is over
    const mine = leg.side === 'caller' ? leg.call.caller : leg.call.callee;
    if (mine !== phone.number) leg.gone = true;
    // and no less so once he was told of the success: the ACK to the target may have been lost
    const told = transfer?.told === true && leg.call === transfer.call;
    if (method === 'BYE' && told && leg.side === transfer.by && phone.number !== transfer.to) {
      leg.gone = true;
    }
    if (method === 'BYE' && transfer?.left === true && !transfer.done && transfer.said !== 200) {
      this.ended(transfer);
      return false;
    }
    if (method === 'BYE' && (leg.gone || leg.call.transfer?.consult === leg.call)) {
      phone.respond(txn, 200, '', [], '');
      // our own BYE may be on its way
      if (leg.state === 'ended') leg.crossed = true;
      calls.end(leg);
      return true;
    }
    const wanted = method === 'INVITE' && body === '' && transfer?.consult === leg.call;
    if (!wanted || leg.state !== 'established') return false;
    transfer.said = 200;
    calls.accept(leg, txn);
    return true;
  }

  // ── redirection ──────────────────────────────────────────────────────────────────────────────

  /** The called phone names another (302), which is then the callee. */
  redirects(leg: Leg): boolean {
    const { call } = leg;
    const { plan } = call;
    if (plan.kind !== 'answer' || plan.redirect === undefined || call.redirected) return false;
    const { phone } = this;
    const to = plan.redirect;
    phone.world.queue.after(Math.min(plan.ringMs, 500), () => {
      if (leg.state !== 'ringing') return;
      leg.gone = true;
      call.redirected = true;
      call.callee = to;
      call.calleeState = 'none';
      const contact = `Contact: <sip:${to}@${VIP}>`;
      phone.respond(leg.server as ServerTxn, 302, leg.localTag, [contact], '');
      this.calls.end(leg);
    });
    return true;
  }
}
