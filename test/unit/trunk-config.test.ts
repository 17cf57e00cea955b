/** The site's part of the configuration: what it means left out, and every mistake with its place. */

import test from 'ava';
import { linkSettings, type NodeSettings } from '../../src/node-settings.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { good, mistakes } from './config-of.ts';
import { trunk as gateway } from './trunk-lab.ts';

const node = (more: object): NodeSettings => good(more).node;

const wrong = (site: object): string => mistakes({ site });

const ONE = { name: 'one', contact: 'sip:192.0.2.30' };

test('what is left out has a meaning', (t) => {
  t.deepEqual(node({}).sip.site, PLAIN_SITE);
  const [trunk] = node({ site: { trunks: [{ ...ONE, transport: 'tcp' }] } }).sip.site.trunks;
  const checked = { periodS: 30, forceS: 5, recoveryS: 30 };
  t.deepEqual(trunk, gateway('one', ['sip:192.0.2.30;transport=tcp'], { options: checked }));
});

test('everything at once', (t) => {
  const { site } = node({
    dns: { servers: ['192.0.2.53', '[2001:db8::53]:5353'] },
    site: {
      extensions: { '1001': { class: 'local', name: 'Hall', contact: 'sip:door@192.0.2.40' } },
      trunks: [
        {
          ...ONE,
          backup: ['sip:b.example;transport=tls'],
          prefixes: ['0'],
          register: { user: 'u', password: 'p', registrar: 'sip:r.example' },
          inbound: { digest: { user: 'in', password: 'pw' }, prefix: '+4930' },
        },
      ],
      groups: [{ name: 'pstn', trunks: ['one'], order: 'round-robin' }],
      rules: [
        { match: '9.', to: 'pstn', strip: 1 },
        { match: '7', replace: '1001' },
      ],
      classes: { local: { deny: ['0900.'] } },
      emergency: { numbers: ['112', { match: '0112', as: '112' }], to: ['pstn'] },
    },
  }).sip;
  t.is(site.trunks[0]?.inbound.contacts, false, 'who proves himself need not be anywhere');
  t.deepEqual(site.rules[0]?.to, ['pstn']);
  t.deepEqual(site.classes['local']?.allow, ['!']);
  t.is(site.emergency.numbers[1]?.as, '112');
});

test('every mistake is told with its place and a code', (t) => {
  const table: readonly (readonly [object, string])[] = [
    [{ trunk: [] }, 'site.trunk config-unknown'],
    [{ trunks: [{ name: 'x', contact: 'tel:1' }] }, 'site.trunks[0].contact config-uri'],
    [{ trunks: [{ ...ONE, contact: 'sip:a b' }] }, 'site.trunks[0].contact config-uri'],
    [{ trunks: [ONE, ONE] }, 'site.trunks[1].name config-twice'],
    [{ trunks: [{ ...ONE, prefixes: ['x'] }] }, 'site.trunks[0].prefixes[0] config-pattern'],
    [{ trunks: [{ ...ONE, capacity: -1 }] }, 'site.trunks[0].capacity config-range'],
    [{ trunks: [{ ...ONE, transport: 'sctp' }] }, 'site.trunks[0].transport config-choice'],
    [{ trunks: [{ ...ONE, domain: 'a;b' }] }, 'site.trunks[0].domain config-uri'],
    [
      { trunks: [{ ...ONE, options: { periodS: 301 } }] },
      'site.trunks[0].options.periodS config-range',
    ],
    [
      { trunks: [{ ...ONE, options: { forceS: 31 } }] },
      'site.trunks[0].options.forceS config-range',
    ],
    [{ trunks: [{ ...ONE, auth: { user: 'u' } }] }, 'site.trunks[0].auth.password config-missing'],
    [
      { trunks: [{ ...ONE, inbound: { addresses: ['x'] } }] },
      'site.trunks[0].inbound.addresses[0] config-address',
    ],
    [
      { trunks: [{ ...ONE, callerId: { number: 'a\r\nb' } }] },
      'site.trunks[0].callerId.number config-shape',
    ],
    [{ trunks: [{ ...ONE, class: 'nobody' }] }, 'site.trunks[0].class config-name'],
    [{ groups: [{ name: 'g', trunks: ['x'] }] }, 'site.groups[0].trunks[0] config-name'],
    [{ trunks: [ONE], groups: [{ name: 'one', trunks: [] }] }, 'site.groups[0].name config-twice'],
    [{ rules: [{ match: '9.' }] }, 'site.rules[0] config-rule'],
    [{ rules: [{ match: '9.', to: 'x' }] }, 'site.rules[0].to config-name'],
    [{ rules: [{ match: '9.', refuse: 200 }] }, 'site.rules[0].refuse config-range'],
    [
      {
        rules: [
          { match: '9', refuse: 403 },
          { match: '9', refuse: 404 },
        ],
      },
      'site.rules[1].match config-twice',
    ],
    [
      { trunks: [{ ...ONE, prefixes: ['9'] }], rules: [{ match: '9!', to: 'one' }] },
      'site.rules config-twice',
    ],
    [{ classes: { all: {} } }, 'site.classes.all config-twice'],
    [{ classes: { a: { allow: ['['] } } }, 'site.classes.a.allow[0] config-pattern'],
    [{ defaultClass: 'x' }, 'site.defaultClass config-name'],
    [{ extensions: { '1001': { class: 'x' } } }, 'site.extensions.1001.class config-name'],
    [{ extensions: { '1001': { mwi: 'yes' } } }, 'site.extensions.1001.mwi config-shape'],
    [{ extensions: { bob: {} } }, 'site.extensions.bob config-number'],
    [{ extensions: { '1001': { contact: 'x' } } }, 'site.extensions.1001.contact config-uri'],
    [{ emergency: { numbers: ['112'] } }, 'site.emergency config-name'],
    [
      { emergency: { numbers: ['1-2'] }, trunks: [ONE] },
      'site.emergency.numbers[0] config-pattern,site.emergency.numbers[0] config-number',
    ],
    [{ emergency: { to: 'x' } }, 'site.emergency.to config-name'],
    [{ trunks: 'x' }, 'site.trunks config-shape'],
    [
      { trunks: ['x'] },
      [
        'site.trunks[0] config-shape',
        'site.trunks[0].contact config-missing',
        'site.trunks[0].contact config-uri',
        'site.trunks[0].name config-missing',
      ].join(),
    ],
  ];
  for (const [site, want] of table) t.is(wrong(site), want, JSON.stringify(site));
  t.is(mistakes({ dns: { servers: ['x'] } }).split(' ')[0], 'dns.servers[0]');
});

test('both boxes must agree about the site; passwords do not stand in the greeting', (t) => {
  const a = linkSettings(node({ site: { trunks: [ONE] } }));
  const b = linkSettings(node({ site: { trunks: [{ ...ONE, capacity: 1 }] } }));
  t.not(a.agreement['site'], b.agreement['site']);
  t.is(a.agreement['site'], linkSettings(node({ site: { trunks: [ONE] } })).agreement['site']);
  const secret = linkSettings(
    node({ site: { trunks: [{ ...ONE, auth: { user: 'u', password: 'hush' } }] } }),
  );
  t.false(JSON.stringify(secret.agreement).includes('hush'));
});
