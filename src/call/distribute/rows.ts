/**
 * Calls that wait to be distributed: at a routing point, where a program says where they go, or in a
 * queue for an agent. All a new primary needs to go on with them: where in order they stand, since
 * when, what they hear, whom it was tried with, and every deadline as a moment.
 */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';
import { CHARGES } from '../../proto/centre.ts';
import { soonest } from '../../proto/sip/timers.ts';

export const ROUTER = table({
  name: 'router',
  about: 'Programs that say where calls at a routing point go (CSTA routeRegister).',
  number: 23,
  fields: {
    session: 'int',
    /** The routing point or queue; `*` for all. */
    device: 'text',
    /** What tells it alone of route requests: a row of `ctimonitor`. */
    monitor: 'int',
  },
  indexes: { session: 'many', device: 'many' },
  deadline: () => NEVER,
  warm: false,
});

export const DISTRIBUTION = table({
  name: 'distribution',
  about: 'Calls that wait at a routing point or in a queue, in order of arrival.',
  number: 24,
  fields: {
    /** The row of `call` and the leg that waits. */
    call: 'int',
    leg: 'int',
    /** The number of the routing point or queue. */
    device: 'text',
    kind: ['point', 'queue'],
    /**
     * arriving: its caller is not told to programs yet. routing: a router was asked. waiting: for an
     * agent, or for the end of what it hears. offering: a device is called.
     */
    state: ['arriving', 'routing', 'waiting', 'offering'],
    /** It counts as waiting since then: its place in order. */
    since: 'time',
    /** The router does not answer in time, or it has waited too long; 0 for never. */
    timeoutAt: 'time',
    /** Who is called does not answer in time; 0 while nobody is called. */
    noAnswerAt: 'time',
    /** Agents that were tried in vain are tried again; 0 for none. */
    retryAt: 'time',
    /** RFC 3261 13.3.1.1: a caller whose INVITE is open is told so again. */
    remindAt: 'time',
    /** What the caller's INVITE says to whoever is called, as JSON; '' once it is answered. */
    offer: 'text',
    charge: CHARGES,
    /** What he hears, as JSON; '' for nothing (any more). The media leg; 0 for none. */
    treatment: 'text',
    media: 'int',
    /** The bridge by which it is joined with an answered caller; 0 for none. */
    playing: 'int',
    /** He was shown a description before the answer: the next one needs a dialog of its own. */
    shown: 'flag',
    /** The registration of the router that was asked; 0 for none. */
    router: 'int',
    /** Times it was asked about this call in a row without success. */
    asked: 'int',
    /** Who is called: the number, the agent (its row, 0 for none), the bridge (0: by his own INVITE). */
    target: 'text',
    agent: 'int',
    bridge: 'int',
    /** No-answer supervision of this attempt, as JSON; '' for that of where it waits. */
    noAnswer: 'text',
    /** What is still to be tried of an overflow list, a space between. */
    rest: 'text',
    /** It overflowed for good: when `rest` is used up it is refused, not called back. */
    last: 'flag',
    /** The list of no answer is being tried: it does not begin again. */
    listed: 'flag',
    /** Agents not to be tried at once, with a space before and after each. */
    avoid: 'text',
    /** Routing points and queues passed without an instruction, and default numbers tried, likewise. */
    hops: 'int',
    tried: 'text',
    /** Where it was sent from; '' for none. */
    via: 'text',
  },
  indexes: { call: 'many', device: 'many' },
  deadline: (row) =>
    Math.min(soonest(row.timeoutAt, row.noAnswerAt, row.retryAt), soonest(row.remindAt, 0, 0)),
  warm: false,
});

export const DIGITS = table({
  name: 'digits',
  about: 'Digits that are being collected from a caller who waits.',
  number: 35,
  fields: {
    distribution: 'int',
    heard: 'text',
    least: 'int',
    most: 'int',
    /** Digits that end it; '' for none. */
    terminators: 'text',
    /** Patience between two digits, ms, and in all. */
    between: 'int',
    nextAt: 'time',
    endsAt: 'time',
    /** The stamp of the last one: told twice it is one. */
    stamp: 'int',
  },
  indexes: { distribution: 'many' },
  deadline: (row) => soonest(row.nextAt, row.endsAt, 0),
  warm: false,
});

export const TURNS = table({
  name: 'pointturn',
  about: 'Which default number of a routing point is next.',
  number: 38,
  fields: {
    device: 'text',
    next: 'int',
  },
  indexes: { device: 'unique' },
  deadline: () => NEVER,
  warm: false,
});

export type Router = RowOf<typeof ROUTER.fields>;
export type Distribution = RowOf<typeof DISTRIBUTION.fields>;
export type Digits = RowOf<typeof DIGITS.fields>;
