/**
 * SIP as a ladder: participants are columns, a message is an arrow between two of them with its time.
 * More than four participants do not fit into 80 columns: then a message is a line.
 */

import { clockOf } from '../show/kit.ts';

export type SipSeen = {
  /** UTC, ms. */
  readonly at: number;
  /** address:port */
  readonly from: string;
  readonly to: string;
  readonly transport: string;
  /** in: to us. */
  readonly direction: string;
  readonly text: string;
};

const MOST = 4;
const TIME = 13;
const DAY_MS = 86_400_000;

function clock(at: number): string {
  const ms = at % DAY_MS;
  const rest = String(Math.floor(ms % 1000)).padStart(3, '0');
  return `${clockOf(Math.floor(ms / 1000))}.${rest}`;
}

/** `INVITE 1001 +sdp`, `200 OK +sdp`, `200 OK (BYE)`. */
export function labelOf(message: string): string {
  const [first = '', ...rest] = message.split(/\r?\n/, 60);
  const body = /^content-type:\s*application\/sdp/im.test(rest.join('\n')) ? ' +sdp' : '';
  const status = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(first);
  if (status !== null) {
    const method = rest
      .map((l) => /^cseq:\s*\d+\s+(\w+)/i.exec(l)?.[1])
      .find((m) => m !== undefined);
    // an INVITE's is what nearly all of them are
    const of = method === undefined || method === 'INVITE' ? '' : ` (${method})`;
    return `${status[1]} ${status[2]}${of}${body}`;
  }
  const request = /^([A-Z]+) sips?:(?:([^@;\s]+)@)?/.exec(first);
  if (request === null) return first.slice(0, 40);
  return `${request[1]}${request[2] === undefined ? '' : ` ${request[2]}`}${body}`;
}

export class Ladder {
  private readonly columns: number;
  private participants: string[] = [];
  private drawn = '';

  constructor(columns: number) {
    this.columns = columns;
  }

  /** Left to right: who spoke first, sipair, the others. */
  private order(): readonly string[] {
    const others = this.participants.filter((p) => p !== 'sipair');
    if (!this.participants.includes('sipair')) return others;
    return [...others.slice(0, 1), 'sipair', ...others.slice(1)];
  }

  /** Lines for one message. */
  add(seen: SipSeen): string[] {
    // our own addresses are one participant
    const from = seen.direction === 'out' ? 'sipair' : seen.from;
    const to = seen.direction === 'in' ? 'sipair' : seen.to;
    for (const p of [from, to]) {
      // beyond the fifth nobody needs to be remembered: it stays a list of lines
      if (!this.participants.includes(p) && this.participants.length <= MOST)
        this.participants.push(p);
    }
    const label = labelOf(seen.text);
    const all = this.order();
    if (all.length > MOST || this.columns < TIME + 20 * all.length) {
      return this.plain(seen, from, to, label);
    }
    const at = this.columnsOf(all);
    const head = this.heading(all, at);
    const lines = head === this.drawn ? [] : [head, this.rails(at)];
    this.drawn = head;
    return [...lines, this.arrow(clock(seen.at), at, [all.indexOf(from), all.indexOf(to)], label)];
  }

  private plain(seen: SipSeen, from: string, to: string, label: string): string[] {
    this.drawn = '';
    return [`${clock(seen.at)} ${from} > ${to} ${label}`.slice(0, this.columns - 1)];
  }

  private columnsOf(all: readonly string[]): readonly number[] {
    const room = this.columns - 1 - TIME;
    const lane = Math.floor(room / all.length);
    return all.map((_, i) => TIME + Math.floor(lane / 2) + i * lane);
  }

  private heading(all: readonly string[], at: readonly number[]): string {
    let line = '';
    for (const [i, name] of all.entries()) {
      const lane = (at[1] ?? 40) - (at[0] ?? 0);
      const shown = name.slice(0, Math.max(8, lane - 1));
      const begin = Math.max(
        line.length === 0 ? 0 : line.length + 1,
        (at[i] ?? 0) - Math.floor(shown.length / 2),
      );
      line = line.padEnd(begin) + shown;
    }
    return line.slice(0, this.columns - 1);
  }

  private rails(at: readonly number[]): string {
    let line = '';
    for (const x of at) line = `${line.padEnd(x)}|`;
    return line;
  }

  private arrow(
    time: string,
    at: readonly number[],
    [from, to]: readonly [number, number],
    label: string,
  ): string {
    const x1 = at[Math.min(from, to)] ?? 0;
    const x2 = at[Math.max(from, to)] ?? 0;
    const chars = [...this.rails(at).padEnd(x2 + 1)];
    for (const [i, c] of [...time].entries()) chars[i] = c;
    if (x1 === x2) return `${chars.join('')} ${label}`.slice(0, this.columns - 1);
    const right = from < to;
    for (let x = x1 + 1; x < x2; x += 1) chars[x] = '-';
    chars[right ? x2 - 1 : x1 + 1] = right ? '>' : '<';
    const room = x2 - x1 - 5;
    const shown = label.length > room ? `${label.slice(0, room - 1)}~` : label;
    const begin = x1 + 3 + Math.floor((room - shown.length) / 2);
    const text = ` ${shown} `;
    for (const [i, c] of [...text].entries()) {
      const x = begin - 1 + i;
      if (x > x1 + (right ? 0 : 1) && x < x2 - (right ? 1 : 0)) chars[x] = c;
    }
    return chars.join('').trimEnd();
  }
}
