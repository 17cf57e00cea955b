/** The configuration of one box as tests vary it: everything a box needs, and what a test says more. */

import { type Config, type ConfigFault, readConfig } from '../../src/edge/config.ts';

const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff';

function read(more: object): Config | readonly ConfigFault[] {
  return readConfig({
    box: 'a',
    redundancy: 'hot-standby',
    lan: { interface: 'lan0', address: '192.0.2.11', prefix: 24, peerAddress: '192.0.2.12' },
    crossover: { interface: 'x0', address: '169.254.77.1', peerAddress: '169.254.77.2' },
    vip: { address: '192.0.2.10' },
    sip: { port: 5060 },
    users: { from: 1000, to: 1999, auth: true },
    data: '/data',
    control: '/run/control.sock',
    key: KEY,
    ...more,
  });
}

/** It is accepted. */
export function good(more: object): Config {
  const result = read(more);
  if (!('node' in result)) throw new Error(JSON.stringify(result));
  return result;
}

/** Its mistakes: place and code of each. */
export function mistakes(more: object): string {
  const result = read(more);
  return 'node' in result ? 'accepted' : result.map((f) => `${f.place} ${f.code}`).join();
}
