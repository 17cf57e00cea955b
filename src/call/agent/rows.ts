/**
 * Agents who are logged on. A row is all there is of one: state, where he lands after a call, and every
 * deadline as an absolute moment, so that a new primary goes on with all of it from here.
 */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';

/** States as the machine has them; what programs see of each: `machine.ts`. */
export const AGENT_STATES = [
  'notReady',
  'ready',
  /** Not ready until the legal guard is over, then ready. */
  'guard',
  /** After-call work. */
  'work',
  /** On a business call, and where he lands after it. */
  'busyNotReady',
  'busyReady',
  'busyWork',
] as const;

export const AGENT = table({
  name: 'agent',
  about: 'Agents who are logged on, at which device, in which state and until when.',
  number: 25,
  fields: {
    agent: 'text',
    device: 'text',
    /** Queues he serves, with a space before and after each; '' for none. */
    queues: 'text',
    state: AGENT_STATES,
    /** Where after-call work ends. */
    back: ['notReady', 'ready'],
    /** As the agent or his program gave it; '' for none. */
    reason: 'text',
    loggedOnAt: 'time',
    /** Since when programs see this state with this reason. */
    since: 'time',
    /** Since when he waits for a call: who waits longest is next. */
    idleSince: 'time',
    /** End of after-call work; 0: none, or when he says so. Left of it, ms, while a call came in between. */
    wrapUpEnd: 'time',
    wrapUpLeft: 'int',
    /** In this busy time he had a business call: it earns after-call work and legal guard. */
    served: 'flag',
    /** Not ready for calls before this; 0 for never. */
    guardUntil: 'time',
    /** Then he is logged off unless he does something; 0 for never. */
    logoutAt: 'time',
    /** The row of `cstacall` he is kept for; the session of the program that keeps him; until when. */
    reserved: 'int',
    holder: 'int',
    reservedUntil: 'time',
  },
  indexes: { agent: 'unique', device: 'unique' },
  deadline: (row) => {
    let at = NEVER;
    if (row.reservedUntil !== 0) at = row.reservedUntil;
    if (row.logoutAt !== 0 && row.logoutAt < at) at = row.logoutAt;
    if (row.wrapUpEnd !== 0 && row.wrapUpEnd < at) at = row.wrapUpEnd;
    return row.state === 'guard' && row.guardUntil < at ? row.guardUntil : at;
  },
  warm: false,
});

export type Agent = RowOf<typeof AGENT.fields>;
