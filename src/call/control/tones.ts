/**
 * Digits told to the other side of a device, one INFO after the other: the next goes out when the one
 * before it was answered, or nobody answers it any more. Over UDP two at once could change places.
 */

import { type RowOf, table } from '../../base/row.ts';
import { NEVER } from '../../base/units.ts';
import type { Context } from '../../proto/context.ts';
import type { Ctx } from '../../proto/sip/rows.ts';
import { sendInDialog } from '../leg.ts';
import { LEG, type Leg } from '../rows.ts';

export const TONES = table({
  name: 'tones',
  about: 'Digits a program makes a device send: what is still to be told to the other side.',
  number: 37,
  fields: {
    /** Who is told. */
    leg: 'int',
    /** The INFO that is on its way. */
    ctx: 'int',
    /** What follows it. */
    rest: 'text',
    /** Length of each, ms. */
    length: 'int',
  },
  indexes: { leg: 'unique', ctx: 'unique' },
  deadline: () => NEVER,
  warm: false,
});

export type Tones = RowOf<typeof TONES.fields>;

/** Digits that may wait for one leg. */
const MOST = 256;

/** @returns false when too many wait already. */
export function tellDigits(cx: Context, leg: Leg, digits: string, length: number): boolean {
  const waiting = cx.store.find(TONES, 'leg', leg.id);
  if (waiting !== undefined) {
    if (waiting.rest.length + digits.length > MOST) return false;
    cx.store.patch(TONES, waiting, { rest: waiting.rest + digits, length });
    return true;
  }
  const ctx = tell(cx, leg, digits.charAt(0), length);
  cx.store.insert(TONES, { leg: leg.id, ctx: ctx.id, rest: digits.slice(1), length });
  return true;
}

function tell(cx: Context, leg: Leg, digit: string, length: number): Ctx {
  const body = `Signal=${digit}\r\nDuration=${length}\r\n`;
  const type = 'Content-Type: application/dtmf-relay\r\n';
  const tail = `${type}Content-Length: ${body.length}\r\n\r\n${body}`;
  return sendInDialog(cx, leg, 'INFO', 70, tail, 0, false);
}

/**
 * An INFO of ours has its final answer, or there will be none. One that was refused says nothing of the
 * next: a phone that cannot do them refuses all, and nobody waits for that.
 */
export function digitTold(cx: Context, ctx: Ctx): void {
  const row = cx.store.find(TONES, 'ctx', ctx.id);
  if (row === undefined) return;
  const leg = cx.store.get(LEG, row.leg);
  if (leg === undefined || leg.state !== 'confirmed' || row.rest === '') {
    cx.store.remove(TONES, row);
    return;
  }
  waitFor(cx, row, tell(cx, leg, row.rest.charAt(0), row.length), row.rest.slice(1));
}

/** An INFO of ours was challenged, and says the same once more with credentials. */
export function digitAgain(cx: Context, ctx: Ctx, next: Ctx): void {
  const row = cx.store.find(TONES, 'ctx', ctx.id);
  if (row !== undefined) waitFor(cx, row, next, row.rest);
}

function waitFor(cx: Context, row: Tones, ctx: Ctx, rest: string): void {
  const { leg, length } = row;
  cx.store.remove(TONES, row);
  cx.store.insert(TONES, { leg, ctx: ctx.id, rest, length });
}
