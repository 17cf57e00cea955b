/** `show registrations`, `show subscriptions`, `show devices`. */

import type { DeviceRow } from '../../call/view/terms.ts';
import { type Answer, listed } from './answer.ts';
import { left, type ShowContext } from './kit.ts';

function at(row: { readonly ip: string; readonly port: number }): string {
  return `${row.ip.includes(':') ? `[${row.ip}]` : row.ip}:${row.port}`;
}

export function showRegistrations(a: Answer<'registrations'>, cx: ShowContext): string[] {
  return listed<'registrations'>(
    a,
    [
      { head: 'number', value: (r) => r.number },
      { head: 'by', value: (r) => r.transport },
      { head: 'address', value: at, least: 12 },
      { head: 'expires', value: (r) => left(r.expiresAt, a.at), right: true },
      { head: 'NAT', value: (r) => (r.nat ? 'yes' : ''), drop: 2 },
      { head: 'flow', value: (r) => (r.regId === 0 ? '' : String(r.regId)), drop: 3 },
      { head: 'phone', value: (r) => r.userAgent, least: 8, drop: 1 },
      { head: 'contact', value: (r) => r.contact, least: 12, drop: 4 },
      { head: 'id', value: (r) => `#${r.id}`, right: true, drop: 5 },
    ],
    cx,
    ['registration', 'registrations'],
  );
}

export function showSubscriptions(a: Answer<'subscriptions'>, cx: ShowContext): string[] {
  return listed<'subscriptions'>(
    a,
    [
      { head: 'event', value: (r) => r.event, least: 8 },
      { head: 'number', value: (r) => r.number },
      { head: 'watcher', value: (r) => (r.unasked ? '(unasked)' : r.watcher), least: 7 },
      { head: 'expires', value: (r) => left(r.expiresAt, a.at), right: true },
      { head: 'state', value: (r) => r.state, drop: 1 },
      { head: 'said', value: (r) => String(r.version), right: true, drop: 2 },
      { head: 'address', value: (r) => `${r.transport} ${at(r)}`, least: 12, drop: 3 },
    ],
    cx,
    ['subscription', 'subscriptions'],
  );
}

function forwarding(r: DeviceRow): string {
  const after = r.noAnswer === '' ? '' : `no answer ${r.noAnswer} after ${r.noAnswerS} s`;
  const all = [
    r.immediate === '' ? '' : `always ${r.immediate}`,
    r.busy === '' ? '' : `busy ${r.busy}`,
    after,
  ];
  return all.filter((one) => one !== '').join(', ');
}

export function showDevices(a: Answer<'devices'>, cx: ShowContext): string[] {
  return listed<'devices'>(
    a,
    [
      { head: 'device', value: (r) => r.device },
      { head: 'DND', value: (r) => (r.dnd ? 'on' : '') },
      {
        head: 'messages',
        value: (r) => (r.mailbox === undefined ? '' : `${r.mailbox.new} new, ${r.mailbox.old} old`),
        drop: 1,
      },
      { head: 'forwarding', value: forwarding, least: 10 },
    ],
    cx,
    ['device with something set', 'devices with something set'],
  );
}
