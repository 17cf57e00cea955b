/** The contact centre of a lab: a hundred routing points and queues, a thousand agents, one program. */

import { PROGRAM_ROLES } from '../../src/proto/centre.ts';

/** Agents agent1000 to agent1099 serve queue 6000, the next hundred 6001, and so on. */
function agents(): { readonly [range: string]: object } {
  return Object.fromEntries(
    Array.from({ length: 10 }, (_, i) => {
      const first = 1000 + 100 * i;
      return [`agent${first}-agent${first + 99}`, { queues: [`${6000 + i}`] }];
    }),
  );
}

export const LAB_CENTRE = {
  points: { '5000-5099': {} },
  queues: { '6000-6099': {} },
  agents: agents(),
  strict: 'password',
  programs: [
    {
      name: 'lab',
      password: 'lab',
      roles: PROGRAM_ROLES,
      devices: ['1000'],
      rate: 10_000,
      burst: 10_000,
    },
  ],
};

export const LAB_CTI = { port: 8088 };
