/**
 * What programs see and what must not be lost for them: calls and connections as CSTA (ECMA-269) names
 * them, the events that were said of them, who watches, and what was asked. SIP's own view of the same
 * is in `../rows.ts`; `publish.ts` keeps this one equal to it.
 */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

export const CCALL = table({
  name: 'cstacall',
  about: 'Calls as programs see them (ECMA-269): one row from the first device to the last.',
  number: 17,
  fields: {
    /** Globally unique, for ever: a UUID. */
    guid: 'text',
    kind: ['internal', 'inbound', 'outbound', 'consult'],
    /** Who called, what was dialled, as first said. */
    calling: 'text',
    called: 'text',
    /** The call a consultation was made from; 0 for none. */
    primary: 'int',
    /** Rows of `call` that belong to it; when none is left it is over. */
    calls: 'int',
    /** User data (CSTA correlator data) as a JSON object of texts; '' for none. */
    data: 'text',
    startedAt: 'time',
    /** First time two devices talked; 0 for never. */
    answeredAt: 'time',
    /** How the last connection ended: a cause of `causes.ts`. */
    cause: 'text',
    /** What the CDR tells besides: devices, queues and agents in order, as JSON; '' for none. */
    log: 'text',
    /** It came through a routing point or a queue: agents are busy with it (`../agent/calls.ts`). */
    business: 'flag',
  },
  indexes: {},
  deadline: () => NEVER,
  warm: false,
});

export const PARTY = table({
  name: 'connection',
  about: 'Connections of devices to calls as last told to programs (ECMA-269 6.1.5).',
  number: 18,
  fields: {
    ccall: 'int',
    /** The row of `call` it was seen in, and its leg; leg 0: a call waits at this device. */
    call: 'int',
    leg: 'int',
    device: 'text',
    /** The same as CSTA localConnectionInfo. */
    state: ['initiated', 'alerting', 'connected', 'hold', 'queued', 'failed'],
    side: ['calling', 'called', 'joined'],
    /** The device that sent the call here: last redirection, queue, routing point; '' for none. */
    via: 'text',
    since: 'time',
    /** Whose request is to be named by the next event of this connection; 0 and '' for nobody's. */
    session: 'int',
    request: 'text',
    /** When it came into the call, and when it was answered; 0 for never. */
    startedAt: 'time',
    answeredAt: 'time',
  },
  indexes: { ccall: 'many', call: 'many', leg: 'many', device: 'many' },
  deadline: () => NEVER,
  warm: false,
});

export const EVENT = table({
  name: 'ctievent',
  about: 'Events said to programs, kept for those who were away; their ids only grow.',
  number: 19,
  fields: {
    at: 'time',
    /** Devices it is about, each with a space before and after; the call, 0 for none. */
    devices: 'text',
    ccall: 'int',
    /** Who asked for what led to it: only he is told the reference; 0 and '' for nobody. */
    session: 'int',
    request: 'text',
    /** Its name, and its parameters as a JSON object without id and time. */
    event: 'text',
    body: 'text',
  },
  indexes: {},
  deadline: () => NEVER,
  warm: false,
});

export const SESSION = table({
  name: 'ctisession',
  about: 'Sessions of programs: they outlive connections and boxes.',
  number: 20,
  fields: {
    program: 'text',
    /** Secret word by which it is resumed. */
    word: 'text',
    startedAt: 'time',
    /** Events up to here were seen by it. */
    seen: 'int',
    /** It has no connection: then it ends; 0 while it has one. */
    endsAt: 'time',
    /** The connection that speaks for it, a number of the box it is connected to; 0 for none. */
    conn: 'int',
  },
  indexes: {},
  deadline: (row) => (row.endsAt === 0 ? NEVER : row.endsAt),
  warm: false,
});

export const MONITOR = table({
  name: 'ctimonitor',
  about: 'What programs watch (CSTA MonitorStart).',
  number: 21,
  fields: {
    session: 'int',
    kind: ['device', 'call', 'all'],
    /** The device, or the call as decimal text; '*' for all. */
    subject: 'text',
    /** Events left out, with a space before and after each; '' for none. */
    filter: 'text',
    /** Events with a greater id are for it. */
    since: 'int',
    /** Its call is over: events up to this id are for it, until its session has them; 0: it goes on. */
    until: 'int',
    /** Then these events are not kept any more. */
    goneAt: 'time',
  },
  indexes: { session: 'many', subject: 'many' },
  deadline: (row) => (row.until === 0 ? NEVER : row.goneAt),
  warm: false,
});

export const REQUEST = table({
  name: 'ctirequest',
  about:
    'Requests of programs that were done, with their answers: repeated, they are answered again.',
  number: 22,
  fields: {
    /** The session and the program's own id of the request, with a space between. */
    key: 'text',
    session: 'int',
    at: 'time',
    /** The whole answer (JSON-RPC). */
    answer: 'text',
    expiresAt: 'time',
  },
  indexes: { key: 'unique', session: 'many' },
  deadline: (row) => row.expiresAt,
  warm: false,
});

export const HOUSE = table({
  name: 'ctihouse',
  about: 'One row while programs have sessions: which events are not kept any more.',
  number: 36,
  fields: {
    /** Events up to this id were removed: all had seen them, or they were too old. */
    gone: 'int',
    /** Then what may go is looked for. */
    lookAt: 'time',
    /** Ids up to this were looked at. */
    looked: 'int',
  },
  indexes: {},
  deadline: (row) => row.lookAt,
  warm: false,
});

export type House = RowOf<typeof HOUSE.fields>;
export type Ccall = RowOf<typeof CCALL.fields>;
export type Party = RowOf<typeof PARTY.fields>;
export type Event = RowOf<typeof EVENT.fields>;
export type Session = RowOf<typeof SESSION.fields>;
export type Monitor = RowOf<typeof MONITOR.fields>;
export type Request = RowOf<typeof REQUEST.fields>;
