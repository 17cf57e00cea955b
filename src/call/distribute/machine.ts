/**
 * A call that is to be distributed, from its arrival at a routing point or queue until it is somebody
 * else's or over. The table says what each event leads to in each state; a test proves it total. Where a
 * call goes next (`next.ts`) depends on what is configured and who is there, so the state in the table
 * is the one it falls back to.
 *
 *   arrive   its caller is known to programs       rings    somebody who is called rings
 *   instruct a router says where it goes           joins    he answered: the call is his
 *   reject   a router refuses it                   refuse   he will not be had: busy, unreachable
 *   assign   an agent is free                      silence  he does not answer in time
 *   late     nobody said where it goes in time,    retry    agents that were in vain are tried again
 *            or it has waited too long             abandon  the caller has gone
 *   orphan   its router has gone                   taken    a program took it away from here
 */

import type { NoAnswer } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import type { Cause } from '../csta/causes.ts';
import { excuse, offer, withdraw } from './deliver.ts';
import { close, diverted, queued, refuseCaller } from './leave.ts';
import { afterRefusal, afterSilence, overflow, seek } from './next.ts';
import { DISTRIBUTION, type Distribution } from './rows.ts';
import { firstTreatment } from './treatment.ts';

export type DistributionState = Distribution['state'];
export type DistributionEvent =
  | 'arrive'
  | 'instruct'
  | 'reject'
  | 'assign'
  | 'late'
  | 'orphan'
  | 'rings'
  | 'joins'
  | 'refuse'
  | 'silence'
  | 'retry'
  | 'abandon'
  | 'taken';

export type DistributionAction =
  /** It is a connection of this number now, and programs are told. */
  | 'queued'
  /** What is to be heard here while one waits. */
  | 'treat'
  /** Ask a router, or find an agent; or leave at once by default. */
  | 'seek'
  /** Call the number, or the agent, that comes with the event. */
  | 'offer'
  /** It goes on by default routing, or by the overflow list. */
  | 'overflow'
  /** Nobody is called any more, and the agent is free for others. */
  | 'withdraw'
  | 'excuse'
  /** Where a call goes whose target refused it, or did not answer. */
  | 'afterRefusal'
  | 'afterSilence'
  /** It is not a connection of this number any more. */
  | 'diverted'
  | 'refuseCaller'
  /** The row goes, with what is heard and what is collected. */
  | 'close';

type Cell = {
  readonly to: DistributionState | 'same';
  readonly act: readonly DistributionAction[];
};

const NOTHING: Cell = { to: 'same', act: [] };

const STANDING = {
  arrive: NOTHING,
  instruct: { to: 'same', act: ['offer'] },
  reject: { to: 'same', act: ['refuseCaller'] },
  assign: { to: 'same', act: ['offer'] },
  late: { to: 'waiting', act: ['overflow'] },
  orphan: { to: 'waiting', act: ['seek'] },
  // of those that were withdrawn nobody is heard
  rings: NOTHING,
  joins: NOTHING,
  refuse: NOTHING,
  silence: NOTHING,
  retry: { to: 'same', act: ['seek'] },
  abandon: { to: 'same', act: ['close'] },
  taken: { to: 'same', act: ['diverted', 'close'] },
} as const;

export const DISTRIBUTION_MACHINE: {
  readonly [s in DistributionState]: { readonly [e in DistributionEvent]: Cell };
} = {
  arriving: {
    arrive: { to: 'waiting', act: ['queued', 'seek', 'treat'] },
    instruct: NOTHING,
    reject: NOTHING,
    assign: NOTHING,
    late: NOTHING,
    orphan: NOTHING,
    rings: NOTHING,
    joins: NOTHING,
    refuse: NOTHING,
    silence: NOTHING,
    retry: NOTHING,
    abandon: { to: 'same', act: ['close'] },
    taken: { to: 'same', act: ['close'] },
  },
  routing: { ...STANDING, retry: NOTHING },
  // a router that has gone was not waited for
  waiting: { ...STANDING, orphan: NOTHING },
  offering: {
    arrive: NOTHING,
    // until its agent is given back it is no call that waits for him
    instruct: { to: 'same', act: ['withdraw', 'excuse', 'offer'] },
    reject: { to: 'same', act: ['withdraw', 'excuse', 'refuseCaller'] },
    assign: NOTHING,
    // who rings may still answer; when he does not, it is looked at again
    late: NOTHING,
    orphan: NOTHING,
    rings: { to: 'same', act: ['diverted'] },
    joins: { to: 'same', act: ['diverted', 'close'] },
    refuse: { to: 'waiting', act: ['afterRefusal'] },
    silence: { to: 'waiting', act: ['withdraw', 'afterSilence'] },
    retry: NOTHING,
    abandon: { to: 'same', act: ['withdraw', 'excuse', 'close'] },
    taken: { to: 'same', act: ['withdraw', 'excuse', 'diverted', 'close'] },
  },
};

/** What comes with an event. */
export type News = {
  /** Where it is to go, and the agent there (a row; 0 for none). */
  readonly number: string;
  readonly agent: number;
  readonly noAnswer: NoAnswer | undefined;
  readonly status: number;
  readonly cause: Cause;
};

const NEWS: News = { number: '', agent: 0, noAnswer: undefined, status: 480, cause: 'normal' };

/** Lets an event happen. The row is gone afterwards when it was the last. */
export function happens(
  cx: Context,
  d: Distribution,
  event: DistributionEvent,
  news: Partial<News> = {},
): void {
  const cell = DISTRIBUTION_MACHINE[d.state][event];
  const all = { ...NEWS, ...news };
  if (cell.to !== 'same' && cell.to !== d.state) {
    cx.store.patch(DISTRIBUTION, d, { state: cell.to });
  }
  for (const action of cell.act) act(cx, d, action, all);
}

function act(cx: Context, d: Distribution, action: DistributionAction, news: News): void {
  switch (action) {
    case 'queued':
      queued(cx, d, news.cause);
      return;
    case 'treat':
      firstTreatment(cx, d);
      return;
    case 'seek':
      seek(cx, d);
      return;
    case 'offer':
      offer(cx, d, news);
      return;
    case 'overflow':
      overflow(cx, d);
      return;
    case 'withdraw':
      withdraw(cx, d);
      return;
    case 'excuse':
      excuse(cx, d);
      return;
    case 'afterRefusal':
      afterRefusal(cx, d, news.status);
      return;
    case 'afterSilence':
      afterSilence(cx, d);
      return;
    case 'diverted':
      diverted(cx, d, news.cause);
      return;
    case 'refuseCaller':
      refuseCaller(cx, d, news.status, news.cause);
      return;
    case 'close':
      close(cx, d, news.cause);
      return;
  }
}
