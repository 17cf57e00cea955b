/** What the door of the programs gives to the engine, and how the engine's words for the hub are made. */

import { asciiJson, type JsonObject } from '../base/json.ts';
import { type RefusalCode, refuse } from '../call/csta/refusal.ts';

/**
 * A request that came over a connection, valid and from a program that proved itself. Besides the
 * methods of `services.ts`: `gone` (the connection is no more), `more` (the next part of what a
 * session missed), both by the hub itself.
 */
export type ProgramInput = {
  readonly kind: 'request';
  /** Connections of this box, counted from 1; never used again. */
  readonly conn: number;
  /** The session of the connection; 0 for none. */
  readonly session: number;
  readonly program: string;
  /** JSON text of the program's own id of the request. */
  readonly id: string;
  readonly method: string;
  readonly params: JsonObject;
};

/** The first line of what is told to the hub; a line end and a body follow. */
export type Head =
  | {
      readonly kind: 'event';
      readonly id: number;
      readonly event: string;
      readonly ccall: number;
      readonly devices: readonly string[];
      readonly session: number;
      readonly request: string;
      /** It was missed: for this session only. */
      readonly to?: number;
    }
  | { readonly kind: 'reply'; readonly conn: number }
  /** The connection speaks for the session; events after `since` are to be caught up. */
  | {
      readonly kind: 'attach';
      readonly conn: number;
      readonly session: number;
      readonly since: number;
      readonly position: number;
    }
  /** Everything up to `upTo` was given; `last`: from here on what happens is told as it happens. */
  | {
      readonly kind: 'gap';
      readonly conn: number;
      readonly session: number;
      readonly upTo: number;
      readonly last: boolean;
      /** What comes next is not kept any more. */
      readonly lost?: boolean;
    }
  | {
      readonly kind: 'monitor';
      readonly session: number;
      readonly ref: number;
      readonly subject: string;
      /** Whether the subject is a device, a call, or all. */
      readonly of: 'device' | 'call' | 'all';
      readonly filter: string;
      readonly since: number;
    }
  | { readonly kind: 'unmonitor'; readonly session: number; readonly ref: number }
  | { readonly kind: 'end'; readonly session: number };

export function item(head: Head, body = ''): string {
  return `${asciiJson(head)}\n${body}`;
}

/** Codes of JSON-RPC 2.0, 5.1; ours have one number, and a word in `data.code`. */
const NUMBERS: { readonly [code in RefusalCode]?: number } = {
  invalidParameter: -32602,
};
const REFUSED = -32000;

export function resultText(id: string, result: JsonObject): string {
  return `{"jsonrpc":"2.0","id":${id},"result":${asciiJson(result)}}`;
}

/** @param more further data of the error. */
export function errorText(
  id: string,
  code: RefusalCode,
  text: string = refuse(code).text,
  more: JsonObject = {},
  number = NUMBERS[code] ?? REFUSED,
): string {
  const data = id === 'null' ? { code, ...more } : { code, requestId: JSON.parse(id), ...more };
  return `{"jsonrpc":"2.0","id":${id},"error":${asciiJson({ code: number, message: text, data })}}`;
}
