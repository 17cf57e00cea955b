/**
 * One connection inside TLS 1.3 with a pre-shared key, over a descriptor whose options (device, user
 * timeout, keepalive) were set before. TLS is the runtime's; this file says which and what counts.
 *
 *   version   1.3 only, mode psk_dhe_ke: the pair key says who it is, an ephemeral key exchange makes
 *             what is recorded today unreadable to who steals the pair key tomorrow
 *   cipher    ChaCha20-Poly1305: constant time without AES instructions, and no limit of records
 *             under one key (AES-GCM has one, RFC 8446 5.5, a busy mirror reaches it in hours)
 *   key       derived from the pair key for this purpose
 *   identity  "sipair b", the box that connects
 *
 * No certificate is ever taken: a server that ignores the pre-shared key is refused whatever it
 * shows, and a client without it finds a server that has nothing to show.
 */

import { Socket } from 'node:net';
import { connect, createSecureContext, TLSSocket } from 'node:tls';

export type Side = 'server' | 'client';

export type Credentials = {
  readonly side: Side;
  /** 32 bytes, see `wire/derive.ts`. */
  readonly key: Uint8Array;
  /** Name of the client, told or expected. */
  readonly identity: string;
};

export type SecureEvents = {
  /** The other side has proved the key. */
  readonly onSecure: () => void;
  /** Bytes in clear, valid during the call only. */
  readonly onData: (bytes: Uint8Array) => void;
  /**
   * It ended: what to tell an operator of a failed handshake, '' after a good one. The last call,
   * and not made after a `close` of ours.
   */
  readonly onClose: (why: Failure) => void;
};

/** `alarm`: an operator has to do something. */
export type Failure = { readonly text: string; readonly alarm: boolean };

const FINE: Failure = { text: '', alarm: false };
const CIPHERS = 'TLS_CHACHA20_POLY1305_SHA256';
const VERSION = 'TLSv1.3';
/** The two sides of one refusal: what the server finds, and the alert that the client gets. */
const OTHER_KEY = ['ERR_SSL_BINDER_DOES_NOT_VERIFY', 'ERR_SSL_TLSV1_ALERT_DECRYPT_ERROR'];

export class SecureStream {
  /** The other side has proved the key. */
  secure = false;

  readonly #raw: Socket;
  readonly #tls: TLSSocket;
  readonly #events: SecureEvents;
  readonly #pendingMax: number;
  readonly #timer: NodeJS.Timeout;
  #ended = false;

  /**
   * Takes over a connected descriptor and begins the handshake.
   * @param pendingMax bytes that may wait for room in the kernel.
   * @param handshakeMs how long the handshake may take.
   */
  constructor(
    fd: number,
    who: Credentials,
    events: SecureEvents,
    pendingMax: number,
    handshakeMs: number,
  ) {
    this.#events = events;
    this.#pendingMax = pendingMax;
    this.#raw = new Socket({ fd, readable: true, writable: true });
    this.#tls = who.side === 'server' ? serve(this.#raw, who) : greet(this.#raw, who);
    const tls = this.#tls;
    tls.once(who.side === 'server' ? 'secure' : 'secureConnect', () => this.#proved());
    tls.on('error', (e: NodeJS.ErrnoException) => this.#finish(this.#failure(e.code ?? e.message)));
    tls.on('end', () => this.#finish(this.#failure('it was closed')));
    tls.on('close', () => this.#finish(this.#failure('it was closed')));
    this.#raw.on('error', (e) => this.#finish(this.#failure(e.message)));
    this.#timer = setTimeout(
      () => this.#finish(this.#failure(`it took longer than ${handshakeMs} ms`)),
      handshakeMs,
    );
  }

  /**
   * Sends the pieces, in order, in one go: one system call, and one TLS record for up to 16 KiB.
   * They may be used again on return.
   * @returns false when nothing was taken: ended, not secure, or too much waits already.
   */
  write(pieces: readonly Uint8Array[]): boolean {
    if (!this.secure || this.#ended) return false;
    const idle = this.#tls.writableLength === 0;
    // what is encrypted at once need not be copied; what waits must be
    const bytes = idle && pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
    if (this.#tls.writableLength + bytes.length > this.#pendingMax) return false;
    this.#tls.write(bytes);
    return true;
  }

  /** Ends it at once. No `onClose` follows. May be called twice. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#tls.destroy();
    this.#raw.destroy();
  }

  #proved(): void {
    if (this.#ended) return;
    // in TLS 1.3 the use of a pre-shared key is a resumption, and nothing else is
    if (!this.#tls.isSessionReused() || this.#tls.getProtocol() !== VERSION) {
      this.#finish(this.#failure('it was not by the pair key'));
      return;
    }
    this.secure = true;
    clearTimeout(this.#timer);
    this.#events.onSecure();
    this.#tls.on('data', (bytes: Uint8Array) => {
      if (!this.#ended) this.#events.onData(bytes);
    });
  }

  #failure(what: string): Failure {
    if (this.secure) return FINE;
    if (OTHER_KEY.includes(what)) {
      return { text: 'link-tls: the boxes do not have the same pair key', alarm: true };
    }
    return { text: `link-tls: no handshake with the peer: ${what}`, alarm: false };
  }

  #finish(why: Failure): void {
    if (this.#ended) return;
    this.close();
    this.#events.onClose(why);
  }
}

function serve(raw: Socket, who: Credentials): TLSSocket {
  return new TLSSocket(raw, {
    isServer: true,
    secureContext: createSecureContext({
      ciphers: CIPHERS,
      minVersion: VERSION,
      maxVersion: VERSION,
    }),
    pskCallback: (_socket: TLSSocket, identity: string) =>
      identity === who.identity ? who.key : null,
  } as ConstructorParameters<typeof TLSSocket>[1]);
}

function greet(raw: Socket, who: Credentials): TLSSocket {
  return connect({
    socket: raw,
    ciphers: CIPHERS,
    minVersion: VERSION,
    maxVersion: VERSION,
    // nobody is an authority here
    ca: [],
    pskCallback: () => ({ psk: who.key, identity: who.identity }),
    checkServerIdentity: () => new Error('the peer shows a certificate instead of the pair key'),
  });
}
