/**
 * A crowd of callers and callees that calls itself through the server: hundreds of calls at once,
 * each checked to the letter. Callers live at one address, callees at another; a call is known on
 * both sides by the header X-Call, which a back-to-back server passes on.
 *
 * Noted as violations, besides those of `side.ts`: a tag that changes, a CSeq that does not grow, a
 * request for a dialog that is not there, a second INVITE for one call, a request of the other side
 * that was answered but did not arrive (or arrived twice).
 */

import { randomBytes } from 'node:crypto';
import { type Address, Book, type ServerTxn, Side } from './side.ts';
import { answerTo, cseqOf, type Message, one, param, sdp, uriIn, write } from './text.ts';

export type SideName = 'caller' | 'callee';

type Dialog = {
  readonly call: Call;
  readonly side: Side;
  readonly name: SideName;
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  /** From value without tag of what we send, and To value likewise. */
  readonly localUri: string;
  readonly remoteUri: string;
  target: string;
  localCseq: number;
  /** CSeq numbers of the requests that came, in order. */
  readonly remoteCseqs: number[];
  /** Transaction of the last INVITE that came, and whether it was acknowledged. */
  invited: ServerTxn | undefined;
  acked: boolean;
  /** CSeq of our INVITE whose ACK was sent. */
  ack: string;
  bye: boolean;
  state: 'setup' | 'up' | 'over';
  version: number;
};

export type Call = {
  readonly n: number;
  readonly ringMs: number;
  /** Of the flow: it ends by itself and is not counted among the standing ones. */
  readonly short: boolean;
  readonly caller: Dialog;
  callee: Dialog | undefined;
  /** Final status of the INVITE; 0 while there is none, -1 when none came. */
  status: number;
  /** Re-INVITEs that arrived, as X-Step said. */
  readonly steps: string[];
  withdrawn: boolean;
  readonly done: (status: number) => void;
};

export type Tally = {
  readonly asked: number;
  readonly ok: number;
  /** "call 17: 481". */
  readonly failed: readonly string[];
};

export type CrowdSettings = {
  readonly server: Address;
  readonly callers: Address;
  readonly callees: Address;
  /** Callees are extensions from here on. */
  readonly firstCallee: number;
  readonly calleeCount: number;
  readonly firstCaller: number;
};

const word = (): string => randomBytes(9).toString('hex');

export class Crowd {
  readonly book = new Book();
  readonly calls = new Map<number, Call>();
  readonly #s: CrowdSettings;
  readonly #callers: Side;
  readonly #callees: Side;
  readonly #dialogs = new Map<string, Dialog>();
  #next = 1;
  #flow: NodeJS.Timeout | undefined;
  #flowCalls: { n: number; done: Promise<string> }[] = [];

  constructor(settings: CrowdSettings) {
    this.#s = settings;
    const handler = (side: () => Side, name: SideName) => ({
      onRequest: (txn: ServerTxn) => this.#request(side(), name, txn),
      onAck: (m: Message) => this.#ack(name, m),
      onRepeated2xx: (m: Message) => this.#ackAgain(m),
      onUnheard: (txn: ServerTxn) =>
        this.book.violation(`${name}: 2xx not acknowledged: ${one(txn.request, 'call-id')}`),
    });
    const { server, callers, callees } = settings;
    this.#callers = new Side(
      'caller',
      callers,
      server,
      this.book,
      handler(() => this.#callers, 'caller'),
    );
    this.#callees = new Side(
      'callee',
      callees,
      server,
      this.book,
      handler(() => this.#callees, 'callee'),
    );
  }

  async start(): Promise<void> {
    await Promise.all([this.#callers.start(), this.#callees.start()]);
  }

  stop(): void {
    clearInterval(this.#flow);
    this.#callers.stop();
    this.#callees.stop();
  }

  /** Registers every callee. */
  async register(): Promise<Tally> {
    const all = Array.from({ length: this.#s.calleeCount }, (_, i) => this.#s.firstCallee + i);
    return tally(
      all.map((user) => ({ name: `extension ${user}`, result: this.#registerOne(user) })),
      (status) => status === 200,
    );
  }

  #registerOne(user: number): Promise<number> {
    const side = this.#callees;
    const { address, port } = this.#s.server;
    const branch = `z9hG4bK${word()}`;
    const here = `${side.here.address}:${side.here.port}`;
    const text = write(`REGISTER sip:${address}:${port} SIP/2.0`, [
      `Via: SIP/2.0/UDP ${here};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: <sip:${user}@${address}>;tag=${word()}`,
      `To: <sip:${user}@${address}>`,
      `Call-ID: ${word()}`,
      'CSeq: 1 REGISTER',
      `Contact: <sip:${user}@${here}>`,
      'Expires: 3600',
    ]);
    return new Promise((done) => {
      side.request(text, 'REGISTER', branch, (m) => {
        if (m === undefined || m.status >= 200) done(m?.status ?? -1);
      });
    });
  }

  /** Makes calls, `rate` a second, and waits until both sides of each are through. */
  async establish(count: number, rate: number, ringMs: number): Promise<Tally> {
    const asked: { name: string; result: Promise<number> }[] = [];
    for (let i = 0; i < count; i++) {
      asked.push(this.#dial(ringMs, false).asked);
      await sleep(1000 / rate);
    }
    const all = await tally(asked, (status) => status === 200);
    await this.#until(() => this.#established().every((c) => c.callee?.acked === true), 10_000);
    return all;
  }

  /** Begins calls and does not wait for them. */
  #dial(
    ringMs: number,
    short: boolean,
  ): { call: Call; asked: { name: string; result: Promise<number> } } {
    const n = this.#next++;
    let finish: (status: number) => void = () => {};
    const result = new Promise<number>((done) => {
      finish = done;
    });
    const call = this.#newCall(n, ringMs, short, finish);
    this.calls.set(n, call);
    this.#invite(call.caller, ['X-Ring: '.concat(String(ringMs))]);
    return { call, asked: { name: `call ${n}`, result } };
  }

  #newCall(n: number, ringMs: number, short: boolean, done: (status: number) => void): Call {
    const { server, firstCallee, calleeCount, firstCaller } = this.#s;
    const callee = firstCallee + (n % calleeCount);
    const caller = firstCaller + (n % 400);
    const call = {
      ...{ n, ringMs, short, callee: undefined, status: 0, steps: [] },
      ...{ withdrawn: false, done },
    } as unknown as Call & { caller: Dialog };
    call.caller = this.#newDialog(call, this.#callers, 'caller', {
      callId: `${n}-${word()}`,
      remoteTag: '',
      localUri: `<sip:${caller}@${server.address}>`,
      remoteUri: `<sip:${callee}@${server.address}>`,
      target: `sip:${callee}@${server.address}:${server.port}`,
    });
    return call;
  }

  #newDialog(
    call: Call,
    side: Side,
    name: SideName,
    of: Pick<Dialog, 'callId' | 'remoteTag' | 'localUri' | 'remoteUri' | 'target'>,
  ): Dialog {
    const dialog: Dialog = {
      ...{ call, side, name, localTag: word(), localCseq: 0, remoteCseqs: [], version: 0 },
      ...{ invited: undefined, acked: false, ack: '', bye: false, state: 'setup', ...of },
    };
    this.#dialogs.set(`${name}|${of.callId}|${dialog.localTag}`, dialog);
    return dialog;
  }

  // ── what a side sends ────────────────────────────────────────────────────────────────────────

  #lines(d: Dialog, method: string, cseq: number, branch: string): string[] {
    const here = `${d.side.here.address}:${d.side.here.port}`;
    const user = /sip:([^@]+)@/.exec(d.localUri)?.[1] ?? '';
    const to = d.remoteTag === '' ? '' : `;tag=${d.remoteTag}`;
    return [
      `Via: SIP/2.0/UDP ${here};branch=${branch};rport`,
      'Max-Forwards: 70',
      `From: ${d.localUri};tag=${d.localTag}`,
      `To: ${d.remoteUri}${to}`,
      `Call-ID: ${d.callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${user}@${here}>`,
      `X-Call: ${d.call.n}`,
    ];
  }

  #invite(d: Dialog, lines: readonly string[]): void {
    const branch = `z9hG4bK${word()}`;
    d.localCseq += 1;
    const cseq = d.localCseq;
    const text = write(
      `INVITE ${d.target} SIP/2.0`,
      [...this.#lines(d, 'INVITE', cseq, branch), ...lines],
      sdp(d.side.here.address, ++d.version),
    );
    d.side.request(text, 'INVITE', branch, (m) => this.#invited(d, m, text, branch));
  }

  #invited(d: Dialog, m: Message | undefined, text: string, branch: string): void {
    const { call } = d;
    if (m !== undefined) this.#tag(d, m);
    if (m !== undefined && m.status < 200) return;
    if (m !== undefined && m.status < 300) {
      d.target = uriIn(one(m, 'contact'));
      d.state = d.state === 'setup' ? 'up' : d.state;
      this.#acknowledge(d, m);
    } else if (m !== undefined) {
      const ack = this.#lines(d, 'ACK', cseqOf(m).number, branch).map((line) =>
        line.startsWith('To: ') ? `To: ${one(m, 'to')}` : line,
      );
      d.side.send(write(`ACK ${text.split(' ')[1]} SIP/2.0`, ack));
    }
    const status = m?.status ?? -1;
    if (d.localCseq === 1 && d.name === 'caller') {
      call.status = status;
      if (status !== 200) d.state = 'over';
      call.done(status);
    } else this.#reinvited.get(d)?.(status);
  }

  readonly #reinvited = new Map<Dialog, (status: number) => void>();

  #acknowledge(d: Dialog, m: Message): void {
    const lines = this.#lines(d, 'ACK', cseqOf(m).number, `z9hG4bK${word()}`);
    d.ack = write(`ACK ${d.target} SIP/2.0`, lines);
    d.side.send(d.ack);
  }

  #ackAgain(m: Message): void {
    const tag = param(one(m, 'from'), 'tag');
    for (const name of ['caller', 'callee'] as const) {
      const d = this.#dialogs.get(`${name}|${one(m, 'call-id')}|${tag}`);
      if (d !== undefined && d.ack !== '') d.side.send(d.ack);
    }
  }

  /** The other side's tag never changes once it was told (RFC 3261 12.1.2); 100 need not tell it. */
  #tag(d: Dialog, m: Message): void {
    const tag = param(one(m, 'to'), 'tag');
    if (tag === '' && m.status === 100) return;
    if (m.status >= 300 && d.state === 'setup') return;
    if (d.remoteTag === '') d.remoteTag = tag;
    if (tag !== d.remoteTag) {
      this.book.violation(`call ${d.call.n} ${d.name}: tag ${tag}, was ${d.remoteTag}`);
    }
  }

  // ── what a side gets ─────────────────────────────────────────────────────────────────────────

  #request(side: Side, name: SideName, txn: ServerTxn): void {
    const m = txn.request;
    const localTag = param(one(m, 'to'), 'tag');
    if (m.method === 'CANCEL') {
      this.#cancelled(side, txn);
      return;
    }
    if (localTag === '') {
      if (m.method === 'INVITE' && name === 'callee') this.#rung(side, txn);
      else this.#refuse(side, txn, 481, `${name}: ${m.method} outside a dialog`);
      return;
    }
    const d = this.#dialogs.get(`${name}|${one(m, 'call-id')}|${localTag}`);
    const what = `${name}: ${m.method} ${one(m, 'call-id')}`;
    if (d === undefined || param(one(m, 'from'), 'tag') !== d.remoteTag) {
      this.#refuse(side, txn, 481, `${what}: no such dialog (tag ${localTag})`);
      return;
    }
    const cseq = cseqOf(m).number;
    const last = d.remoteCseqs.at(-1) ?? 0;
    if (cseq <= last) this.book.violation(`${what}: CSeq ${cseq} after ${last}`);
    d.remoteCseqs.push(cseq);
    if (d.state === 'over') {
      this.#refuse(side, txn, 481, `${what}: the dialog is over`);
    } else if (m.method === 'BYE') {
      d.state = 'over';
      d.bye = true;
      this.#endedEarly(d);
      side.respond(txn, answerTo(m, 200, 'OK', ''));
    } else if (m.method === 'INVITE') {
      d.call.steps.push(one(m, 'x-step'));
      d.invited = txn;
      d.acked = false;
      const body = sdp(side.here.address, ++d.version);
      side.respond(txn, answerTo(m, 200, 'OK', '', [this.#contact(d)], body));
    } else this.#refuse(side, txn, 405, `${what}: unexpected`);
  }

  /** A BYE may overtake an ACK that died with a box; then nothing is repeated any more. */
  #endedEarly(d: Dialog): void {
    if (d.invited === undefined || d.acked) return;
    this.book.count('BYE before ACK');
    d.side.settle(d.invited);
  }

  #refuse(side: Side, txn: ServerTxn, status: number, why: string): void {
    this.book.violation(why);
    side.respond(txn, answerTo(txn.request, status, 'No', word()));
  }

  #contact(d: Dialog): string {
    const user = /sip:([^@]+)@/.exec(d.localUri)?.[1] ?? '';
    return `Contact: <sip:${user}@${d.side.here.address}:${d.side.here.port}>`;
  }

  /** The INVITE of a new call reaches its callee. */
  #rung(side: Side, txn: ServerTxn): void {
    const m = txn.request;
    const call = this.calls.get(Number(one(m, 'x-call')));
    if (call === undefined || call.callee !== undefined) {
      const why = call === undefined ? 'for no call' : `for call ${call.n} a second time`;
      this.#refuse(side, txn, 486, `callee: INVITE ${why}`);
      return;
    }
    const from = one(m, 'from');
    const d = this.#newDialog(call, side, 'callee', {
      callId: one(m, 'call-id'),
      remoteTag: param(from, 'tag'),
      localUri: one(m, 'to'),
      remoteUri: from.slice(0, from.lastIndexOf(';tag=')),
      target: uriIn(one(m, 'contact')),
    });
    call.callee = d;
    d.remoteCseqs.push(cseqOf(m).number);
    d.invited = txn;
    side.respond(txn, answerTo(m, 180, 'Ringing', d.localTag, [this.#contact(d)]));
    setTimeout(() => {
      if (d.state !== 'setup') return;
      d.state = 'up';
      const body = sdp(side.here.address, ++d.version);
      side.respond(txn, answerTo(m, 200, 'OK', d.localTag, [this.#contact(d)], body));
    }, call.ringMs);
  }

  #cancelled(side: Side, txn: ServerTxn): void {
    const m = txn.request;
    for (const d of this.#dialogs.values()) {
      const invited = d.invited?.request;
      if (d.name !== 'callee' || invited === undefined) continue;
      if (param(one(invited, 'via'), 'branch') !== param(one(m, 'via'), 'branch')) continue;
      if (!d.call.withdrawn) this.book.violation(`call ${d.call.n}: CANCEL nobody asked for`);
      side.respond(txn, answerTo(m, 200, 'OK', d.localTag));
      if (d.state !== 'setup' || d.invited === undefined) return;
      d.state = 'over';
      side.respond(d.invited, answerTo(invited, 487, 'Request Terminated', d.localTag));
      return;
    }
    this.#refuse(side, txn, 481, 'callee: CANCEL of nothing');
  }

  #ack(name: SideName, m: Message): void {
    const d = this.#dialogs.get(`${name}|${one(m, 'call-id')}|${param(one(m, 'to'), 'tag')}`);
    if (d === undefined || d.invited === undefined) {
      this.book.violation(`${name}: ACK ${one(m, 'call-id')}: no such dialog`);
      return;
    }
    if (cseqOf(m).number !== cseqOf(d.invited.request).number) {
      this.book.violation(
        `${name}: ACK of ${one(m, 'cseq')} after ${one(d.invited.request, 'cseq')}`,
      );
      return;
    }
    d.acked = true;
    d.side.settle(d.invited);
  }

  // ── what is done with standing calls ─────────────────────────────────────────────────────────

  #established(): Call[] {
    return [...this.calls.values()].filter((c) => !c.short && c.caller.state === 'up');
  }

  /** Side by which call n is handled: half the calls one, half the other. */
  #by(call: Call, turn: number): Dialog | undefined {
    return (call.n + turn) % 2 === 0 ? call.caller : call.callee;
  }

  /**
   * Re-INVITEs every standing call from one side: of even calls the caller, of odd ones the callee,
   * `turn` 1 the other way round. Waits until the asker has its 200 and the other side its ACK.
   */
  async reinvite(turn: number, step: string, calls = this.#established()): Promise<Tally> {
    const asked = calls.map((call) => {
      const d = this.#by(call, turn);
      const result = new Promise<number>((done) => {
        if (d === undefined) done(0);
        else {
          this.#reinvited.set(d, done);
          this.#invite(d, [`X-Step: ${step}`]);
        }
      });
      return { name: `call ${call.n} by ${d?.name}`, result };
    });
    const all = await tally(asked, (status) => status === 200);
    const through = (): boolean =>
      calls.every((c) => this.#other(this.#by(c, turn))?.acked === true);
    if (!(await this.#until(through, 35_000))) this.book.violation(`${step}: an ACK is missing`);
    for (const call of calls) {
      const seen = call.steps.filter((s) => s === step).length;
      if (seen !== 1)
        this.book.violation(`call ${call.n}: re-INVITE ${step} arrived ${seen} times`);
    }
    return all;
  }

  #other(d: Dialog | undefined): Dialog | undefined {
    return d?.name === 'caller' ? d.call.callee : d?.call.caller;
  }

  /** Hangs up every standing call, half of them from either side, and waits for the other side. */
  async hangUp(turn: number, calls = this.#established()): Promise<Tally> {
    const asked = calls.map((call) => ({
      name: `call ${call.n} by ${this.#by(call, turn)?.name}`,
      result: this.#bye(this.#by(call, turn)),
    }));
    return tally(asked, (status) => status === 200);
  }

  async #bye(d: Dialog | undefined): Promise<number> {
    if (d === undefined) return 0;
    const branch = `z9hG4bK${word()}`;
    d.state = 'over';
    d.localCseq += 1;
    const text = write(`BYE ${d.target} SIP/2.0`, this.#lines(d, 'BYE', d.localCseq, branch));
    const status = await new Promise<number>((done) => {
      d.side.request(text, 'BYE', branch, (m) => {
        if (m === undefined || m.status >= 200) done(m?.status ?? -1);
      });
    });
    const other = this.#other(d);
    if (!(await this.#until(() => other?.bye === true, 35_000))) {
      this.book.violation(`call ${d.call.n}: the BYE never reached the other side`);
    }
    return status;
  }

  // ── a flow of short calls ────────────────────────────────────────────────────────────────────

  /** New calls at `rate` a second until `endFlow`; each rings, talks, and is hung up. */
  startFlow(rate: number): void {
    const began = performance.now();
    let started = 0;
    this.#flow = setInterval(() => {
      const due = Math.floor(((performance.now() - began) * rate) / 1000);
      for (; started < due; started++) this.#short();
    }, 5);
  }

  #short(): void {
    const { call, asked } = this.#dial(20 + ((this.#next * 37) % 300), true);
    const life = async (): Promise<string> => {
      const status = await asked.result;
      if (status !== 200) return `INVITE ${status}`;
      await sleep(200);
      const bye = await this.#bye(call.n % 2 === 0 ? call.caller : call.callee);
      if (bye !== 200) return `BYE ${bye}`;
      return '';
    };
    this.#flowCalls.push({ n: call.n, done: life() });
  }

  /** Stops starting calls and waits until each has ended. */
  async endFlow(): Promise<Tally> {
    clearInterval(this.#flow);
    const all = this.#flowCalls;
    this.#flowCalls = [];
    const failed: string[] = [];
    for (const { n, done } of all) {
      const what = await done;
      if (what !== '') failed.push(`call ${n}: ${what}`);
    }
    return { asked: all.length, ok: all.length - failed.length, failed };
  }

  async #until(done: () => boolean, ms: number): Promise<boolean> {
    for (const end = performance.now() + ms; !done(); await sleep(5)) {
      if (performance.now() > end) return false;
    }
    return true;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((done) => {
    setTimeout(done, ms);
  });
}

async function tally(
  asked: readonly { readonly name: string; readonly result: Promise<number> }[],
  good: (status: number) => boolean,
): Promise<Tally> {
  const failed: string[] = [];
  for (const { name, result } of asked) {
    const status = await result;
    if (!good(status)) failed.push(`${name}: ${status}`);
  }
  return { asked: asked.length, ok: asked.length - failed.length, failed };
}
