/** Writes a history down, line by line, with one clock for everybody in it. */

import type { Line, LineOf } from './record.ts';

/** What a line is without its time. */
type Bare<K extends Line['kind']> = Omit<LineOf<K>, 'at' | 'kind'>;

export class Recorder {
  private readonly now: () => number;
  private readonly put: (line: Line) => void;

  constructor(now: () => number, put: (line: Line) => void) {
    this.now = now;
    this.put = put;
  }

  say<K extends Line['kind']>(kind: K, what: Bare<K>): void {
    this.put({ kind, at: this.now(), ...what } as unknown as Line);
  }
}
