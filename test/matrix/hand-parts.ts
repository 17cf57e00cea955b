/** What a hand-driven phone keeps of its dialogs and transactions. */

import type { Repeater } from '../world/phone-txn.ts';
import type { Msg } from '../world/sip-text.ts';

export type Dialog = {
  readonly side: 'uac' | 'uas';
  readonly callId: string;
  readonly localTag: string;
  remoteTag: string;
  /** From and To as we write them in requests of ours. */
  readonly local: string;
  remote: string;
  localSeq: number;
  remoteSeq: number;
  target: string;
  version: number;
  state: 'inviting' | 'early' | 'answered' | 'confirmed' | 'ended';
  /** Every status heard or said for the INVITE that began it. */
  readonly statuses: number[];
  /** The INVITE, ours or theirs. */
  client: Client | undefined;
  served: Served | undefined;
  cancelWanted: boolean;
  cancelled: boolean;
  /** It has refused a request that crossed its BYE. */
  crossed: boolean;
  /** 2xx of ours that no ACK has come for, by CSeq. */
  readonly unacked: Map<number, Served>;
  /** Requests that came in it, in order. */
  readonly heard: Msg[];
};

export type Client = {
  readonly method: string;
  text: string;
  readonly branch: string;
  readonly cseq: number;
  readonly callId: string;
  readonly fromTag: string;
  readonly dialog: Dialog | undefined;
  readonly allow: readonly number[];
  repeater: Repeater | undefined;
  provisional: boolean;
  /** Final status; 0 before, 408 when nobody answered. */
  final: number;
  answer: Msg | undefined;
  finalTag: string;
  ack: string;
  sentAt: number;
  doneAt: number;
  onProvisional: (msg: Msg) => void;
  onFinal: (msg: Msg | undefined) => void;
};

export type Served = {
  readonly request: Msg;
  readonly dialog: Dialog | undefined;
  response: string;
  status: number;
  repeater: Repeater | undefined;
  acked: boolean;
};

/** What of a request differs from the usual. */
export type Extra = {
  readonly headers?: readonly string[];
  readonly body?: string;
  /** Final answers that are right; otherwise only 2xx. */
  readonly allow?: readonly number[];
};

/** A request to be sent. */
export type Request = {
  readonly method: string;
  readonly uri: string;
  readonly from: string;
  readonly to: string;
  readonly callId: string;
  readonly cseq: () => number;
  readonly next?: () => void;
  readonly dialog: Dialog | undefined;
  readonly extra: Extra;
  readonly branch?: string;
};

/** @returns a dialog nothing has happened in yet. */
export function newDialog(
  known: Pick<
    Dialog,
    | 'side'
    | 'callId'
    | 'localTag'
    | 'remoteTag'
    | 'local'
    | 'remote'
    | 'localSeq'
    | 'remoteSeq'
    | 'target'
    | 'served'
  >,
): Dialog {
  return {
    ...known,
    version: 0,
    state: 'inviting',
    statuses: [],
    client: undefined,
    cancelWanted: false,
    cancelled: false,
    crossed: false,
    unacked: new Map(),
    heard: [],
  };
}
