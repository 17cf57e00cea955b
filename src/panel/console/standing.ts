/**
 * How a box stands that has no role yet: the word in its prompt, and the sentence for whoever waits in
 * front of it. One table, the first row that fits.
 */

import { type Json, part, text } from './dialog.ts';

export type Start = {
  /** What the monitor says; '' when it does not answer. */
  readonly phase: string;
  /** State of the system agent; what it does not say is missing. */
  readonly state: Json;
};

const answered = ({ state }: Start): boolean => 'box' in part(state, 'identity');
const paired = ({ state }: Start): boolean => state['paired'] !== false;
/** undefined: nobody says. */
const revision = ({ state }: Start): unknown => part(state, 'revision')['number'];
const committed = (s: Start): boolean => Number(revision(s) ?? 0) > 0;
const peerIsThere = ({ state }: Start): boolean => part(state, 'peer')['reachable'] === true;
/** The agent is at it. */
const applies = ({ state }: Start): boolean =>
  !['', 'settled', 'waiting'].includes(text(part(state, 'applying'), 'step'));
/** There is nothing the service could begin with, as far as anybody says. */
const bare = (s: Start): boolean => s.phase === 'unconfigured' || revision(s) === 0;

export const START_TABLE: readonly {
  readonly word: string;
  readonly when: (s: Start) => boolean;
  /** What to say to somebody who has just come here; '' nothing. */
  readonly say: string;
}[] = [
  { word: 'updating', when: ({ phase }) => phase === 'updating', say: '' },
  {
    word: 'unconfigured',
    when: (s) => bare(s) && !answered(s) && !committed(s),
    say: '',
  },
  {
    word: 'not paired',
    when: (s) => !paired(s) && s.phase !== 'down',
    say: 'This box is not paired yet: request pair',
  },
  {
    word: 'starting',
    when: (s) => bare(s) && !committed(s) && peerIsThere(s),
    say: 'The two boxes agree on their configuration, then the service starts: Enter shows how far it is.',
  },
  {
    word: 'waits for the other box',
    when: (s) => bare(s) && !committed(s),
    say: 'Paired; the other box does not answer over the crossover cable (eth1 to eth1): this one waits for it.',
  },
  {
    word: 'starting',
    // on a box that is busy starting, the monitor may be late
    when: (s) => ['booting', 'unconfigured'].includes(s.phase) || (s.phase === '' && applies(s)),
    say: 'The service starts: Enter shows how far it is.',
  },
  { word: 'sipair down', when: () => true, say: '' },
];

function rowOf(s: Start): (typeof START_TABLE)[number] | undefined {
  return START_TABLE.find((row) => row.when(s));
}

export function startWord(s: Start): string {
  return rowOf(s)?.word ?? 'sipair down';
}

export function startSentence(s: Start): string {
  return rowOf(s)?.say ?? '';
}
