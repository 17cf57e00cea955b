/**
 * Every command of the console, as data: parsing, abbreviations, completion, `?` and docs/cli.md are
 * made from here. A command that is not here does not exist.
 */

import type { ArgumentNode, ArgumentType, Choice, GrammarNode, WordNode } from './node.ts';
import type { Verb } from './verbs.ts';

function word(name: string, help: string, run?: Verb, next: readonly GrammarNode[] = []): WordNode {
  return run === undefined
    ? { kind: 'word', word: name, help, next }
    : { kind: 'word', word: name, help, run, next };
}

type Bounds = { readonly min?: number; readonly max?: number };

function argument(
  name: string,
  type: ArgumentType,
  help: string,
  run: Verb,
  bounds: Bounds = {},
  next: readonly GrammarNode[] = [],
): ArgumentNode {
  const more = next.length === 0 ? {} : { next };
  return { kind: 'argument', name, type, help, run, ...bounds, ...more };
}

const SHOW: readonly WordNode[] = [
  word('ha', 'the pair: roles, in step or not, readiness, last switchover', 'show ha'),
  word('calls', 'calls that are up or being made', 'show calls'),
  word('call', 'one call with its parties', undefined, [
    argument('id', 'word', 'number of the call, as show calls has it', 'show call'),
  ]),
  word('registrations', 'phones that are registered, and where', 'show registrations'),
  word('subscriptions', 'who watches what: busy lamps, message waiting', 'show subscriptions'),
  word('queues', 'queues: callers who wait, agents', 'show queues'),
  word('agents', 'agents and their states', 'show agents'),
  word('devices', 'devices: forwarding, do not disturb, lamps', 'show devices'),
  word('programs', 'programs that are logged on (CTI)', 'show programs'),
  word('trunks', 'trunks: in service or why not', 'show trunks'),
  word('conferences', 'conferences and who is in them', 'show conferences'),
  word('routing-points', 'routing points: who routes them', 'show routing-points'),
  word('parks', 'calls that are parked', 'show parks'),
  word('counters', 'what was counted since the service began', 'show counters'),
  word('tables', 'rows in each table', 'show tables'),
  word('alarms', 'alarms that stand', 'show alarms', [
    word('history', 'alarms that are over', 'show alarms-history'),
  ]),
  word('log', 'the last lines of the log', 'show log', [
    argument('lines', 'number', 'how many lines', 'show log', { min: 1, max: 5000 }),
  ]),
  word('system', 'the box: phase, clock, load, memory, storage, temperature', 'show system', [
    word('image', 'slots, bundles, the upgrade under way', 'show image'),
  ]),
  word('interfaces', 'ports: carrier, addresses, counters', 'show interfaces'),
  word('leds', 'what the lights show', 'show leds'),
  word('files', 'certificates and prompts of yours', 'show files'),
  word('version', 'release of this box and of its parts', 'show version'),
  word('configuration', 'the active configuration (secrets are not shown)', 'show configuration', [
    word('commands', 'as set lines', 'show commands'),
    word('revisions', 'earlier configurations, for rollback', 'show revisions'),
    word('revision', 'one earlier configuration', undefined, [
      argument('number', 'number', 'number of the revision', 'show revision', { min: 1 }),
    ]),
    { kind: 'path', name: 'path', help: 'place', value: false, run: 'show configuration' },
  ]),
];

const REQUEST: readonly WordNode[] = [
  word('ha', 'the pair', undefined, [
    word(
      'switchover',
      'the backup becomes primary; refused when calls would be lost',
      'switchover',
      [word('force', 'even if calls are lost', 'switchover force')],
    ),
    word(
      'promote',
      'lead with what this box has, when the other box is known to be off',
      'promote',
    ),
    word('resync', 'the backup gets all tables anew', 'resync'),
  ]),
  word('system', 'this box', undefined, [
    word('image', 'the firmware', undefined, [
      word('install', 'put a bundle on the pair, one box after the other', undefined, [
        argument(
          'source',
          'source',
          'http(s)://…, usb:FILE, or a file on this box',
          'image install',
          {},
          [word('force', 'even if calls are interrupted', 'image install force')],
        ),
      ]),
      word('activate', 'start this box from the other slot', 'image activate', [
        word('force', 'even if calls are interrupted', 'image activate force'),
      ]),
      word('confirm', 'keep the image that runs', 'image confirm'),
      word('rollback', 'go back to the image before', 'image rollback', [
        word('force', 'even if calls are interrupted', 'image rollback force'),
      ]),
    ]),
    word('service', 'the service that takes calls', undefined, [
      word('restart', 'end it and start it again', 'service restart'),
    ]),
    word('reboot', 'start this box anew; a primary hands over first', 'reboot'),
    word('poweroff', 'switch this box off; a primary hands over first', 'poweroff'),
    word('password', 'change the password of admin', 'password', [
      word('other-box', 'set the one of the other box, when it was forgotten', 'password peer'),
    ]),
  ]),
  word('support', 'for the maker', undefined, [
    word('bundle', 'state, log and configuration without secrets in one file', 'support bundle', [
      word('usb', 'onto a USB stick in this box', 'support bundle usb'),
    ]),
  ]),
  word('pair', 'agree on a pair key with the other box, over the crossover', 'pair'),
  word('file', 'certificates and prompts of yours, on both boxes', undefined, [
    word('install', 'put one on both boxes', undefined, [
      argument(
        'source',
        'source',
        'usb:FILE or http(s)://…; .wav, .pem, .crt, .key',
        'file install',
      ),
    ]),
    word('delete', 'remove one from both boxes', undefined, [
      argument('file', 'file', 'name, as show files has it', 'file delete'),
    ]),
  ]),
  word('locate', 'blink all lights, so that somebody finds the box', undefined, [
    word('on', 'for an hour', 'locate on', [
      argument('minutes', 'number', 'for so many minutes', 'locate on', { min: 1, max: 1440 }),
    ]),
    word('off', 'stop', 'locate off'),
  ]),
];

export const OPERATIONAL: readonly WordNode[] = [
  word('show', 'look at something', undefined, SHOW),
  word('request', 'make the box do something', undefined, REQUEST),
  word('ping', 'is an address reachable from this box', undefined, [
    argument('host', 'host', 'address or name', 'ping'),
  ]),
  word('traceroute', 'the way to an address', undefined, [
    argument('host', 'host', 'address or name', 'traceroute'),
  ]),
  word('monitor', 'watch, until ^C', undefined, [
    word('sip', 'SIP as it is spoken, as a ladder', 'monitor sip', [
      word('number', 'only calls with this number', undefined, [
        argument('number', 'word', 'number of a phone or trunk call', 'monitor sip'),
      ]),
      word('call', 'only this call', undefined, [
        argument('call', 'word', 'number of the call, as show calls has it', 'monitor sip'),
      ]),
    ]),
    word('traffic', 'packets on a port', 'monitor traffic', [
      argument('interface', 'interface', 'eth0 is the LAN, eth1 the crossover', 'monitor traffic'),
    ]),
  ]),
  word('clear', 'end or reset something', undefined, [
    word('call', 'end one call', undefined, [
      argument('id', 'word', 'number of the call, as show calls has it', 'clear call'),
    ]),
    word('registration', 'forget where a phone is', undefined, [
      argument('id', 'word', 'number of the phone', 'clear registration'),
    ]),
    word('counters', 'counters of this box from zero', 'clear counters'),
  ]),
  word('configure', 'change the configuration', 'configure'),
  word('confirm', 'keep what commit confirm made active', 'confirm'),
  word('set', 'settings of this session', undefined, [
    word('cli', 'the terminal', undefined, [
      word('screen-length', 'rows before the pager asks, 0: never', undefined, [
        argument('rows', 'number', 'rows', 'set cli', { min: 0, max: 500 }),
      ]),
      word('screen-width', 'columns of the terminal', undefined, [
        argument('columns', 'number', 'columns', 'set cli', { min: 40, max: 500 }),
      ]),
    ]),
  ]),
  word(
    'factory-reset',
    'forget everything on this box; the other box is not touched',
    'factory-reset',
  ),
  word('help', 'how this console is used', 'help'),
  word('exit', 'log out', 'quit'),
  word('quit', 'log out', 'quit'),
];

const COMMENT: WordNode = word('comment', 'why, kept with the revision', undefined, [
  argument('comment', 'word', 'text, in quotes when it has spaces', 'commit'),
]);

export const CONFIGURATION: readonly WordNode[] = [
  word('set', 'put a value into the candidate', undefined, [
    { kind: 'path', name: 'path', help: 'place and value', value: true, run: 'set' },
  ]),
  word('delete', 'take something out of the candidate', undefined, [
    { kind: 'path', name: 'path', help: 'place', value: false, run: 'delete' },
  ]),
  word('edit', 'go to a place; what follows is meant from there', undefined, [
    { kind: 'path', name: 'path', help: 'place', value: false, run: 'edit' },
  ]),
  word('up', 'one level up', 'up'),
  word('top', 'back to the top', 'top'),
  word('show', 'the candidate, from here', 'show', [
    { kind: 'path', name: 'path', help: 'place', value: false, run: 'show' },
  ]),
  word('compare', 'what commit would change', 'compare', [
    word('rollback', 'from an earlier revision to the candidate', undefined, [
      argument('number', 'number', 'how many commits back, 0 is the active one', 'compare', {
        min: 0,
        max: 49,
      }),
    ]),
  ]),
  word('check', 'would commit be refused, and why', 'check'),
  word('commit', 'make the candidate active on both boxes, or on neither', 'commit', [
    COMMENT,
    word('check', 'only look whether it would be refused', 'check'),
    word('confirm', 'go back by itself, on both boxes, unless confirm follows', 'commit confirm', [
      {
        ...argument('minutes', 'number', 'after so many minutes (10)', 'commit confirm', {
          min: 1,
          max: 1440,
        }),
        next: [{ ...COMMENT, next: [argument('comment', 'word', 'text', 'commit confirm')] }],
      },
    ]),
  ]),
  word('confirm', 'keep what commit confirm made active', 'confirm'),
  word('rollback', 'the candidate becomes an earlier revision (0: the active one)', 'rollback', [
    argument('number', 'number', 'how many commits back', 'rollback', { min: 0, max: 49 }),
  ]),
  word('save', 'the candidate into a file, secrets included', undefined, [
    argument('file', 'file', 'usb:NAME is on a USB stick; NAME on this box', 'save'),
  ]),
  word('load', 'set lines or a whole configuration, typed or pasted until ^D', 'load', [
    argument('file', 'file', 'from a file that was saved: usb:NAME or NAME', 'load'),
  ]),
  word('discard', 'forget the changes', 'discard'),
  word('run', 'an operational command', undefined, [
    { kind: 'command', name: 'command', help: 'as in operational mode', run: 'run' },
  ]),
  word('help', 'how this console is used', 'help'),
  word('exit', 'one level up; at the top: leave configuration mode', 'exit'),
  word('quit', 'leave configuration mode', 'quit'),
];

/** What may follow `|`. */
export const PIPES: readonly (Choice & { readonly argument?: string })[] = [
  { word: 'match', help: 'only lines in which the expression is found', argument: 'expression' },
  { word: 'except', help: 'only lines in which it is not found', argument: 'expression' },
  { word: 'count', help: 'how many lines' },
  { word: 'last', help: 'only the last lines', argument: 'number' },
  { word: 'no-more', help: 'without the pager' },
  { word: 'json', help: 'the answer as JSON' },
];
