/** The pictures of the integrator's guide: services, events, refusals, limits, as the program has them. */

import type { z } from 'zod';
import { LIMITS } from '../../src/base/limits.ts';
import { CAUSES } from '../../src/call/csta/causes.ts';
import { EVENT_NAMES } from '../../src/call/csta/event.ts';
import { REFUSALS } from '../../src/call/csta/refusal.ts';
import { CLOSE } from '../../src/cti/hub.ts';
import { SERVICES, type Service } from '../../src/cti/services.ts';
import { PROGRAM_ROLES } from '../../src/proto/centre.ts';
import { CTI_EVENTS } from './cti-events.ts';
import { grid } from './grid.ts';

const code = (text: string): string => `\`${text}\``;

/** A shape in a few letters: `deviceId, userData?, treatment {kind, prompt?}`. */
function shape(type: z.ZodObject): string {
  return Object.entries(type.shape)
    .map(([name, field]) => {
      const one = field as z.ZodType;
      return `${name}${one.safeParse(undefined).success ? '?' : ''}`;
    })
    .join(', ');
}

function rolesOf({ roles, acts }: Service): string {
  if (roles.length === 0) return 'any';
  const all = PROGRAM_ROLES.filter((role) => roles.includes(role));
  const shown = all.length === PROGRAM_ROLES.length ? ['any role'] : all;
  return shown
    .map((role) => (role === 'own-device' ? `own-device (${acts.join(', ')})` : role))
    .join(', ');
}

function services(): string {
  return grid(
    ['service', 'what', 'parameters', 'roles'],
    Object.entries(SERVICES).map(([name, service]) => {
      const params = shape(service.params);
      return [code(name), service.about, params === '' ? '' : code(params), rolesOf(service)];
    }),
  );
}

function events(): string {
  return grid(
    ['event', 'when', 'carries, for example'],
    EVENT_NAMES.map((name) => {
      const { when, example } = CTI_EVENTS[name];
      return [code(name), when, code(JSON.stringify(example))];
    }),
  );
}

function refusals(): string {
  return grid(
    ['`data.code`', 'sentence'],
    Object.entries(REFUSALS).map(([name, sentence]) => [code(name), sentence]),
  );
}

const CLOSED: { readonly [reason in keyof typeof CLOSE]: readonly [string, string] } = {
  replaced: ['another connection resumed the session', 'nothing: you are there already'],
  silent: ['nothing was heard of you', 'connect, resume'],
  badPassword: ['wrong password, or too many', 'look at the password; wait'],
  tooSlow: ['you read too slowly', 'connect, resume: you are given the gap'],
  voiceLost: ['events were lost between the parts of the box', 'connect, resume'],
  tooMany: ['too many frames that mean nothing, or at once', 'mend the program'],
};

function closes(): string {
  return grid(
    ['code', 'reason', 'why', 'do'],
    Object.entries(CLOSE).map(([reason, number]) => {
      const [why, cure] = CLOSED[reason as keyof typeof CLOSE];
      return [`${number}`, code(reason), why, cure];
    }),
  );
}

const seconds = (ms: number): string => `${ms / 1000} s`;
const mebibytes = (bytes: number): string => `${bytes / 1024 / 1024} MiB`;

function limits(): string {
  return grid(
    ['what', 'limit', 'beyond it'],
    [
      ['sessions', `${LIMITS.ctiSessions}`, '`limitReached`'],
      ['monitors of a session, of all', `${LIMITS.ctiMonitors}, ${LIMITS.ctiMonitorsAll}`, 'same'],
      ['requests of a connection without an answer yet', `${LIMITS.ctiPending}`, 'same'],
      ['a session without a connection', seconds(LIMITS.sessionKeepMs), 'it ends'],
      [
        'events kept for who is away',
        `${LIMITS.eventsKept}, ${seconds(LIMITS.eventKeepMs)}`,
        '`eventsLost` when you resume',
      ],
      [
        'answers kept for who repeats a request',
        `${LIMITS.ctiAnswers}, ${seconds(LIMITS.answerKeepMs)}`,
        'it is done again',
      ],
      ['a frame of yours', `${LIMITS.ctiFrameBytes / 1024} KiB`, 'closed (1009)'],
      ['what waits for who reads slowly', mebibytes(LIMITS.ctiOutBytes), 'closed (4008)'],
      ['a connection without credentials', seconds(LIMITS.ctiHelloMs), 'closed (4002)'],
      [
        'wrong passwords of an address',
        `${LIMITS.ctiGuesses}, then one in ${seconds(LIMITS.ctiGuessMs)}`,
        '`limitReached`, closed (4003)',
      ],
      ['user data of a call, as JSON', `${LIMITS.userDataBytes / 1024} KiB`, '`limitReached`'],
    ],
  );
}

export const CTI_PICTURES: { readonly [name: string]: () => string } = {
  'cti-services': services,
  'cti-events': events,
  'cti-causes': () => CAUSES.map(code).join(', '),
  'cti-refusals': refusals,
  'cti-closes': closes,
  'cti-limits': limits,
};
