/**
 * The agent's states as a table; a test proves it total.
 *
 *   askReady, askNotReady, askWork   he or his program says so
 *   callBegins                       the first call that makes busy is connected
 *   callEnds, callEndsWork           the last of them is over; it earned after-call work
 *   wrapUpOver, guardOver            deadlines
 *
 * `ready` is `guard` instead while a legal guard runs.
 */

import type { Agent } from './rows.ts';

export type AgentState = Agent['state'];

export const AGENT_EVENTS = [
  'askReady',
  'askNotReady',
  'askWork',
  'callBegins',
  'callEnds',
  'callEndsWork',
  'wrapUpOver',
  'guardOver',
] as const;
export type AgentEvent = (typeof AGENT_EVENTS)[number];

/** `back`: where after-call work lands. `same`: it means nothing here. */
export type Landing = AgentState | 'back' | 'same';

export const AGENT_MACHINE: {
  readonly [s in AgentState]: { readonly [e in AgentEvent]: Landing };
} = {
  notReady: {
    askReady: 'ready',
    askNotReady: 'notReady',
    askWork: 'work',
    callBegins: 'busyNotReady',
    callEnds: 'same',
    callEndsWork: 'same',
    wrapUpOver: 'same',
    guardOver: 'same',
  },
  ready: {
    askReady: 'ready',
    askNotReady: 'notReady',
    askWork: 'work',
    callBegins: 'busyReady',
    callEnds: 'same',
    callEndsWork: 'same',
    wrapUpOver: 'same',
    guardOver: 'same',
  },
  guard: {
    askReady: 'ready',
    askNotReady: 'notReady',
    askWork: 'work',
    callBegins: 'busyReady',
    callEnds: 'same',
    callEndsWork: 'same',
    wrapUpOver: 'same',
    guardOver: 'ready',
  },
  work: {
    askReady: 'ready',
    askNotReady: 'notReady',
    askWork: 'work',
    callBegins: 'busyWork',
    callEnds: 'same',
    callEndsWork: 'same',
    wrapUpOver: 'back',
    guardOver: 'same',
  },
  busyNotReady: {
    askReady: 'busyReady',
    askNotReady: 'busyNotReady',
    askWork: 'busyWork',
    callBegins: 'same',
    callEnds: 'notReady',
    callEndsWork: 'work',
    wrapUpOver: 'same',
    guardOver: 'same',
  },
  busyReady: {
    askReady: 'busyReady',
    askNotReady: 'busyNotReady',
    askWork: 'busyWork',
    callBegins: 'same',
    callEnds: 'ready',
    callEndsWork: 'work',
    wrapUpOver: 'same',
    guardOver: 'same',
  },
  busyWork: {
    askReady: 'busyReady',
    askNotReady: 'busyNotReady',
    askWork: 'busyWork',
    callBegins: 'same',
    callEnds: 'work',
    callEndsWork: 'work',
    wrapUpOver: 'same',
    guardOver: 'same',
  },
};

export type ToldState = 'notReady' | 'ready' | 'busy' | 'workingAfterCall';

/** What programs see (ECMA-269 22.1): the state, and of a busy one where it lands. */
export const SEEN: {
  readonly [s in AgentState]: {
    readonly state: ToldState;
    readonly event: 'agentNotReady' | 'agentReady' | 'agentBusy' | 'agentWorkingAfterCall';
    readonly pending?: ToldState;
  };
} = {
  notReady: { state: 'notReady', event: 'agentNotReady' },
  ready: { state: 'ready', event: 'agentReady' },
  guard: { state: 'notReady', event: 'agentNotReady', pending: 'ready' },
  work: { state: 'workingAfterCall', event: 'agentWorkingAfterCall' },
  busyNotReady: { state: 'busy', event: 'agentBusy', pending: 'notReady' },
  busyReady: { state: 'busy', event: 'agentBusy', pending: 'ready' },
  busyWork: { state: 'busy', event: 'agentBusy', pending: 'workingAfterCall' },
};

export function isBusy(state: AgentState): boolean {
  return SEEN[state].state === 'busy';
}
