/** All consumers of the box's state: one line each. */

import type { ConsumerMaker } from './consumer.ts';

export const CONSUMERS: readonly ConsumerMaker[] = [];
