/**
 * All media sessions of a box: what comes in by RTP, what goes out every 20 ms, who is in which
 * conference. It keeps nothing a switchover would need: a session is made again from its dialog.
 */

import { isFault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import type { Instant } from '../base/units.ts';
import { decodeRtp, RTP_HEAD } from '../wire/rtp.ts';
import type { Remote } from './description.ts';
import { type Digit, Digits } from './dtmf.ts';
import { decode, encodeInto } from './g711.ts';
import { Jitter } from './jitter.ts';
import { type MixMember, mix } from './mixer.ts';
import { FRAME, frameAt, QUIET } from './sound.ts';
import { frameOf, Incoming, Outgoing } from './stream.ts';
import type { Treatment } from './treatment.ts';

/** A session as the user agent wants it. */
export type SessionWish = {
  /** Call-ID and tag of its dialog. */
  readonly id: string;
  readonly at: Instant;
  readonly since: Instant;
  readonly treatment: Treatment;
  /** Undefined until the other side has described itself. */
  readonly remote: Remote | undefined;
};

export type StudioEvents = {
  digit(id: string, digit: Digit): void;
  /** The announcement is over. */
  ended(id: string): void;
};

/** Takes a packet at once; the octets are used again. */
export type Transmit = (id: string, bytes: Uint8Array, ip: string, port: number) => void;

class Session {
  wish: SessionWish;
  readonly out: Outgoing;
  incoming: Incoming | undefined;
  readonly digits = new Digits();
  readonly jitter = new Jitter();
  readonly hears = new Int16Array(FRAME);
  over = false;

  constructor(wish: SessionWish) {
    this.wish = wish;
    this.out = new Outgoing(wish.id, wish.at);
  }
}

export class Studio {
  private readonly sessions = new Map<string, Session>();
  private readonly conferences = new Map<string, Set<Session>>();
  private readonly events: StudioEvents;
  private readonly most: number;
  /** Packets that were no RTP, or somebody else's. */
  strange = 0;

  /** @param most sessions at once. */
  constructor(events: StudioEvents, most: number = LIMITS.mediaSessions) {
    this.events = events;
    this.most = Math.min(most, LIMITS.mediaSessions);
  }

  get size(): number {
    return this.sessions.size;
  }

  /** Status by which a treatment is refused now; 0: there is room. */
  refuses(treatment: Treatment, id: string): 0 | 486 | 503 {
    if (!this.sessions.has(id) && this.sessions.size >= this.most) return 503;
    if (treatment.kind !== 'conference') return 0;
    const there = this.conferences.get(treatment.conference);
    if (there === undefined) return this.conferences.size < LIMITS.conferences ? 0 : 503;
    const session = this.sessions.get(id);
    if (session !== undefined && there.has(session)) return 0;
    return there.size < LIMITS.conferenceMembers ? 0 : 486;
  }

  /** Begins a session, or changes it to what `wish` says. */
  set(wish: SessionWish): void {
    let session = this.sessions.get(wish.id);
    if (session === undefined) {
      session = new Session(wish);
      this.sessions.set(wish.id, session);
    } else {
      this.leave(session);
      if (session.wish.since !== wish.since) session.over = false;
    }
    const before = session.incoming === undefined ? undefined : session.wish.remote;
    session.wish = wish;
    if (wish.remote !== undefined && !sameWay(before, wish.remote)) {
      session.incoming = new Incoming(wish.remote);
    }
    if (wish.treatment.kind === 'conference') this.join(wish.treatment.conference, session);
  }

  private join(name: string, session: Session): void {
    const there = this.conferences.get(name);
    if (there === undefined) this.conferences.set(name, new Set([session]));
    else there.add(session);
  }

  private leave(session: Session): void {
    const { treatment } = session.wish;
    if (treatment.kind !== 'conference') return;
    const there = this.conferences.get(treatment.conference);
    there?.delete(session);
    if (there?.size === 0) this.conferences.delete(treatment.conference);
  }

  end(id: string): void {
    const session = this.sessions.get(id);
    if (session === undefined) return;
    this.leave(session);
    this.sessions.delete(id);
  }

  clear(): void {
    this.sessions.clear();
    this.conferences.clear();
  }

  /** A datagram came to the port of a session. Never throws on it. */
  receive(id: string, bytes: Uint8Array, ip: string, port: number): void {
    const session = this.sessions.get(id);
    const { incoming } = session ?? {};
    const remote = session?.wish.remote;
    const packet = decodeRtp(bytes);
    if (session === undefined || incoming === undefined || remote === undefined) return;
    if (isFault(packet) || !incoming.accepts(packet, ip, port)) {
      this.strange += 1;
      return;
    }
    if (packet.payloadType === remote.events) {
      const digit = session.digits.take(packet);
      if (digit !== undefined) this.events.digit(id, digit);
    } else if (session.wish.treatment.kind === 'conference' && remote.speaks) {
      session.jitter.put(packet.timestamp, decode(remote.codec, packet.payload));
    }
  }

  /** Frame `k` of the pair clock: everybody who hears something gets his packet. */
  tick(k: number, transmit: Transmit): void {
    for (const members of this.conferences.values()) this.mixed(members);
    for (const session of this.sessions.values()) this.play(session, k, transmit);
  }

  private mixed(members: ReadonlySet<Session>): void {
    const all: MixMember[] = [];
    for (const { wish, jitter, hears } of members) {
      const { treatment } = wish;
      if (treatment.kind !== 'conference') continue;
      const { mode, member, coached } = treatment;
      all.push({ mode, member, coached, says: jitter.take(), hears });
    }
    mix(all);
  }

  private play(session: Session, k: number, transmit: Transmit): void {
    const { id, treatment, remote, since } = session.wish;
    let at = -1;
    if (treatment.kind === 'announcement' && !session.over) {
      at = frameAt(treatment.playing, k - frameOf(since));
      if (at === -2) {
        session.over = true;
        this.events.ended(id);
        if (!this.sessions.has(id)) return;
      }
    }
    const { incoming } = session;
    if (remote === undefined || incoming === undefined || !remote.hears) return;
    if (incoming.ip === '') return;
    const packet = session.out.packet(k, remote.type);
    if (treatment.kind === 'conference') {
      encodeInto(remote.codec, session.hears, packet, RTP_HEAD);
    } else if (at >= 0) {
      const coded = treatment.playing.sound.as(remote.codec);
      packet.set(coded.subarray(at * FRAME, (at + 1) * FRAME), RTP_HEAD);
    } else packet.set(QUIET[remote.codec], RTP_HEAD);
    transmit(id, packet, incoming.ip, incoming.port);
  }
}

/** The other side is where it was and sends the same: what was learnt of it stays. */
function sameWay(a: Remote | undefined, b: Remote): boolean {
  if (a === undefined || a.ip !== b.ip || a.port !== b.port) return false;
  return a.type === b.type && a.events === b.events && a.codec === b.codec;
}
