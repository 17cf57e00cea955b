/**
 * TLS for SIP and for WebSocket: what the pair shows, whom it believes, and how both are read again
 * while connections stand. The servers have no port: connections are handed to them by
 * `emit('connection', socket)`. Session tickets are sealed under a key derived from the pair key, so
 * a phone that comes back to the other box resumes its session: no signature, no certificate.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import {
  connect,
  createSecureContext,
  createServer,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
} from 'node:tls';
import { LIMITS } from '../base/limits.ts';
import { derive } from '../wire/derive.ts';
import { type Identity, identityFault, ownIdentity } from './certificate.ts';
import type { SecureListener, StreamConfig } from './config-streams.ts';
import { nameFault } from './server-name.ts';

/** 16 bytes name, 16 for the MAC, 16 for the cipher. */
const TICKET_KEY_BYTES = 48;
const DAY_MS = 86_400_000;
/** At most 32 letters with what is added. */
const SESSIONS = 'sipair';
/** TLS 1.2: phones of ten years ago. */
const OLDEST = 'TLSv1.2';

/**
 * Both boxes have the same key of the day without a word between them. A ticket is good for that
 * day only: what the key opens, should it become known, is little.
 */
export function ticketKeys(pairKey: Uint8Array, now: number): Buffer {
  const day = dayOf(now);
  const parts = [
    derive(pairKey, 'sip tickets', `${day} 1`),
    derive(pairKey, 'sip tickets', `${day} 2`),
  ];
  return Buffer.concat(parts).subarray(0, TICKET_KEY_BYTES);
}

/** Who may sign certificates. Throws on a file without any, which OpenSSL takes without a word. */
function signersIn(path: string): string {
  const text = readFileSync(path, 'utf8');
  new X509Certificate(text);
  return text;
}

/** A ticket is good only under those who might have signed the certificate it was given for. Both boxes have the same file. */
function believing(signers: string | undefined): SecureContextOptions {
  if (signers === undefined) return { sessionIdContext: SESSIONS };
  const digest = createHash('sha256').update(signers).digest('hex').slice(0, 16);
  return { ca: signers, sessionIdContext: `${SESSIONS} ${digest}` };
}

/** What a secure server shows, or why it cannot. */
export type Shown = { readonly options: SecureContextOptions } | { readonly fault: string };

/** Reads and verifies what a listener shows; one that has ended is shown, rather than nothing: an alarm says it. */
export function shownBy(
  listener: SecureListener,
  pairKey: Uint8Array,
  vips: readonly string[],
  now: number,
): Shown {
  try {
    const { certificate, key, ca } = listener;
    const identity: Identity =
      certificate === ''
        ? ownIdentity(pairKey, vips)
        : { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
    const fault = identityFault(identity);
    if (fault !== '') return { fault: `${certificate === '' ? 'own' : certificate}: ${fault}` };
    const options: SecureContextOptions = {
      cert: identity.certificate,
      key: identity.key,
      minVersion: OLDEST,
      ticketKeys: ticketKeys(pairKey, now),
      ...believing(ca === '' ? undefined : signersIn(ca)),
    };
    // throws on what OpenSSL does not take
    createSecureContext(options);
    return { options };
  } catch (e) {
    return { fault: (e as Error).message };
  }
}

export type SecureEvents = {
  readonly ready: (which: Secured, socket: TLSSocket) => void;
  /** A handshake failed. */
  readonly refused: (which: Secured, why: string) => void;
};

/** The two servers inside TLS: SIP, and WebSocket. */
export type Secured = 'tls' | 'wss';
const SECURED: readonly Secured[] = ['tls', 'wss'];
/** Until it was said whom to believe. */
const NOBODY = createSecureContext({ minVersion: OLDEST, ca: [] });

/**
 * Servers and clients inside TLS, with what they show and believe. A file that cannot be used keeps neither the box from starting
 * nor the rest of a configuration from coming into force: what was shown before stays, and who has nothing to show ends connections.
 */
export class Secure {
  private readonly streams: StreamConfig;
  private readonly pairKey: Uint8Array;
  private readonly vips: readonly string[];
  private readonly events: SecureEvents;
  private readonly servers: { [w in Secured]?: Server } = {};
  private client = NOBODY;
  /** What phones see by TLS, for servers who ask for a certificate of ours. */
  private own: SecureContextOptions | undefined;
  private day: number;

  constructor(
    streams: StreamConfig,
    pairKey: Uint8Array,
    vips: readonly string[],
    events: SecureEvents,
  ) {
    this.streams = streams;
    this.pairKey = pairKey;
    this.vips = vips;
    this.events = events;
    this.day = dayOf(Date.now());
  }

  /** Begins the handshake on a connection that was accepted. */
  shake(which: Secured, raw: Socket): void {
    const server = this.servers[which];
    if (server === undefined) raw.destroy();
    else server.emit('connection', raw);
  }

  /** Begins the handshake on a connection of ours. @param wanted all of whom the server must be. */
  greet(raw: Socket, wanted: readonly string[]): TLSSocket {
    const { insecure } = this.streams.outgoing;
    // an address is no server name (RFC 6066 3), but it is looked for in the certificate
    const servername = wanted.find((name) => isIP(name.replace(/^\[|\]$/g, '')) === 0) ?? '';
    return connect({
      socket: raw,
      secureContext: this.client,
      servername,
      rejectUnauthorized: !insecure,
      checkServerIdentity: (_, certificate) => nameFault(wanted, certificate),
    });
  }

  /**
   * Reads the files, at the start and when they are others. Connections stay: each keeps what it began with.
   * @returns what cannot be used, '' for nothing.
   */
  read(): string {
    const faults: string[] = [];
    for (const which of SECURED) {
      const listener = this.streams[which];
      if (listener === undefined) continue;
      const one = shownBy(listener, this.pairKey, this.vips, Date.now());
      if ('fault' in one) faults.push(`${which}: ${one.fault}`);
      else {
        if (which === 'tls') this.own = one.options;
        const server = this.servers[which];
        if (server !== undefined) server.setSecureContext(one.options);
        else this.servers[which] = serverOf(which, one.options, listener.mutual, this.events);
      }
    }
    try {
      this.client = clientContext(this.streams.outgoing, this.own);
    } catch (e) {
      faults.push(`outgoing: ${(e as Error).message}`);
    }
    return faults.join('; ');
  }

  /** Tickets of another day are under another key. */
  rotate(now: number): void {
    if (dayOf(now) === this.day) return;
    this.day = dayOf(now);
    for (const which of SECURED) {
      this.servers[which]?.setTicketKeys(ticketKeys(this.pairKey, now));
    }
  }
}

function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

function serverOf(
  which: Secured,
  options: SecureContextOptions,
  mutual: boolean,
  events: SecureEvents,
): Server {
  const server = createServer({
    ...options,
    requestCert: mutual,
    rejectUnauthorized: mutual,
    handshakeTimeout: LIMITS.flowHelloMs,
  });
  server.on('secureConnection', (socket) => events.ready(which, socket));
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    socket.destroy();
    events.refused(which, error.code ?? error.message);
  });
  return server;
}

/**
 * What connections of ours believe and show. Without a CA of the operator's it is the runtime's list,
 * which is Mozilla's.
 */
export function clientContext(
  outgoing: StreamConfig['outgoing'],
  shown: SecureContextOptions | undefined,
): SecureContext {
  return createSecureContext({
    minVersion: OLDEST,
    ...(outgoing.ca === '' ? {} : { ca: signersIn(outgoing.ca) }),
    // who asks for a certificate of ours gets the one that our phones see
    ...(shown?.cert === undefined ? {} : { cert: shown.cert, key: shown.key as string }),
  });
}
