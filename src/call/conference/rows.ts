/**
 * What conferences keep: who takes part, how he is heard, who supervises and what is recorded. A
 * conference lives in a media service (RFC 4240 5); here is which of our legs are connected with it.
 */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

export const CONFERENCE = table({
  name: 'conference',
  about: 'Conferences: calls whose devices hear each other by a media service (RFC 4240 5).',
  number: 28,
  fields: {
    /** Its name at the media service. */
    word: 'text',
    /** The call (`cstacall`) it began in: members may be asked for theirs. */
    ccall: 'int',
    /**
     * calling: somebody is called for it; its devices talk as before. gathering: its first members are
     * being connected. parting: two are connected with each other again, for one cannot be in it. ending:
     * those left are hung up.
     */
    state: ['calling', 'gathering', 'standing', 'parting', 'ending'],
    /** The media service of its first member: all others go there. */
    transport: ['udp', 'tcp', 'tls', 'ws', 'wss'],
    ip: 'text',
    port: 'int',
    host: 'text',
    /** The leg of the device that conferenced, and the other one of it, which is released; 0: none. */
    by: 'int',
    old: 'int',
    /** The leg that joins by it and the one whose call goes on: what `conferenced` tells; 0: nothing. */
    stays: 'int',
    joins: 'int',
    /** Who asked for it: his reference is in `conferenced`; 0 and '' for nobody. */
    session: 'int',
    request: 'text',
  },
  indexes: {},
  deadline: () => NEVER,
  warm: false,
});

export const MODES = ['talk', 'listen', 'coach', 'muted'] as const;
export type Mode = (typeof MODES)[number];

export const MEMBER = table({
  name: 'member',
  about: 'Members of conferences: a leg, the leg to the media service it hears, and how.',
  number: 29,
  fields: {
    conference: 'int',
    /** The row of `call` its leg is in, and the leg. */
    call: 'int',
    leg: 'int',
    role: ['party', 'supervisor', 'recorder'],
    /** Its name at the media service, where that is not its id: it was another row. */
    name: 'int',
    /**
     * calling: its phone is called, leg 0. waiting: the first member is tried before. joining: being
     * connected for the first time. apart: paused,
     * connected with nobody.
     */
    state: ['calling', 'waiting', 'joining', 'in', 'apart'],
    /** How it is to take part, how the media leg that is being connected does, and how it does now. */
    mode: MODES,
    next: MODES,
    said: MODES,
    /** A coach: the member (row of this table) that hears it. */
    coached: 'int',
    /** Its leg to the media service; 0 for none yet. */
    media: 'int',
    /** The row of `bridge` that connects it; 0 for none. */
    bridge: 'int',
    /** What its leg was told before, with headers: the way back. */
    former: 'text',
    /** To be apart as soon as what is under way is done. */
    parts: 'flag',
  },
  indexes: { conference: 'many', call: 'many' },
  deadline: () => NEVER,
  warm: false,
});

export const WATCH = table({
  name: 'watch',
  about: 'Supervision: who listens in on which device, how, and for how long.',
  number: 32,
  fields: {
    /** The device of the supervisor, and the one he listens to; the agent whose device that is. */
    supervisor: 'text',
    device: 'text',
    agent: 'text',
    mode: ['silent', 'coach', 'join'],
    /** call: the present one, or else the next. nextCalls: every one until it is stopped. */
    scope: ['call', 'nextCalls'],
    /** Devices listened to are told. */
    told: 'flag',
    /** waiting: for a call at the device, or for everybody in it to talk. */
    state: ['waiting', 'calling', 'watching'],
    /** The call listened to, and the member that listens; 0 while it waits. */
    ccall: 'int',
    member: 'int',
    startedAt: 'time',
    session: 'int',
    request: 'text',
  },
  indexes: { supervisor: 'many' },
  deadline: () => NEVER,
  warm: false,
});

export const RECORDING = table({
  name: 'recording',
  about: 'Recordings: which call is recorded by whom (RFC 7866).',
  number: 33,
  fields: {
    /** The call, and the device it was asked for. */
    ccall: 'int',
    device: 'text',
    /** Name of the recorder service. */
    service: 'text',
    /** waiting: for everybody to talk. calling: the recorder is invited. */
    state: ['waiting', 'calling', 'recording'],
    /** It is to hear nothing, or as soon as it is there will not. */
    paused: 'flag',
    /** The member that records; 0 while it waits. */
    member: 'int',
    /** Session id of RFC 7865. */
    word: 'text',
    /** Nobody asked: the agent is one whose calls are recorded. */
    auto: 'flag',
    startedAt: 'time',
    session: 'int',
    request: 'text',
  },
  indexes: {},
  deadline: () => NEVER,
  warm: false,
});

export type Conference = RowOf<typeof CONFERENCE.fields>;
export type Member = RowOf<typeof MEMBER.fields>;
export type Watch = RowOf<typeof WATCH.fields>;
export type Recording = RowOf<typeof RECORDING.fields>;
