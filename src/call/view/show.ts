/**
 * `show`: reads the rows for an operator, outside of every transaction, at most `limit` rows at once, so
 * that ten thousand registrations do not keep the engine from its calls.
 */

import type { Store } from '../../base/row.ts';
import type { Instant } from '../../base/units.ts';
import type { SipSettings } from '../../proto/context.ts';
import { AGENT } from '../agent/rows.ts';
import { CONFERENCE } from '../conference/rows.ts';
import { SESSION } from '../csta/rows.ts';
import { SUBSCRIPTION } from '../events/rows.ts';
import { PARK } from '../park/rows.ts';
import { BINDING, CALL } from '../rows.ts';
import { trunkViews } from '../trunk-view.ts';
import { callDetail, callRow, findCall } from './calls.ts';
import {
  agentRow,
  agentsByQueue,
  conferenceRow,
  deviceRow,
  featuredDevices,
  parkRow,
  pointRow,
  programRow,
  queueRow,
  registrationRow,
  subscriptionRow,
} from './lists.ts';
import { listOf, type Page, pageOf } from './page.ts';
import type { ShowAnswer, ShowFault, ShownRows, ShowRequest } from './terms.ts';

/** What is shown: the rows, what is configured, and who says so. */
export type Shop = {
  readonly store: Store;
  readonly settings: SipSettings;
  /** The pair clock. */
  readonly now: Instant;
  /** This box does not lead: its rows are the other one's. */
  readonly mirrored: boolean;
  /** Rows and a hash of each table, and what was counted. */
  readonly tables: () => {
    readonly [name: string]: { readonly count: number; readonly hash: number };
  };
  readonly counters: { readonly [name: string]: number };
};

export function show(shop: Shop, r: ShowRequest): ShowAnswer | ShowFault {
  const page = pageFor(shop, r);
  if ('error' in page) return page;
  return { what: r.what, at: shop.now, mirrored: shop.mirrored, ...page } as ShowAnswer;
}

function pageFor(shop: Shop, r: ShowRequest): Page<ShownRows[keyof ShownRows]> | ShowFault {
  const { store, settings } = shop;
  const { centre } = settings.site;
  switch (r.what) {
    case 'calls':
      return pageOf(store, CALL, r, (row) => callRow(store, row));
    case 'call': {
      const call = findCall(store, r.id);
      if (call === undefined) return { error: 'show-call', text: `there is no call ${r.id}` };
      return { rows: [callDetail(store, call)], total: 1 };
    }
    case 'registrations': {
      if (r.id === '') return pageOf(store, BINDING, r, registrationRow);
      return listOf(store.all(BINDING, 'aor', r.id), r, registrationRow);
    }
    case 'subscriptions': {
      if (r.id === '') return pageOf(store, SUBSCRIPTION, r, subscriptionRow);
      return listOf(store.all(SUBSCRIPTION, 'aor', r.id), r, subscriptionRow);
    }
    case 'queues': {
      const agents = agentsByQueue(store);
      const numbers = chosen(Object.keys(centre.queues), r);
      return listOf(numbers, r, (number) => queueRow(store, settings, agents, number));
    }
    case 'routing-points': {
      const numbers = chosen(Object.keys(centre.points), r);
      return listOf(numbers, r, (number) => pointRow(store, settings, number));
    }
    case 'agents':
      return pageOf(store, AGENT, r, agentRow);
    case 'devices':
      return listOf(chosen(featuredDevices(store), r), r, (device) => deviceRow(store, device));
    case 'programs':
      return pageOf(store, SESSION, r, (row) => programRow(store, row));
    case 'trunks':
      return listOf(trunkViews(store), r, (view) => ({ id: 0, ...view }));
    case 'conferences':
      return pageOf(store, CONFERENCE, r, (row) => conferenceRow(store, row));
    case 'parks':
      return pageOf(store, PARK, r, (row) => parkRow(store, row));
    case 'tables': {
      const all = Object.entries(shop.tables());
      return listOf(all, r, ([table, { count, hash }]) => ({ id: 0, table, count, hash }));
    }
    case 'counters': {
      const all = Object.entries(shop.counters).sort(([a], [b]) => (a < b ? -1 : 1));
      return listOf(all, r, ([counter, count]) => ({ id: 0, counter, count }));
    }
  }
}

/** All of them, or the one that was asked for. */
function chosen(all: readonly string[], r: ShowRequest): readonly string[] {
  return r.id === '' ? all : all.filter((one) => one === r.id);
}
