/**
 * The saboteurs. An oracle that has never been red proves nothing; so for each there is a switch that
 * breaks the code under it, and the test demands that the oracle sees it within a few seeds, and that
 * the same seeds are green without it.
 *
 * All of it is done from outside, on the objects of one world: no line of the product knows of it.
 * Each also narrows the swarm to the faults that bring its damage to light.
 */

import type { TableSpec } from '../../src/base/row.ts';
import { SUBSCRIPTION } from '../../src/call/events/rows.ts';
import { BINDING, LEG } from '../../src/call/rows.ts';
import type { Outgoing } from '../../src/effect.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Alarms } from '../../src/pair/alarms.ts';
import { FRAME, frame, POSITION_SIZE, putPosition } from '../../src/wire/frame.ts';
import { VIP } from '../world/box.ts';
import { other } from '../world/crossover.ts';
import { readArp } from '../world/ether.ts';
import { ledgerOf } from '../world/inside.ts';
import { ProductEngine, ProductSentry } from '../world/product.ts';
import { after, dropFromMirror, editEffects, everyLife, type Saboteur, swarm } from './sabotage.ts';
import { PROGRAM_SABOTEURS } from './saboteurs-programs.ts';

type Inner = {
  readonly voice: {
    readonly held: { release(opensAt: number, into: Outgoing[]): void };
  };
  readonly mirror: { readonly follow: { readonly bulkTaken: number } };
};

/** Private parts of the product's engine, for those who break it. */
function inner(engine: ProductEngine): Inner {
  return engine.engine as unknown as Inner;
}

const openGateEarly: Saboteur = {
  name: 'open-gate-early',
  oracle: 'no-amnesia',
  about: 'messages leave before the backup has what they rest on',
  adjust: (drawn) => ({
    ...swarm(['power-primary'], { faultGap: 1000, repair: [50, 300] })(drawn),
    cable: { ...drawn.cable, latency: [2, 6] },
  }),
  sabotage(world) {
    editEffects(world, (box, engine, out) => {
      if (box.state !== 'primary') return;
      inner(engine).voice.held.release(Number.MAX_SAFE_INTEGER, out.sends);
    });
  },
};

const DELAY = 40;

const ackBeforeApplying: Saboteur = {
  name: 'acknowledge-before-applying',
  oracle: 'calls-survive',
  about: 'records are acknowledged on arrival and applied a little later',
  adjust: (drawn) => ({
    ...swarm(['kill-primary'])(drawn),
    cable: { ...drawn.cable, splits: 0 },
  }),
  sabotage(world) {
    const write = world.cable.write.bind(world.cable);
    world.cable.write = (from, bytes) => {
      const box = world.boxes[from];
      const rival = world.boxes[other(from)];
      const mine = box.process;
      const theirs = rival.process?.engine;
      const ledger = ledgerOf(box);
      if (world.primary() !== box || !world.inStep() || ledger === undefined) {
        write(from, bytes);
        return;
      }
      const ack = new Uint8Array(POSITION_SIZE + 4);
      const view = new DataView(ack.buffer);
      putPosition(view, 0, ledger.position());
      if (theirs instanceof ProductEngine) {
        view.setUint32(POSITION_SIZE, inner(theirs).mirror.follow.bulkTaken, true);
      }
      world.queue.after(0.3, () =>
        mine?.toEngine({ kind: 'link-data', bytes: frame(FRAME.ack, ack) }),
      );
      world.queue.after(DELAY, () => {
        if (box.process === mine) write(from, bytes);
      });
    };
  },
};

const skipProbe: Saboteur = {
  name: 'skip-the-probe',
  oracle: 'one-voice',
  about: 'a box that takes over does not hear that the VIP still answers',
  adjust: swarm(['deaf'], { repair: [1500, 3000], aimed: 0, faultGap: 4000 }),
  sabotage(world) {
    for (const box of world.pair) box.kernel.onArp = () => {};
  },
};

const forgetArp: Saboteur = {
  name: 'forget-the-gratuitous-arp',
  oracle: 'face-follows-role',
  about: 'a new primary does not announce the VIP',
  adjust: swarm(['kill-primary', 'switchover']),
  sabotage(world) {
    for (const box of world.pair) {
      const raw = box.kernel.raw.bind(box.kernel);
      box.kernel.raw = (bytes, dst, src) => {
        if (readArp(bytes)?.senderIp !== VIP) raw(bytes, dst, src);
      };
    }
  },
};

const dropRowType: Saboteur = {
  name: 'drop-a-row-type',
  oracle: 'same-position-same-tables',
  about: 'a backup in step passes over the records of one table',
  adjust: swarm(['kill-backup']),
  sabotage: (world) => dropFromMirror(world, BINDING as TableSpec),
};

const newTags: Saboteur = {
  name: 'new-tags-at-resume',
  oracle: 'no-gibberish',
  about: 'a new primary draws the tags of its dialogs anew',
  adjust: swarm(['kill-primary', 'switchover']),
  sabotage(world) {
    const leads = new Map<Ledger, boolean>();
    after(world, (box) => {
      const ledger = ledgerOf(box);
      if (ledger === undefined) return;
      const now = box.state === 'primary';
      if (now && leads.get(ledger) !== true) {
        for (const row of ledger.tables.of(LEG).rows.values()) {
          Object.assign(row, { tag: `${String(row['tag']).slice(0, -2)}00` });
        }
      }
      leads.set(ledger, now);
    });
  },
};

const staleIndex: Saboteur = {
  name: 'stale-index',
  oracle: 'index-is-cache',
  about: 'an index keeps rows that are gone',
  adjust: swarm(['kill-backup']),
  sabotage(world) {
    everyLife(world, (_box, engine) => {
      for (const index of engine.engine.ledger.tables.of(LEG).indexes) index.remove = () => {};
    });
  },
};

const talkingBackup: Saboteur = {
  name: 'talking-backup',
  oracle: 'quiet-backup',
  about: 'a backup answers too',
  adjust: swarm(['switchover']),
  sabotage(world) {
    let last = '';
    world.lan.taps.push((_port, seen) => {
      if (seen.kind === 'udp' && seen.udp.text !== undefined) last = seen.udp.text;
    });
    editEffects(world, (box, _engine, out) => {
      const phone = world.phones[0];
      if (box.state !== 'backup' || phone === undefined || last === '') return;
      out.sends.push({ stamp: 0, transport: 'udp', ip: phone.ip, port: 5060, text: last });
      last = '';
    });
  },
};

const keepAddress: Saboteur = {
  name: 'keep-the-address',
  oracle: 'one-face',
  about: 'a box that hands over does not let the VIP go',
  adjust: swarm(['switchover']),
  sabotage(world) {
    for (const box of world.pair) {
      const drop = box.kernel.dropVip.bind(box.kernel);
      box.kernel.dropVip = () => {
        if (box.process === undefined || !box.kernel.powered) drop();
      };
    }
  },
};

const jumpClock: Saboteur = {
  name: 'jump-the-pair-clock',
  oracle: 'timers-kept',
  about: 'the pair clock of a new primary is three seconds ahead',
  adjust: swarm(['kill-primary', 'switchover']),
  sabotage(world) {
    const leads = new Map<ProductEngine, boolean>();
    after(world, (box) => {
      const engine = box.process?.engine;
      if (!(engine instanceof ProductEngine)) return;
      const now = box.state === 'primary';
      if (now && leads.get(engine) === false) {
        const parts = engine.engine as unknown as { pairOffset: number };
        parts.pairOffset += 3000;
      }
      leads.set(engine, now);
    });
  },
};

const endlessHistory: Saboteur = {
  name: 'endless-history',
  oracle: 'bounded',
  about: 'alarms that are over are never forgotten, and come often',
  adjust: swarm(['kill-backup']),
  sabotage(world) {
    after(world, (box, who) => {
      const sentry = box.process?.sentry;
      if (who !== 'sentry' || !(sentry instanceof ProductSentry)) return;
      const { alarms } = (sentry.sentry as unknown as { core: { alarms: Alarms } }).core;
      const { over } = alarms as unknown as { over: { shift: () => undefined } };
      over.shift = () => undefined;
      alarms.raise('stranger', `again at ${world.now}`, world.now, 1);
      alarms.clear('stranger', world.now);
    });
  },
};

const forgetWatchers: Saboteur = {
  name: 'forget-the-watchers',
  oracle: 'watchers-see',
  about: 'a primary that took over no longer tells those who watch what changes',
  adjust: (drawn) => {
    const options = swarm(['kill-primary', 'switchover'])(drawn);
    return { ...options, mix: { ...options.mix, watch: 1 } };
  },
  sabotage(world) {
    everyLife(world, (_box, engine) => {
      const { ledger } = engine.engine;
      const patch = ledger.patch.bind(ledger);
      ledger.patch = (table, row, values) => {
        const marks = Number((values as { notifyAt?: number }).notifyAt ?? 0) !== 0;
        if (table.number !== SUBSCRIPTION.number || !marks || ledger.epoch < 2) {
          patch(table, row, values);
        }
      };
    });
  },
};

export const SABOTEURS: readonly Saboteur[] = [
  openGateEarly,
  ackBeforeApplying,
  skipProbe,
  forgetArp,
  dropRowType,
  newTags,
  staleIndex,
  talkingBackup,
  keepAddress,
  jumpClock,
  endlessHistory,
  forgetWatchers,
  ...PROGRAM_SABOTEURS,
];
