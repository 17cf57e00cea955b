/**
 * Phones that act by a script, and what a program hears of it. Each step is an act of a phone or time
 * that passes; between any two of them the box can be replaced, and the script goes on the same.
 */

import type { SipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, SDP, uriIn } from './call-lab.ts';
import { CstaModel, eventsOf, type Heard, watchAll } from './csta-model.ts';
import { trunk } from './trunk-lab.ts';

/** One end of a dialog, as a phone knows it. */
type End = {
  readonly callId: string;
  readonly own: string;
  /** Its own address and the other's, with tags. */
  local: string;
  remote: string;
  target: string;
  cseq: number;
  /** The INVITE it sent, or the one it got. */
  readonly sent: string;
  readonly asked: SipMessage | undefined;
};

export class Stage {
  readonly lab: Lab;
  readonly model = new CstaModel();
  readonly events: string[] = [];
  private readonly phones = new Map<string, Peer>();
  private readonly ends = new Map<string, End>();
  private readonly heard = new Map<Peer, SipMessage[]>();
  private calls = 0;

  constructor(settings: Partial<SipSettings> = {}) {
    this.lab = new Lab(settings);
    this.lab.swap(false);
  }

  /** A phone `name` of extension `user`; the second one of an extension is another address. */
  phone(name: string, user = name, ip = `192.0.2.${this.phones.size + 1}`): Peer {
    const peer = new Peer(this.lab, user, ip);
    this.phones.set(name, peer);
    if (/^1/.test(user)) this.lab.register(peer, 7200);
    return peer;
  }

  begin(): void {
    watchAll(this.lab);
  }

  private peer(name: string): Peer {
    const peer = this.phones.get(name);
    if (peer === undefined) throw new Error(`no phone ${name}`);
    return peer;
  }

  /** Everything a phone got so far. */
  inbox(name: string): SipMessage[] {
    const peer = this.peer(name);
    const all = this.heard.get(peer) ?? [];
    this.heard.set(peer, all);
    all.push(...peer.inbox());
    return all;
  }

  /** The last message of a kind that a phone got. */
  last(name: string, fits: (m: SipMessage) => boolean): SipMessage {
    const m = this.inbox(name).findLast(fits);
    if (m === undefined) throw new Error(`${name} got nothing like that`);
    return m;
  }

  /** `as`: a name for the caller's end of the dialog. */
  invite(name: string, to: string, as: string, extra = ''): void {
    const peer = this.peer(name);
    this.calls += 1;
    const callId = `c${this.calls}`;
    const sent = peer.request('INVITE', `sip:${to}@192.0.2.10`, {
      callId,
      fromTag: as,
      body: SDP(as),
      extra,
    });
    const own = as;
    const local = `<${peer.aor}>;tag=${as}`;
    const remote = '';
    this.ends.set(as, {
      ...{ callId, own, local, remote, target: '', cseq: peer.cseq, sent, asked: undefined },
    });
    peer.send(sent);
  }

  /** A phone answers the INVITE it got last; `as`: its end of the dialog. */
  answer(name: string, as: string, status: number, extra = ''): void {
    const peer = this.peer(name);
    const m = this.ends.get(as)?.asked ?? this.last(name, (x) => isNew(x));
    const own = as;
    this.ends.set(as, {
      ...{ callId: m.callId, own, sent: '', asked: m, cseq: 100 },
      local: `${m.header(H.To)};tag=${as}`,
      remote: m.header(H.From) ?? '',
      target: m.contactUri,
    });
    peer.reply(m, status, as, status >= 200 && status < 300 ? SDP(as) : '', extra);
  }

  private end(as: string, name: string): End {
    const end = this.ends.get(as);
    if (end === undefined) throw new Error(`no dialog ${as}`);
    if (end.remote === '') {
      const ok = this.last(name, (x) => !x.isRequest && x.callId === end.callId && x.toTag !== '');
      end.remote = ok.header(H.To) ?? '';
      end.target = ok.contactUri;
    }
    return end;
  }

  /** Acknowledges the last final answer a phone got in a dialog. */
  ack(name: string, as: string): void {
    const { callId } = this.end(as, name);
    const fits = (x: SipMessage): boolean =>
      x.callId === callId && x.status >= 200 && x.cseqMethod === 'INVITE';
    const ok = this.last(name, fits);
    this.peer(name).send(
      this.peer(name).request('ACK', ok.contactUri, {
        to: uriIn(ok.header(H.To) ?? ''),
        toTag: ok.toTag,
        fromTag: ok.fromTag,
        callId,
        cseq: ok.cseq,
        contact: false,
      }),
    );
  }

  cancel(name: string, as: string): void {
    this.peer(name).cancel((this.ends.get(as) as End).sent);
  }

  /** A request inside a dialog. */
  ask(name: string, as: string, method: string, o: { body?: string; extra?: string } = {}): void {
    const end = this.end(as, name);
    end.cseq += 1;
    this.peer(name).send(
      this.peer(name).request(method, end.target, {
        to: uriIn(end.remote),
        toTag: tag(end.remote),
        fromTag: end.own,
        callId: end.callId,
        cseq: end.cseq,
        ...o,
      }),
    );
  }

  /** Answers the last request of a kind that a phone got inside a dialog. */
  agree(name: string, method: string, body = '', status = 200): void {
    const m = this.last(name, (x) => x.isRequest && x.method === method && x.toTag !== '');
    this.peer(name).reply(m, status, '', body);
  }

  /** `Replaces` as the other side of dialog `as` would be named by its phone. */
  replaces(name: string, as: string): string {
    const end = this.end(as, name);
    return `${end.callId};to-tag=${tag(end.remote)};from-tag=${end.own}`;
  }

  /** What a program heard since it was looked at last, and whether it fits the rows. */
  look(): string[] {
    const { programs } = this.lab;
    const all = eventsOf(this.lab);
    this.events.push(...all.map(plain));
    this.lab.programs = programs;
    return this.model.look(this.lab);
  }
}

function isNew(m: SipMessage): boolean {
  return m.isRequest && m.method === 'INVITE' && m.toTag === '';
}

function tag(value: string): string {
  return /;tag=([^;]*)/.exec(value)?.[1] ?? '';
}

/** An event in a line: what, who, why, by whom, and who is in the call after it. */
export function plain(e: Heard): string {
  const who = e.connection?.deviceId ?? e.transferringDevice ?? '';
  const parties = (e.parties ?? []).map((p) => `${p.deviceId} ${p.state}`).join(', ');
  const via = e.lastRedirection === undefined ? '' : ` from ${e.lastRedirection}`;
  const old = e.secondaryOldCall === undefined ? '' : ` with ${e.secondaryOldCall}`;
  return `${e.callId}${old} ${e.event} ${who} (${e.cause}${via}) ${parties}`.trim();
}

/** Four phones, and others of these names and extensions. */
export function stage(more: readonly (readonly [string, string])[] = [], settings = {}): Stage {
  const s = new Stage(settings);
  for (const user of ['1001', '1002', '1003', '1004']) s.phone(user);
  for (const [name, user] of more) s.phone(name, user);
  s.begin();
  return s;
}

const SITE = {
  ...PLAIN_SITE,
  trunks: [
    trunk('one', ['sip:192.0.2.30'], {
      prefixes: ['0'],
      priority: 1,
      rewrite: { strip: 1, prepend: '' },
    }),
    trunk('two', ['sip:192.0.2.31'], { prefixes: ['0'], priority: 2, classOfService: 'all' }),
  ],
};

/** Two phones and two gateways of the site's trunks. */
export function withTrunks(): Stage {
  const s = new Stage({ site: SITE });
  for (const user of ['1001', '1002']) s.phone(user);
  s.phone('g1', '5551', '192.0.2.30');
  s.phone('g2', '5552', '192.0.2.31');
  s.begin();
  return s;
}
