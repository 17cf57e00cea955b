/** All consumers of the box's state: one line each. */

import { snmpConsumer } from './agentx.ts';
import type { ConsumerMaker } from './consumer.ts';
import { makeLeds } from './leds.ts';
import { metricsConsumer } from './metrics.ts';
import { syslogConsumer } from './syslog.ts';

export const CONSUMERS: readonly ConsumerMaker[] = [
  { name: 'lamps', make: makeLeds },
  { name: 'snmp', make: snmpConsumer },
  { name: 'metrics', make: metricsConsumer },
  { name: 'syslog', make: syslogConsumer },
];
