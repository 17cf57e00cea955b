/** All consumers of the box's state: one line each. */

import { snmpConsumer } from './agentx.ts';
import type { ConsumerMaker } from './consumer.ts';

export const CONSUMERS: readonly ConsumerMaker[] = [{ name: 'snmp', make: snmpConsumer }];
