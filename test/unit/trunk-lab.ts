/** A site with trunks for tests of `call/`: the lab's box, phones 1001 and 1002, and gateways. */

import type { SipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE, type Site, type Trunk } from '../../src/proto/site.ts';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { Lab, Peer, SDP } from './call-lab.ts';

/** A trunk that says nothing but where it is; no checks. */
export function trunk(name: string, contacts: readonly string[], more: Partial<Trunk> = {}): Trunk {
  return {
    name,
    contacts,
    prefixes: [],
    priority: 10,
    capacity: 0,
    domain: '',
    options: { periodS: 0, forceS: 5, recoveryS: 30 },
    tryS: 4,
    register: undefined,
    auth: undefined,
    inbound: {
      addresses: [],
      contacts: true,
      digest: undefined,
      prefix: '',
      prepend: '',
      number: 'request-uri',
    },
    classOfService: 'internal',
    rewrite: { strip: 0, prepend: '' },
    format: 'as-is',
    callerId: { prefix: '', number: '', anonymous: false, trusted: true, diversion: true },
    ...more,
  };
}

/** Where gateway `n` is. */
export const gatewayIp = (n: number): string => `192.0.2.${29 + n}`;

/** Phones alice and bob, gateways g1 (192.0.2.30), g2, g3, and a box that has begun. */
export function site(given: Partial<Site>, settings: Partial<SipSettings> = {}) {
  const lab = new Lab({ site: { ...PLAIN_SITE, ...given }, ...settings });
  const alice = new Peer(lab, '1001', '192.0.2.1');
  const bob = new Peer(lab, '1002', '192.0.2.2');
  const [g1, g2, g3] = [1, 2, 3].map((n) => new Peer(lab, `g${n}`, gatewayIp(n))) as [
    Peer,
    Peer,
    Peer,
  ];
  lab.swap(false);
  if (settings.auth !== true) {
    lab.register(alice);
    lab.register(bob);
  }
  return { lab, alice, bob, g1, g2, g3 };
}

/** alice calls `number`; her INVITE. */
export function dial(alice: Peer, number: string, extra = ''): string {
  const callId = `${number}-${alice.cseq}@alice`;
  const body = SDP('alice');
  const invite = alice.request('INVITE', `sip:${number}@192.0.2.10`, { body, callId, extra });
  alice.send(invite);
  return invite;
}

/** The INVITE among what came, when there is one. */
export function inviteIn(peer: Peer): SipMessage | undefined {
  return peer.inbox().find((m) => m.method === 'INVITE');
}

/** The statuses that came. */
export function statuses(peer: Peer): string {
  return peer
    .inbox()
    .map((m) => (m.isRequest ? m.method : `${m.status}`))
    .join();
}
