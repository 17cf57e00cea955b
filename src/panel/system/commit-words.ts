/** What an operator is told of a commit; the codes are stable. */

import type { Entry } from './revision.ts';
import type { ConfigurationFault, SystemFault } from './terms.ts';

export const BUSY: SystemFault = {
  error: 'commit-busy',
  text: 'the boxes are agreeing: try again in a moment',
};

export const STALE: SystemFault = {
  error: 'commit-stale',
  text: 'another configuration is active than the one this was made from',
};

export const UNASKED: SystemFault = {
  error: 'commit-unasked',
  text: 'nothing waits for a confirmation',
};

export function faulty(faults: readonly ConfigurationFault[], where: 'here' | 'peer'): SystemFault {
  const who = where === 'here' ? '' : 'the other box says: ';
  const text = `${who}the configuration has faults: nothing was changed`;
  return { error: 'commit-faults', text, faults };
}

export function unwritten(fault: string, where: 'here' | 'peer'): SystemFault {
  const who = where === 'here' ? '' : 'the other box: ';
  return { error: 'commit-disk', text: `nothing was changed: ${who}${fault}` };
}

export function conflictText({ number, box }: Entry): string {
  return (
    'both boxes were configured while they did not see each other: ' +
    `revision ${number} of box ${box} is not active, and kept`
  );
}

export function unusableText({ number }: Entry, [first]: readonly ConfigurationFault[]): string {
  const why = first === undefined ? '' : `: ${first.place}: ${first.text}`;
  return `revision ${number} of the other box cannot be used here${why}`;
}
