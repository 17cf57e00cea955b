/** Trunks as `status` shows them, and their alarms: from the rows alone, so on the backup too. */

import type { Store } from '../base/row.ts';
import { LEG } from './rows.ts';
import { CONTACT, type Contact, REGOUT, type Regout } from './trunk-rows.ts';

/**
 * Alarms of trunks: severity, what it means, what to do. Raised and over they are log lines; what is
 * active is worked out of the rows, and so the same on both boxes and after a switchover.
 */
export const TRUNK_ALARMS = {
  'trunk-out-of-service': [
    'major',
    'no contact of a trunk serves: calls go by other trunks, or are refused',
    'the gateway or provider, the way to it; `show trunks` says what was seen',
  ],
  'trunk-contact': [
    'minor',
    'one contact of a trunk does not serve, another does',
    'the same, before the other one fails too',
  ],
  'trunk-not-registered': [
    'major',
    'the registrar of a trunk refuses our registration, or is not heard',
    'user and password of the trunk; the provider',
  ],
} as const;

export type TrunkAlarm = keyof typeof TRUNK_ALARMS;

export type TrunkView = {
  readonly trunk: string;
  /** Legs by it, in both directions. */
  readonly calls: number;
  readonly inService: boolean;
  readonly registration: 'none' | Regout['state'];
  readonly alarms: readonly { readonly code: TrunkAlarm; readonly severity: 'minor' | 'major' }[];
  readonly contacts: readonly {
    readonly uri: string;
    readonly state: Contact['state'];
    readonly cause: string;
    readonly since: number;
    readonly addresses: string;
  }[];
};

export function trunkViews(store: Store): readonly TrunkView[] {
  const byTrunk = new Map<string, Contact[]>();
  for (const row of store.rows(CONTACT)) {
    if (row.trunk === '') continue;
    const rows = byTrunk.get(row.trunk);
    if (rows === undefined) byTrunk.set(row.trunk, [row]);
    else rows.push(row);
  }
  return [...byTrunk].map(([trunk, rows]) => viewOf(store, trunk, rows));
}

function serves(row: Contact): boolean {
  return row.state === 'up' && row.addresses !== '';
}

function viewOf(store: Store, trunk: string, rows: readonly Contact[]): TrunkView {
  const main = rows.filter((r) => !r.key.endsWith('#registrar'));
  const inService = main.some(serves);
  const registration = store.find(REGOUT, 'trunk', trunk)?.state ?? 'none';
  const codes: TrunkAlarm[] = [];
  if (!inService) codes.push('trunk-out-of-service');
  else if (!main.every(serves)) codes.push('trunk-contact');
  if (registration === 'failed') codes.push('trunk-not-registered');
  return {
    trunk,
    calls: store.all(LEG, 'trunk', trunk).length,
    inService,
    registration,
    alarms: codes.map((code) => ({ code, severity: TRUNK_ALARMS[code][0] })),
    contacts: rows.map(({ uri, state, cause, since, addresses }) => ({
      uri,
      state,
      cause,
      since,
      addresses,
    })),
  };
}
