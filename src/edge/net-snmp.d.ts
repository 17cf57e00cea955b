/**
 * What we use of the npm package net-snmp 3.29.2, which has no types of its own: its AgentX session and
 * the bytes of its messages. Why the rest is not used stands in monitor/agentx-session.ts.
 */
declare module 'net-snmp' {
  import type { Buffer } from 'node:buffer';
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  /** A buffer that is written and read from end to end (npm smart-buffer). */
  interface SmartBuffer {
    writeUInt8(value: number): this;
    writeUInt32BE(value: number): this;
    writeBuffer(value: Uint8Array): this;
    readUInt8(): number;
    readUInt32BE(): number;
  }

  type AgentxVarbind = { readonly oid: string; readonly type: number; readonly value: unknown };
  type SearchRange = {
    readonly start: string | null;
    readonly end: string | null;
    /** Ours: RFC 2741 5.2, the answer may be `start` itself. */
    readonly include?: boolean;
  };

  interface Pdu {
    readonly pduType: number;
    readonly packetID: number;
    sessionID: number;
    /** Of a response. */
    error: number;
    index: number;
    readonly sysUpTime?: number;
    readonly searchRangeList?: readonly SearchRange[];
    readonly nonRepeaters?: number;
    readonly maxRepetitions?: number;
    varbinds?: readonly AgentxVarbind[] | null;
    getResponsePduForRequest(): Pdu;
  }

  export const AgentXPdu: {
    createFromVariables(fields: object): Pdu;
    readOid(buffer: SmartBuffer): string | null;
    writeOctetString(buffer: SmartBuffer, value: string | Uint8Array): void;
    readSearchRange(buffer: SmartBuffer): SearchRange;
  };
  export const AgentXPduType: { readonly [name: string]: number };
  export const ObjectType: { readonly [name: string]: number };

  type Done = (error: Error | null, answer: Pdu) => void;

  interface Subagent extends EventEmitter {
    readonly socket: Socket;
    readonly sessionID: number;
    open(done: Done): void;
    ping(done: Done): void;
    sendPdu(pdu: Pdu, done: Done | null): void;
    onMsg(message: Buffer): void;
    getRequest(pdu: Pdu): void;
    getNextRequest(pdu: Pdu): void;
    getBulkRequest(pdu: Pdu): void;
    testSet(pdu: Pdu): void;
  }

  export function createSubagent(options: {
    /** Of TCP, or the path of a unix socket: it is handed to net.Socket.connect as it is. */
    readonly masterPort: number | string;
    readonly master?: string;
    readonly description?: string;
    readonly debug?: boolean;
  }): Subagent;
}
