/** What a bridge is for, as the requests of programs keep it in `bridge.note`. */

import { asciiJson } from '../../base/json.ts';
import type { Bridge } from '../bridge-rows.ts';

export type Note =
  /** A device is called for a program, to be connected with `called` once its user answers. */
  | {
      readonly do: 'make';
      readonly device: string;
      readonly called: string;
      readonly consult: boolean;
      /** Its phone was told to answer. */
      readonly talked: boolean;
    }
  /** The one it called. */
  | { readonly do: 'connect'; readonly device: string; readonly called: string }
  /** Somebody outside is called first; then `device` is. */
  | { readonly do: 'predictive'; readonly device: string; readonly called: string }
  | { readonly do: 'deliver'; readonly device: string; readonly called: string }
  /** A phone that was told to call by itself (REFER). */
  | {
      readonly do: 'refer';
      readonly device: string;
      readonly called: string;
      readonly ccall: number;
    }
  /** What is heard by who is held, and while somebody rings. */
  | { readonly do: 'music' }
  /** A held leg and its other side are connected again. */
  | { readonly do: 'retrieve'; readonly leg: number }
  /** `legs`: those of the one who transfers. */
  | { readonly do: 'transfer'; readonly legs: readonly number[]; readonly single: boolean };

export function noteText(note: Note): string {
  return asciiJson(note);
}

export function noteOf(b: Bridge): Note | undefined {
  return b.note === '' ? undefined : (JSON.parse(b.note) as Note);
}
