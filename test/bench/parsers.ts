/**
 * The parsers that are measured, each behind the same two functions: `parse` is what it offers for
 * a message, `read` takes out of that what a server needs of any message. Ours validates as well.
 */

import { createRequire } from 'node:module';
import * as sip from '../../src/sip-parser/index.ts';
import type { Reading } from './parser-messages.ts';

export type Parser = {
  readonly name: string;
  readonly version: string;
  readonly parse: (text: string) => unknown;
  readonly read: (parsed: unknown) => Reading;
};

const require = createRequire(import.meta.url);
const version = (name: string): string =>
  (require(`${name}/package.json`) as { version: string }).version;

const ours: Parser = {
  name: 'sipair/sip-parser',
  version: '',
  parse: (text) => {
    const m = sip.parseMessage(text);
    if (sip.isFault(m)) throw new Error(m.fault);
    const fault = m.isRequest ? sip.validateRequest(m) : sip.validateResponse(m);
    if (fault !== undefined) throw new Error(fault.fault);
    return m;
  },
  read: (parsed) => {
    const m = parsed as sip.SipMessage;
    const uri = sip.parseUri(m.contactUri);
    return {
      method: m.method,
      status: m.status,
      branch: m.branch,
      viaHost: m.viaHost,
      fromTag: m.fromTag,
      toTag: m.toTag,
      callId: m.callId,
      cseq: m.cseq,
      cseqMethod: m.cseqMethod,
      contact: sip.isFault(uri) ? '' : uri.user,
      bodyLength: m.body.length,
    };
  },
};

type SipUriLike = { readonly user: string };
type SipNpm = {
  readonly method?: string;
  readonly status?: number;
  readonly content: string;
  readonly headers: {
    readonly via: readonly {
      readonly host: string;
      readonly params: { readonly branch: string };
    }[];
    readonly from: { readonly params: { readonly tag?: string } };
    readonly to: { readonly params: { readonly tag?: string } };
    readonly contact: readonly { readonly uri: string }[];
    readonly 'call-id': string;
    readonly cseq: { readonly seq: number; readonly method: string };
  };
};

function sipNpm(): Parser {
  const lib = require('sip') as {
    parse: (text: string) => unknown;
    parseUri: (uri: string) => SipUriLike;
  };
  return {
    name: 'sip',
    version: version('sip'),
    parse: (text) => lib.parse(text),
    read: (parsed) => {
      const { method, status, content, headers: h } = parsed as SipNpm;
      return {
        method: method ?? '',
        status: status ?? 0,
        branch: h.via[0]?.params.branch ?? '',
        viaHost: h.via[0]?.host ?? '',
        fromTag: h.from.params.tag ?? '',
        toTag: h.to.params.tag ?? '',
        callId: h['call-id'],
        cseq: h.cseq.seq,
        cseqMethod: h.cseq.method,
        contact: lib.parseUri(h.contact[0]?.uri ?? '').user,
        bodyLength: content.length,
      };
    },
  };
}

// jssip and sip.js have the same ancestor and the same shape.
type Descendant = {
  readonly method?: string;
  readonly status_code?: number;
  readonly statusCode?: number;
  readonly body: string;
  readonly call_id?: string;
  readonly callId?: string;
  readonly from_tag?: string;
  readonly fromTag?: string;
  readonly to_tag?: string;
  readonly toTag?: string;
  readonly via_branch?: string;
  readonly viaBranch?: string;
  readonly via: { readonly host: string };
  readonly cseq: number | { readonly value: number; readonly method: string };
  parseHeader(name: string): { readonly uri: SipUriLike };
  getHeader(name: string): string;
};

function readDescendant(parsed: unknown): Reading {
  const m = parsed as Descendant;
  const cseqText = m.getHeader('cseq');
  const status = m.status_code ?? m.statusCode ?? 0;
  return {
    method: status === 0 ? (m.method ?? '') : '',
    status,
    branch: m.via_branch ?? m.viaBranch ?? '',
    viaHost: m.via.host,
    fromTag: m.from_tag ?? m.fromTag ?? '',
    toTag: (m.to_tag ?? m.toTag) || '',
    callId: m.call_id ?? m.callId ?? '',
    cseq: typeof m.cseq === 'number' ? m.cseq : m.cseq.value,
    cseqMethod: cseqText.slice(cseqText.indexOf(' ') + 1),
    contact: m.parseHeader('contact').uri.user,
    bodyLength: m.body.length,
  };
}

function jssip(): Parser {
  const lib = require('jssip/lib/Parser.js') as {
    parseMessage: (text: string, ua: object) => unknown;
  };
  const ua = {};
  return {
    name: 'jssip',
    version: version('jssip'),
    parse: (text) => lib.parseMessage(text, ua),
    read: readDescendant,
  };
}

async function sipJs(): Promise<Parser> {
  const path: string = 'sip.js/lib/core/messages/parser.js';
  const { Parser: lib } = (await import(path)) as {
    Parser: { parseMessage: (text: string, logger: object) => unknown };
  };
  const quiet = { log: () => undefined, warn: () => undefined, error: () => undefined };
  return {
    name: 'sip.js',
    version: version('sip.js'),
    parse: (text) => lib.parseMessage(text, quiet),
    read: readDescendant,
  };
}

export async function parsers(): Promise<readonly Parser[]> {
  return [ours, sipNpm(), jssip(), await sipJs()];
}
