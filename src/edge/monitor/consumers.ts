/** All consumers of the box's state: one line each. */

import type { ConsumerMaker } from './consumer.ts';
import { makeLeds } from './leds.ts';

export const CONSUMERS: readonly ConsumerMaker[] = [{ name: 'lamps', make: makeLeds }];
