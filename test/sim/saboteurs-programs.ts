/**
 * Saboteurs of what programs are promised: of events, answers, agents and CDRs. As with the others, the
 * product knows nothing of them.
 */

import type { TableSpec } from '../../src/base/row.ts';
import { AGENT } from '../../src/call/agent/rows.ts';
import { CDR } from '../../src/call/csta/cdr.ts';
import { EVENT, REQUEST } from '../../src/call/csta/rows.ts';
import { dropFromMirror, editEffects, type Saboteur, swarm } from './sabotage.ts';

/** Busy programs, and nothing else that would take time. */
const CENTRE = { programs: 3, phones: 6, gapMs: 100, callGapMs: 2000 } as const;

const forgetEvents: Saboteur = {
  name: 'forget-events',
  oracle: 'programs-hear-once',
  about: 'what was said to programs is no row at the backup: nobody is given what he missed',
  adjust: swarm(['kill-primary'], { centre: CENTRE, phones: 3 }),
  sabotage: (world) => dropFromMirror(world, EVENT as TableSpec),
};

const loseAnswers: Saboteur = {
  name: 'lose-answers',
  oracle: 'requests-done-once',
  about: 'an answer that is late by a switchover is taken for said',
  adjust: swarm(['switchover'], { centre: CENTRE, phones: 3 }),
  sabotage(world) {
    let epoch = 0;
    editEffects(world, (_box, engine, out) => {
      const now = engine.standing.epoch;
      if (now <= epoch) return;
      const n = out.programs.findIndex(
        (item) => item.startsWith('{"kind":"reply"') && /"id":\d/.test(item),
      );
      if (n < 0) return;
      epoch = now;
      out.programs.splice(n, 1);
    });
  },
};

const forgetRequests: Saboteur = {
  name: 'forget-requests',
  oracle: 'requests-done-once',
  about: 'what was done for whom is no row at the backup: who asks again has it done again',
  // a slow crossover: the more requests are done and not answered when the primary dies
  adjust: (drawn) => ({
    ...swarm(['kill-primary'], { centre: { ...CENTRE, gapMs: 20 }, phones: 3, faultGap: 1500 })(
      drawn,
    ),
    cable: { ...drawn.cable, latency: [3, 8] },
  }),
  sabotage: (world) => dropFromMirror(world, REQUEST as TableSpec),
};

const forgetAgents: Saboteur = {
  name: 'forget-agents',
  oracle: 'agents-as-model',
  about: 'who is logged on is no row at the backup',
  adjust: swarm(['kill-primary'], { centre: CENTRE, phones: 3 }),
  sabotage: (world) => dropFromMirror(world, AGENT as TableSpec),
};

const forgetCdrs: Saboteur = {
  name: 'forget-cdrs',
  oracle: 'one-cdr',
  about: 'the record of a call is no row at the backup',
  adjust: swarm(['kill-primary'], { centre: CENTRE, phones: 3 }),
  sabotage: (world) => dropFromMirror(world, CDR as TableSpec),
};

export const PROGRAM_SABOTEURS: readonly Saboteur[] = [
  forgetEvents,
  loseAnswers,
  forgetRequests,
  forgetAgents,
  forgetCdrs,
];
