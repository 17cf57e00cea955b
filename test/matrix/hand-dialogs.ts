/**
 * The dialogs of a hand-driven phone: what a script can make it do in a call, and what it does with
 * requests that come. `keeps` names methods whose answer the script wants to give itself, later.
 */

import type { Transport } from '../../src/base/peer.ts';
import { VIP } from '../world/box.ts';
import { Repeater } from '../world/phone-txn.ts';
import { type Msg, sdp, writeRequest } from '../world/sip-text.ts';
import type { Stage } from './hand.ts';
import {
  type Client,
  type Dialog,
  type Extra,
  newDialog,
  type Request,
  type Served,
} from './hand-parts.ts';

export abstract class HandDialogs {
  abstract readonly number: string;
  abstract readonly stage: Stage;
  abstract readonly line: { readonly transport: Transport };
  abstract get contact(): string;
  abstract get address(): string;
  abstract id(prefix: string): string;
  abstract trouble(what: string, text: string): void;
  abstract say(text: string, ip?: string, port?: number): void;
  abstract via(branch: string): string;
  abstract send(request: Request): Client;
  abstract respond(
    served: Served,
    status: number,
    tag: string,
    extra: readonly string[],
    body?: string,
  ): void;

  readonly dialogs: Dialog[] = [];
  /** Methods whose answer, or for ACK and PRACK whose sending, is left to the script. */
  readonly keeps = new Set<string>();
  /** Requests kept so. */
  readonly kept: Served[] = [];
  /** New calls it may be offered; one more is a ghost. */
  expected = 0;
  private subscription: readonly string[] = [];
  /** When the latest subscription was granted. */
  subscribedAt = 0;
  /** It never answers what it kept, not even when the call is over. */
  silent = false;
  /** What a 2xx of the INVITE says besides. */
  acceptHeaders: readonly string[] = [];
  private reliable: { readonly served: Served; readonly rseq: number; repeater: Repeater }[] = [];
  private pendingAcks: { readonly dialog: Dialog; readonly client: Client }[] = [];
  private pendingPracks: { readonly dialog: Dialog; readonly msg: Msg }[] = [];
  private readonly pracked = new Set<string>();
  private readonly versions = new Map<string, number>();

  /** The latest dialog. */
  get call(): Dialog | undefined {
    return this.dialogs.at(-1);
  }

  /** The latest dialog, where a script knows that there is one. */
  get talk(): Dialog {
    const { call } = this;
    if (call === undefined) throw new Error(`${this.number} has no call`);
    return call;
  }

  body(dialog: Dialog, direction = 'sendrecv'): string {
    dialog.version += 1;
    const text = sdp(this.address, `m${this.number}`, dialog.version, direction);
    this.stage.bodies.add(text);
    return text;
  }

  // ── what a script lets it do ─────────────────────────────────────────────────────────────────

  invite(to: string, extra: Extra = {}): Client {
    const dialog = this.begun(to);
    this.dialogs.push(dialog);
    const headers = [this.contact, ...(extra.headers ?? [])];
    const client = this.sendIn(dialog, 'INVITE', { ...extra, headers, body: this.body(dialog) }, 0);
    dialog.client = client;
    client.onProvisional = (msg) => this.progress(dialog, msg);
    client.onFinal = (msg) => this.finalOf(dialog, dialog.client as Client, msg);
    return client;
  }

  /** A dialog we begin. */
  private begun(to: string): Dialog {
    const tag = this.id('t');
    return newDialog({
      side: 'uac',
      callId: this.id('i'),
      localTag: tag,
      remoteTag: '',
      local: `<sip:${this.number}@${VIP}>;tag=${tag}`,
      remote: `<sip:${to}@${VIP}>`,
      localSeq: this.stage.dice.whole(1, 900),
      remoteSeq: 0,
      target: `sip:${to}@${VIP}`,
      served: undefined,
    });
  }

  /** RFC 6665 §4.1.2: NOTIFY may come before the 2xx. */
  subscribe(to: string, expires: number, headers: readonly string[]): Client {
    const dialog = this.begun(to);
    this.dialogs.push(dialog);
    this.subscription = headers;
    const all = [this.contact, `Expires: ${expires}`, ...headers];
    const client = this.sendIn(dialog, 'SUBSCRIBE', { headers: all }, 0);
    client.onFinal = (msg) => {
      if (msg === undefined || msg.status >= 300) return;
      this.sameTag(dialog, msg);
      this.subscribedAt = this.stage.queue.now;
      dialog.remoteTag = msg.toTag;
      dialog.remote = msg.to;
      if (dialog.state === 'inviting') dialog.state = 'confirmed';
      if (msg.contact !== '') dialog.target = msg.contact;
    };
    return client;
  }

  /** Prolongs the latest subscription, or ends it (0). */
  refresh(expires: number): Client {
    const headers = [this.contact, `Expires: ${expires}`, ...this.subscription];
    return this.request(this.talk, 'SUBSCRIBE', { headers });
  }

  /** A request in a dialog, with the next CSeq. */
  request(dialog: Dialog, method: string, extra: Extra = {}): Client {
    return this.sendIn(dialog, method, extra, 1);
  }

  private sendIn(dialog: Dialog, method: string, extra: Extra, step: number): Client {
    dialog.localSeq += step;
    return this.send({
      method,
      uri: dialog.target,
      from: dialog.local,
      to: dialog.remote,
      callId: dialog.callId,
      cseq: () => dialog.localSeq,
      next: () => {
        dialog.localSeq += 1;
      },
      dialog,
      extra,
    });
  }

  reinvite(direction: string, allow: readonly number[] = []): Client {
    const dialog = this.talk;
    const client = this.request(dialog, 'INVITE', {
      headers: [this.contact],
      body: this.body(dialog, direction),
      allow,
    });
    client.onFinal = (msg) => {
      if (msg === undefined || msg.status >= 300) return;
      this.sameTag(dialog, msg);
      this.acknowledge(dialog, client);
    };
    return client;
  }

  update(allow: readonly number[] = []): Client {
    const dialog = this.talk;
    return this.request(dialog, 'UPDATE', {
      headers: [this.contact],
      body: this.body(dialog),
      allow,
    });
  }

  bye(allow: readonly number[] = []): Client {
    const dialog = this.talk;
    this.stage.over = true;
    this.end(dialog);
    return this.request(dialog, 'BYE', { allow });
  }

  /** §9.1: goes out with the first provisional response. */
  cancel(): void {
    this.stage.over = true;
    this.talk.cancelWanted = true;
    this.cancelIfPossible(this.talk);
  }

  ring(status: number, withBody = false): void {
    const dialog = this.talk;
    if (dialog.state !== 'inviting' && dialog.state !== 'early') return;
    dialog.state = 'early';
    dialog.statuses.push(status);
    const body = withBody ? this.body(dialog) : '';
    this.respond(dialog.served as Served, status, dialog.localTag, [this.contact], body);
  }

  /** RFC 3262 §3: repeated until its PRACK comes. */
  ringReliably(status: number): void {
    const dialog = this.talk;
    const served = dialog.served as Served;
    dialog.state = 'early';
    dialog.statuses.push(status);
    const rseq = this.stage.dice.whole(1, 100_000);
    const headers = [this.contact, 'Require: 100rel', `RSeq: ${rseq}`];
    this.respond(served, status, dialog.localTag, headers, this.body(dialog));
    const text = served.response;
    const repeater = new Repeater(
      this.stage.queue,
      Number.POSITIVE_INFINITY,
      () => {
        if (served.status < 200) this.say(text);
      },
      () => {},
    );
    this.reliable.push({ served, rseq, repeater });
  }

  /** True while a reliable provisional response waits for its PRACK. */
  get unpracked(): boolean {
    return this.reliable.length > 0;
  }

  accept(): void {
    const dialog = this.talk;
    dialog.state = 'answered';
    dialog.statuses.push(200);
    this.take(dialog, dialog.served as Served);
  }

  /** 2xx with our session description; waits for the ACK. */
  take(dialog: Dialog, served: Served): void {
    for (const r of this.reliable) r.repeater.stop();
    this.reliable = [];
    dialog.unacked.set(served.request.cseq, served);
    const headers = [this.contact, ...this.acceptHeaders];
    this.respond(served, 200, dialog.localTag, headers, this.body(dialog));
  }

  refuse(status: number): void {
    const dialog = this.talk;
    this.stage.over = true;
    for (const r of this.reliable) r.repeater.stop();
    this.reliable = [];
    dialog.statuses.push(status);
    this.respond(dialog.served as Served, status, dialog.localTag, []);
    this.end(dialog);
  }

  /** Answers what was kept of this method; true when there was something. */
  release(method: string, status = 200): boolean {
    this.keeps.delete(method);
    const mine = this.kept.filter((served) => served.request.method === method);
    for (const served of mine) {
      this.kept.splice(this.kept.indexOf(served), 1);
      const dialog = served.dialog as Dialog;
      if (method === 'INVITE' && status < 300) this.take(dialog, served);
      else if (method === 'UPDATE' && status < 300) {
        this.respond(served, status, '', [this.contact], this.body(dialog));
      } else if (method === 'PRACK') this.onPrack(served);
      else this.respond(served, status, dialog.localTag, []);
    }
    return mine.length > 0;
  }

  /** Says the ACKs that were kept back. */
  ack(): void {
    this.keeps.delete('ACK');
    for (const { dialog, client } of this.pendingAcks) this.acknowledge(dialog, client);
    this.pendingAcks = [];
  }

  prack(): void {
    this.keeps.delete('PRACK');
    const { pendingPracks } = this;
    this.pendingPracks = [];
    for (const { dialog, msg } of pendingPracks) this.pracks(dialog, msg);
  }

  // ── what comes for our own INVITE ────────────────────────────────────────────────────────────

  private sameTag(dialog: Dialog, msg: Msg): void {
    if (dialog.remoteTag !== '' && msg.toTag !== dialog.remoteTag) {
      this.trouble(`the To tag changed from ${dialog.remoteTag}`, msg.text);
    }
  }

  private progress(dialog: Dialog, msg: Msg): void {
    dialog.statuses.push(msg.status);
    if (msg.toTag !== '') {
      this.sameTag(dialog, msg);
      dialog.remoteTag = msg.toTag;
      if (msg.contact !== '') dialog.target = msg.contact;
      dialog.remote = msg.to;
    }
    if (msg.status > 100 && dialog.state === 'inviting') dialog.state = 'early';
    if (msg.headers.has('rseq') && (msg.headers.get('require') ?? []).join().includes('100rel')) {
      if (this.keeps.has('PRACK')) this.pendingPracks.push({ dialog, msg });
      else this.pracks(dialog, msg);
    }
    this.cancelIfPossible(dialog);
  }

  /** RFC 3262 §7.1. */
  private pracks(dialog: Dialog, msg: Msg): void {
    const rseq = msg.headers.get('rseq')?.[0] ?? '';
    const key = `${dialog.callId} ${rseq}`;
    if (this.pracked.has(key)) return;
    this.pracked.add(key);
    this.request(dialog, 'PRACK', { headers: [`RAck: ${rseq} ${msg.cseq} INVITE`], allow: [487] });
  }

  private cancelIfPossible(dialog: Dialog): void {
    const client = dialog.client as Client;
    if (!dialog.cancelWanted || dialog.cancelled || !client.provisional || client.final > 0) return;
    dialog.cancelled = true;
    this.send({
      method: 'CANCEL',
      uri: /^INVITE (\S+)/.exec(client.text)?.[1] as string,
      from: dialog.local,
      to: /\r\nTo: ([^\r]*)/.exec(client.text)?.[1] as string,
      callId: dialog.callId,
      cseq: () => client.cseq,
      dialog: undefined,
      extra: {},
      branch: client.branch,
    });
  }

  private finalOf(dialog: Dialog, client: Client, msg: Msg | undefined): void {
    dialog.statuses.push(client.final);
    if (msg === undefined || msg.status >= 300) {
      this.end(dialog);
      return;
    }
    this.sameTag(dialog, msg);
    dialog.remoteTag = msg.toTag;
    dialog.remote = msg.to;
    dialog.target = msg.contact;
    dialog.state = 'confirmed';
    this.acknowledge(dialog, client);
  }

  /** §13.2.2.4: repeated with every copy of the 2xx. */
  private acknowledge(dialog: Dialog, client: Client): void {
    if (this.keeps.has('ACK')) {
      this.pendingAcks.push({ dialog, client });
      return;
    }
    client.ack = writeRequest({
      method: 'ACK',
      uri: dialog.target,
      via: this.via(this.id('z9hG4bK')),
      from: dialog.local,
      to: dialog.remote,
      callId: dialog.callId,
      cseq: client.cseq,
      extra: [],
      body: '',
    });
    this.say(client.ack);
  }

  // ── what comes from the server ───────────────────────────────────────────────────────────────

  protected dialogOf(msg: Msg): Dialog | undefined {
    return this.dialogs.find(
      (d) =>
        d.callId === msg.callId &&
        d.localTag === msg.toTag &&
        (d.remoteTag === msg.fromTag || d.remoteTag === ''),
    );
  }

  protected onOutside(served: Served): void {
    const { request } = served;
    if (request.method !== 'INVITE') {
      this.respond(served, request.method === 'OPTIONS' ? 200 : 405, this.id('t'), []);
      return;
    }
    if (this.expected === 0) {
      this.trouble('rings though nobody calls', request.text);
      this.respond(served, 480, this.id('t'), []);
      return;
    }
    this.expected -= 1;
    const tag = this.id('t');
    const dialog = newDialog({
      side: 'uas',
      callId: request.callId,
      localTag: tag,
      remoteTag: request.fromTag,
      local: `${request.to};tag=${tag}`,
      remote: request.from,
      localSeq: this.stage.dice.whole(1, 900),
      remoteSeq: request.cseq,
      target: request.contact,
      served,
    });
    this.dialogs.push(dialog);
  }

  protected onCancel(served: Served, invite: Served | undefined): void {
    const dialog = this.dialogs.find((d) => d.served === invite && invite !== undefined);
    if (invite === undefined || (dialog === undefined && invite.status === 0)) {
      this.onCancelInDialog(served, invite);
      return;
    }
    this.respond(served, 200, dialog?.localTag ?? '', []);
    if (!this.stage.over) this.trouble('cancelled though nobody gave up', served.request.text);
    if (dialog === undefined) return;
    dialog.cancelled = true;
    if (dialog.state !== 'inviting' && dialog.state !== 'early') return;
    if (!this.keeps.has('CANCEL')) this.terminated();
  }

  /** A re-INVITE that was kept is withdrawn. */
  private onCancelInDialog(served: Served, invite: Served | undefined): void {
    if (invite === undefined) {
      this.trouble('a CANCEL for nothing', served.request.text);
      this.respond(served, 481, this.id('t'), []);
      return;
    }
    this.respond(served, 200, invite.dialog?.localTag ?? '', []);
    this.respond(invite, 487, '', []);
    this.kept.splice(this.kept.indexOf(invite), 1);
  }

  /** 487 for the INVITE that was withdrawn. */
  terminated(): void {
    const dialog = this.talk;
    for (const r of this.reliable) r.repeater.stop();
    this.reliable = [];
    this.respond(dialog.served as Served, 487, dialog.localTag, []);
    this.end(dialog);
  }

  protected onAck(msg: Msg): void {
    const dialog = this.dialogOf(msg);
    if (dialog === undefined) {
      this.trouble('an ACK for nothing', msg.text);
      return;
    }
    const served = dialog.unacked.get(msg.cseq);
    if (served === undefined) return;
    dialog.unacked.delete(msg.cseq);
    served.repeater?.stop();
    served.acked = true;
    if (dialog.state === 'answered') dialog.state = 'confirmed';
  }

  protected onInDialog(served: Served): void {
    const { request, dialog } = served;
    if (dialog === undefined) {
      this.trouble('a request in a dialog that does not exist', request.text);
      this.respond(served, 481, '', []);
      return;
    }
    if (dialog.remoteSeq >= request.cseq) {
      this.trouble(`CSeq not above ${dialog.remoteSeq}`, request.text);
      this.respond(served, 500, '', []);
      return;
    }
    dialog.remoteSeq = request.cseq;
    if (dialog.remoteTag === '') dialog.remoteTag = request.fromTag;
    dialog.heard.push(request);
    if (dialog.state === 'ended') {
      // it crossed our BYE
      if (!this.stage.over) this.trouble('a request after the call had ended', request.text);
      // who hears 481 or the answer to a BYE from us ends the dialog (RFC 5057 §5.1), and knows
      // nothing of our BYE then
      dialog.crossed = true;
      this.respond(served, request.method === 'BYE' ? 200 : 481, '', []);
      return;
    }
    if (request.method === 'NOTIFY') this.onNotify(dialog, request);
    if (request.method === 'BYE') this.onBye(served, dialog);
    else if (this.keeps.has(request.method)) this.kept.push(served);
    else this.answerInDialog(served, dialog);
  }

  private onBye(served: Served, dialog: Dialog): void {
    if (!this.stage.over) this.trouble('hung up though nobody had', served.request.text);
    this.end(dialog);
    // §15.1.2: what is still pending is answered 487
    for (const pending of [...this.kept]) {
      if (pending.dialog !== dialog || pending.request.method === 'BYE') continue;
      this.kept.splice(this.kept.indexOf(pending), 1);
      if (!this.silent) this.respond(pending, 487, '', []);
    }
    if (this.keeps.has('BYE')) this.kept.push(served);
    else this.respond(served, 200, '', []);
  }

  private answerInDialog(served: Served, dialog: Dialog): void {
    const { method, body } = served.request;
    switch (method) {
      case 'INVITE':
        this.take(dialog, served);
        return;
      case 'UPDATE': {
        const answer = body === '' ? '' : this.body(dialog);
        this.respond(served, 200, '', [this.contact, ...this.acceptHeaders], answer);
        return;
      }
      case 'PRACK':
        this.onPrack(served);
        return;
      case 'NOTIFY':
      case 'OPTIONS':
      case 'INFO':
      case 'MESSAGE':
        this.respond(served, 200, '', []);
        return;
      default:
        this.trouble(`${method} in a dialog`, served.request.text);
        this.respond(served, 405, '', []);
    }
  }

  /** RFC 4235 §4.1.1, RFC 3680 §5: versions only grow. A subscription ends by NOTIFY. */
  private onNotify(dialog: Dialog, request: Msg): void {
    const version = Number(/ version="(\d+)"/.exec(request.body)?.[1] ?? -1);
    const before = this.versions.get(dialog.callId) ?? -1;
    if (version >= 0 && version <= before)
      this.trouble(`version not above ${before}`, request.text);
    this.versions.set(dialog.callId, version);
    if (dialog.remote === '' || dialog.remoteTag === '') dialog.remoteTag = request.fromTag;
    const state = request.headers.get('subscription-state')?.[0] ?? '';
    if (state === '') this.trouble('NOTIFY without Subscription-State', request.text);
    const own = dialog.client === undefined && dialog.served === undefined;
    if (!own || !state.startsWith('terminated')) return;
    if (!this.stage.over) this.trouble('the subscription was ended', request.text);
    this.end(dialog);
  }

  private onPrack(served: Served): void {
    const rack = served.request.headers.get('rack')?.[0] ?? '';
    const at = this.reliable.findIndex((r) => rack === `${r.rseq} ${r.served.request.cseq} INVITE`);
    if (at < 0) {
      this.trouble(`PRACK for nothing: ${rack}`, served.request.text);
      this.respond(served, 481, '', []);
      return;
    }
    this.reliable[at]?.repeater.stop();
    this.reliable.splice(at, 1);
    this.respond(served, 200, '', []);
  }

  protected end(dialog: Dialog): void {
    dialog.state = 'ended';
  }
}
