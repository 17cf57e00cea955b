/**
 * A caller hears music, and the primary dies: the new one offers the session to its own media service,
 * which goes on from the same port with the packets that come next. Each box has a service of its own
 * that knows nothing of the other one's.
 */

import test from 'ava';
import { playInstead } from '../../src/call/media.ts';
import { LEG } from '../../src/call/rows.ts';
import { announcementUri } from '../../src/proto/media.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { isFault, parseSdp, type SipMessage } from '../../src/sip-parser/index.ts';
import { encodeEvent } from '../../src/wire/rtp.ts';
import { Lab, line, Peer, SDP } from './call-lab.ts';
import { carry, Desk, type Packet } from './media-help.ts';

/** What a phone that plays the stream would notice. */
type Heard = { readonly ssrc: number; readonly first: number; readonly last: number };

class Scene {
  readonly lab: Lab;
  readonly alice: Peer;
  desk = new Desk();
  /** Requests the service got, in words. */
  story: string[] = [];
  packets: Packet[] = [];

  constructor(play: string, settings = {}) {
    const contact = play;
    const extension = {
      classOfService: '',
      contact,
      password: undefined,
      name: '',
      callerId: '',
      mwi: false,
    };
    const site = { ...PLAIN_SITE, extensions: { '1900': extension } };
    this.lab = new Lab({ site, ...settings });
    this.lab.swap(false);
    this.alice = new Peer(this.lab, '1001', '192.0.2.1');
    this.lab.register(this.alice);
  }

  /** Carries messages between engine and service until both are silent. */
  settle(): void {
    this.story.push(...carry(this.lab, this.desk));
  }

  pass(ms: number): void {
    for (let at = 0; at < ms; at += 20) {
      this.settle();
      this.desk.pass(20);
      this.lab.pass(20);
    }
    this.settle();
    this.packets.push(...this.desk.packets.splice(0));
  }

  /** Another box, with a media service of its own. */
  swap(lose: boolean): void {
    this.desk = new Desk();
    this.lab.swap(lose);
    this.settle();
  }

  call(body = SDP('alice')): { readonly invite: string; readonly ok: SipMessage } {
    const invite = this.alice.request('INVITE', 'sip:1900@192.0.2.10', { body });
    this.alice.send(invite);
    this.settle();
    const ok = this.alice.inbox().at(-1);
    if (ok?.status !== 200) throw new Error(`answered ${ok?.status}`);
    this.alice.ack(invite, ok);
    this.settle();
    return { invite, ok };
  }

  hear(): Heard {
    const all = this.packets.splice(0).map((p) => p.rtp);
    const [first, last] = [all[0], all.at(-1)];
    if (first === undefined || last === undefined) throw new Error('nothing was heard');
    const { ssrc } = first;
    if (all.some((p) => p.ssrc !== ssrc)) throw new Error('two streams');
    return { ssrc, first: first.timestamp, last: last.timestamp };
  }
}

const EVENTS = SDP('alice').replace('AVP 0', 'AVP 0 101\r\na=rtpmap:101 telephone-event/8000');
const MUSIC = announcementUri({ play: 'music' });

function portIn(m: SipMessage): number {
  const sdp = parseSdp(m.body);
  return isFault(sdp) ? 0 : (sdp.media[0]?.port ?? 0);
}

for (const lose of [false, true]) {
  test(`music goes on behind a switchover${lose ? ', what was unsaid is lost' : ''}`, (t) => {
    const scene = new Scene(MUSIC);
    const { invite, ok } = scene.call();
    t.is(portIn(ok), 20_000);
    scene.pass(1000);
    let before = scene.hear();
    for (let i = 0; i < 3; i += 1) {
      scene.story = [];
      // the old box is dead for a while
      scene.lab.pass(300);
      scene.swap(lose);
      t.deepEqual(scene.story, ['INVITE', 'ACK']);
      scene.pass(1000);
      t.deepEqual([...scene.desk.open.values()], [20_000]);
      const after = scene.hear();
      t.is(after.ssrc, before.ssrc);
      t.is((after.first - before.last) >>> 0, (300 / 20 + 1) * 160);
      before = after;
    }
    t.deepEqual(scene.alice.inbox().map(line), [], 'her phone is told nothing');
    scene.alice.send(scene.alice.inDialog('BYE', invite, ok));
    scene.settle();
    t.is(scene.desk.agent.size, 0);
    scene.lab.pass(120_000);
    t.is(scene.lab.store.count(LEG), 0);
  });
}

test('a call on hold stays on hold, and a re-INVITE that was under way is finished', (t) => {
  const scene = new Scene(MUSIC);
  const { invite, ok } = scene.call();
  const hold = `${SDP('alice')}a=sendonly\r\n`;
  scene.alice.send(scene.alice.inDialog('INVITE', invite, ok, { body: hold }));
  // it is at the service when the box dies: nobody has answered it
  scene.swap(false);
  const answer = scene.alice.inbox().at(-1) as SipMessage;
  t.is(answer.status, 200);
  t.regex(answer.body, /a=recvonly/);
  scene.alice.send(
    scene.alice.inDialog('ACK', invite, ok, { cseq: scene.alice.cseq, contact: false }),
  );
  scene.settle();
  scene.pass(1000);
  t.is(scene.packets.length, 0);
  scene.swap(false);
  scene.pass(1000);
  t.is(scene.packets.length, 0);
  t.is(scene.desk.agent.size, 1);
});

test('the switchover before the answer, and before the ACK', (t) => {
  const scene = new Scene(MUSIC);
  const invite = scene.alice.request('INVITE', 'sip:1900@192.0.2.10', { body: SDP('alice') });
  scene.alice.send(invite);
  scene.swap(false);
  const ok = scene.alice.inbox().at(-1) as SipMessage;
  t.is(ok.status, 200);
  scene.swap(false);
  scene.alice.ack(invite, ok);
  scene.pass(2000);
  t.is(scene.desk.agent.size, 1);
  t.true(scene.packets.length > 50);
  t.deepEqual([portIn(ok)], [...scene.desk.open.values()]);
});

test('an announcement ends when it would have ended', (t) => {
  const scene = new Scene(announcementUri({ play: 'welcome' }));
  scene.call();
  scene.pass(1000);
  scene.swap(true);
  scene.pass(900);
  t.deepEqual(scene.alice.inbox().map(line), []);
  scene.pass(200);
  t.deepEqual(scene.alice.inbox().map(line), ['BYE']);
});

test('digits are told to the engine, which answers; her phone is not asked', (t) => {
  const scene = new Scene(MUSIC, { auth: false });
  scene.call(EVENTS);
  const payload = encodeEvent({ event: 7, end: false, volume: 9, duration: 160 });
  scene.desk.rtp({ payloadType: 101, payload }, ['192.0.2.9', 4000]);
  t.is(scene.desk.agent.out.length, 1);
  scene.settle();
  t.true(scene.story.includes('SIP/2.0'), 'the INFO is answered');
  t.deepEqual(scene.alice.inbox().map(line), []);
  scene.pass(5000);
  t.is(scene.story.filter((s) => s === 'SIP/2.0').length, 1, 'once');
});

test('a session that cannot be had again is told, and the call stays', (t) => {
  const scene = new Scene(MUSIC);
  scene.call();
  const full = new Desk(0);
  scene.desk = full;
  scene.lab.swap(false);
  scene.settle();
  t.true(scene.lab.told.some((s) => /media: leg \d+ was not taken up again: 503/.test(s)));
  scene.pass(1000);
  t.deepEqual(scene.alice.inbox().map(line), []);
});

for (const when of ['before', 'while', 'after'] as const) {
  test(`something else is played, and the box is replaced ${when} the service hears of it`, (t) => {
    const scene = new Scene(MUSIC);
    scene.call();
    scene.pass(500);
    const { lab } = scene;
    const leg = [...lab.store.rows(LEG)].find((l) => l.side === 'callee');
    if (leg === undefined) throw new Error('no leg');
    lab.cx.now = lab.now;
    playInstead(lab.cx, leg, announcementUri({ play: 'welcome' }));
    if (when === 'after') scene.settle();
    scene.swap(when === 'before');
    scene.pass(1500);
    t.deepEqual(scene.alice.inbox().map(line), []);
    t.regex(
      [...lab.store.rows(LEG)].find((l) => l.side === 'callee')?.remoteTarget ?? '',
      /welcome/,
    );
    scene.pass(600);
    t.deepEqual(scene.alice.inbox().map(line), ['BYE'], 'it ends when it would have');
  });
}
