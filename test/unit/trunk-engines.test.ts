/**
 * Trunks on two whole engines with their ledgers: who speaks with a trunk is the primary alone, what it
 * knows is the backup's too, and a takeover goes on where it was. Names are asked for by inputs and
 * effects.
 */

import test from 'ava';
import { summary } from '../../src/call/switch.ts';
import { sipSettings } from '../../src/proto/context.ts';
import { PLAIN_SITE, type Site } from '../../src/proto/site.ts';
import { Bench, Hand, settings } from './engine-pair.ts';
import { trunk } from './trunk-lab.ts';

const CARRIER = '192.0.2.30';

function bench(site: Partial<Site>): Bench {
  const made = new Bench();
  const sip = sipSettings({ vip: '192.0.2.10', nonceKey: 'k', site: { ...PLAIN_SITE, ...site } });
  for (const [box, seed] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    made.hands[box] = new Hand({ ...settings(box, 'hot-standby'), sip }, seed);
  }
  made.settle();
  made.crown('a');
  made.followAll('b');
  made.connect();
  return made;
}

const value = (text: string, name: string): string =>
  new RegExp(`^${name}: (.*)\r$`, 'm').exec(text)?.[1] ?? '';

/** Requests of this method that `hand` said, each once. */
function said(hand: Hand, method: string): string[] {
  const seen = new Set<string>();
  return hand.sent
    .filter((s) => s.text.startsWith(`${method} `))
    .map((s) => s.text)
    .filter((text) => !seen.has(value(text, 'CSeq')) && seen.add(value(text, 'CSeq')));
}

/** The carrier answers the last request of this method. */
function answer(hand: Hand, text: string, status: string, more = ''): void {
  const lines = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((n) => {
    const tag = n === 'To' ? ';tag=x' : '';
    return `${n}: ${value(text, n)}${tag}\r\n`;
  });
  hand.give({
    kind: 'sip',
    transport: 'udp',
    ip: CARRIER,
    port: 5060,
    text: `SIP/2.0 ${status} Fine\r\n${lines.join('')}${more}Content-Length: 0\r\n\r\n`,
  });
}

test('only the primary checks and registers; after a takeover the same conversations go on', (t) => {
  const b = bench({
    trunks: [
      trunk('one', [`sip:${CARRIER}`], {
        options: { periodS: 2, forceS: 1, recoveryS: 1 },
        register: { user: 'u', password: 'p', registrar: '', aor: '', expiresS: 600 },
      }),
    ],
  });
  b.advance(50);
  const [check] = said(b.a, 'OPTIONS');
  const [register] = said(b.a, 'REGISTER');
  answer(b.a, check ?? '', '200');
  answer(b.a, register ?? '', '200', 'Expires: 600\r\n');
  b.advance(2500);
  t.is(said(b.a, 'OPTIONS').length, 2);
  t.is(said(b.b, 'OPTIONS').length + said(b.b, 'REGISTER').length, 0);
  const views = [b.a, b.b].map((h) => summary(h.engine.ledger).trunks);
  t.deepEqual(views[0], views[1]);
  t.is(views[1]?.[0]?.registration, 'registered');
  // a dies with a check in flight
  b.cut = true;
  b.b.give({ kind: 'link-down' });
  b.crown('b', 'peer-closed');
  b.advance(1500);
  const after = said(b.b, 'OPTIONS');
  t.true(after.length > 0);
  for (const text of after) t.is(value(text, 'Call-ID'), value(check ?? '', 'Call-ID'));
  const cseqs = after.map((text) => Number.parseInt(value(text, 'CSeq'), 10));
  t.is(cseqs[0], 2, 'the one in flight');
  t.deepEqual(
    cseqs,
    [...cseqs].sort((x, y) => x - y),
  );
  t.is(said(b.b, 'REGISTER').length, 0, 'it is registered');
  t.false(summary(b.b.engine.ledger).trunks[0]?.inService);
  t.true(b.b.logs.some((line) => line.startsWith('trunk-out-of-service: trunk one')));
});

test('a name is a question of the primary; its answer is in both boxes, and lost on a backup', (t) => {
  const uri = 'sip:carrier.example';
  const b = bench({ trunks: [trunk('one', [uri])] });
  b.advance(50);
  const address = { transport: 'udp', ip: CARRIER, port: 5060, priority: 0, weight: 0 } as const;
  const found = { uri, addresses: [address], ttlS: 60, cause: '' };
  b.b.give({ kind: 'resolved', answer: found });
  b.settle();
  t.is(summary(b.b.engine.ledger).trunks[0]?.contacts[0]?.addresses, '');
  b.a.give({ kind: 'resolved', answer: found });
  b.settle();
  for (const hand of [b.a, b.b]) {
    t.is(summary(hand.engine.ledger).trunks[0]?.contacts[0]?.addresses, `udp ${CARRIER} 5060 0 0`);
  }
  b.advance(61_000);
  t.true(b.a.asked.filter((q) => q === uri).length >= 2, 'asked again when its time is over');
  t.deepEqual(b.b.asked, []);
});
