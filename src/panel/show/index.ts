/**
 * `show`: an answer of the daemon, the monitor or the system agent as lines for a terminal. Pure; one
 * table says which answer each subject takes and who formats it.
 *
 *   const lines = render('calls', answer, { width: 80, now });
 */

import { SHOWN } from '../../call/view/terms.ts';
import { showAlarms, showHistory, showImage, showLeds, showSystem, showVersion } from './box.ts';
import { showCall, showCalls } from './calls.ts';
import {
  showAgents,
  showConferences,
  showParks,
  showPoints,
  showPrograms,
  showQueues,
} from './centre.ts';
import { showInterfaces } from './interfaces.ts';
import { clean, type ShowContext, wrap } from './kit.ts';
import { showHa } from './pair.ts';
import { showDevices, showRegistrations, showSubscriptions } from './phones.ts';
import { showCounters, showTables, showTrunks } from './site.ts';

export type { ShowContext } from './kit.ts';

/** Whose answer a subject is made of: the socket to ask, and the request. */
export type Source = 'control' | 'system' | 'monitor';

const STATUS = { command: 'status' };
/** Beside what the engine shows. */
const OTHERS = {
  ha: ['control', STATUS],
  interfaces: ['monitor', STATUS],
  alarms: ['monitor', STATUS],
  // a status has the newest only
  history: ['monitor', { command: 'alarms' }],
  system: ['monitor', STATUS],
  leds: ['monitor', STATUS],
  version: ['monitor', STATUS],
  image: ['system', { command: 'image', verb: 'status' }],
} as const;

export type ShowName = (typeof SHOWN)[number] | keyof typeof OTHERS;

/** What is asked of whom for each subject. `show` takes `id`, `from`, `limit` besides. */
export const ASKS = {
  ...Object.fromEntries(SHOWN.map((what) => [what, ['control', { command: 'show', what }]])),
  ...OTHERS,
} as { readonly [N in ShowName]: readonly [Source, object] };

type Formatter = (answer: never, cx: ShowContext) => string[];

const FORMATTERS: { readonly [N in ShowName]: Formatter } = {
  ha: showHa,
  calls: showCalls,
  call: showCall,
  registrations: showRegistrations,
  subscriptions: showSubscriptions,
  queues: showQueues,
  'routing-points': showPoints,
  agents: showAgents,
  devices: showDevices,
  programs: showPrograms,
  trunks: showTrunks,
  conferences: showConferences,
  parks: showParks,
  tables: showTables,
  counters: showCounters,
  alarms: showAlarms,
  history: showHistory,
  system: showSystem,
  interfaces: showInterfaces,
  leds: showLeds,
  version: showVersion,
  image: showImage,
};

function isFault(answer: object): answer is { readonly error: string; readonly text: string } {
  return 'error' in answer && typeof answer.error === 'string';
}

/** The answer as lines no longer than `width`; a fault is a line with its code. */
export function render(what: ShowName, answer: object, cx: ShowContext): string[] {
  if (isFault(answer)) return wrap(clean(`${answer.error}: ${answer.text}`), cx.width);
  return FORMATTERS[what](answer as never, cx);
}

/** `| json`: the answer itself. */
export function renderJson(answer: object): string[] {
  return JSON.stringify(answer, undefined, 2).split('\n');
}
