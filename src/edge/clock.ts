/** The box's monotonic clock, the same in every thread: milliseconds with a fraction. */

import type { Mono } from '../base/units.ts';
import { netlite } from './native/netlite.ts';

export function mono(): Mono {
  return netlite.monotonic();
}
