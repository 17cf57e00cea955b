/**
 * BYE by everybody in every state (RFC 3261 15.1.2): it is answered 200, whoever still talks with nobody
 * is hung up, and nothing is left of the call, with the same box or the next one.
 */

import test from 'ava';
import { partner } from '../../src/call/leg.ts';
import { CALL, LEG, RPR } from '../../src/call/rows.ts';
import { REOFFER, TRANSFER } from '../../src/call/transfer-rows.ts';
import { CTX } from '../../src/proto/sip/rows.ts';
import type { SipMessage } from '../../src/sip-parser/index.ts';
import { type Lab, line, Peer, pair, SDP } from './call-lab.ts';
import { consult, notes, refer, replacesOf, sole, three } from './transfer-lab.ts';

/** Somebody in a dialog, and his BYE. */
type Party = { readonly name: string; readonly peer: Peer; readonly bye: () => string };
type Scene = { readonly lab: Lab; readonly parties: readonly Party[] };

type Three = ReturnType<typeof three>;

const inside = (name: string, peer: Peer, invite: string, ok: SipMessage): Party => ({
  name,
  peer,
  bye: () => peer.inDialog('BYE', invite, ok, { cseq: 70, contact: false }),
});

const called = (name: string, peer: Peer, invite: SipMessage, tag: string): Party => ({
  name,
  peer,
  bye: () => peer.backward('BYE', invite, tag, { cseq: 70, contact: false }),
});

function twoOf(s: Three): Party[] {
  return [inside('alice', s.alice, s.invite, s.ok), called('bob', s.bob, s.toBob, 'bt')];
}

/** bob, in a call with alice, sends her on to carol, whose phone has the INVITE. */
function sentOn() {
  const s = three();
  s.bob.send(refer(s, '<sip:1003@192.0.2.10>'));
  notes(s.bob);
  const toCarol = sole(s.carol.inbox(), 'INVITE');
  const parties = [...twoOf(s), called('carol', s.carol, toCarol, 'ct')];
  return { ...s, toCarol, parties };
}

function early(extra = '') {
  const p = pair();
  const invite = p.alice.request('INVITE', 'sip:1002@192.0.2.10', { body: SDP('alice'), extra });
  p.alice.send(invite);
  const toBob = p.bob.take();
  const says = extra === '' ? '' : 'Require: 100rel\r\nRSeq: 9\r\n';
  p.bob.reply(toBob, 183, 'bt', SDP('bob'), says);
  const ringing = p.alice.inbox().at(-1) as SipMessage;
  const alice = inside('alice', p.alice, invite, ringing);
  return { ...p, invite, toBob, parties: [alice, called('bob', p.bob, toBob, 'bt')] };
}

/** carol takes the call that rings at bob; alice's ACK is out when `acked`. */
function taken(acked: boolean) {
  const s = early();
  const carol = new Peer(s.lab, '1003', '192.0.2.3');
  s.lab.register(carol);
  const take = carol.request('INVITE', 'sip:1002@192.0.2.10', {
    extra: `Replaces: ${s.toBob.callId};to-tag=${s.toBob.fromTag};from-tag=bt\r\n`,
    body: SDP('carol'),
  });
  carol.send(take);
  const ok = s.alice.inbox().at(-1) as SipMessage;
  if (acked) s.alice.ack(s.invite, ok);
  s.lab.pass(300);
  return { lab: s.lab, parties: [inside('alice', s.alice, s.invite, ok)] };
}

const SCENES: { readonly [name: string]: () => Scene } = {
  early: () => early(),
  'early, a PRACK is owed': () => early('Supported: 100rel\r\n'),
  'answered, a PRACK is owed': () => {
    const s = early('Supported: 100rel\r\n');
    s.bob.reply(s.toBob, 200, 'bt', SDP('bob'));
    return s;
  },
  'answered, no ACK yet': () => {
    const s = early();
    s.bob.reply(s.toBob, 200, 'bt', SDP('bob'));
    return s;
  },
  confirmed: () => {
    const s = three();
    return { lab: s.lab, parties: twoOf(s) };
  },
  'a re-INVITE is out': () => {
    const s = three();
    s.alice.send(s.alice.inDialog('INVITE', s.invite, s.ok, { body: SDP('hold') }));
    return { lab: s.lab, parties: twoOf(s) };
  },
  'an UPDATE is out': () => {
    const s = three();
    s.bob.send(s.bob.backward('UPDATE', s.toBob, 'bt', { body: SDP('hold') }));
    return { lab: s.lab, parties: twoOf(s) };
  },
  'a transfer, calling': () => {
    const s = sentOn();
    return { lab: s.lab, parties: s.parties.slice(0, 2) };
  },
  'a transfer, ringing': () => {
    const s = sentOn();
    s.carol.reply(s.toCarol, 180, 'ct');
    return s;
  },
  'a transfer, joining': () => {
    const s = sentOn();
    s.carol.reply(s.toCarol, 200, 'ct', SDP('carol'));
    return s;
  },
  'a transfer, joined': () => {
    const s = sentOn();
    s.carol.reply(s.toCarol, 200, 'ct', SDP('carol'));
    s.alice.reply(sole(s.alice.inbox(), 'INVITE'), 200, 't1001', SDP('alice 2'));
    return s;
  },
  'a transfer, failed, not told yet': () => {
    const s = sentOn();
    s.carol.reply(s.toCarol, 486, 'ct');
    return { lab: s.lab, parties: s.parties.slice(0, 2) };
  },
  'a consultation is asked for its offer': () => {
    const s = three();
    const c = consult(s, true);
    s.bob.send(refer(s, `<sip:1003@192.0.2.10?Replaces=${replacesOf(c.tag)}>`));
    const more = [
      inside('bob, second line', s.bob, c.invite, c.ok),
      called('carol', s.carol, c.toCarol, 'ct'),
    ];
    return { lab: s.lab, parties: [...twoOf(s), ...more] };
  },
  'picked up, no ACK yet': () => taken(false),
  'picked up, joining': () => taken(true),
};

const TABLES = [CALL, LEG, RPR, TRANSFER, REOFFER, CTX] as const;

/** What everybody does from here on: BYE is taken, all else is left alone. */
function live(lab: Lab, peers: readonly Peer[]): string[] {
  const odd: string[] = [];
  for (let i = 0; i < 260; i += 1) {
    for (const peer of new Set(peers)) {
      for (const m of peer.inbox()) {
        if (m.method === 'BYE' || m.method === 'NOTIFY') peer.reply(m, 200, 'x');
        if (m.cseqMethod === 'BYE' && !m.isRequest && m.status !== 200) odd.push(line(m));
      }
    }
    lab.pass(1000);
  }
  return odd;
}

/** Legs of whoever talks with nobody. */
function lonely(lab: Lab): string[] {
  const { store, cx } = lab;
  return [...store.rows(LEG)].flatMap((leg) => {
    const call = store.get(CALL, leg.call);
    const other = call === undefined ? undefined : partner(cx, call, leg);
    return other?.state === 'confirmed' ? [] : [`${leg.side} ${leg.state}`];
  });
}

for (const [name, scene] of Object.entries(SCENES)) {
  test(`BYE: ${name}`, (t) => {
    for (let i = 0; i < scene().parties.length; i += 1) {
      for (const swaps of ['never', 'before', 'after'] as const) {
        const { lab, parties } = scene();
        const who = parties[i] as Party;
        const about = `${who.name}, the box is replaced ${swaps}`;
        if (swaps === 'before') lab.swap(true);
        who.peer.send(who.bye());
        if (swaps === 'after') lab.swap(true);
        const peers = [...parties.map((p) => p.peer)];
        t.deepEqual(live(lab, peers), [], about);
        t.deepEqual(lonely(lab), [], about);
        // who was left talking hangs up now
        for (const p of parties) {
          if (p !== who) p.peer.send(p.bye().replace('CSeq: 70', 'CSeq: 90'));
        }
        live(lab, peers);
        const left = TABLES.filter((x) => lab.store.count(x as never) > 0).map((x) => x.name);
        t.deepEqual(left, [], about);
      }
    }
  });
}
