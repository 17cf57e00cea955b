/** The contact centre's part of the configuration: ranges, defaults, and every mistake with its place. */

import test from 'ava';
import { linkSettings } from '../../src/node-settings.ts';
import { type Centre, PLAIN_CENTRE, PROGRAM_ROLES } from '../../src/proto/centre.ts';
import { LAB_CENTRE, LAB_CTI } from '../lab/centre.ts';
import { good, mistakes as wrong } from './config-of.ts';

const centreOf = (centre: object): Centre => good({ site: { centre } }).node.sip.site.centre;

const NO_ANSWER = { afterS: 0, overflow: [], action: 'none' };

test('what is left out has a meaning', (t) => {
  t.deepEqual(good({ site: {} }).node.sip.site.centre, PLAIN_CENTRE);
  t.deepEqual(centreOf({}), PLAIN_CENTRE);
  t.deepEqual(centreOf({ points: { 5000: {} }, queues: { 6000: {} }, agents: { bob: {} } }), {
    ...PLAIN_CENTRE,
    points: {
      5000: {
        number: '5000',
        timeoutS: 10,
        defaults: [],
        hopLimit: 4,
        charge: 'answered',
        treatment: '',
        noAnswer: NO_ANSWER,
      },
    },
    queues: {
      6000: {
        number: '6000',
        name: '',
        charge: 'answered',
        treatment: 'music',
        maxCalls: 0,
        maxWaitS: 0,
        overflow: [],
        noAnswer: NO_ANSWER,
      },
    },
    agents: {
      bob: {
        id: 'bob',
        password: '',
        queues: [],
        wrapUpS: 0,
        noAnswer: NO_ANSWER,
        autoLogoutS: 0,
        legalGuardS: 0,
        record: false,
      },
    },
  });
});

test('everything at once', (t) => {
  const { centre, extensions } = good({
    site: {
      extensions: {
        1001: { control: { answer: 'auto', hold: 'notify', make: 'refer' } },
        1002: { control: {} },
        1003: {},
      },
      centre: {
        points: {
          5000: {
            timeoutS: 3,
            defaults: ['6000', '1001'],
            hopLimit: 2,
            charge: 'early',
            treatment: 'welcome',
            noAnswer: { afterS: 20, overflow: ['recall', '6000', 'release'], action: 'not-ready' },
          },
        },
        queues: {
          '6000': { name: 'Sales', maxCalls: 10, maxWaitS: 60, overflow: ['5000'], treatment: '' },
        },
        agents: {
          a1: {
            password: 'secret',
            queues: ['6000'],
            wrapUpS: -1,
            autoLogoutS: 600,
            legalGuardS: 5,
            record: true,
            noAnswer: { afterS: 15, action: 'log-out' },
          },
        },
        strict: 'no',
        services: [{ name: 'ms', kinds: ['treatment', 'music'], contact: 'sip:192.0.2.50' }],
        programs: [
          {
            name: 'desk',
            password: 'scrypt:16384:8:1:c2FsdHNhbHQ=:aGFzaGhhc2hoYXNoaGFzaA==',
            roles: ['own-device', 'observe'],
            devices: ['1001'],
          },
        ],
        musicOnHold: '',
      },
    },
  }).node.sip.site;
  t.deepEqual(extensions['1001']?.control, { answer: 'auto', hold: 'notify', make: 'refer' });
  t.deepEqual(extensions['1002']?.control, { answer: 'talk', hold: 'reinvite', make: 'rfc3725' });
  t.is(extensions['1003']?.control, undefined);
  t.like(centre.points['5000'], { timeoutS: 3, hopLimit: 2, charge: 'early' });
  t.deepEqual(centre.points['5000']?.noAnswer, {
    afterS: 20,
    overflow: ['recall', '6000', 'release'],
    action: 'not-ready',
  });
  t.like(centre.queues['6000'], { name: 'Sales', maxCalls: 10, treatment: '' });
  t.like(centre.agents['a1'], { wrapUpS: -1, legalGuardS: 5, record: true, password: 'secret' });
  t.deepEqual(centre.services, [
    { name: 'ms', kinds: ['treatment', 'music'], contact: 'sip:192.0.2.50', msml: false },
  ]);
  t.like(centre.programs[0], { roles: ['observe', 'own-device'], rate: 100, burst: 200 });
  t.is(centre.strict, 'no');
  t.is(centre.musicOnHold, '');
});

test('ranges', (t) => {
  const { points, agents } = centreOf({
    points: { '0098-0101': { timeoutS: 1 }, '*7': {} },
    agents: { 'x08-x11': {}, '5-6': {} },
  });
  t.deepEqual(Object.keys(points).sort(), ['*7', '0098', '0099', '0100', '0101']);
  t.is(points['0100']?.number, '0100');
  t.is(points['0100']?.timeoutS, 1);
  t.deepEqual(Object.keys(agents).sort(), ['5', '6', 'x08', 'x09', 'x10', 'x11']);
  t.is(agents['x10']?.id, 'x10');
});

test("a lab's contact centre", (t) => {
  const lab = { users: { from: 1000, to: 1999, passwordPrefix: 'pw-' } };
  const { node, cti } = good({ ...lab, site: { centre: LAB_CENTRE }, cti: LAB_CTI });
  const { centre } = node.sip.site;
  t.is(Object.keys(centre.points).length, 100);
  t.is(Object.keys(centre.queues).length, 100);
  t.is(Object.keys(centre.agents).length, 1000);
  t.deepEqual(centre.agents['agent1099']?.queues, ['6000']);
  t.deepEqual(centre.agents['agent1100']?.queues, ['6001']);
  t.deepEqual(centre.programs[0]?.roles, [...PROGRAM_ROLES]);
  t.deepEqual(cti, { enabled: true, port: 8088, tlsPort: 0, periodMs: 1000, misses: 3 });
});

test('where agents prove themselves each needs a password: none is made of his number', (t) => {
  const centre = { strict: 'password', agents: { ann1: {}, bob2: { password: 'x' } } };
  t.is(wrong({ site: { centre } }), 'site.centre.agents.ann1.password config-missing');
});

test('calls are kept for programs unless the operator wants none', (t) => {
  t.true(good({}).node.sip.csta);
  t.false(good({ cti: { enabled: false } }).node.sip.csta);
  const word = (more: object) => linkSettings(good(more).node).agreement['site'];
  t.not(word({}), word({ cti: { enabled: false } }));
  t.is(word({}), word({ site: { centre: {} } }));
  t.not(word({}), word({ site: { centre: { musicOnHold: '' } } }));
});

/** `c`: in site.centre. */
const c = (centre: object): object => ({ site: { centre } });

const PROGRAM = { name: 'p', password: 'p', roles: ['observe'] };
const SERVICE = { name: 's', kinds: ['music'], contact: 'sip:192.0.2.50' };

for (const [what, more, says] of [
  ['no object', { site: { centre: 1 } }, 'site.centre config-missing'],
  ['an unknown name', c({ queue: {} }), 'site.centre.queue config-unknown'],
  ['a word as number', c({ points: { all: {} } }), 'site.centre.points.all config-number'],
  ['a range backwards', c({ queues: { '9-3': {} } }), 'site.centre.queues.9-3 config-number'],
  ['a huge range', c({ queues: { '1-99999': {} } }), 'site.centre.queues.1-99999 config-number'],
  ['two names', c({ agents: { 'a1-b3': {} } }), 'site.centre.agents.a1-b3 config-number'],
  [
    'an id of underscores',
    c({ agents: { __proto: {} } }),
    'site.centre.agents.__proto config-number',
  ],
  [
    'twice in ranges',
    c({ points: { '5000-5009': {}, '5005': {} } }),
    'site.centre.points.5000-5009 config-twice',
  ],
  ['no point', c({ points: { 5000: 1 } }), 'site.centre.points.5000 config-shape'],
  ['a point key', c({ points: { 5000: { x: 1 } } }), 'site.centre.points.5000.x config-unknown'],
  [
    'a timeout',
    c({ points: { 5000: { timeoutS: -1 } } }),
    'site.centre.points.5000.timeoutS config-range',
  ],
  [
    'hops',
    c({ points: { 5000: { hopLimit: 0 } } }),
    'site.centre.points.5000.hopLimit config-range',
  ],
  [
    'a charge',
    c({ queues: { 6000: { charge: 'x' } } }),
    'site.centre.queues.6000.charge config-choice',
  ],
  [
    'an action',
    c({ queues: { 6000: { noAnswer: { action: 'x' } } } }),
    'site.centre.queues.6000.noAnswer.action config-choice',
  ],
  [
    'a no-answer key',
    c({ queues: { 6000: { noAnswer: { after: 1 } } } }),
    'site.centre.queues.6000.noAnswer.after config-unknown',
  ],
  ['an agent key', c({ agents: { a1: { x: 1 } } }), 'site.centre.agents.a1.x config-unknown'],
  ['wrap-up', c({ agents: { a1: { wrapUpS: -2 } } }), 'site.centre.agents.a1.wrapUpS config-range'],
  ['strict', c({ strict: 'maybe' }), 'site.centre.strict config-choice'],
  [
    'a point that is an extension',
    c({ points: { 1000: {} } }),
    'site.centre.points.1000 config-twice',
  ],
  [
    'a queue that is a point',
    c({ points: { 5000: {} }, queues: { 5000: {} } }),
    'site.centre.queues.5000 config-twice',
  ],
  [
    'a queue that is an emergency number',
    {
      site: {
        trunks: [{ name: 'one', contact: 'sip:192.0.2.30' }],
        emergency: { numbers: ['112'] },
        centre: { queues: { 112: {} } },
      },
    },
    'site.centre.queues.112 config-twice',
  ],
  [
    'defaults to nowhere, once for a range',
    c({ points: { '5000-5009': { defaults: ['1001', '7000'] } } }),
    'site.centre.points.5000.defaults[1] config-name',
  ],
  [
    'overflow to nowhere',
    c({ queues: { 6000: { overflow: ['7000'] } } }),
    'site.centre.queues.6000.overflow[0] config-name',
  ],
  [
    'recall is no overflow of a queue',
    c({ queues: { 6000: { overflow: ['recall'] } } }),
    'site.centre.queues.6000.overflow[0] config-name',
  ],
  [
    'no answer to nowhere',
    c({ agents: { a1: { noAnswer: { overflow: ['release', '7000'] } } } }),
    'site.centre.agents.a1.noAnswer.overflow[1] config-name',
  ],
  [
    'a queue that is none',
    c({ agents: { 'a1-a3': { queues: ['6000'] } } }),
    'site.centre.agents.a1.queues[0] config-name',
  ],
  [
    'an agent who cannot prove himself',
    c({ agents: { bob: {} }, strict: 'password' }),
    'site.centre.agents.bob.password config-missing',
  ],
  [
    'an empty password',
    c({ agents: { a: { password: '' } } }),
    'site.centre.agents.a.password config-missing',
  ],
  [
    'a service key',
    c({ services: [{ ...SERVICE, x: 1 }] }),
    'site.centre.services[0].x config-unknown',
  ],
  [
    'a service of nothing',
    c({ services: [{ ...SERVICE, kinds: [] }] }),
    'site.centre.services[0].kinds config-choice',
  ],
  [
    'a service nowhere',
    c({ services: [{ ...SERVICE, contact: 'here' }] }),
    'site.centre.services[0].contact config-uri',
  ],
  [
    'services twice',
    c({ services: [SERVICE, SERVICE] }),
    'site.centre.services[1].name config-twice',
  ],
  [
    'programs twice',
    c({ programs: [PROGRAM, PROGRAM] }),
    'site.centre.programs[1].name config-twice',
  ],
  [
    'a role',
    c({ programs: [{ ...PROGRAM, roles: ['god'] }] }),
    'site.centre.programs[0].roles config-choice',
  ],
  [
    'own device of nobody',
    c({ programs: [{ ...PROGRAM, roles: ['own-device'] }] }),
    'site.centre.programs[0].devices config-choice',
  ],
  [
    'devices nowhere',
    c({ programs: [{ ...PROGRAM, roles: ['own-device'], devices: ['7000'] }] }),
    'site.centre.programs[0].devices[0] config-name',
  ],
  [
    'scrypt half',
    c({ programs: [{ ...PROGRAM, password: 'scrypt:16384:8' }] }),
    'site.centre.programs[0].password config-key',
  ],
  [
    'scrypt of no power of 2',
    c({
      programs: [{ ...PROGRAM, password: 'scrypt:1000:8:1:c2FsdHNhbHQ=:aGFzaGhhc2hoYXNoaGFzaA==' }],
    }),
    'site.centre.programs[0].password config-key',
  ],
  [
    'how a phone is steered',
    { site: { extensions: { 1001: { control: { answer: 'x' } } } } },
    'site.extensions.1001.control.answer config-choice',
  ],
  ['a cti key', { cti: { x: 1 } }, 'cti.x config-unknown'],
  ['cti ports', { cti: { tlsPort: 8088 } }, 'cti.tlsPort config-choice'],
  ['cti misses', { cti: { misses: 1 } }, 'cti.misses config-range'],
] as const) {
  test(`refused: ${what}`, (t) => {
    t.is(wrong(more), says);
  });
}
