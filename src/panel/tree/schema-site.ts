/** What leads out of the site: extensions that differ, trunks, the dial plan, classes, emergency. */

import { SITE_CENTRE } from './schema-centre.ts';
import { type Container, nodes, type Type } from './terms.ts';

const { leaf, list, group, map } = nodes('live');
const FLAG: Type = { type: 'flag' };
const DIGITS: Type = { type: 'digits' };
const TEXT: Type = { type: 'text' };
const URI: Type = { type: 'uri' };
const CLASS: Type = { type: 'name', of: ['site classes'], words: ['all', 'internal'] };
const WAYS: Type = { type: 'name', of: ['site trunks', 'site groups'] };
/** What names of trunks may not have: they stand in URIs and lists. */
const TRUNK_NAME: Type = {
  type: 'text',
  max: 64,
  pattern: '[^#,\\s]+',
  what: 'a name without spaces, comma and #',
};
const NAME: Type = { type: 'text', max: 64, pattern: '\\S+', what: 'a name without spaces' };

function whole(min: number, max: number, unit?: string): Type {
  return { type: 'int', min, max, ...(unit === undefined ? {} : { unit }) };
}

function credentials(help: string, more: Container['children'] = {}): Container {
  return group(help, {
    user: leaf('User name', TEXT, { must: true }),
    password: leaf('Password', TEXT, { must: true, secret: true }),
    ...more,
  });
}

const EXTENSIONS = map(
  'Extensions that differ from the rest, or are outside of the range',
  { keyName: 'number', key: { type: 'extension' }, most: 100_000 },
  {
    class: leaf('Class of service; by default defaultClass', CLASS),
    contact: leaf('Where it is reached without registering', URI),
    password: leaf('Password of its phones', TEXT, { secret: true }),
    name: leaf('Name shown to trunks', TEXT),
    callerId: leaf('Number shown to trunks', DIGITS),
    mwi: leaf('Its phones are told of messages without asking', FLAG, { default: false }),
    control: group('How programs steer the phone', {
      answer: leaf(
        'How a program answers',
        {
          type: 'enum',
          words: {
            talk: 'NOTIFY talk',
            auto: 'By an auto-answer header',
            manual: 'Not at all: the user lifts',
          },
        },
        { default: 'talk' },
      ),
      hold: leaf(
        'How a program holds',
        { type: 'enum', words: { reinvite: 'By re-INVITE of ours', notify: 'NOTIFY hold, talk' } },
        { default: 'reinvite' },
      ),
      make: leaf(
        'How a program makes a call',
        {
          type: 'enum',
          words: {
            rfc3725: 'Both sides are called and joined',
            refer: 'The phone is asked by REFER',
          },
        },
        { default: 'rfc3725' },
      ),
    }),
  },
);

const TRUNKS = map(
  'Ways out of the site: providers, gateways, other exchanges',
  { keyName: 'name', key: TRUNK_NAME, most: 100, array: 'name' },
  {
    contact: leaf('SIP URI calls go to; the host may be a name', URI, { must: true }),
    backup: list('Further SIP URIs, tried after it', URI, 7),
    prefixes: list('Numbers that begin with one of these', { type: 'pattern', front: true }, 100),
    priority: leaf('The lower goes first', whole(0, 1000), { default: 10 }),
    capacity: leaf('Calls at once; 0: no limit', whole(0, 100_000), { default: 0 }),
    transport: leaf(
      'Transport',
      { type: 'enum', words: { udp: 'UDP', tcp: 'TCP', tls: 'TLS' } },
      { default: 'udp' },
    ),
    domain: leaf('Host of URIs; by default that of contact', { type: 'host' }),
    options: group('Whether it serves is asked by OPTIONS', {
      periodS: leaf('Between two questions; 0: none', whole(0, 300, 's'), { default: 30 }),
      forceS: leaf('Unanswered for so long: out of service', whole(0, 30, 's'), { default: 5 }),
      recoveryS: leaf('Between two questions when it is; by default periodS', whole(1, 300, 's')),
    }),
    tryS: leaf('Nothing heard for so long: the next is tried', whole(0, 30, 's'), { default: 4 }),
    register: credentials('We register there', {
      registrar: leaf('SIP URI of the registrar; by default contact', URI),
      aor: leaf('Address of record', URI),
      expiresS: leaf('For how long', whole(30, 86_400, 's'), { default: 600 }),
    }),
    auth: credentials('How we prove ourselves; by default as at register'),
    inbound: group('Calls from there', {
      addresses: list('Addresses it calls from', { type: 'ip' }, 100),
      contacts: leaf('Those of its contacts too; by default unless digest is set', FLAG),
      digest: credentials('How it proves itself'),
      prefix: leaf('Front of our numbers, taken off', DIGITS),
      prepend: leaf('Put in front of what is left', DIGITS),
      number: leaf(
        'Where the called number stands',
        { type: 'enum', words: { 'request-uri': 'In the request URI', to: 'In To' } },
        { default: 'request-uri' },
      ),
    }),
    class: leaf('What its callers may dial', CLASS, { default: 'internal' }),
    strip: leaf('Digits taken off the front of called numbers', whole(0, 32), { default: 0 }),
    prepend: leaf('Digits put in front then', DIGITS),
    format: leaf(
      'How numbers are written',
      {
        type: 'enum',
        words: { 'as-is': 'As they are', plus: 'With +', plain: 'Without +' },
      },
      { default: 'as-is' },
    ),
    callerId: group('Numbers of ours as shown there', {
      prefix: leaf('Put in front of the extension', DIGITS),
      number: leaf('Shown instead of every number', DIGITS),
      anonymous: leaf('Nothing is shown', FLAG, { default: false }),
      trusted: leaf('P-Asserted-Identity is believed and given', FLAG, { default: true }),
      diversion: leaf('Who diverted is told', FLAG, { default: true }),
    }),
  },
);

const RULE: Type = whole(1, 99_999);

export const SITE = group('Numbers: extensions, trunks, dial plan, contact centre', {
  extensions: EXTENSIONS,
  trunks: TRUNKS,
  groups: map(
    'Trunks used together',
    { keyName: 'name', key: NAME, most: 100, array: 'name' },
    {
      trunks: list('Its trunks', { type: 'name', of: ['site trunks'] }, 100, { must: true }),
      order: leaf(
        'Which goes first',
        { type: 'enum', words: { priority: 'By priority', 'round-robin': 'They take turns' } },
        { default: 'priority' },
      ),
    },
  ),
  rules: map(
    'The dial plan: the longest pattern that fits decides, not the order',
    { keyName: 'rule', key: RULE, most: 1000, array: '' },
    {
      match: leaf('Pattern of digits, X, Z, N, [1-5], . or !', { type: 'pattern' }, { must: true }),
      to: list('Trunks or groups, in order; without, looked up again', WAYS, 16),
      strip: leaf('Digits taken off the front', whole(0, 32), { default: 0 }),
      prepend: leaf('Digits put in front then', DIGITS),
      replace: leaf('The whole number, in place of both', DIGITS),
      refuse: leaf('SIP status the caller hears instead', whole(400, 699)),
    },
  ),
  classes: map(
    'Classes of service: who may dial what; all and internal are built in',
    { keyName: 'name', key: NAME, most: 1000 },
    {
      allow: list('Patterns; by default everything', { type: 'pattern' }, 1000),
      deny: list('Patterns; the longest of both decides', { type: 'pattern' }, 1000),
    },
  ),
  defaultClass: leaf('Class of extensions that name none', CLASS, { default: 'all' }),
  emergency: group('Numbers that go out whatever else holds', {
    numbers: map(
      'Emergency numbers; the first stands for urn:service:sos',
      { keyName: 'order', key: RULE, most: 100, array: '' },
      {
        match: leaf('The number, or a pattern', { type: 'pattern' }, { must: true }),
        as: leaf('Number it is called by outside', DIGITS),
      },
    ),
    to: list('Trunks or groups, in order; without, all trunks', WAYS, 16),
  }),
  centre: SITE_CENTRE,
});
