/**
 * The run log is a picture: one line an event, a column a box.
 *
 *      time  │ a               │ b               │ what
 *    4012.337│ P 2     317 · 12│ B 2     317 ·   │ box b: in step
 *    4100.201│ ✝               │ B 2     317 ·   │ fault: kill -9 of the primary …
 *
 * A column shows the role, the epoch, the position, what is held back (h) and the calls. Glyphs:
 *
 *    P primary   B backup   S starting   p promoting   R resigning   ✝ dead   ○ no power   ❄ frozen
 *    ◆ the box has the VIP
 */

import type { Box } from './box.ts';

const GLYPH = {
  primary: 'P',
  backup: 'B',
  starting: 'S',
  promoting: 'p',
  resigning: 'R',
  dead: '✝',
  off: '○',
  frozen: '❄',
} as const;

/** @returns 20 characters about a box. */
export function column(box: Box): string {
  const glyph = GLYPH[box.state];
  const vip = box.kernel.hasVip ? '◆' : ' ';
  const facts = box.process?.engine.facts();
  if (facts === undefined) return `${glyph}${vip}`.padEnd(20);
  const held = facts.held > 0 ? `h${facts.held}` : '';
  const text =
    `${glyph}${vip}${String(facts.epoch).padStart(3)} ${String(facts.lsn).padStart(6)} ` +
    `${held.padEnd(4)}${facts.calls}`;
  return text.padEnd(20);
}

export class Picture {
  /** The last lines, for a failing run. */
  readonly lines: string[] = [];
  private readonly keep: number;
  private readonly print: ((line: string) => void) | undefined;

  constructor(keep: number, print: ((line: string) => void) | undefined) {
    this.keep = keep;
    this.print = print;
  }

  add(now: number, boxes: readonly Box[], what: string): void {
    const line = `${now.toFixed(3).padStart(11)}│ ${boxes.map(column).join('│ ')}│ ${what}`;
    this.print?.(line);
    this.lines.push(line);
    if (this.lines.length > this.keep) this.lines.splice(0, this.keep >> 1);
  }
}
