/**
 * Digits of a caller who waits: told in INFO by the media service that hears him, or by his own phone.
 *
 *   at most ─ enough: done            no next one in time, or in all ─ done with what there is
 *   terminator ─ done, without it
 */

import type { Context } from '../../proto/context.ts';
import { emit } from '../csta/event.ts';
import { CALL } from '../rows.ts';
import { routerSubject } from './router.ts';
import { DIGITS, DISTRIBUTION, type Digits, type Distribution } from './rows.ts';

/** Seconds, where the router says nothing: for the first digit, between two, in all. */
const FIRST_S = 10;
const BETWEEN_S = 5;
const TOTAL_S = 60;
const MOST = 32;

export type Collecting = {
  readonly prompt?: string | undefined;
  readonly digits?: number | undefined;
  readonly leastDigits?: number | undefined;
  readonly firstDigitS?: number | undefined;
  readonly interDigitS?: number | undefined;
  readonly totalS?: number | undefined;
  readonly terminator?: string | undefined;
};

/** Collects from now on; what was being collected is forgotten. */
export function collect(cx: Context, d: Distribution, c: Collecting): void {
  endCollecting(cx, d);
  const first = (c.firstDigitS ?? FIRST_S) * 1000;
  cx.store.insert(DIGITS, {
    distribution: d.id,
    least: c.leastDigits ?? 0,
    most: c.digits ?? MOST,
    terminators: c.terminator ?? '#',
    between: (c.interDigitS ?? BETWEEN_S) * 1000,
    // the prompt is heard first: patience in all covers that
    nextAt: c.firstDigitS === undefined && (c.prompt ?? '') !== '' ? 0 : cx.now + first,
    endsAt: cx.now + (c.totalS ?? TOTAL_S) * 1000,
  });
}

function collectingOf(cx: Context, d: Distribution): Digits | undefined {
  if (cx.store.count(DIGITS) === 0) return undefined;
  return cx.store.all(DIGITS, 'distribution', d.id)[0];
}

/** Nothing is collected any more. */
export function endCollecting(cx: Context, d: Distribution): void {
  const row = collectingOf(cx, d);
  if (row !== undefined) cx.store.remove(DIGITS, row);
}

/** A digit of the caller's. @param stamp the same for the same digit told twice; 0 for none. */
export function digitHeard(cx: Context, d: Distribution, digit: string, stamp: number): void {
  const row = collectingOf(cx, d);
  if (row === undefined || (stamp !== 0 && row.stamp === stamp)) return;
  if (row.terminators.includes(digit)) {
    done(cx, d, row, 'terminator');
    return;
  }
  cx.store.patch(DIGITS, row, {
    heard: row.heard + digit,
    stamp,
    nextAt: cx.now + row.between,
  });
  if (row.heard.length >= row.most) done(cx, d, row, 'enough');
}

/** The prompt is over: from now on the first digit is waited for. */
export function promptOver(cx: Context, d: Distribution): void {
  const row = collectingOf(cx, d);
  if (row !== undefined && row.nextAt === 0) {
    cx.store.patch(DIGITS, row, { nextAt: cx.now + FIRST_S * 1000 });
  }
}

/** A moment of the row has come. */
export function digitsDue(cx: Context, row: Digits): void {
  const d = cx.store.get(DISTRIBUTION, row.distribution);
  if (d === undefined) cx.store.remove(DIGITS, row);
  else done(cx, d, row, 'timeout');
}

function done(
  cx: Context,
  d: Distribution,
  row: Digits,
  end: 'enough' | 'terminator' | 'timeout',
): void {
  const call = cx.store.get(CALL, d.call);
  const { heard, least } = row;
  cx.store.remove(DIGITS, row);
  emit(cx, {
    event: 'digitsGenerated',
    ccall: call?.ccall ?? 0,
    devices: [d.device, ...routerSubject(d)],
    body: { routeId: d.id, deviceId: d.device, digits: heard, end, enough: heard.length >= least },
  });
}
