/** RFC 3263 step by step, against a name service that says what the test wants. */

import test from 'ava';
import { type NameService, Names, resolveUri } from '../../src/edge/resolver.ts';

type Zone = { readonly [question: string]: unknown };

function service(zone: Zone, asked: string[] = []): NameService {
  const look = async (kind: string, name: string): Promise<never> => {
    const key = `${kind} ${name}`;
    asked.push(key);
    const found = zone[key];
    if (found === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
    if (typeof found === 'string') throw Object.assign(new Error(found), { code: found });
    return found as never;
  };
  return {
    resolveNaptr: (name) => look('NAPTR', name),
    resolveSrv: (name) => look('SRV', name),
    resolve4: (name) => look('A', name),
    resolve6: (name) => look('AAAA', name),
  };
}

const naptr = (order: number, service: string, replacement: string) => ({
  flags: 's',
  service,
  replacement,
  order,
  preference: 1,
});
const srv = (priority: number, weight: number, port: number, name: string) => ({
  priority,
  weight,
  port,
  name,
});

async function found(zone: Zone, uri: string, usable = ['udp', 'tcp', 'tls'], six = false) {
  const asked: string[] = [];
  const answer = await resolveUri(service(zone, asked), uri, usable as never, six);
  const list = answer.addresses.map(
    (a) => `${a.transport} ${a.ip}:${a.port} ${a.priority}/${a.weight}`,
  );
  return { list: list.join(', '), asked: asked.join(', '), ttlS: answer.ttlS, cause: answer.cause };
}

test('4.1: NAPTR names the transport, SRV the hosts; the shortest life counts', async (t) => {
  const zone = {
    'NAPTR c.example': [
      naptr(20, 'SIP+D2U', '_sip._udp.c.example'),
      naptr(10, 'SIPS+D2T', '_sips._tcp.c.example'),
    ],
    'SRV _sips._tcp.c.example': [srv(1, 5, 5061, 'a.c.example')],
    'SRV _sip._udp.c.example': [srv(2, 1, 5070, 'b.c.example'), srv(1, 1, 5060, 'a.c.example')],
    'A a.c.example': [{ address: '192.0.2.1', ttl: 100 }],
    'A b.c.example': [{ address: '192.0.2.2', ttl: 40 }],
  };
  const all = await found(zone, 'sip:c.example');
  t.is(all.list, 'tls 192.0.2.1:5061 1/5, udp 192.0.2.1:5060 65537/1, udp 192.0.2.2:5070 65538/1');
  t.is(all.ttlS, 40);
  const udp = await found(zone, 'sip:c.example', ['udp']);
  t.is(udp.list, 'udp 192.0.2.1:5060 1/1, udp 192.0.2.2:5070 2/1');
});

test('4.1: no NAPTR: SRV of each transport; no SRV: the host itself', async (t) => {
  const zone = {
    'SRV _sip._udp.c.example': [srv(1, 0, 5062, 'a.c.example')],
    'A a.c.example': [{ address: '192.0.2.1', ttl: 1000 }],
    'A d.example': [{ address: '192.0.2.9', ttl: 60 }],
  };
  t.is((await found(zone, 'sip:c.example')).list, 'udp 192.0.2.1:5062 1/0');
  t.is((await found(zone, 'sip:c.example')).ttlS, 300);
  t.is((await found(zone, 'sip:d.example')).list, 'udp 192.0.2.9:5060 0/0');
  t.is((await found(zone, 'sips:d.example')).list, 'tls 192.0.2.9:5061 0/0');
});

test('4.1, 4.2: a transport said is not asked for, with a port there is no SRV, an address is itself', async (t) => {
  const zone = { 'A c.example': [{ address: '192.0.2.1', ttl: 60 }] };
  const tcp = await found(zone, 'sip:c.example;transport=tcp');
  t.is(tcp.list, 'tcp 192.0.2.1:5060 0/0');
  t.is(tcp.asked, 'SRV _sip._tcp.c.example, A c.example');
  const port = await found(zone, 'sip:c.example:5080');
  t.is(port.list, 'udp 192.0.2.1:5080 0/0');
  t.is(port.asked, 'A c.example');
  t.is((await found({}, 'sip:[2001:db8::1]')).list, 'udp 2001:db8::1:5060 0/0');
  const six = await found(
    { 'AAAA c.example': [{ address: '2001:db8::2', ttl: 9 }] },
    'sip:c.example:1',
    ['udp'],
    true,
  );
  t.is(six.list, 'udp 2001:db8::2:1 0/0');
});

test('no name, no service, and a service that is decidedly not there (RFC 2782)', async (t) => {
  t.is((await found({}, 'sip:c.example')).cause, 'the name has no address');
  const down = await found({ 'NAPTR c.example': 'ETIMEOUT' }, 'sip:c.example');
  t.is(down.cause, 'the name service fails: ETIMEOUT');
  t.is((await found({ 'SRV _sip._udp.c.example': [srv(0, 0, 0, '')] }, 'sip:c.example')).list, '');
  t.is((await found({}, 'nonsense')).cause, 'no URI');
});

test('the same question is asked once at a time, and questions have a bound', async (t) => {
  const asked: string[] = [];
  const told: string[] = [];
  const zone = { 'A c.example': [{ address: '192.0.2.1', ttl: 60 }] };
  const settings = { servers: ['192.0.2.53'], timeoutMs: 100 };
  const names = new Names(settings, ['udp'], false, (a) => told.push(a.uri), service(zone, asked));
  for (let i = 0; i < 3; i += 1) names.ask('sip:c.example:1');
  for (let i = 0; i < 100; i += 1) names.ask(`sip:n${i}.example:1`);
  await new Promise((done) => setTimeout(done, 20));
  t.is(asked.filter((q) => q === 'A c.example').length, 1);
  t.is(told.length, 64);
  names.ask('sip:c.example:1');
  await new Promise((done) => setTimeout(done, 20));
  t.is(told.length, 65);
});
