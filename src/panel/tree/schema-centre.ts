/** The contact centre: routing points, queues, agents, media services, programs. */

import { PLAIN_CENTRE } from '../../proto/centre.ts';
import { type Container, nodes, type Type } from './terms.ts';

const { leaf, list, group, map } = nodes('live');
const FLAG: Type = { type: 'flag' };
const TEXT: Type = { type: 'text' };
const NAME: Type = { type: 'text', max: 64, pattern: '\\S+', what: 'a name without spaces' };
/** A number; whether it leads anywhere, the daemon says. */
const NUMBER: Type = { type: 'text', max: 32, pattern: '\\S+', what: 'a number' };
const OVERFLOW: Type = { ...NUMBER, what: 'a number, recall or release' };

function whole(min: number, max: number, unit?: string): Type {
  return { type: 'int', min, max, ...(unit === undefined ? {} : { unit }) };
}

const NO_ANSWER: Container = group('An agent who does not answer', {
  afterS: leaf('After so long; 0: no supervision', whole(0, 600, 's'), { default: 0 }),
  overflow: list('Where the call goes: recall, release, numbers', OVERFLOW, 16),
  action: leaf(
    'What happens to the agent',
    {
      type: 'enum',
      words: { none: 'Nothing', 'not-ready': 'He is not ready', 'log-out': 'He is logged off' },
    },
    { default: 'none' },
  ),
});

const CHARGE = leaf(
  'When the call is answered',
  {
    type: 'enum',
    words: { answered: 'Before treatments', early: 'After: treatments are free to the caller' },
  },
  { default: 'answered' },
);

const POINTS = map(
  'Routing points: calls wait here until a program says where they go',
  { keyName: 'number', key: { type: 'numbers' }, most: 10_000 },
  {
    timeoutS: leaf('How long a program may take; 0: default at once', whole(0, 600, 's'), {
      default: 10,
    }),
    defaults: list('Numbers when no program answers, in turn', NUMBER, 16),
    hopLimit: leaf('Points and queues a call may pass', whole(1, 15), { default: 4 }),
    charge: CHARGE,
    treatment: leaf('Prompt, ringback, music; by default ringing', TEXT),
    noAnswer: NO_ANSWER,
  },
);

const QUEUES = map(
  'Queues: calls wait here for agents',
  { keyName: 'number', key: { type: 'numbers' }, most: 10_000 },
  {
    name: leaf('Name shown to agents', TEXT),
    charge: CHARGE,
    treatment: leaf(
      'What is heard while waiting',
      { type: 'text', empty: true },
      {
        default: 'music',
      },
    ),
    maxCalls: leaf('Calls that may wait; 0: no limit', whole(0, 100_000), { default: 0 }),
    maxWaitS: leaf('A call that waited so long overflows; 0: never', whole(0, 86_400, 's'), {
      default: 0,
    }),
    overflow: list('Where calls go that may not wait', NUMBER, 16),
    noAnswer: NO_ANSWER,
  },
);

const AGENTS = map(
  'Agents who may log on',
  { keyName: 'agent', key: { type: 'agents' }, most: 100_000 },
  {
    password: leaf('Password', TEXT, { secret: true }),
    queues: list('Queues he serves', { type: 'name', of: ['site centre queues'] }, 100),
    wrapUpS: leaf('After-call work; 0: none, -1: until he says so', whole(-1, 3600, 's'), {
      default: 0,
    }),
    noAnswer: NO_ANSWER,
    autoLogoutS: leaf('Not ready for so long: logged off; 0: never', whole(0, 604_800, 's'), {
      default: 0,
    }),
    legalGuardS: leaf('Pause after a business call; 0: none', whole(0, 3600, 's'), { default: 0 }),
    record: leaf('His calls are recorded', FLAG, { default: false }),
  },
);

const SERVICES = map(
  'Media services (RFC 4240, RFC 5707); without any, that of the box',
  { keyName: 'name', key: NAME, most: 100, array: 'name' },
  {
    kinds: list(
      'What it serves',
      {
        type: 'enum',
        words: {
          treatment: 'Announcements',
          music: 'Music',
          conference: 'Conferences',
          recorder: 'Recordings',
          voicemail: 'Mailboxes',
        },
      },
      5,
      { must: true },
    ),
    contact: leaf('Its SIP URI', { type: 'uri' }, { must: true }),
    msml: leaf('It speaks MSML', FLAG, { default: false }),
  },
);

const PROGRAMS = map(
  'Programs that may connect',
  { keyName: 'name', key: TEXT, most: 1000, array: 'name' },
  {
    password: leaf('Password, or scrypt:N:r:p:salt:hash', TEXT, { must: true, secret: true }),
    roles: list(
      'What it may',
      {
        type: 'enum',
        words: {
          observe: 'See everything',
          'own-device': 'Steer its devices',
          control: 'Steer all devices',
          route: 'Say where calls go',
          supervise: 'Log agents on and off, listen in',
          report: 'Fetch the records of calls',
        },
      },
      6,
      { must: true },
    ),
    devices: list('Devices of the role own-device', NUMBER, 1000),
    rate: leaf('Requests a second', whole(1, 100_000), { default: 100 }),
    burst: leaf('Requests at once', whole(1, 100_000), { default: 200 }),
  },
);

export const SITE_CENTRE = group('The contact centre', {
  points: POINTS,
  queues: QUEUES,
  agents: AGENTS,
  strict: leaf(
    'Which agents may log on',
    {
      type: 'enum',
      words: {
        no: 'Whoever asks',
        yes: 'Agents of the list',
        password: 'Agents of the list, with their password',
      },
    },
    { default: PLAIN_CENTRE.strict },
  ),
  services: SERVICES,
  programs: PROGRAMS,
  musicOnHold: leaf(
    'What who is held hears; "": silence',
    { type: 'text', empty: true },
    {
      default: PLAIN_CENTRE.musicOnHold,
    },
  ),
});
