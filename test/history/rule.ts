/** A promise over a history. */

import type { History } from './history.ts';

export type Rule = {
  readonly name: string;
  readonly about: string;
  /** Says where the record breaks the promise: the number of a line, from 0, and what is wrong. */
  readonly find: (history: History, broken: (line: number, text: string) => void) => void;
};
