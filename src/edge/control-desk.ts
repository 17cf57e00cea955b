/** `show`, `clear` and `monitor` on the control socket: what is asked, read and judged. */

import { CLEARED, type ClearRequest } from '../call/view/clear.ts';
import {
  MOST_SHOWN,
  SHOWN,
  type Shown,
  type ShowRequest,
  USUALLY_SHOWN,
} from '../call/view/terms.ts';
import type { SipFilter } from '../call/view/trace.ts';

export type DeskRequest =
  | { readonly command: 'show'; readonly show: ShowRequest }
  | {
      readonly command: 'clear';
      readonly clear: ClearRequest | { readonly what: 'counters'; readonly id: string };
    }
  | { readonly command: 'monitor'; readonly filter: SipFilter };

type Fault = { readonly error: string; readonly text: string };
type Given = { readonly [name: string]: unknown };

const LONGEST_ID = 256;

/** The request or what is wrong with it; undefined: it is none of these. */
export function readDesk(value: object): DeskRequest | Fault | undefined {
  const given = value as Given;
  switch (given['command']) {
    case 'show':
      return readShow(given);
    case 'clear':
      return readClear(given);
    case 'monitor':
      return readMonitor(given);
    default:
      return undefined;
  }
}

function wrong(text: string): Fault {
  return { error: 'control-value', text };
}

/** A short text, or a number as one; '' where there is none; undefined for anything else. */
function word(value: unknown): string | undefined {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value.length <= LONGEST_ID ? value : undefined;
}

function whole(value: unknown, or: number): number | undefined {
  const n = value ?? or;
  return typeof n === 'number' && Number.isSafeInteger(n) && n >= 0 ? n : undefined;
}

function readShow(given: Given): DeskRequest | Fault {
  const what = SHOWN.find((one) => one === given['what']);
  if (what === undefined) return wrong(`what to show is one of ${SHOWN.join(', ')}`);
  const id = word(given['id']);
  const from = whole(given['from'], 0);
  const limit = whole(given['limit'], USUALLY_SHOWN);
  if (id === undefined || (what === 'call' && id === '')) return wrong('id is a short text');
  if (from === undefined) return wrong('from is what the answer before said as next');
  if (limit === undefined || limit < 1 || limit > MOST_SHOWN) {
    return wrong(`limit is a whole number 1 .. ${MOST_SHOWN}`);
  }
  return { command: 'show', show: { what: what satisfies Shown, id, from, limit } };
}

function readClear(given: Given): DeskRequest | Fault {
  const what = CLEARED.find((one) => one === given['what']);
  if (what === undefined) return wrong(`what to clear is one of ${CLEARED.join(', ')}`);
  const id = word(given['id']);
  if (id === undefined || (id === '' && what !== 'counters')) return wrong('id is a short text');
  return { command: 'clear', clear: { what, id } };
}

function readMonitor(given: Given): DeskRequest | Fault {
  const filter = (given['filter'] ?? {}) as Given;
  if (typeof filter !== 'object') return wrong('filter is an object');
  const number = word(filter['number']);
  const call = word(filter['call']);
  const method = word(filter['method'])?.toUpperCase();
  if (number === undefined || call === undefined || method === undefined) {
    return wrong('number, call and method of the filter are short texts');
  }
  return { command: 'monitor', filter: { number, call, method } };
}
