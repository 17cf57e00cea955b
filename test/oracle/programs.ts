/**
 * What programs and agents' phones of the contact centre lived through, judged at the end of a run by
 * the checker of recorded histories (`test/history`):
 *
 *   programs-hear-once   every event once, in order, by everybody who watches it and by nobody else;
 *                        calls, connections and phones as the reference model has them
 *   requests-done-once   every request answered once, done once, its reference returned
 *   agents-as-model      agents are what their events and requests made them
 *   one-cdr              one record a call, with its times
 */

import { check, RULES } from '../history/check.ts';
import type { Oracle, World } from '../world/world.ts';

const ASKED = ['answered-once', 'same-answer', 'done-once', 'references'];
const AGENTS = ['agent-legal', 'agents-as-model', 'agents-obey'];
const CDR = ['one-cdr'];

function judged(name: string, mine: (rule: string) => boolean): (world: World) => Oracle {
  const rules = RULES.filter((rule) => mine(rule.name));
  return (world) => ({
    name,
    over() {
      const { centre } = world;
      if (centre === undefined) return;
      for (const { rule, text } of check(centre.lines, rules).broken) {
        world.violate(name, `${rule}: ${text}`);
      }
    },
  });
}

const others = [...ASKED, ...AGENTS, ...CDR];

export const programsHearOnce = judged('programs-hear-once', (rule) => !others.includes(rule));
export const requestsDoneOnce = judged('requests-done-once', (rule) => ASKED.includes(rule));
export const agentsAsModel = judged('agents-as-model', (rule) => AGENTS.includes(rule));
export const oneCdr = judged('one-cdr', (rule) => CDR.includes(rule));
