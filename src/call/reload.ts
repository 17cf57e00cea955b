/**
 * The site was configured anew while calls go on. Rows are not looked at when they are used: most of what
 * follows from a site is asked of it at the moment it is needed, and a call that is up stays up, by a trunk
 * or an extension that is no more, too. What has a life of its own is set right here, on the primary:
 *
 *   contacts, checks    begin, end and change, as on a new primary
 *   register-out        the same; another user, password or registrar registers at once, and the registrar of one that is no more
 *                       is told so
 *   registrations       of an extension that is gone end at once, not at their refresh: until then it would
 *                       go on to be called (by a service, a program), and its phone to look like one of ours
 *   subscriptions       to it are told that it is gone (RFC 6665 4.2.2, noresource)
 *   agents              who may log in no more is logged off, a call of his goes on
 */

import { agentOf } from '../proto/centre.ts';
import type { Context, SipSettings } from '../proto/context.ts';
import { trunkOf } from '../proto/site.ts';
import { logOff } from './agent/agent.ts';
import { AGENT } from './agent/rows.ts';
import { publish } from './csta/publish.ts';
import { isExtension } from './dialplan.ts';
import { terminate } from './events/notifier.ts';
import { SUBSCRIPTION } from './events/rows.ts';
import { watched } from './events/watch.ts';
import { leaveRegistrars, settleRegistrations } from './register-out.ts';
import { BINDING } from './rows.ts';
import { settleContacts } from './trunk.ts';
import { REGOUT } from './trunk-rows.ts';

/** @param before what was configured until now. */
export function reconfigured(plain: Context, before: SipSettings): void {
  const cx = watched(plain);
  leaveRegistrars(cx, before);
  settleContacts(cx);
  registrarsChanged(cx, before);
  settleRegistrations(cx);
  agentsGone(cx);
  for (const sub of [...cx.store.rows(SUBSCRIPTION)]) {
    if (!isExtension(cx.settings, sub.aor)) terminate(cx, sub, 'noresource');
  }
  publish(cx);
}

/** Ends registrations of extensions that are no more, a bounded number of them. @returns whether more are left. */
export function endRegistrations(plain: Context, most: number): boolean {
  const cx = watched(plain);
  const gone = [];
  for (const binding of cx.store.rows(BINDING)) {
    if (!isExtension(cx.settings, binding.aor)) gone.push(binding);
    if (gone.length > most) break;
  }
  for (const binding of gone.slice(0, most)) {
    cx.store.remove(BINDING, binding);
    cx.count('registrationsExpired');
  }
  publish(cx);
  return gone.length > most;
}

/** What another registrar granted, or another user was granted, is of no use. */
function registrarsChanged(cx: Context, before: SipSettings): void {
  for (const row of [...cx.store.rows(REGOUT)]) {
    const was = trunkOf(before.site, row.trunk);
    const is = trunkOf(cx.settings.site, row.trunk);
    if (is?.register === undefined) continue;
    const said = (t: typeof is | undefined): string =>
      JSON.stringify([t?.register, t?.domain, t?.register?.registrar === '' ? t.contacts : '']);
    if (said(was) === said(is)) continue;
    // begun anew by settleRegistrations, which makes a row for each
    cx.store.remove(REGOUT, row);
  }
}

function agentsGone(cx: Context): void {
  const { centre } = cx.settings.site;
  if (centre.strict === 'no') return;
  for (const agent of [...cx.store.rows(AGENT)]) {
    if (agentOf(centre, agent.agent) === undefined) logOff(cx, agent, 'not configured any more');
  }
}
