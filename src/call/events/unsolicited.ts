/**
 * Message waiting for phones that do not subscribe (`site.extensions.N.mwi`): NOTIFY of message-summary
 * that nobody asked for, as RFC 3842 knows it from practice. It is kept as a subscription that follows a
 * registration: same turns, same patience, one NOTIFY at a time, and a new primary goes on with it. Each
 * of its NOTIFYs stands outside any dialog and says `terminated`: there is nothing to refresh.
 *
 *   registered anew ── NOTIFY          a phone that subscribes too ── nothing, it has its subscription
 *   the mailbox changes ── NOTIFY      refused, or not answered ── nothing until the next change
 */

import { type Context, hereFor } from '../../proto/context.ts';
import { randomWord } from '../../proto/sip/text.ts';
import { extensionOf } from '../../proto/site.ts';
import { BINDING, type Binding } from '../rows.ts';
import { SUBSCRIPTION, type Subscription } from './rows.ts';

function wants(cx: Context, aor: string): boolean {
  return extensionOf(cx.settings.site, aor)?.mwi === true;
}

function lampOf(cx: Context, binding: Binding): Subscription | undefined {
  const his = cx.store.all(SUBSCRIPTION, 'watcher', binding.aor);
  return his.find((sub) => sub.unasked && sub.binding === binding.id);
}

/** A phone registered that was not there, or began anew: it is told what waits. */
export function lampFor(cx: Context, binding: Binding): void {
  if (!wants(cx, binding.aor)) return;
  const known = lampOf(cx, binding);
  if (known !== undefined) {
    cx.store.patch(SUBSCRIPTION, known, { said: 0, notifyAt: known.notify === 0 ? cx.now : 0 });
    if (known.notify !== 0) cx.store.patch(SUBSCRIPTION, known, { changed: true });
    return;
  }
  if (cx.store.count(SUBSCRIPTION) >= cx.settings.maxSubscriptions) return;
  const { transport, ip, port, aor } = binding;
  const uri = `<sip:${aor}@${hereFor(cx.settings, binding)}>`;
  cx.store.insert(SUBSCRIPTION, {
    event: 'message-summary',
    aor,
    watcher: aor,
    unasked: true,
    callId: `${randomWord(cx.chance)}${randomWord(cx.chance)}@${cx.settings.vip}`,
    tag: randomWord(cx.chance),
    localUri: uri,
    remoteUri: uri,
    remoteTarget: binding.contact,
    routeSet: binding.path,
    transport,
    ip,
    port,
    nat: binding.nat,
    binding: binding.id,
    expiresAt: binding.expiresAt,
    // after the answer to the REGISTER, and after a SUBSCRIBE that comes with it
    notifyAt: cx.now + cx.settings.notifyGapMs,
  });
}

/**
 * Before something is said by it: is its phone there, and where. @returns false when it says nothing;
 * the row may be gone then.
 */
export function lampIsHeard(cx: Context, sub: Subscription): boolean {
  const binding = cx.store.get(BINDING, sub.binding);
  if (binding === undefined || !wants(cx, sub.aor)) {
    cx.store.remove(SUBSCRIPTION, sub);
    return false;
  }
  const { transport, ip, port, contact, path, expiresAt } = binding;
  cx.store.patch(SUBSCRIPTION, sub, { remoteTarget: contact, routeSet: path, expiresAt });
  if (sub.ip !== ip || sub.port !== port || sub.transport !== transport) {
    cx.store.patch(SUBSCRIPTION, sub, { transport, ip, port });
  }
  const asked = cx.store
    .all(SUBSCRIPTION, 'watcher', sub.aor)
    .some((s) => !s.unasked && s.event === sub.event && s.aor === sub.aor && s.ip === ip);
  if (asked) cx.store.patch(SUBSCRIPTION, sub, { notifyAt: 0 });
  return !asked;
}

/** On a new primary: the setting may be another than before. */
export function resumeLamps(cx: Context): void {
  for (const sub of [...cx.store.rows(SUBSCRIPTION)]) {
    if (sub.unasked && !wants(cx, sub.aor)) cx.store.remove(SUBSCRIPTION, sub);
  }
  for (const binding of [...cx.store.rows(BINDING)]) {
    if (lampOf(cx, binding) === undefined) lampFor(cx, binding);
  }
}
