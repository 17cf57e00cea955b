/** Trials that take longer than a test may: ./build.sh vm trial NAME. They use what the tests use. */

import { OUTSIDE } from './faults.ts';
import { FRONT } from './front.ts';
import { REPLACED } from './replaced.ts';
import { STARTS } from './starts.ts';
import { ALONE } from './upgrade-alone.ts';
import { PAIR } from './upgrade-pair.ts';
import { WATCHED } from './watched.ts';

export type Trial = (say: (text: string) => void) => Promise<void>;

export const TRIALS: { readonly [name: string]: Trial } = {
  ...STARTS,
  ...ALONE,
  ...PAIR,
  ...OUTSIDE,
  ...FRONT,
  ...REPLACED,
  ...WATCHED,
};
