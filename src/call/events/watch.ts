/**
 * How a change finds those who watch: a store that looks over the shoulder of the call logic. Every
 * change of a leg, a registration or a mailbox goes through a store, so no place that makes one can
 * forget to say so, today's or tomorrow's. For programs it only notes which calls changed: what that
 * means is told at the end of the turn (`../csta/publish.ts`). When there is neither, the store in use is
 * the plain one.
 */

import type { Fields, RowOf, Store, TableSpec, Values } from '../../base/row.ts';
import type { Context } from '../../proto/context.ts';
import { STX, type Stx } from '../../proto/sip/rows.ts';
import { AGENT, type Agent } from '../agent/rows.ts';
import { DEVICE, type Device } from '../device/rows.ts';
import { noteService } from '../device/service.ts';
import { otherOf } from '../hold.ts';
import { BINDING, type Binding, CALL, type Call, LEG, type Leg } from '../rows.ts';
import { touch } from './notifier.ts';
import { ABOUT, PACKAGES } from './packages.ts';
import { MAILBOX, type Mailbox, SUBSCRIPTION } from './rows.ts';

/** Somebody watches `aor`, of which something changed that packages with `about` tell. */
function changed(cx: Context, aor: string, about: number): void {
  if (aor === '' || cx.store.count(SUBSCRIPTION) === 0) return;
  for (const sub of cx.store.all(SUBSCRIPTION, 'aor', aor)) {
    if ((PACKAGES[sub.event].about & about) !== 0) touch(cx, sub);
  }
}

/** The connections of a call are to be compared with its legs at the end of the turn. */
function mark(cx: Context, call: number): void {
  if (cx.settings.csta) cx.turn.calls.add(call);
}

/** A row of `table` came or went. */
function moved(cx: Context, table: { readonly number: number }, row: unknown): void {
  if (table.number === LEG.number) {
    mark(cx, (row as Leg).call);
    changed(cx, (row as Leg).aor, ABOUT.legs);
  } else if (table.number === BINDING.number) {
    noteService(cx, row as Binding);
    changed(cx, (row as Binding).aor, ABOUT.bindings);
  } else if (table.number === MAILBOX.number) changed(cx, (row as Mailbox).aor, ABOUT.mailbox);
  else if (table.number === DEVICE.number || table.number === AGENT.number) {
    changed(cx, (row as Device | Agent).device, ABOUT.features);
  }
}

/** Fields of `row` changed to `values`. */
function edited(
  cx: Context,
  table: { readonly number: number },
  row: unknown,
  values: object,
): void {
  if (table.number === LEG.number) {
    const leg = row as Leg;
    if ('state' in values || 'remoteTag' in values) changed(cx, leg.aor, ABOUT.legs);
    if ('state' in values || 'held' in values || 'peer' in values) mark(cx, leg.call);
    // what it was told last is what its other side described: a hold of that, or its end
    const other = 'sdp' in values ? otherOf(cx, leg) : undefined;
    if (other !== undefined) {
      mark(cx, other.call);
      changed(cx, other.aor, ABOUT.legs);
    }
  } else if (table.number === CALL.number) {
    if ('state' in values) mark(cx, (row as Call).id);
  } else if (table.number === STX.number) {
    // ringing of a caller is in the transaction of his INVITE
    const stx = row as Stx;
    if (stx.method !== 'INVITE' || stx.leg === 0 || !('status' in values)) return;
    const leg = cx.store.get(LEG, stx.leg);
    if (leg !== undefined) changed(cx, leg.aor, ABOUT.legs);
  } else if (table.number === BINDING.number) {
    if ('contact' in values) changed(cx, (row as Binding).aor, ABOUT.bindings);
  } else if (table.number === MAILBOX.number) changed(cx, (row as Mailbox).aor, ABOUT.mailbox);
  else if (table.number === DEVICE.number || table.number === AGENT.number) {
    changed(cx, (row as Device | Agent).device, ABOUT.features);
  }
}

class WatchedStore implements Store {
  private readonly cx: Context;
  private readonly inner: Store;

  constructor(cx: Context) {
    this.cx = cx;
    this.inner = cx.store;
  }

  insert<F extends Fields>(table: TableSpec<F>, values: Values<F>): RowOf<F> {
    const row = this.inner.insert(table, values);
    moved(this.cx, table, row);
    return row;
  }
  patch<F extends Fields>(table: TableSpec<F>, row: RowOf<F>, values: Values<F>): void {
    this.inner.patch(table, row, values);
    edited(this.cx, table, row, values);
  }
  remove<F extends Fields>(table: TableSpec<F>, row: RowOf<F>): void {
    this.inner.remove(table, row);
    moved(this.cx, table, row);
  }
  get<F extends Fields>(table: TableSpec<F>, id: number): RowOf<F> | undefined {
    return this.inner.get(table, id);
  }
  find<F extends Fields>(
    table: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): RowOf<F> | undefined {
    return this.inner.find(table, field, value);
  }
  all<F extends Fields>(
    table: TableSpec<F>,
    field: keyof F & string,
    value: string | number,
  ): readonly RowOf<F>[] {
    return this.inner.all(table, field, value);
  }
  rows<F extends Fields>(table: TableSpec<F>): Iterable<RowOf<F>> {
    return this.inner.rows(table);
  }
  count<F extends Fields>(table: TableSpec<F>): number {
    return this.inner.count(table);
  }
}

/** A cache: the watched form of a context, made once. */
const forms = new WeakMap<Context, Context>();

/** `cx`, with somebody looking over its shoulder while anybody watches anything. */
export function watched(cx: Context): Context {
  if (cx.store.count(SUBSCRIPTION) === 0 && !cx.settings.csta) return cx;
  const known = forms.get(cx);
  if (known !== undefined) {
    known.now = cx.now;
    known.settings = cx.settings;
    return known;
  }
  // all of it but the moment and the settings stays; a prototype that changes every turn would make every access slow
  const form: Context = { ...cx, store: new WatchedStore(cx) };
  forms.set(cx, form);
  return form;
}
