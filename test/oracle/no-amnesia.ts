/**
 * no-amnesia: whatever a phone saw is explained by the rows of whoever leads next. When a box begins
 * to lead,
 *
 *   - its history reaches at least as far as every record that a message on the wire rested on;
 *   - every registration that a phone was granted is a row;
 *   - every subscription that a phone was granted is a row;
 *   - every dialog a phone has, early or confirmed, is a row: its Call-ID, and the phone's own tag
 *     where the phone has sent it in a message that was answered.
 *
 * It looks at the rows before anything is said in the new reign.
 */

import type { BoxId } from '../../src/pair/terms.ts';
import type { Box } from '../world/box.ts';
import { ledgerOf } from '../world/inside.ts';
import type { Oracle, World } from '../world/world.ts';

export function noAmnesia(world: World): Oracle {
  /** The furthest record that something on the wire rested on. */
  let stamp = 0;
  const led: Record<BoxId, string> = { a: '', b: '' };

  function judge(box: Box): void {
    const ledger = ledgerOf(box);
    if (ledger === undefined) return;
    if (ledger.lsn < stamp) {
      const text = `${box.id} leads from record ${ledger.lsn}, but ${stamp} has been spoken of`;
      world.violate('no-amnesia', text);
      return;
    }
    const known = new Set<unknown>();
    for (const table of ledger.tables.list) {
      for (const row of table.rows.values()) {
        for (const field of Object.keys(table.compiled.spec.fields)) known.add(row[field]);
      }
    }
    // the call may be over and only its final response still on its way, as text in a transaction
    const mentioned = (id: string): boolean => {
      for (const value of known) if (typeof value === 'string' && value.includes(id)) return true;
      return false;
    };
    for (const phone of world.phones) {
      if (phone.registered && !known.has(phone.number)) {
        world.violate('no-amnesia', `${box.id} has never heard of ${phone.number}`);
      }
      for (const watch of phone.watches.all) {
        if (watch.state !== 'active' || known.has(watch.callId)) continue;
        const text = `${box.id} does not know that ${phone.number} watches ${watch.number}`;
        world.violate('no-amnesia', text);
      }
      for (const leg of phone.calls.legs.values()) {
        const spoken = leg.state === 'established' || (leg.state === 'inviting' && leg.remoteTag);
        if (!spoken || leg.call.hungBy !== '' || leg.call.failure !== '') continue;
        if (!known.has(leg.callId) && !mentioned(leg.callId)) {
          const text = `${box.id} does not know ${leg.call.id} (${leg.state}) of ${phone.number}`;
          world.violate('no-amnesia', text);
        }
      }
    }
  }

  return {
    name: 'no-amnesia',
    // what a dead port swallowed was seen by nobody
    spoke(box, at, sent) {
      if (sent && world.lan.carries(box.id) && at > stamp) stamp = at;
    },
    stepped(box, who) {
      if (who !== 'sentry') return;
      const epoch = box.process?.engine.standing.epoch ?? 0;
      const key = box.state === 'primary' ? `${box.lives} ${epoch}` : '';
      if (key !== led[box.id] && key !== '') judge(box);
      led[box.id] = key;
    },
  };
}
