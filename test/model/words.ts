/** Short names of what happens, for transcripts and for the outline of a world. */

import type { Order } from '../../src/pair/terms.ts';
import type { Deed, Item } from './items.ts';

export function words(order: Order): string {
  return 'epoch' in order ? `${order.kind} ${order.epoch}` : order.kind;
}

export function describeDeed(deed: Deed): string {
  return 'box' in deed ? `${deed.kind} ${deed.box}` : deed.kind;
}

export function describe(item: Item): string {
  switch (item.kind) {
    case 'heartbeat': {
      const { h } = item;
      const flags = [h.query ? 'query' : '', h.reply ? 'reply' : '', h.fit ? '' : 'unfit'];
      flags.push(
        h.inStep ? '' : 'not in step',
        h.peerStale ? 'you are stale' : '',
        h.gone ? 'gone' : '',
      );
      const extra = flags.filter((f) => f !== '').join(', ');
      return `${h.role} ${h.epoch} on ${item.path}${extra === '' ? '' : ` (${extra})`}`;
    }
    case 'arp':
      return `ARP ${item.arp}`;
    case 'frame':
      return `stream: ${item.frame.f}`;
    case 'closed':
    case 'link-silent':
      return `stream ${item.kind}`;
    case 'order':
      return `engine takes ${words(item.order)}`;
    case 'report':
      return `report ${item.report.kind}`;
    case 'written':
      return `disk: epoch ${item.disk.epoch}${item.disk.primary ? ' primary' : ''}${
        item.disk.peerStale ? ', peer stale' : ''
      }, record ${item.disk.lsn}`;
    case 'vip':
      return item.up ? 'VIP is up' : 'VIP is down';
    case 'carrier':
      return `${item.path === 'x' ? 'crossover' : 'LAN'} carrier ${item.up ? 'up' : 'lost'}`;
    case 'operator':
      return `operator: ${item.command.kind}`;
    case 'fenced':
      return 'fence: done';
    case 'loaded':
      return 'engine loaded';
  }
}
