/**
 * The record of a call (CDR). Written once, in the transaction that ends the call, so that it is there
 * if and only if the call is over, whoever leads. Both boxes append what they have to a file of their
 * own (`src/cdr-feed.ts`, `src/edge/cdr-file.ts`), and a row is forgotten when that must have been done.
 *
 * What was passed on the way is a list of pieces of JSON, `CCALL.log`, in the order in which each came
 * to its end. Times are milliseconds of the pair clock; the file has them as text.
 */

import { asciiJson, type JsonObject, jsonText } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { type RowOf, table } from '../../base/row.ts';
import type { Context } from '../../proto/context.ts';
import type { Cause } from './causes.ts';
import { CCALL, type Ccall, type Party } from './rows.ts';

export const CDR = table({
  name: 'cdr',
  about: 'Calls that are over, until both boxes have written them to their files (CDR).',
  number: 31,
  fields: {
    /** The call's, so that no file has it twice. */
    guid: 'text',
    /** End of the call: says the file it is in. */
    at: 'time',
    /** All that is told of it, as JSON. */
    line: 'text',
    expiresAt: 'time',
  },
  indexes: {},
  deadline: (row) => row.expiresAt,
  warm: true,
});

export type Cdr = RowOf<typeof CDR.fields>;

/** Adds to what the CDR of a call tells: `entry.what` says of what kind it is ('queue', 'agent', ...). */
export function logTo(
  cx: Context,
  ccall: Ccall,
  entry: JsonObject & { readonly what: string },
): void {
  note(cx, ccall.id, asciiJson(entry));
}

function note(cx: Context, ccall: number, piece: string): void {
  const { logs } = cx.turn;
  const said = logs.get(ccall);
  // a call that goes round for hours: its beginning is told
  if (said === undefined && (cx.store.get(CCALL, ccall)?.log.length ?? 0) > LIMITS.cdrLogBytes) {
    return;
  }
  logs.set(ccall, said === undefined ? piece : `${said},${piece}`);
}

/** A device leaves its call. */
export function noteDevice(cx: Context, party: Party, cause: Cause): void {
  const { device, side, via, startedAt } = party;
  const ccall = side === 'calling' ? cx.store.get(CCALL, party.ccall) : undefined;
  const answeredAt = ccall === undefined ? party.answeredAt : ccall.answeredAt;
  const by = via === '' ? '' : `,"via":${jsonText(via)}`;
  note(
    cx,
    party.ccall,
    `{"what":"device","device":${jsonText(device)},"side":"${side}"${by},"start":${startedAt},` +
      `"answer":${answeredAt},"end":${cx.now},"cause":"${cause}"}`,
  );
}

/** The last act of a call: the row is removed after it. */
export function writeCdr(cx: Context, ccall: Ccall, cause: Cause): void {
  const { guid, kind, calling, called, startedAt, answeredAt, data, primary } = ccall;
  const said = cx.turn.logs.get(ccall.id);
  const log = said === undefined ? ccall.log : ccall.log === '' ? said : `${ccall.log},${said}`;
  const of = primary === 0 ? '' : `,"primaryCall":${primary}`;
  const line =
    `{"callId":${ccall.id},"guid":"${guid}","kind":"${kind}","calling":${jsonText(calling)},` +
    `"called":${jsonText(called)},"start":${startedAt},"answer":${answeredAt},"end":${cx.now},` +
    `"cause":"${cause}"${of},"log":[${log}]${data === '' ? '' : `,"userData":${data}`}}`;
  const row = cx.store.insert(CDR, {
    guid,
    at: cx.now,
    line,
    expiresAt: cx.now + LIMITS.cdrKeepMs,
  });
  // ids are given in order: the oldest makes room
  const oldest = cx.store.get(CDR, row.id - LIMITS.cdrRows);
  if (oldest !== undefined) cx.store.remove(CDR, oldest);
}

/** Its time is over. */
export function cdrDue(cx: Context, row: Cdr): void {
  cx.store.remove(CDR, row);
}
