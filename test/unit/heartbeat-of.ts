/** A heartbeat of a backup that is well, as the tests of the pair change it. */

import { type Heartbeat, NO_BOOT } from '../../src/wire/heartbeat.ts';

/** Every field is there, so that a new one is added in one place. */
export function heartbeatOf(change: Partial<Heartbeat>): Heartbeat {
  return {
    box: 'b',
    path: 'x',
    role: 'backup',
    inStep: true,
    peerStale: false,
    alone: false,
    engineOk: true,
    query: false,
    reply: false,
    loaded: true,
    fit: true,
    fresh: false,
    lanUp: true,
    witnessKnown: false,
    witnessSeen: false,
    gone: false,
    flapHold: false,
    conflict: false,
    yields: false,
    epoch: 1,
    lsn: 1,
    chain: 1,
    recordEpoch: 1,
    pairNow: 0,
    boot: NO_BOOT,
    sequence: 1,
    echoBoot: NO_BOOT,
    echoSequence: 0,
    ...change,
  };
}
