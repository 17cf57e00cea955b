/** The VRRP machine: what it says and when, and what it makes of what it hears. */

import test from 'ava';
import fc from 'fast-check';
import { isFault } from '../../src/base/fault.ts';
import { NEVER } from '../../src/base/units.ts';
import { type VrrpOptions, VrrpSpeaker } from '../../src/proto/vrrp.ts';
import { decodeVrrp, encodeVrrp, type VrrpChecksum, type VrrpPacket } from '../../src/wire/vrrp.ts';

const OPTIONS: VrrpOptions = {
  vrid: 51,
  priority: 200,
  intervalCs: 100,
  families: {
    4: { source: '192.0.2.1', vips: ['192.0.2.10', '192.0.2.11'] },
    6: { source: 'fe80::1', vips: ['fe80::10', '2001:db8::10'] },
  },
  peers: ['192.0.2.2', 'FE80:0::2'],
};
const FOUR: VrrpOptions = { ...OPTIONS, families: { 4: OPTIONS.families[4]! } };

/** What is to be sent: family, priority and checksum form of each. */
function said(speaker: VrrpSpeaker): string[] {
  return speaker.takeOut().map(({ family, bytes }) => {
    const from = OPTIONS.families[family]!.source;
    const heard = decodeVrrp({ family, from, ttl: 255, bytes }, 51);
    if (isFault(heard)) return heard.fault;
    return `${family} ${heard.priority} ${heard.checksum} ${heard.addresses.length}`;
  });
}

type Stranger = {
  readonly from?: string;
  readonly priority?: number;
  readonly intervalCs?: number;
  readonly addresses?: readonly string[];
  readonly form?: VrrpChecksum;
  readonly vrid?: number;
};

function four(s: Stranger): VrrpPacket {
  const from = s.from ?? '192.0.2.9';
  const advert = {
    vrid: s.vrid ?? 51,
    priority: s.priority ?? 100,
    intervalCs: s.intervalCs ?? 100,
    addresses: s.addresses ?? ['192.0.2.11', '192.0.2.10'],
  };
  const bytes = encodeVrrp(4, advert, from, s.form ?? 'message');
  return { family: 4, from, ttl: 255, bytes };
}

const ONE = ['4 200 message 2', '6 200 pseudo 2'];

test('lead: at once, then every interval; quit: one with priority 0; then silence', (t) => {
  const speaker = new VrrpSpeaker(OPTIONS);
  t.is(speaker.deadline(), NEVER);
  t.false(speaker.due(0));
  speaker.lead(5000);
  t.true(speaker.leads);
  t.true(speaker.due(5000));
  t.deepEqual(said(speaker), ONE);
  t.is(speaker.deadline(), 6000);
  speaker.lead(5500);
  t.false(speaker.due(5999), 'asked again while leading it says nothing');
  t.true(speaker.due(6001));
  t.deepEqual(said(speaker), ONE);
  t.is(speaker.deadline(), 7000, 'the beat is kept');
  t.true(speaker.due(99_000));
  t.deepEqual(said(speaker), ONE, 'late ones are not made good');
  t.is(speaker.deadline(), 99_500);
  speaker.quit();
  t.deepEqual(said(speaker), ['4 0 message 2', '6 0 pseudo 2']);
  t.false(speaker.leads);
  t.is(speaker.deadline(), NEVER);
  t.false(speaker.due(200_000));
  speaker.quit();
  t.deepEqual(said(speaker), [], 'who does not lead has nothing to give up');
  t.is(speaker.counters.sent, 8);
});

test('rest: without a word, also without the one that was not taken out yet', (t) => {
  const speaker = new VrrpSpeaker(OPTIONS);
  speaker.lead(0);
  speaker.rest();
  t.deepEqual(said(speaker), []);
  t.is(speaker.deadline(), NEVER);
  t.false(speaker.leads);
  speaker.lead(10);
  t.deepEqual(said(speaker), ONE);
});

test('preempt: one, leading or not; a leader does not advertise twice for it', (t) => {
  const speaker = new VrrpSpeaker(OPTIONS);
  speaker.preempt(0);
  t.deepEqual(said(speaker), ONE);
  t.false(speaker.leads);
  t.false(speaker.due(10_000));
  speaker.lead(20_000);
  speaker.preempt(20_900);
  t.deepEqual(said(speaker), ONE);
  t.is(speaker.deadline(), 21_900);
});

test('a family without an address is not spoken for', (t) => {
  const bare = new VrrpSpeaker({
    ...OPTIONS,
    families: { 4: OPTIONS.families[4]!, 6: { source: 'fe80::1', vips: [] } },
  });
  bare.lead(0);
  t.deepEqual(said(bare), ['4 200 message 2']);
});

test('what cannot be said is found out when it is made', (t) => {
  t.throws(() => new VrrpSpeaker({ ...OPTIONS, vrid: 0 }));
  t.throws(() => new VrrpSpeaker({ ...OPTIONS, intervalCs: 4096 }));
  const families = { 4: { source: '192.0.2.1', vips: ['2001:db8::10'] } };
  t.throws(() => new VrrpSpeaker({ ...OPTIONS, families }));
});

test('who said it: own, peer, and strangers by priority', (t) => {
  const speaker = new VrrpSpeaker(OPTIONS);
  t.is(speaker.hear(0, four({ from: '192.0.2.1' })), 'own');
  t.is(speaker.hear(0, four({ from: '192.0.2.2' })), 'peer');
  const bytes = encodeVrrp(
    6,
    { vrid: 51, priority: 200, intervalCs: 100, addresses: ['fe80::10'] },
    'fe80::2',
    'pseudo',
  );
  t.is(speaker.hear(0, { family: 6, from: 'fe80:0:0::2', ttl: 255, bytes }), 'peer');
  t.is(speaker.neighbour(0), undefined, 'we are no strangers');
  t.is(speaker.hear(1, four({ priority: 199 })), 'lower');
  t.is(speaker.hear(2, four({ priority: 200 })), 'equal');
  t.is(speaker.hear(3, four({ priority: 201 })), 'higher');
  t.is(speaker.hear(4, four({ priority: 0 })), 'lower');
  t.deepEqual(speaker.hear(5, four({ vrid: 52 })), { fault: 'vrrp-vrid', at: 1 });
  t.deepEqual(speaker.hear(5, { ...four({}), ttl: 64 }), { fault: 'vrrp-ttl', at: 0 });
  t.like(speaker.counters, { heard: 7, strangers: 4, otherAddresses: 0 });
  t.is(speaker.counters.faults['vrrp-vrid'], 1);
  t.is(speaker.counters.faults['vrrp-ttl'], 1);
  t.is(speaker.counters.faults['vrrp-checksum'], 0);
});

test('RFC 9568 6.1: a stranger is kept three of its intervals and the skew', (t) => {
  const speaker = new VrrpSpeaker(FOUR);
  // its interval is 2 s: skew (256 - 200) * 2000 / 256 = 437.5 ms
  speaker.hear(1000, four({ intervalCs: 200, priority: 7, form: 'pseudo' }));
  const seen = {
    family: 4,
    ip: '192.0.2.9',
    priority: 7,
    intervalCs: 200,
    at: 1000,
    leads: true,
    sameAddresses: true,
    checksum: 'pseudo',
  } as const;
  t.deepEqual(speaker.neighbour(1000), seen);
  t.deepEqual(speaker.neighbour(7437, 4), seen);
  t.is(speaker.neighbour(1000, 6), undefined);
  t.is(speaker.neighbour(7437.5), undefined);
  speaker.hear(8000, four({ intervalCs: 200, priority: 0, addresses: ['192.0.2.10'] }));
  t.like(speaker.neighbour(8437), { leads: false, sameAddresses: false, priority: 0 });
  t.is(speaker.neighbour(8438), undefined, 'one that goes away is kept for the skew only');
  t.is(speaker.counters.otherAddresses, 1);
  speaker.hear(9000, four({ from: '192.0.2.8' }));
  speaker.hear(9100, four({ from: '192.0.2.7' }));
  t.is(speaker.neighbour(9100)?.ip, '192.0.2.7', 'the last one');
});

test('IPv4 checksums: as it was heard last, or as ordered', (t) => {
  const follows = new VrrpSpeaker(FOUR);
  follows.lead(0);
  t.deepEqual(said(follows), ['4 200 message 2']);
  follows.hear(10, four({ form: 'pseudo' }));
  t.true(follows.due(1000));
  t.deepEqual(said(follows), ['4 200 pseudo 2']);
  t.is(follows.neighbour(60_000), undefined);
  t.true(follows.due(60_000));
  t.deepEqual(said(follows), ['4 200 pseudo 2'], 'a router gone silent still listens');
  follows.hear(60_500, four({ form: 'message', from: '192.0.2.2' }));
  t.true(follows.due(61_000));
  t.deepEqual(said(follows), ['4 200 message 2']);
  const ordered = new VrrpSpeaker({ ...FOUR, checksum: 'pseudo' });
  ordered.hear(0, four({ form: 'message' }));
  ordered.lead(10);
  t.deepEqual(said(ordered), ['4 200 pseudo 2']);
});

test('whatever happens: silent unless it leads, and never more than one a family to send', (t) => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('lead', 'quit', 'rest', 'due', 'take' as const) }),
    fc.record({ kind: fc.constant('hear' as const), bytes: fc.uint8Array({ maxLength: 20 }) }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(3000)), { maxLength: 60 }), (steps) => {
      const speaker = new VrrpSpeaker(FOUR);
      let now = 0;
      for (const [s, wait] of steps) {
        now += wait;
        if (s.kind === 'lead') speaker.lead(now);
        else if (s.kind === 'quit') speaker.quit();
        else if (s.kind === 'rest') speaker.rest();
        else if (s.kind === 'due') speaker.due(now);
        else if (s.kind === 'hear') {
          speaker.hear(now, { family: 4, from: '192.0.2.9', ttl: 255, bytes: s.bytes });
        } else {
          const words = said(speaker);
          t.true(words.length <= 1);
          if (words[0]?.startsWith('4 0')) t.false(speaker.leads);
        }
        t.is(speaker.deadline() === NEVER, !speaker.leads);
        if (!speaker.leads && s.kind === 'rest') t.deepEqual(said(speaker), []);
      }
    }),
  );
});
