/** What changed, as notifications: one each, with the sentence a person would say. */

import type { StatusChange } from '../monitor/box-status.ts';
import { roleValue, SIPAIR_GROUPS, SIPAIR_NOTIFICATIONS, SIPAIR_OBJECTS } from './sipair.ts';
import { ALARM_INDEX } from './sipair-alarms.ts';
import { SIPAIR_TRAPS } from './sipair-told.ts';
import { VRRP_MASTER, VRRP_REASON, VRRPV3, vrrpRows } from './standard.ts';
import { type AnyTable, isSent, type Scene } from './terms.ts';
import { gauge, integer, type Oid, type SnmpValue, text, truth, type Varbind } from './values.ts';

export type Notification = { readonly oid: Oid; readonly varbinds: readonly Varbind[] };

type Said = { readonly trap: string; readonly sent: { readonly [object: string]: SnmpValue } };

/** Where an object is: scalars with the 0 of their only instance, columns without an index. */
const PLACES: ReadonlyMap<string, Oid> = new Map<string, Oid>(
  SIPAIR_GROUPS.flatMap((g): (readonly [string, Oid])[] => [
    ...g.scalars.map((s) => [s.name, [...SIPAIR_OBJECTS, g.number, s.number, 0]] as const),
    ...g.tables.flatMap((t: AnyTable) =>
      t.columns.map((c) => [c.name, [...SIPAIR_OBJECTS, g.number, t.number, 1, c.number]] as const),
    ),
  ]),
);

const PATHS = { x: 1, l: 2 } as const;
const WAYS = { x: 'crossover', l: 'service LAN' } as const;
const SEVERITY = { critical: 1, major: 2, minor: 3, warning: 4 } as const;

/** The sentence: syslog says the same. */
export function sentenceOf(c: StatusChange): string {
  switch (c.kind) {
    case 'phase':
      return `phase: ${c.from} to ${c.to}`;
    case 'role-change': {
      const why = c.cause === undefined ? '' : ` (${c.cause})`;
      return `role: ${c.from} to ${c.to}${why}, epoch ${c.epoch}`;
    }
    case 'peer-lost':
      return 'the other box is heard over no way';
    case 'peer-back':
      return 'the other box is heard again';
    case 'link-lost':
      return `the other box is not heard over the ${WAYS[c.path]}`;
    case 'link-back':
      return `the other box is heard over the ${WAYS[c.path]} again`;
    case 'in-step':
      return 'in step: calls are protected';
    case 'out-of-step':
      return 'out of step: calls are on one box';
    case 'vip-conflict':
      return c.on ? `virtual address: ${c.text}` : 'virtual address: the conflict is over';
    case 'capacity':
      return `${c.what}: ${c.used} of ${c.limit} are used`;
    case 'configuration':
      return `configuration: revision ${c.revision} by ${c.by} is active`;
    case 'image':
      return `image: ${c.text}`;
    case 'certificate':
      return c.daysLeft < 0
        ? 'the certificate of SIP over TLS has expired'
        : `the certificate of SIP over TLS ends in ${c.daysLeft} days`;
    case 'wear':
      return `the medium is worn: ${c.percent} % of its life is used`;
    case 'alarm-raised':
      return `alarm ${c.alarm.code}: ${c.alarm.text}`;
    case 'alarm-cleared':
      return `alarm over ${c.alarm.code}: ${c.alarm.text}`;
  }
}

function saidOf(c: StatusChange): Said {
  const sentence = { sipairSentText: text(sentenceOf(c)) };
  switch (c.kind) {
    case 'phase':
      return { trap: 'sipairPhase', sent: sentence };
    case 'role-change':
      return {
        trap: 'sipairRoleChange',
        sent: { sipairPairRole: roleValue(c.to), sipairPairEpoch: gauge(c.epoch), ...sentence },
      };
    case 'peer-lost':
      return { trap: 'sipairPeerLost', sent: sentence };
    case 'peer-back':
      return { trap: 'sipairPeerBack', sent: sentence };
    case 'link-lost':
    case 'link-back':
      return {
        trap: c.kind === 'link-lost' ? 'sipairLinkLost' : 'sipairLinkBack',
        sent: { sipairSentPath: integer(PATHS[c.path]), ...sentence },
      };
    case 'in-step':
      return { trap: 'sipairInStep', sent: sentence };
    case 'out-of-step':
      return { trap: 'sipairOutOfStep', sent: sentence };
    case 'vip-conflict':
      return { trap: 'sipairVipConflict', sent: { sipairSentActive: truth(c.on), ...sentence } };
    case 'capacity':
      return {
        trap: 'sipairCapacity',
        sent: {
          sipairSentResource: text(c.what),
          sipairSentUsed: gauge(c.used),
          sipairSentLimit: gauge(c.limit),
          ...sentence,
        },
      };
    case 'configuration':
      return {
        trap: 'sipairConfiguration',
        sent: { sipairSoftwareRevision: gauge(c.revision), ...sentence },
      };
    case 'image':
      return { trap: 'sipairImage', sent: sentence };
    case 'certificate':
      return {
        trap: 'sipairCertificate',
        sent: { sipairMachineCertificateDays: integer(c.daysLeft), ...sentence },
      };
    case 'wear':
      return { trap: 'sipairWear', sent: { sipairMachineWear: gauge(c.percent), ...sentence } };
    case 'alarm-raised':
    case 'alarm-cleared':
      return {
        trap: c.kind === 'alarm-raised' ? 'sipairAlarmRaised' : 'sipairAlarmCleared',
        sent: {
          sipairAlarmCode: text(c.alarm.code),
          sipairAlarmSubject: text(c.alarm.subject),
          sipairAlarmSeverity: integer(SEVERITY[c.alarm.severity]),
          sipairAlarmText: text(c.alarm.text),
        },
      };
  }
}

/** A scalar as it is now. */
function current(name: string, scene: Scene): SnmpValue | undefined {
  for (const g of SIPAIR_GROUPS) {
    const found = g.scalars.find((s) => s.name === name);
    if (found !== undefined) return isSent(found) ? undefined : found.of(scene);
  }
  return undefined;
}

/** Objects that do not exist now are left out, rather than the notification. */
export function notificationsOf(change: StatusChange, scene: Scene): Notification[] {
  const { trap, sent } = saidOf(change);
  const spec = SIPAIR_TRAPS.find((n) => n.name === trap);
  if (spec === undefined) return [];
  const index = 'alarm' in change ? [ALARM_INDEX(change.alarm)] : [];
  const varbinds = spec.objects.flatMap((name) => {
    const place = PLACES.get(name);
    const value = sent[name] ?? current(name, scene);
    if (place === undefined || value === undefined) return [];
    return [{ oid: name.startsWith('sipairAlarm') ? [...place, ...index] : place, value }];
  });
  const own = { oid: [...SIPAIR_NOTIFICATIONS, spec.number], varbinds };
  const leads = change.kind === 'role-change' && change.to === 'primary';
  return leads ? [own, ...newMaster(scene)] : [own];
}

/** vrrpv3NewMaster, where the pair speaks VRRP. */
function newMaster(scene: Scene): Notification[] {
  return vrrpRows(scene).map(({ index, master, reason }) => ({
    oid: [...VRRPV3, 0, 1],
    varbinds: [
      ...(master === undefined ? [] : [{ oid: [...VRRP_MASTER, ...index], value: master }]),
      { oid: [...VRRP_REASON, ...index], value: reason },
    ],
  }));
}
