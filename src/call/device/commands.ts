/**
 * What programs set at devices and ask of them: do not disturb, forwarding, message waiting (ECMA-269
 * 20). What is set already is answered alike, and not told again.
 */

import { pointOf, queueOf } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import { agentAt, settle } from '../agent/agent.ts';
import { emit } from '../csta/event.ts';
import { type Done, type Refusal, refuse } from '../csta/refusal.ts';
import { isExtension, lookUp, mayCall } from '../dialplan.ts';
import { keepMailbox } from '../events/mailbox.ts';
import { MAILBOX } from '../events/rows.ts';
import { classOf } from '../route.ts';
import { featuresOf } from './features.ts';
import { DEVICE, type Device } from './rows.ts';

export const FORWARDING_TYPES = ['forwardImmediate', 'forwardBusy', 'forwardNoAns'] as const;
export type ForwardingType = (typeof FORWARDING_TYPES)[number];

const FIELD: { readonly [t in ForwardingType]: 'immediate' | 'busy' | 'noAnswer' } = {
  forwardImmediate: 'immediate',
  forwardBusy: 'busy',
  forwardNoAns: 'noAnswer',
};

/** Ringing of a device that forwards unanswered calls and does not say how long, s. */
const USUAL_RING = 20;

type At = { readonly device: string };

type Set = Partial<Pick<Device, 'dnd' | 'immediate' | 'busy' | 'noAnswer' | 'noAnswerS'>>;

/** Changes what is set; a device with nothing set has no row. */
function put(cx: Context, device: string, values: Set): void {
  const row = featuresOf(cx, device) ?? cx.store.insert(DEVICE, { device });
  cx.store.patch(DEVICE, row, values);
  if (!row.dnd && row.immediate === '' && row.busy === '' && row.noAnswer === '') {
    cx.store.remove(DEVICE, row);
  }
  // an agent who is not disturbed, or whose calls go elsewhere, is offered none
  const agent = agentAt(cx, device);
  if (agent !== undefined) settle(cx, agent);
}

function unknown(cx: Context, device: string): Refusal | undefined {
  return isExtension(cx.settings, device) ? undefined : refuse('invalidDeviceId', device);
}

export function getDoNotDisturb(cx: Context, p: At): Done | Refusal {
  return unknown(cx, p.device) ?? dndView(cx, p.device);
}

function dndView(cx: Context, device: string): Done {
  return { deviceId: device, doNotDisturbOn: featuresOf(cx, device)?.dnd ?? false };
}

export function setDoNotDisturb(
  cx: Context,
  p: At & { readonly doNotDisturbOn: boolean },
): Done | Refusal {
  const no = unknown(cx, p.device);
  if (no !== undefined) return no;
  if ((featuresOf(cx, p.device)?.dnd ?? false) !== p.doNotDisturbOn) {
    put(cx, p.device, { dnd: p.doNotDisturbOn });
    const body = dndView(cx, p.device);
    emit(cx, { event: 'doNotDisturb', devices: [p.device], ccall: 0, body });
  }
  return dndView(cx, p.device);
}

export function getForwarding(cx: Context, p: At): Done | Refusal {
  return (
    unknown(cx, p.device) ?? {
      deviceId: p.device,
      forwarding: FORWARDING_TYPES.map((type) => forwardView(cx, p.device, type)),
    }
  );
}

function forwardView(cx: Context, device: string, type: ForwardingType): Done {
  const f = featuresOf(cx, device);
  const to = f?.[FIELD[type]] ?? '';
  return {
    forwardingType: type,
    forwardStatus: to !== '',
    ...(to === '' ? {} : { forwardDN: to }),
    ...(to !== '' && type === 'forwardNoAns' ? { ringDuration: f?.noAnswerS } : {}),
  };
}

export type SetForwarding = At & {
  readonly forwardingType: ForwardingType;
  readonly activateForward: boolean;
  /** Where to, when it is activated. */
  readonly forwardDN?: string;
  /** Seconds a phone rings before `forwardNoAns`: 1 to 180. */
  readonly ringDuration?: number;
};

export function setForwarding(cx: Context, p: SetForwarding): Done | Refusal {
  const to = p.activateForward ? (p.forwardDN ?? '') : '';
  const seconds = p.ringDuration ?? USUAL_RING;
  const no =
    unknown(cx, p.device) ?? (p.activateForward ? mayForward(cx, p.device, to) : undefined);
  if (no !== undefined) return no;
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 180) {
    return refuse('invalidParameter', 'ringDuration is 1 to 180');
  }
  const field = FIELD[p.forwardingType];
  const was = featuresOf(cx, p.device);
  const noAnswerS = field === 'noAnswer' && to !== '' ? seconds : 0;
  const same = (was?.[field] ?? '') === to;
  const done = (): Done => ({
    deviceId: p.device,
    ...forwardView(cx, p.device, p.forwardingType),
  });
  if (same && (field !== 'noAnswer' || (was?.noAnswerS ?? 0) === noAnswerS)) return done();
  put(cx, p.device, { [field]: to, ...(field === 'noAnswer' ? { noAnswerS } : {}) });
  emit(cx, { event: 'forwarding', devices: [p.device], ccall: 0, body: done() });
  return done();
}

/** Calls may be forwarded where the extension may call itself. */
function mayForward(cx: Context, device: string, to: string): Refusal | undefined {
  const { site } = cx.settings;
  if (!/^[0-9*#+]{1,32}$/.test(to) || to === device) return refuse('invalidDestination', to);
  const own = pointOf(site.centre, to) !== undefined || queueOf(site.centre, to) !== undefined;
  const way = own ? undefined : lookUp(cx.settings, to);
  if (way?.kind === 'refuse') return refuse('invalidDestination', to);
  const inside = own || way?.kind === 'extension';
  return mayCall(site, classOf(cx, device), to, inside)
    ? undefined
    : refuse('privilegeViolation', `${device} may not call ${to}.`);
}

export function getMessageWaiting(cx: Context, p: At): Done | Refusal {
  return unknown(cx, p.device) ?? mailboxView(cx, p.device);
}

/** A mailbox as programs see it. */
export function mailboxView(cx: Context, device: string): Done {
  const box = cx.store.find(MAILBOX, 'aor', device);
  return {
    deviceId: device,
    messageWaitingOn: box?.waiting ?? false,
    newMessages: box?.newMessages ?? 0,
    oldMessages: box?.oldMessages ?? 0,
  };
}

export type SetMessageWaiting = At & {
  readonly messageWaitingOn: boolean;
  readonly newMessages?: number;
  readonly oldMessages?: number;
};

/** The lamp of a device's phones, as its voice mail service would set it (RFC 3842). */
export function setMessageWaiting(cx: Context, p: SetMessageWaiting): Done | Refusal {
  const no = unknown(cx, p.device);
  if (no !== undefined) return no;
  const { newMessages = 0, oldMessages = 0 } = p;
  const countable = (n: number): boolean => Number.isInteger(n) && n >= 0 && n <= 999_999;
  if (!countable(newMessages) || !countable(oldMessages)) {
    return refuse('invalidParameter', 'a count is 0 to 999999');
  }
  const counts = { waiting: p.messageWaitingOn, newMessages, oldMessages };
  keepMailbox(cx, p.device, { ...counts, newUrgent: 0, oldUrgent: 0 }, '', 0);
  return mailboxView(cx, p.device);
}
