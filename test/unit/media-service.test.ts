/** Which media service a call gets, and by which Request-URI (RFC 4240). */

import test from 'ava';
import { avoidService, mediaLeg } from '../../src/call/media-service.ts';
import { CONTACT } from '../../src/call/trunk-rows.ts';
import { type Centre, PLAIN_CENTRE } from '../../src/proto/centre.ts';
import { LOCAL_MEDIA } from '../../src/proto/media.ts';
import { PLAIN_SITE } from '../../src/proto/site.ts';
import { Lab } from './call-lab.ts';

function lab(centre: Partial<Centre> = {}): Lab {
  const made = new Lab({ site: { ...PLAIN_SITE, centre: { ...PLAIN_CENTRE, ...centre } } });
  made.swap(false);
  return made;
}

const TWO = {
  services: [
    { name: 'a', kinds: ['treatment', 'music'], contact: 'sip:192.0.2.71:5070', msml: false },
    { name: 'b', kinds: ['treatment', 'conference'], contact: 'sip:192.0.2.72', msml: false },
  ],
} as const;

test('without any of its own a site is served by the box', (t) => {
  const { cx } = lab();
  const played = mediaLeg(cx, 1, 'treatment', { play: 'welcome', repeat: 2, stay: true });
  t.deepEqual(played?.peer, LOCAL_MEDIA);
  t.is(played?.uri, 'sip:annc@127.0.0.90;play=welcome;repeat=2;stay=yes');
  const met = mediaLeg(cx, 1, 'conference', { conference: 'c 1', mode: 'talk', member: '1001' });
  t.is(met?.uri, 'sip:conf=c%201@127.0.0.90;mode=talk;member=1001');
});

test('services of the site take turns by call, each for what it can do', (t) => {
  const { cx } = lab(TWO);
  const at = (ccall: number) => mediaLeg(cx, ccall, 'treatment', { play: 'music' });
  t.deepEqual(
    [1, 2, 3].map((n) => at(n)?.peer.ip),
    ['192.0.2.72', '192.0.2.71', '192.0.2.72'],
  );
  t.is(at(2)?.uri, 'sip:annc@192.0.2.71:5070;play=music');
  t.is(at(2)?.peer.port, 5070);
  t.is(mediaLeg(cx, 7, 'music', { play: 'music' })?.peer.ip, '192.0.2.71');
  t.is(mediaLeg(cx, 7, 'conference', { conference: 'x' })?.peer.ip, '192.0.2.72');
});

test('one that does not serve is left out for a while; without any there is none', (t) => {
  const made = lab(TWO);
  const ask = () => mediaLeg(made.cx, 2, 'treatment', { play: 'music' })?.peer.ip;
  t.is(ask(), '192.0.2.71');
  avoidService(made.cx, { ip: '192.0.2.71' });
  t.is(ask(), '192.0.2.72');
  made.swap(true);
  t.is(ask(), '192.0.2.72');
  avoidService(made.cx, { ip: '192.0.2.72' });
  t.is(ask(), undefined);
  t.is(made.told.filter((line) => line.includes('does not serve')).length, 2);
  made.pass(31_000);
  made.cx.now = made.now;
  t.is(ask(), '192.0.2.71');
});

test('a service known by name is none while its name does not resolve', (t) => {
  const named = {
    name: 'n',
    kinds: ['music'],
    contact: 'sip:ivr.example.net',
    msml: false,
  } as const;
  const made = lab({ services: [named] });
  t.is([...made.store.rows(CONTACT)].length, 1);
  t.is(mediaLeg(made.cx, 1, 'music', { play: 'music' }), undefined);
  t.deepEqual(made.questions, ['sip:ivr.example.net']);
});
