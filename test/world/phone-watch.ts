/**
 * A phone's lamps: it subscribes to the dialogs of others (RFC 6665, RFC 4235), refreshes, now and then
 * unsubscribes and begins anew, and is strict: a version or a CSeq that does not rise, another tag, a
 * state that is not full, an end that it did not ask for are observations or failures. What it was told
 * last is for the oracle `watchers-see`.
 */

import { VIP } from './box.ts';
import type { Phone } from './phone.ts';
import type { ServerTxn } from './phone-txn.ts';
import type { Msg } from './sip-text.ts';

export type Watch = {
  readonly number: string;
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  remote: string;
  target: string;
  localSeq: number;
  remoteSeq: number;
  version: number;
  state: 'asking' | 'active' | 'leaving' | 'over';
  /** What was told last: dialog state by the Call-ID of the watched phone. */
  readonly lamps: Map<string, string>;
  /** When it runs out, as far as the phone knows. */
  endsAt: number;
};

/** After an end somebody asked for, or a failure, it begins anew. */
const AGAIN_MS = 1500;
const SLACK_MS = 1000;

export class PhoneWatches {
  readonly all: Watch[] = [];
  private readonly phone: Phone;

  constructor(phone: Phone) {
    this.phone = phone;
  }

  private fail(watch: Watch, what: string): void {
    const { book, queue } = this.phone.world;
    book.failOther(queue.now, this.phone.number, `watching ${watch.number}: ${what}`);
  }

  /** No refresh got through in time: a dead port may swallow one and all its repetitions. */
  private late(watch: Watch): boolean {
    return watch.endsAt > 0 && this.phone.world.queue.now > watch.endsAt - SLACK_MS;
  }

  /** Watches `number` from now on. */
  watch(number: string): void {
    const { phone } = this;
    const watch: Watch = {
      number,
      callId: phone.id('w'),
      localTag: phone.id('t'),
      remoteTag: '',
      remote: `<sip:${number}@${VIP}>`,
      target: `sip:${number}@${VIP}`,
      localSeq: phone.world.dice.whole(1, 900),
      remoteSeq: 0,
      version: -1,
      state: 'asking',
      lamps: new Map(),
      endsAt: 0,
    };
    this.all.push(watch);
    this.ask(watch, phone.world.dice.whole(30, 90));
  }

  private ask(watch: Watch, expires: number): void {
    watch.localSeq += 1;
    this.phone.request(
      {
        method: 'SUBSCRIBE',
        uri: watch.target,
        from: `<sip:${this.phone.number}@${VIP}>;tag=${watch.localTag}`,
        to: watch.remote,
        callId: watch.callId,
        cseq: watch.localSeq,
        extra: [this.phone.contact, 'Event: dialog', `Expires: ${expires}`],
        body: '',
      },
      { onProvisional: () => {}, onFinal: (msg) => this.answered(watch, expires, msg) },
    );
  }

  private answered(watch: Watch, expires: number, msg: Msg | undefined): void {
    const { queue, dice } = this.phone.world;
    if (msg === undefined || msg.status !== 200) {
      const late = this.late(watch) && msg?.status === 481;
      if (!late) this.fail(watch, `SUBSCRIBE answered ${msg?.status ?? 'by nobody'}`);
      if (watch.state === 'over') return;
      watch.state = 'over';
      queue.after(AGAIN_MS, () => this.watch(watch.number));
      return;
    }
    if (watch.remoteTag !== '' && watch.remoteTag !== msg.toTag) {
      this.phone.observe('the To tag of a subscription changed', msg.text);
    }
    watch.remoteTag = msg.toTag;
    watch.remote = msg.to;
    watch.target = msg.contact;
    const granted = Number(msg.headers.get('expires')?.[0] ?? -1);
    if (granted < 0 || granted > expires || (expires > 0 && granted === 0)) {
      this.phone.observe(`a subscription that grants ${granted} s of ${expires}`, msg.text);
    }
    if (watch.state === 'leaving' || watch.state === 'over') return;
    watch.endsAt = queue.now + granted * 1000;
    watch.state = 'active';
    queue.after(Math.max(1, granted) * dice.between(100, 500), () => {
      if (watch.state !== 'active') return;
      const leaves = dice.odds(0.3);
      if (leaves) watch.state = 'leaving';
      this.ask(watch, leaves ? 0 : dice.whole(30, 90));
    });
  }

  onNotify(txn: ServerTxn): void {
    const { phone } = this;
    const msg = txn.request;
    const watch = this.all.find((w) => w.callId === msg.callId && w.localTag === msg.toTag);
    if (watch === undefined || watch.state === 'over') {
      phone.observe('a NOTIFY of no subscription', msg.text);
      phone.respond(txn, 481, '', [], '');
      return;
    }
    // the NOTIFY may overtake the 200 that makes the dialog
    if (watch.remoteTag === '') watch.remoteTag = msg.fromTag;
    if (watch.remoteTag !== msg.fromTag) phone.observe('the tag of a notifier changed', msg.text);
    if (msg.cseq <= watch.remoteSeq) {
      if (!phone.disordered) phone.observe(`CSeq not above ${watch.remoteSeq}`, msg.text);
      phone.respond(txn, 500, '', [], '');
      return;
    }
    watch.remoteSeq = msg.cseq;
    this.read(watch, msg);
    phone.respond(txn, 200, '', [], '');
    if (!/^terminated/.test(msg.headers.get('subscription-state')?.[0] ?? '')) return;
    if (watch.state !== 'leaving' && !this.late(watch)) {
      this.fail(watch, 'terminated though nobody had asked');
    }
    watch.state = 'over';
    phone.world.queue.after(AGAIN_MS, () => this.watch(watch.number));
  }

  /** One NOTIFY at a time, full state in each: there is no gap that a loss could explain. */
  private read(watch: Watch, msg: Msg): void {
    const head = /<dialog-info [^>]*version="(\d+)" state="full" entity="sip:(\d+)@/.exec(msg.body);
    if (head === null || head[2] !== watch.number) {
      this.phone.observe('a NOTIFY without the full state', msg.text);
      return;
    }
    if (Number(head[1]) !== watch.version + 1) {
      this.phone.observe(`version ${head[1]} after ${watch.version}`, msg.text);
    }
    watch.version = Number(head[1]);
    watch.lamps.clear();
    for (const [, attributes = '', state = ''] of msg.body.matchAll(
      /<dialog ([^>]*)><state>([a-z]+)<\/state>/g,
    )) {
      const callId = /call-id="([^"]*)"/.exec(attributes)?.[1];
      if (callId !== undefined && state !== 'terminated') watch.lamps.set(callId, state);
    }
  }
}
