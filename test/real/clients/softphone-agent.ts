/**
 * JsSIP, the SIP softphone of web pages, as a process on the host `lan`: one JSON line in is a command,
 * one JSON line out what happened. `softphone.ts` is the other end. Node has a WebSocket of its own;
 * what else JsSIP wants of a browser is in `peer-connection.ts`.
 */

import { createInterface } from 'node:readline';
import jssip from 'jssip';
import type { RTCSession } from 'jssip/lib/RTCSession.js';
import type { RTCSessionEvent, UnRegisteredEvent } from 'jssip/lib/UA.js';
import { type Description, PeerConnection } from './peer-connection.ts';

export type SoftphoneCommand =
  | { readonly do: 'start'; readonly number: number; readonly url: string; readonly server: string }
  | { readonly do: 'call'; readonly number: number }
  | { readonly do: 'answer' | 'hold' | 'unhold' | 'hang-up' | 'register' }
  | { readonly do: 'refer'; readonly number: number };

/** `what` in the words of JsSIP: "registered", "accepted", "ended", "refer accepted", ... */
export type SoftphoneEvent = { readonly what: string; readonly why?: string };

Object.assign(globalThis, {
  window: { RTCPeerConnection: PeerConnection },
  RTCPeerConnection: PeerConnection,
  RTCSessionDescription: class {
    constructor(description: Description) {
      Object.assign(this, description);
    }
  },
});

const NO_MEDIA = { audio: false, video: false };
let ua: InstanceType<typeof jssip.UA> | undefined;
let server = '';
let session: RTCSession | undefined;

function tell(what: string, why?: unknown): void {
  process.stdout.write(`${JSON.stringify({ what, ...(why === undefined ? {} : { why }) })}\n`);
}

type Happening = {
  readonly originator?: string;
  readonly cause?: string;
  readonly message?: object | null;
};

function statusOf({ message }: Happening): unknown {
  return message && 'status_code' in message ? message.status_code : '';
}

function follow(one: RTCSession): void {
  session = one;
  for (const what of ['progress', 'accepted', 'confirmed', 'ended', 'failed', 'hold', 'unhold']) {
    one.on(what as 'ended', (event: Happening) => {
      tell(what, [event.originator, event.cause, statusOf(event)].join(' ').trim());
    });
  }
  tell(`${one.direction} call`, one.remote_identity.uri.user);
}

function start(number: number, url: string, domain: string): void {
  server = domain;
  const phone = new jssip.UA({
    sockets: [new jssip.WebSocketInterface(url)],
    uri: `sip:${number}@${domain}`,
    password: `pw-${number}`,
    register_expires: 120,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 2,
  });
  for (const what of ['connected', 'disconnected', 'registered', 'unregistered'] as const) {
    phone.on(what, () => tell(what));
  }
  phone.on('registrationFailed', (event: UnRegisteredEvent) => {
    tell('registrationFailed', `${event.cause} ${event.response?.status_code ?? ''}`);
  });
  phone.on('newRTCSession', (event: RTCSessionEvent) => follow(event.session));
  phone.start();
  ua = phone;
}

function transfer(one: RTCSession, number: number): void {
  const said =
    (what: string) => (event: { readonly status_line?: { readonly status?: unknown } }) =>
      tell(`refer ${what}`, event.status_line?.status ?? '');
  const names = ['requestSucceeded', 'requestFailed', 'trying', 'progress', 'accepted', 'failed'];
  const eventHandlers = Object.fromEntries(names.map((name) => [name, said(name)]));
  one.refer(`sip:${number}@${server}`, { eventHandlers });
}

function obey(command: SoftphoneCommand): void {
  if (command.do === 'start') {
    start(command.number, command.url, command.server);
    return;
  }
  if (command.do === 'register') {
    ua?.register();
    return;
  }
  if (command.do === 'call') {
    ua?.call(`sip:${command.number}@${server}`, { mediaConstraints: NO_MEDIA });
    return;
  }
  if (session === undefined) throw new Error(`no call to ${command.do}`);
  switch (command.do) {
    case 'answer':
      session.answer({ mediaConstraints: NO_MEDIA });
      return;
    case 'hold':
      if (!session.hold()) throw new Error('hold is refused by JsSIP');
      return;
    case 'unhold':
      if (!session.unhold()) throw new Error('unhold is refused by JsSIP');
      return;
    case 'hang-up':
      session.terminate();
      return;
    case 'refer':
      transfer(session, command.number);
      return;
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  try {
    obey(JSON.parse(line) as SoftphoneCommand);
  } catch (error) {
    tell('error', String(error));
  }
});
lines.on('close', () => process.exit(0));
