/**
 * Conferences with the media service of the box itself, and voices in them: who hears whom, muted, coached,
 * and on the next box, whose media service knows nothing of the one before.
 */

import test from 'ava';
import { conferenceCall, muteMember } from '../../src/call/conference/commands.ts';
import { changeMonitoring, startMonitoring } from '../../src/call/conference/supervise.ts';
import { PARTY, type Party } from '../../src/call/csta/rows.ts';
import { decode, encode } from '../../src/media/g711.ts';
import type { Context } from '../../src/proto/context.ts';
import { at, type Cast, command, complaints, stage } from './conference-lab.ts';
import { carry, Desk, joined, strength, toneFrame } from './media-help.ts';

const HZ = [500, 900, 1300, 1700];

class Hall {
  readonly cast: Cast = stage();
  desk = new Desk();
  private k = 0;

  pass(ms: number): void {
    for (let t = 0; t < ms; t += 20) {
      for (const phone of this.cast.phones) phone.act();
      carry(this.cast.lab, this.desk);
      this.desk.pass(20);
      this.cast.lab.pass(20);
    }
  }

  swap(lose: boolean): void {
    const { nextPort } = this.desk;
    this.desk = new Desk();
    // ports of sessions that will be made again are not given away
    this.desk.nextPort = nextPort;
    this.cast.lab.swap(lose);
    this.pass(1500);
  }

  do(f: Parameters<typeof command>[1]): void {
    command(this.cast.lab, f);
    this.pass(1500);
  }

  phone(n: number) {
    return this.cast.phones[n - 1] as Cast['phones'][number];
  }

  call(n: number, number: string, callee: number): void {
    this.phone(n).call(number);
    this.pass(400);
    this.phone(callee).lift();
    this.pass(600);
  }

  /** Session of a phone at the service, by the port it was told to send to; '' for none. */
  private session(n: number): string {
    const sdp = this.phone(n).living().at(-1)?.heard ?? '';
    const port = Number(/^m=audio (\d+)/m.exec(sdp)?.[1]);
    return [...this.desk.open].find(([, p]) => p === port)?.[0] ?? '';
  }

  /** Everybody speaks with a tone of his own. @returns whom each phone hears: "23" is 1002 and 1003. */
  talk(): string[] {
    const ids = this.cast.phones.map((_, i) => this.session(i + 1));
    this.desk.packets = [];
    for (let n = 0; n < 40; n += 1, this.k += 1) {
      ids.forEach((id, i) => {
        if (id === '') return;
        const payload = encode('PCMU', toneFrame(HZ[i] as number, this.k));
        const sequence = this.k & 0xffff;
        this.desk.rtp({ payload, sequence, timestamp: 160 * this.k }, ['192.0.2.9', 4000], id);
      });
      this.pass(20);
    }
    return ids.map((id) => {
      const all = this.desk.packets.filter((p) => p.id === id).slice(5);
      const heard = joined(all.map((p) => decode('PCMU', p.rtp.payload)));
      return HZ.map((hz, i) => (strength(heard, hz) > 1000 ? i + 1 : '')).join('');
    });
  }
}

function partyAt(cx: Context, device: string): Party {
  return cx.store.all(PARTY, 'device', device)[0] as Party;
}

function threeTalk(): Hall {
  const hall = new Hall();
  hall.call(1, '1002', 2);
  hall.call(1, '1003', 3);
  hall.do((cx) =>
    conferenceCall(cx, { heldCall: at(cx, '1001', 0), activeCall: at(cx, '1001', 1) }),
  );
  return hall;
}

test('three hear each other, on the next box too, and who is muted is not heard', (t) => {
  const hall = threeTalk();
  const all = ['23', '13', '12', ''];
  t.deepEqual(hall.talk(), all);
  for (const lose of [false, true]) {
    hall.swap(lose);
    t.deepEqual(hall.talk(), all, `${lose}`);
  }
  hall.do((cx) => muteMember(cx, partyAt(cx, '1002'), true) ?? {});
  t.deepEqual(hall.talk(), ['3', '13', '1', '']);
  hall.swap(false);
  t.deepEqual(hall.talk(), ['3', '13', '1', '']);
  hall.do((cx) => muteMember(cx, partyAt(cx, '1002'), false) ?? {});
  t.deepEqual(hall.talk(), all);
  t.deepEqual(complaints(hall.cast), []);
});

test('a supervisor is heard by nobody, by the agent, by both, on every box', (t) => {
  const hall = new Hall();
  hall.call(1, '1002', 2);
  const who = { supervisorDevice: '1004', device: '1002' };
  hall.do((cx) => startMonitoring(cx, who));
  hall.phone(4).lift();
  hall.pass(1500);
  t.deepEqual(hall.talk(), ['2', '1', '', '12']);
  hall.swap(true);
  t.deepEqual(hall.talk(), ['2', '1', '', '12']);
  hall.do((cx) => changeMonitoring(cx, { ...who, mode: 'coach' }));
  t.deepEqual(hall.talk(), ['2', '14', '', '12']);
  hall.swap(false);
  t.deepEqual(hall.talk(), ['2', '14', '', '12']);
  hall.do((cx) => changeMonitoring(cx, { ...who, mode: 'join' }));
  t.deepEqual(hall.talk(), ['24', '14', '', '12']);
  t.deepEqual(complaints(hall.cast), []);
});
