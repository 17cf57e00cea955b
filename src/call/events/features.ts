/**
 * Feature keys of phones (`as-feature-event`, as BroadWorks and its phones have it): what is set at the
 * extension (do not disturb, forwarding) and the state of its agent, as documents of ECMA-323 (CSTA).
 * A phone that subscribes is told each change, whoever made it, and sets by the body of a SUBSCRIBE.
 *
 *   NOTIFY     DoNotDisturbEvent, ForwardingEvent (three), AgentLoggedOnEvent, AgentReadyEvent, ...
 *              what changed since the last one; everything after a SUBSCRIBE that changed nothing
 *   SUBSCRIBE  SetDoNotDisturb, SetForwarding, SetAgentState
 *
 * A SUBSCRIBE that sets what may not be set is answered 200 like any other: the NOTIFY after it says
 * what is so.
 */

import { crc32 } from 'node:zlib';
import type { Context } from '../../proto/context.ts';
import { userOf } from '../../proto/sip/address.ts';
import { type SipMessage, unescapeUser } from '../../sip-parser/index.ts';
import { agentAt } from '../agent/agent.ts';
import { REQUESTED_STATES, setAgentState } from '../agent/commands.ts';
import { SEEN } from '../agent/machine.ts';
import {
  FORWARDING_TYPES,
  type ForwardingType,
  setDoNotDisturb,
  setForwarding,
} from '../device/commands.ts';
import { featuresOf } from '../device/features.ts';
import type { State } from './packages.ts';
import { FEATURES_TYPE, type Subscription } from './rows.ts';
import { xml } from './xml.ts';

const NAMESPACE = 'http://www.ecma-international.org/standards/ecma-323/csta/ed3';
const PRIVATE = 'http://schema.broadsoft.com/CSTAPrivateData';
/** No document of ours has this in it: what others say is escaped or digits. */
const BOUNDARY = 'sipair-features';
/** Between the documents in `State.live`. */
const BETWEEN = '\f';
/** A phone counts rings, one every so long, s (ITU-T E.180). */
const RING_S = 5;

function document(name: string, device: string, lines: string): string {
  return (
    '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n' +
    `<${name} xmlns="${NAMESPACE}">\r\n<device>${xml(device)}</device>\r\n${lines}</${name}>\r\n`
  );
}

function forwarding(cx: Context, device: string, type: ForwardingType): string {
  const f = featuresOf(cx, device);
  const to =
    { forwardImmediate: f?.immediate, forwardBusy: f?.busy, forwardNoAns: f?.noAnswer }[type] ?? '';
  const rings = Math.max(1, Math.round((f?.noAnswerS ?? 0) / RING_S));
  return document(
    'ForwardingEvent',
    device,
    `<forwardingType>${type}</forwardingType>\r\n<forwardStatus>${to !== ''}</forwardStatus>\r\n` +
      (to === '' ? '' : `<forwardTo>${xml(to)}</forwardTo>\r\n`) +
      (to === '' || type !== 'forwardNoAns' ? '' : `<ringCount>${rings}</ringCount>\r\n`),
  );
}

/** The agent at the device; while he is on a call, the state he lands in: a phone knows no other. */
function agent(cx: Context, device: string): string {
  const row = agentAt(cx, device);
  if (row === undefined) return document('AgentLoggedOffEvent', device, '');
  const seen = SEEN[row.state];
  const state = row.state === 'guard' ? seen.state : (seen.pending ?? seen.state);
  const name = `Agent${state[0]?.toUpperCase()}${state.slice(1)}Event`;
  const reason =
    state !== 'notReady' || row.reason === ''
      ? ''
      : `<extensions><privateData><private xmlns:pri="${PRIVATE}">` +
        `<pri:AgentNotReadyReasonValue>${xml(row.reason)}</pri:AgentNotReadyReasonValue>` +
        '</private></privateData></extensions>\r\n';
  return document(name, device, `<agentID>${xml(row.agent)}</agentID>\r\n${reason}`);
}

/** Documents of an extension; the id of each is its checksum, so that the next NOTIFY knows it. */
export function featureState(cx: Context, device: string): State {
  const parts = [
    document(
      'DoNotDisturbEvent',
      device,
      `<doNotDisturbOn>${featuresOf(cx, device)?.dnd ?? false}</doNotDisturbOn>\r\n`,
    ),
    ...FORWARDING_TYPES.map((type) => forwarding(cx, device, type)),
    agent(cx, device),
  ];
  return { live: parts.join(BETWEEN), ids: parts.map((part) => crc32(part)) };
}

/** What `sub` was not told yet, or everything. */
export function writeFeatures(sub: Subscription, state: State): string {
  const known = sub.known.split(' ');
  const all = state.live.split(BETWEEN);
  const news = all.filter((part) => !known.includes(`${crc32(part)}`));
  const parts = news.length === 0 ? all : news;
  if (parts.length === 1) return parts[0] as string;
  return `${parts
    .map((part) => `--${BOUNDARY}\r\nContent-Type: ${FEATURES_TYPE}\r\n\r\n${part}\r\n`)
    .join('')}--${BOUNDARY}--\r\n`;
}

export function featuresTypeOf(body: string): string {
  return body.startsWith('--') ? `multipart/mixed;boundary=${BOUNDARY}` : FEATURES_TYPE;
}

/** The text in the first element of this name, with a prefix or without; '' for nothing. */
function element(body: string, name: string): string {
  for (let at = body.indexOf(name); at >= 0; at = body.indexOf(name, at + 1)) {
    const [before, after] = [body[at - 1], body[at + name.length]];
    if ((before !== '<' && before !== ':') || (after !== '>' && after !== ' ')) continue;
    const start = body.indexOf('>', at) + 1;
    const end = start === 0 ? -1 : body.indexOf('<', start);
    return end < 0 ? '' : body.slice(start, Math.min(end, start + 128)).trim();
  }
  return '';
}

/** May this SUBSCRIBE set something? A status when it may not. */
export function featuresRefuse(m: SipMessage, aor: string, watcher: string): number {
  if (aor !== watcher) return 403;
  return m.body !== '' && m.contentType !== FEATURES_TYPE ? 415 : 0;
}

/** Does what the body of a SUBSCRIBE asks for. */
export function setFeatures(cx: Context, body: string, device: string): void {
  if (/<(?:\w{1,16}:)?SetDoNotDisturb\b/.test(body)) {
    const doNotDisturbOn = element(body, 'doNotDisturbOn') === 'true';
    setDoNotDisturb(cx, { device, doNotDisturbOn });
  } else if (/<(?:\w{1,16}:)?SetForwarding\b/.test(body)) forward(cx, body, device);
  else if (/<(?:\w{1,16}:)?SetAgentState\b/.test(body)) askAgent(cx, body, device);
}

function forward(cx: Context, body: string, device: string): void {
  const asked = element(body, 'forwardingType');
  const forwardingType = FORWARDING_TYPES.find((type) => type === asked);
  if (forwardingType === undefined) return;
  const to = element(body, 'forwardDN');
  const rings = Number(element(body, 'ringCount'));
  setForwarding(cx, {
    device,
    forwardingType,
    activateForward: element(body, 'activateForward') === 'true',
    forwardDN: to.includes(':') ? unescapeUser(userOf(to)) : to,
    ...(rings > 0 ? { ringDuration: Math.min(180, Math.round(rings * RING_S)) } : {}),
  });
}

/** Who asks for a state while nobody is logged on at the device, and says who he is, logs on first. */
function askAgent(cx: Context, body: string, device: string): void {
  const asked = element(body, 'requestedAgentState');
  const requestedState = REQUESTED_STATES.find((state) => state === asked);
  if (requestedState === undefined) return;
  const agentId = element(body, 'agentID') || agentAt(cx, device)?.agent;
  if (agentId === undefined) return;
  const who = { agentId, device };
  const logsOn = requestedState !== 'loggedOff' && agentAt(cx, device) === undefined;
  if (logsOn || requestedState === 'loggedOn') {
    const password = element(body, 'password');
    const done = setAgentState(cx, { ...who, password, requestedState: 'loggedOn' });
    if ('refused' in done || requestedState === 'loggedOn') return;
  }
  const reason = element(body, 'AgentNotReadyReasonValue');
  setAgentState(cx, { ...who, requestedState, reason });
}
