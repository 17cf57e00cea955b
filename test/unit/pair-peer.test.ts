/** What an attacker with a recorder can do to two boxes: nothing that lasts. `src/pair/peer.ts`. */

import test from 'ava';
import fc from 'fast-check';
import { Peer } from '../../src/pair/peer.ts';
import type { Path } from '../../src/pair/terms.ts';
import type { Heartbeat } from '../../src/wire/heartbeat.ts';
import { NO_BOOT } from '../../src/wire/heartbeat.ts';
import { heartbeatOf } from './heartbeat-of.ts';
import { Pair } from './pair-harness.ts';

const OWN = '00000000000000aa';
const PEER = '00000000000000b1';

function said(change: Partial<Heartbeat>): Heartbeat {
  return heartbeatOf({ boot: PEER, echoBoot: OWN, echoSequence: 10, ...change });
}

/** A box that has sent ten frames and has adopted boot PEER, heard up to 100 on x. */
function adopted(): Peer {
  const peer = new Peer('a', OWN, 25, 4);
  for (let n = 1; n <= 100; n += 1) peer.hear(said({ sequence: n }), 'x', n * 12, 10);
  return peer;
}

test('frame by frame: what is believed, what is refused, and by which name', (t) => {
  const now = 1201;
  for (const [change, path, heard] of [
    [{ sequence: 101 }, 'x', 'newest'],
    [{ sequence: 100 }, 'x', 'replayed'],
    [{ sequence: 7 }, 'x', 'replayed'],
    [{ sequence: 99, path: 'l' }, 'l', 'heard'],
    [{ sequence: 36, path: 'l' }, 'l', 'heard'],
    [{ sequence: 35, path: 'l' }, 'l', 'late'],
    [{ sequence: 101, path: 'l' }, 'x', 'wrong-path'],
    [{ sequence: 101, box: 'a' }, 'x', 'reflected'],
    [{ boot: '00000000000000b2', echoBoot: NO_BOOT }, 'x', 'stranger'],
    [{ boot: '00000000000000b2', echoBoot: '00000000000000ff' }, 'x', 'stranger'],
    [{ boot: '00000000000000b2', echoSequence: 10 }, 'x', 'newest'],
  ] as const) {
    t.is(adopted().hear(said(change), path, now, 10), heard, JSON.stringify(change));
  }
  const old = said({ boot: '00000000000000b2', echoSequence: 10 });
  t.is(adopted().hear(old, 'x', now, 75), 'stranger', 'an echo of long ago');
});

test('a boot that is over does not come back', (t) => {
  const peer = adopted();
  t.is(peer.hear(said({ boot: '00000000000000b2' }), 'x', 1300, 10), 'newest');
  t.is(peer.hear(said({ sequence: 101 }), 'x', 1301, 10), 'replayed');
});

test('frames of the LAN that were held back do not make a dead peer look alive', (t) => {
  const peer = adopted();
  t.false(peer.detector.silent(1200));
  let now = 1200;
  const kept: string[] = [];
  // the LAN was cut by somebody who kept its 100 frames, and plays them when the peer has died
  for (let n = 1; n <= 100; n += 1) {
    now += 12;
    kept.push(peer.hear(said({ sequence: n, path: 'l' }), 'l', now, 10));
  }
  t.is(kept.filter((k) => k === 'late').length, 35);
  t.true(peer.detector.silent(now + 113));
  t.is(peer.state?.sequence, 100);
});

test('strangers do not take the echo from a peer that is there', (t) => {
  const peer = adopted();
  for (let n = 0; n < 50; n += 1) {
    const boot = `00000000000001${(n % 10).toString().padStart(2, '0')}`;
    peer.hear(said({ boot, sequence: 1000 + n, echoBoot: NO_BOOT }), 'x', 1201, 10);
    t.deepEqual(peer.echo(1201, 'x'), { boot: PEER, sequence: 100 });
    t.deepEqual(peer.echo(1201, 'l'), { boot: PEER, sequence: 100 });
  }
});

test('among strangers the living one is echoed soon, however many recordings are played', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 13 }), (boots, pace) => {
      const peer = new Peer('a', OWN, 25, 4);
      let played = 0;
      let now = 0;
      for (let beat = 0; beat < 64; beat += 1) {
        // per heartbeat of ours: `pace` recorded frames, and two of the living box in between
        for (let k = 0; k < pace; k += 1) {
          played += 1;
          const boot = `000000000001${(1000 + (played % boots)).toString()}`;
          const recorded = said({ boot, path: 'l', sequence: played, echoBoot: NO_BOOT });
          t.is(peer.hear(recorded, 'l', now, 2 * beat), 'stranger');
          if (k === pace >> 1) {
            const alive = said({ sequence: beat + 1, echoBoot: NO_BOOT });
            peer.hear(alive, 'x', now, 2 * beat);
          }
        }
        const x = peer.echo(now, 'x');
        t.is(peer.echo(now, 'l').boot, x.boot, 'both paths echo one boot');
        if (x.boot === PEER) return true;
        now += 25;
      }
      return false;
    }),
  );
});

test('a recording holds a lone box back for ten seconds and no longer', (t) => {
  const pair = new Pair(3);
  pair.boot(pair.a);
  pair.boot(pair.b);
  pair.run(2000);
  const primary = pair.a.role() === 'primary' ? pair.a : pair.b;
  const backup = pair.other(primary);
  pair.powerOff(backup);
  pair.run(1000);
  const tape = pair.tape.filter((f) => f.from === backup.id);
  pair.kill(primary);
  pair.boot(primary);
  const began = pair.now;
  let at = 0;
  let promoted = 0;
  while (pair.now - began < 20_000) {
    for (let k = 0; k < 5; k += 1) {
      const f = tape[at % tape.length]!;
      at += 1;
      pair.give(primary, { kind: 'heartbeat', path: f.path as Path, bytes: f.bytes });
    }
    pair.run(10);
    if (promoted === 0 && primary.role() === 'primary') promoted = pair.now - began;
  }
  t.true(promoted > 9000 && promoted < 11_000, `primary after ${promoted} ms`);
  t.true((primary.view().refused['stranger'] ?? 0) > 5000);
  t.true(primary.view().alarms.active.some((a) => a.code === 'stranger'));
  t.true(pair.logs.some((l) => /alarm: stranger: heartbeats come that do not answer/.test(l.text)));
  // and the real peer comes back through the noise
  pair.boot(backup);
  for (let i = 0; i < 300; i += 1) {
    const f = tape[i % tape.length]!;
    pair.give(primary, { kind: 'heartbeat', path: f.path as Path, bytes: f.bytes });
    pair.run(5);
  }
  t.is(primary.role(), 'primary');
  t.is(backup.role(), 'backup');
  const codes = primary.view().alarms.active.map((a) => a.code);
  t.false(codes.includes('stranger'), 'the real one answers');
  t.deepEqual(pair.broken, []);
});

test('recorded questions are answered at most once a heartbeat', (t) => {
  const pair = new Pair(4);
  pair.boot(pair.a);
  pair.boot(pair.b);
  pair.run(2000);
  pair.filter = () => false; // neither hears the other: they ask
  pair.run(1000);
  pair.filter = () => true;
  const tape = pair.tape.filter((f) => f.from === 'b');
  pair.powerOff(pair.b);
  pair.kill(pair.a);
  pair.boot(pair.a);
  pair.run(100);
  const before = pair.a.view().counters.heartbeatsSent;
  for (const f of tape) pair.give(pair.a, { kind: 'heartbeat', path: f.path, bytes: f.bytes });
  const after = pair.a.view();
  t.true((after.refused['stranger'] ?? 0) > 100);
  t.true(after.counters.heartbeatsSent - before <= 4);
});
