/** `show trunks`, `show tables`, `show counters`. */

import { type Answer, listed } from './answer.ts';
import { cut, type ShowContext, since, table } from './kit.ts';

export function showTrunks(a: Answer<'trunks'>, cx: ShowContext): string[] {
  const lines = listed<'trunks'>(
    a,
    [
      { head: 'trunk', value: (r) => r.trunk, least: 6 },
      { head: 'service', value: (r) => (r.inService ? 'in' : 'OUT') },
      { head: 'calls', value: (r) => String(r.calls), right: true },
      { head: 'registration', value: (r) => (r.registration === 'none' ? '-' : r.registration) },
      { head: 'alarms', value: (r) => r.alarms.map(({ code }) => code).join(' '), drop: 1 },
    ],
    cx,
    ['trunk', 'trunks'],
  );
  const contacts = a.rows.flatMap(({ trunk, contacts: all }) => all.map((c) => ({ trunk, ...c })));
  if (contacts.length === 0) return lines;
  return [
    ...lines,
    '',
    ...table(
      contacts,
      [
        { head: 'contact of', value: (c) => c.trunk, least: 6 },
        { head: 'state', value: (c) => c.state },
        { head: 'since', value: (c) => since(c.since, a.at), right: true, drop: 2 },
        { head: 'uri', value: (c) => c.uri, least: 12 },
        { head: 'cause', value: (c) => c.cause, least: 6, drop: 1 },
        { head: 'addresses', value: (c) => addresses(c.addresses), least: 12, drop: 3 },
      ],
      cx,
      'no contacts',
    ),
  ];
}

/** `udp 192.0.2.40 5060 0 0,…` without what nobody asks for. */
function addresses(said: string): string {
  return said
    .split(',')
    .filter((one) => one !== '')
    .map((one) => {
      const [transport, ip, port] = one.split(' ');
      return `${transport} ${ip}:${port}`;
    })
    .join(', ');
}

export function showTables(a: Answer<'tables'>, cx: ShowContext): string[] {
  return listed<'tables'>(
    a,
    [
      { head: 'table', value: (r) => r.table, least: 8 },
      { head: 'rows', value: (r) => String(r.count), right: true },
      ...(a.rows.some(({ hash }) => hash !== 0)
        ? [
            {
              head: 'hash',
              value: (r: { readonly hash: number }) => r.hash.toString(16).padStart(8, '0'),
            },
          ]
        : []),
    ],
    cx,
    ['table', 'tables'],
  );
}

export function showCounters(a: Answer<'counters'>, cx: ShowContext): string[] {
  if (a.rows.length === 0) return [cut('nothing was counted yet', cx.width)];
  return table(
    a.rows,
    [
      { head: 'counter', value: (r) => r.counter, least: 8 },
      { head: 'count', value: (r) => String(r.count), right: true },
    ],
    cx,
    '',
  );
}
