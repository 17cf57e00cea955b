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
import { clean, type ShowContext, wrap } from './kit.ts';
import { showHa, showInterfaces } from './pair.ts';
import { showDevices, showRegistrations, showSubscriptions } from './phones.ts';
import { showCounters, showTables, showTrunks } from './site.ts';

export type { ShowContext } from './kit.ts';

/** Whose answer a subject is made of: the socket to ask, and the request. */
export type Source = 'control' | 'system' | 'monitor';

export const SHOW_NAMES = [
  'ha',
  ...SHOWN,
  'alarms',
  'history',
  'system',
  'interfaces',
  'leds',
  'version',
  'image',
] as const;
export type ShowName = (typeof SHOW_NAMES)[number];

/** What is asked of whom for each subject. `show` takes `id`, `from`, `limit` besides. */
export const ASKS: { readonly [N in ShowName]: readonly [Source, object] } = {
  ha: ['control', { command: 'status' }],
  calls: ['control', { command: 'show', what: 'calls' }],
  call: ['control', { command: 'show', what: 'call' }],
  registrations: ['control', { command: 'show', what: 'registrations' }],
  subscriptions: ['control', { command: 'show', what: 'subscriptions' }],
  queues: ['control', { command: 'show', what: 'queues' }],
  'routing-points': ['control', { command: 'show', what: 'routing-points' }],
  agents: ['control', { command: 'show', what: 'agents' }],
  devices: ['control', { command: 'show', what: 'devices' }],
  programs: ['control', { command: 'show', what: 'programs' }],
  trunks: ['control', { command: 'show', what: 'trunks' }],
  conferences: ['control', { command: 'show', what: 'conferences' }],
  parks: ['control', { command: 'show', what: 'parks' }],
  tables: ['control', { command: 'show', what: 'tables' }],
  counters: ['control', { command: 'show', what: 'counters' }],
  alarms: ['monitor', { command: 'status' }],
  history: ['monitor', { command: 'status' }],
  system: ['monitor', { command: 'status' }],
  interfaces: ['control', { command: 'status' }],
  leds: ['monitor', { command: 'status' }],
  version: ['monitor', { command: 'status' }],
  image: ['system', { command: 'image', verb: 'status' }],
};

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
