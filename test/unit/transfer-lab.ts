/** Calls of three phones, brought to where a transfer begins. */

import { H, type SipMessage } from '../../src/sip-parser/index.ts';
import { heard, type Lab, Peer, SDP, talking } from './call-lab.ts';

/** 1001 talks with 1002, and 1003 is registered. */
export function three(settings: Parameters<typeof talking>[1] = {}) {
  const s = talking(false, settings);
  const carol = new Peer(s.lab, '1003', '192.0.2.3');
  s.lab.register(carol);
  heard(s.alice);
  heard(s.bob);
  return { ...s, carol };
}

export type Three = ReturnType<typeof three>;

/** A REFER of bob, the callee, in his dialog. */
export function refer(s: Three, to: string, extra = ''): string {
  return s.bob.backward('REFER', s.toBob, 'bt', { extra: `Refer-To: ${to}\r\n${extra}` });
}

/** Answers every NOTIFY `peer` has; returns them as "status state". */
export function notes(peer: Peer, status = 200): string[] {
  const out: string[] = [];
  for (const m of peer.inbox()) {
    if (m.method !== 'NOTIFY') {
      out.push(m.isRequest ? m.method : String(m.status));
      if (m.method === 'BYE') peer.reply(m, 200, 'x');
      continue;
    }
    out.push(`${/^SIP\/2.0 (\d+)/.exec(m.body)?.[1]} ${m.header(H.SubscriptionState)}`);
    peer.reply(m, status, 'x');
  }
  return out;
}

export function sole(all: readonly SipMessage[], method: string): SipMessage {
  const found = all.filter((m) => m.method === method);
  if (found.length !== 1) throw new Error(`${found.length} of ${method}`);
  return found[0] as SipMessage;
}

/** bob calls carol, who answers (`answer`) or rings: his consultation. */
export function consult(s: Three, answer: boolean) {
  const { bob, carol } = s;
  const invite = bob.request('INVITE', 'sip:1003@192.0.2.10', {
    body: SDP('bob2'),
    callId: 'consult@bob',
    fromTag: 'consult',
  });
  bob.send(invite);
  const toCarol = sole(carol.inbox(), 'INVITE');
  carol.reply(toCarol, 180, 'ct');
  const ringing = bob.inbox().at(-1) as SipMessage;
  if (!answer) return { invite, toCarol, tag: ringing.toTag, ok: ringing };
  carol.reply(toCarol, 200, 'ct', SDP('carol'));
  const ok = bob.take();
  bob.ack(invite, ok);
  heard(carol);
  return { invite, toCarol, tag: ok.toTag, ok };
}

export function replacesOf(tag: string, more = ''): string {
  const value = `consult@bob;to-tag=${tag};from-tag=consult${more}`;
  return value.replace(/[;=@]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
}

export function quiet(lab: Lab): void {
  lab.pass(200_000);
}
