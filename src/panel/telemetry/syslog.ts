/**
 * Syslog as RFC 5424 wants it: one message of a change of the box or of a line of its log, with structured
 * data that says whose it is; RFC 6587 octet counting for streams; and the line that waits meanwhile.
 */

import { sentenceOf } from '../mib/traps.ts';
import { isoTime } from '../mib/values.ts';
import type { AlarmSeverity, BoxStatus, StatusChange, Utc } from '../monitor/box-status.ts';
import { PEN } from '../pen.ts';

/** RFC 5424 6.2.1. */
export const LEVELS = {
  critical: 2,
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
} as const;
export type Level = keyof typeof LEVELS;

/** system daemons. */
const FACILITY = 3;
/** RFC 5424 6.1: receivers should take this much. */
const LONGEST_BYTES = 2048;
const APP = 'sipair';

export type Entry = {
  readonly at: Utc;
  readonly level: Level;
  /** What kind of thing it is; of a line of the log: `log`. */
  readonly id: string;
  readonly process: string;
  readonly text: string;
  readonly alarm?: {
    readonly code: string;
    readonly subject: string;
    readonly severity: AlarmSeverity;
    readonly id: number;
  };
};

/** Whose it is. */
export type Sender = {
  readonly name: string;
  readonly box: string;
  readonly role: string;
  readonly epoch: number;
  readonly inStep: boolean;
};

export function senderOf({ name, box, daemon }: BoxStatus): Sender {
  return {
    name,
    box: box ?? '',
    role: daemon?.role ?? 'none',
    epoch: daemon?.epoch ?? 0,
    inStep: daemon?.inStep === true,
  };
}

const ALARM_LEVEL: { readonly [severity in AlarmSeverity]: Level } = {
  critical: 'critical',
  major: 'error',
  minor: 'warning',
  warning: 'notice',
};

/** How grave a change is for itself; an alarm says more by its severity. */
function levelOf(c: StatusChange): Level {
  switch (c.kind) {
    case 'alarm-raised':
      return ALARM_LEVEL[c.alarm.severity];
    case 'vip-conflict':
      return c.on ? 'critical' : 'notice';
    case 'peer-lost':
    case 'link-lost':
    case 'out-of-step':
    case 'capacity':
    case 'certificate':
    case 'wear':
      return 'warning';
    case 'phase':
      return c.to === 'down' ? 'error' : 'notice';
    default:
      return 'notice';
  }
}

export function entryOf(change: StatusChange): Entry {
  const entry = {
    at: change.at,
    level: levelOf(change),
    id: change.kind,
    process: 'monitor',
    text: sentenceOf(change),
  };
  if (!('alarm' in change)) return entry;
  const { code, subject, severity, id } = change.alarm;
  return { ...entry, alarm: { code, subject, severity, id } };
}

// ── lines of the log ───────────────────────────────────────────────────────────────────────────

/** Our lines begin so: `2026-11-26T22:30:15.250Z info …`. */
const OURS = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (debug|info|warning|alarm) /;
const PRIORITIES: readonly Level[] = [
  'critical',
  'critical',
  'critical',
  'error',
  'warning',
  'notice',
  'info',
  'debug',
];

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  // the journal writes what is no text as its octets
  return Array.isArray(value) ? new TextDecoder().decode(Uint8Array.from(value as number[])) : '';
}

/** Which part of the box said it; of one that runs on several terminals not which. */
function partOf(unit: string): string {
  // that a unit began or failed is said by systemd
  if (unit === 'init.scope') return 'systemd';
  return unit.replace(/^sipair-?|(?:@.*)?\.service$/g, '') || 'serve';
}

/** @returns a line of `journalctl -o json`; undefined for what is none, or says nothing. */
export function journalEntry(line: string): Entry | undefined {
  let j: { readonly [field: string]: unknown };
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    j = value as { readonly [field: string]: unknown };
  } catch {
    return undefined;
  }
  const message = textOf(j['MESSAGE']);
  const text = message.replace(OURS, '');
  if (text.trim() === '') return undefined;
  return {
    at: Math.floor(Number(textOf(j['__REALTIME_TIMESTAMP'])) / 1000) || 0,
    level: PRIORITIES[Number(textOf(j['PRIORITY']) || 6)] ?? 'info',
    id: 'log',
    process: partOf(textOf(j['_SYSTEMD_UNIT'])),
    text,
  };
}

// ── the message ────────────────────────────────────────────────────────────────────────────────

/** RFC 5424 6.3.3: these three are escaped. */
function param(name: string, value: string | number | boolean): string {
  return ` ${name}="${plain(String(value)).replace(/["\\\]]/g, '\\$&')}"`;
}

/** Printable ASCII without spaces, and not nothing. */
function header(value: string, most: number): string {
  const plain = value.replace(/[^\x21-\x7e]/g, '_').slice(0, most);
  return plain === '' ? '-' : plain;
}

const utf8 = new TextEncoder();

/** RFC 5424 8.2: what steers a terminal is not for whoever reads a log: C0, DEL, C1, and line ends of Unicode. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ');
}

/** The octets of one message. A text that is too long is cut between characters. */
export function syslogMessage(entry: Entry, sender: Sender): Uint8Array {
  const { box, role, epoch, inStep } = sender;
  const { alarm } = entry;
  const own =
    `[sipair@${PEN}${param('box', box)}${param('role', role)}` +
    `${param('epoch', epoch)}${param('inStep', inStep)}]`;
  const more =
    alarm === undefined
      ? ''
      : `[alarm@${PEN}${param('code', alarm.code)}${param('subject', alarm.subject)}` +
        `${param('severity', alarm.severity)}${param('id', alarm.id)}]`;
  const head = [
    `<${FACILITY * 8 + LEVELS[entry.level]}>1`,
    isoTime(entry.at),
    header(sender.name, 255),
    APP,
    header(entry.process, 128),
    header(entry.id, 32),
    `${own}${more}`,
  ].join(' ');
  // 6.4: what is in UTF-8 begins with a byte order mark
  const bytes = utf8.encode(`${head} \ufeff${plain(entry.text)}`);
  if (bytes.length <= LONGEST_BYTES) return bytes;
  let end = LONGEST_BYTES;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/** RFC 6587 3.4.1, and RFC 5425 4.3: its length, a space, the message. */
export function octetCounted(message: Uint8Array): Uint8Array {
  const length = utf8.encode(`${message.length} `);
  const out = new Uint8Array(length.length + message.length);
  out.set(length);
  out.set(message, length.length);
  return out;
}

// ── what waits ─────────────────────────────────────────────────────────────────────────────────

/** Messages that wait for their server: bounded, the oldest goes, and how many went is told. */
export class Spool {
  private readonly mostBytes: number;
  private readonly waiting: Uint8Array[] = [];
  private head = 0;
  private bytes = 0;
  private gone = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }

  get size(): number {
    return this.waiting.length - this.head;
  }

  push(message: Uint8Array): void {
    this.waiting.push(message);
    this.bytes += message.length;
    while (this.bytes > this.mostBytes && this.size > 1) {
      this.take();
      this.gone += 1;
    }
  }

  /** The oldest. */
  take(): Uint8Array | undefined {
    const message = this.waiting[this.head];
    if (message === undefined) return undefined;
    this.head += 1;
    this.bytes -= message.length;
    if (this.head > 1024 || this.size === 0) {
      this.waiting.splice(0, this.head);
      this.head = 0;
    }
    return message;
  }

  /** How many were lost since this was asked last. */
  lost(): number {
    const { gone } = this;
    this.gone = 0;
    return gone;
  }
}
