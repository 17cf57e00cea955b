/**
 * Answers that a lab does not give by itself: a contact centre at work, trunks in trouble, a box with alarms,
 * an upgrade under way, and what strangers send to upset a terminal. Those of a real pair are in
 * `test/vectors/show`.
 */

import type { ShowAnswer, Shown } from '../../src/call/view/terms.ts';
import type { BoxStatus } from '../../src/panel/monitor/box-status.ts';
import type { ImageAnswer } from '../../src/panel/show/box.ts';

export const AT = 1_790_000_000_000;

function answer<W extends Shown>(what: W, rows: ShowAnswer<W>['rows']): ShowAnswer<W> {
  return { what, at: AT, mirrored: false, rows, total: rows.length };
}

const ago = (s: number): number => AT - s * 1000;
const soon = (s: number): number => AT + s * 1000;
const HERE = { transport: 'tls', ip: '2001:db8:77::20', port: 5061 } as const;

export const SAMPLES = {
  registrations: {
    ...answer('registrations', [
      {
        ...{ id: 1, number: '1000', ...HERE, nat: false, regId: 1, path: '' },
        contact: 'sips:1000@[2001:db8:77::20]:5061;ob',
        ...{ registeredAt: ago(300), expiresAt: soon(3300) },
        ...{ userAgent: 'Yealink SIP-T46U 108.86.0.20', instance: '<urn:uuid:1>' },
      },
      {
        ...{ id: 204, number: '1001', transport: 'udp', ip: '198.51.100.7', port: 40_001 },
        ...{ nat: true, regId: 0, path: '', instance: '', contact: 'sip:1001@10.0.0.5:5060' },
        ...{ registeredAt: ago(300), expiresAt: ago(1) },
        userAgent: '\x1b[2J\x1b[Hgone\r\n\x07 caf\xe9',
      },
    ]),
    ...{ total: 10_000, next: 205 },
  },
  subscriptions: answer('subscriptions', [
    {
      ...{ id: 1, event: 'message-summary', number: '1000', watcher: '1000', state: 'active' },
      ...{ ...HERE, expiresAt: soon(600), version: 3, unasked: true },
    },
    {
      ...{ id: 2, event: 'dialog', number: '1000', watcher: 'reception-desk-main-hall' },
      ...{ state: 'ending', ...HERE, expiresAt: soon(0), version: 41, unasked: false },
    },
  ]),
  queues: answer('queues', [
    {
      ...{ id: 6000, number: '6000', name: 'Sales', waiting: 12, offering: 2 },
      ...{ longestSince: ago(203), loggedOn: 20, ready: 0, busy: 17, notReady: 3 },
    },
    {
      ...{ id: 6001, number: '6001', name: 'Service for customers of long standing', waiting: 0 },
      ...{ offering: 0, longestSince: 0, loggedOn: 2, ready: 2, busy: 0, notReady: 0 },
    },
  ]),
  'routing-points': answer('routing-points', [
    {
      ...{ id: 5000, number: '5000', waiting: 3, asked: 2, longestSince: ago(4), routers: 1 },
      defaults: '6000 6001',
    },
  ]),
  agents: answer('agents', [
    {
      ...{ id: 1, agent: 'agent1000', device: '1000', state: 'busyReady', reason: '' },
      ...{ queues: '6000 6001', since: ago(77), loggedOnAt: ago(90_000), wrapUpEnd: 0 },
    },
    {
      ...{ id: 2, agent: 'maria.kowalska@example.net', device: '1001', state: 'work' },
      ...{ reason: 'order entry', queues: '6000', since: ago(12), loggedOnAt: ago(3600) },
      wrapUpEnd: soon(18),
    },
  ]),
  devices: answer('devices', [
    {
      ...{ id: 1, device: '1000', dnd: true, immediate: '', busy: '1001', noAnswer: '9' },
      ...{ noAnswerS: 20, mailbox: { new: 2, old: 11 } },
    },
    {
      ...{ id: 0, device: '1001', dnd: false, immediate: '', busy: '', noAnswer: '' },
      ...{ noAnswerS: 0, mailbox: { new: 0, old: 1 } },
    },
  ]),
  programs: answer('programs', [
    {
      ...{ id: 1, program: 'router', startedAt: ago(90_061), monitors: 1, routes: '5000 5001' },
      ...{ seen: 12_345_678, endsAt: 0 },
    },
    {
      ...{ id: 2, program: 'wallboard', startedAt: ago(60), monitors: 200, routes: '', seen: 9 },
      endsAt: soon(95),
    },
  ]),
  trunks: answer('trunks', [
    {
      ...{ id: 0, trunk: 'provider', calls: 30, inService: false, registration: 'failed' },
      alarms: [
        { code: 'trunk-out-of-service', severity: 'major' },
        { code: 'trunk-not-registered', severity: 'major' },
      ],
      contacts: [
        {
          ...{ uri: 'sip:sbc1.provider.example;transport=tls', state: 'down', since: ago(65) },
          ...{ cause: 'no answer to OPTIONS', addresses: 'tls 203.0.113.5 5061 10 60' },
        },
      ],
    },
    {
      ...{ id: 0, trunk: 'gateway', calls: 0, inService: true, registration: 'none', alarms: [] },
      contacts: [
        {
          uri: 'sip:192.0.2.40',
          state: 'up',
          since: 0,
          cause: '',
          addresses: 'udp 192.0.2.40 5060 0 0',
        },
      ],
    },
  ]),
  conferences: answer('conferences', [
    {
      ...{ id: 1, state: 'standing', csta: 17, host: '127.0.0.90' },
      members: [
        { device: '1000', role: 'party', state: 'in', mode: 'talk' },
        { device: '1001', role: 'party', state: 'in', mode: 'muted' },
        { device: '', role: 'recorder', state: 'in', mode: 'listen' },
      ],
    },
  ]),
  parks: answer('parks', [
    {
      ...{ id: 1, number: '700', state: 'parked', parked: '004930901820', by: '1000' },
      ...{ recalls: 1, recallAt: soon(44) },
    },
  ]),
  tables: answer('tables', [{ id: 0, table: 'binding', count: 10_000, hash: 0xdead_beef }]),
} as const satisfies { readonly [W in Shown]?: ShowAnswer<W> };

const GIB = 1024 ** 3;

export const BOX: BoxStatus = {
  ...{ at: AT, phase: 'running', box: 'a', name: 'north', release: 'sipair 0.1.0' },
  daemon: undefined,
  system: {
    identity: { box: 'a' },
    paired: true,
    revision: { number: 12, by: 'admin', confirmBy: soon(272) },
    peer: { reachable: true, revision: 12, release: 'sipair 0.1.0' },
    image: { slot: 'B', confirmed: false },
  },
  health: {
    ...{ uptimeS: 1_234_567, temperatureC: 48, load1: 0.27, processors: 4 },
    memory: { totalBytes: 4 * GIB, availableBytes: 3 * GIB },
    storage: {
      ...{ totalBytes: 28 * GIB, freeBytes: 27.5 * GIB, readOnly: false, wearPercent: 3 },
      ...{ writtenBytes: 123_456_789, device: 'mmcblk0' },
    },
    certificate: { notAfter: soon(40 * 86_400) },
    clock: { synchronised: true, offsetMs: 0.42, source: 'chrony' },
    ports: [
      {
        ...{ port: 'lan', interface: 'enp1s0', present: true, mac: '52:54:00:5a:01:01' },
        carrier: true,
        addresses: ['192.0.2.11/24', '192.0.2.10/32', 'fe80::5054:ff:fe5a:101/64'],
        ...{ mbit: 1000, duplex: 'full' },
        received: { packets: 1_234_567, bytes: 456_789_012, errors: 3, dropped: 17 },
        sent: { packets: 1, bytes: 60, errors: 0, dropped: 0 },
      },
      {
        ...{ port: 'crossover', interface: 'enp2s0', present: false, mac: '', addresses: [] },
        carrier: false,
        received: { packets: 0, bytes: 0, errors: 0, dropped: 0 },
        sent: { packets: 0, bytes: 0, errors: 0, dropped: 0 },
      },
    ],
  },
  alarms: [
    {
      ...{ id: 9, code: 'not-protected', subject: '', severity: 'major', source: 'pair', epoch: 7 },
      ...{ text: 'this primary has no backup in step: calls go on, on one box', raisedAt: ago(61) },
    },
    {
      ...{ id: 8, code: 'trunk-contact', subject: 'provider', severity: 'minor', source: 'pair' },
      ...{ text: 'one contact of a trunk does not serve, another does', raisedAt: ago(100_000) },
      epoch: 6,
    },
  ],
  history: [
    {
      ...{
        id: 1,
        code: 'crossover-down',
        subject: '',
        severity: 'major',
        source: 'pair',
        epoch: 1,
      },
      ...{ text: 'the peer is not heard over the crossover', raisedAt: ago(9000) },
      clearedAt: ago(8990),
    },
    {
      ...{ id: 2, code: 'clock', subject: '', severity: 'warning', source: 'health', epoch: 1 },
      ...{ text: 'the clock is not synchronised', raisedAt: ago(800), clearedAt: ago(400) },
    },
  ],
  leds: {
    power: { colour: 'green', blink: 'steady' },
    status: { colour: 'green', blink: 'steady' },
    ha: { colour: 'amber', blink: 'steady' },
    alarm: { colour: 'red', blink: 'steady' },
  },
  locate: { until: soon(240) },
};

/** A board with three green lights. */
export const PLAIN: BoxStatus = {
  ...BOX,
  lamps: { board: 'PC Engines APU', plain: ['status', 'ha', 'alarm'], without: ['power'] },
};

export const QUIET: BoxStatus = {
  ...BOX,
  ...{ phase: 'unconfigured', box: undefined, name: '', system: undefined, locate: undefined },
  ...{ alarms: [], history: [] },
  health: {
    ...{ uptimeS: 40, load1: 1, processors: 1 },
    memory: { totalBytes: GIB, availableBytes: GIB / 2 },
    storage: { totalBytes: GIB, freeBytes: 0, readOnly: true, writtenBytes: 0 },
    certificate: { fault: 'the key does not fit the certificate' },
    clock: { synchronised: false, source: 'none' },
    ports: [],
  },
};

export const IMAGE: ImageAnswer = {
  slots: [
    { slot: 'A', booted: true, state: 'good', tries: 0, version: '0.1.0' },
    { slot: 'B', booted: false, state: 'bad', tries: 3, version: '' },
  ],
  upgrade: {
    job: { kind: 'install', version: '0.2.0' },
    ...{ phase: 'failed', reason: 'the new image came up, but the pair never was in step' },
    steps: [
      { at: ago(700), phase: 'installing', text: 'into slot B' },
      { at: ago(100), phase: 'failed', text: 'back in slot A' },
    ],
  },
};
