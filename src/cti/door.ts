/** Frames of programs: JSON-RPC 2.0, read and looked at. Nothing goes further that is not whole. */

import { asciiJson, type JsonObject } from '../base/json.ts';
import { LIMITS } from '../base/limits.ts';
import { type Service, serviceOf } from './services.ts';
import { errorText } from './terms.ts';

export type Asked = {
  /** JSON text; '' for a notification. */
  readonly id: string;
  readonly method: string;
  readonly service: Service;
  readonly params: JsonObject;
};

/** JSON-RPC 2.0, 5.1. */
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;

/** May come without an id: nobody waits for their answers. */
const NOTIFICATIONS: ReadonlySet<string> = new Set(['ack', 'ping']);

function invalid(text: string, number: number, id = 'null'): string {
  return errorText(id, 'invalidParameter', text, {}, number);
}

/** @returns the request, or what is to be answered instead. */
export function readFrame(text: string): Asked | string {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return invalid('This is not JSON.', PARSE_ERROR);
  }
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) {
    return invalid('A frame is one JSON-RPC request.', INVALID_REQUEST);
  }
  const { jsonrpc, id, method, params = {} } = frame as JsonObject;
  if (jsonrpc !== '2.0' || typeof method !== 'string') {
    return invalid('jsonrpc "2.0" and a method are needed.', INVALID_REQUEST);
  }
  const known = id === undefined ? '' : idText(id);
  if (known === undefined) {
    return invalid('An id is a whole number or a text that is not too long.', INVALID_REQUEST);
  }
  if (known === '' && !NOTIFICATIONS.has(method)) {
    return invalid('An id is needed.', INVALID_REQUEST);
  }
  const answerId = known === '' ? 'null' : known;
  const service = serviceOf(method);
  if (service === undefined) {
    return errorText(answerId, 'notSupported', 'No service has this name.', {}, METHOD_NOT_FOUND);
  }
  const looked = service.params.safeParse(params);
  if (!looked.success) {
    const [first] = looked.error.issues;
    const place = first?.path.join('.') ?? '';
    const why = `${place === '' ? '' : `${place}: `}${first?.message ?? ''}`.slice(0, 300);
    return errorText(answerId, 'invalidParameter', why);
  }
  return { id: known, method, service, params: looked.data as JsonObject };
}

function idText(id: unknown): string | undefined {
  if (typeof id === 'number') return Number.isSafeInteger(id) ? `${id}` : undefined;
  if (typeof id !== 'string') return undefined;
  const text = asciiJson(id);
  return text.length <= LIMITS.ctiIdBytes ? text : undefined;
}
