/**
 * The crossover stream of the mirror: TCP inside TLS under the pair key (`secure.ts`). Box a listens,
 * box b connects and tries again; which of them is primary does not matter. One connection stands at
 * a time: another replaces it only when it has proved the pair key, because then the peer has begun
 * anew and the old one is half open.
 *
 * Whoever else is on the cable costs an accept and a close: handshakes are begun only with the
 * peer's address, a few at once, a few a second, each with a time limit. (Somebody who takes the
 * peer's address on the cable itself can keep a new connection from being made, as somebody with
 * pliers can; the one that stands is not touched.)
 */

import type { Millis, Mono } from '../base/units.ts';
import { derive, type Purpose } from '../wire/derive.ts';
import { mono } from './clock.ts';
import { type Config, MIRROR_PORT } from './config.ts';
import { isOsError, netlite } from './native/netlite.ts';
import { type Credentials, type Failure, SecureStream } from './secure.ts';
import { StreamListener, StreamSocket } from './tcp.ts';

export type LinkEvents = {
  readonly up: () => void;
  /** Valid during the call only. */
  readonly data: (bytes: Uint8Array) => void;
  readonly down: () => void;
  /** Something an operator should read; the same thing at most once in ten seconds. */
  readonly trouble: (failure: Failure) => void;
};

/** Two ends of the cable, and what they share. */
export type LinkConfig = Pick<Config, 'box' | 'crossover'> & {
  readonly node: { readonly pair: { readonly key: Uint8Array } };
};

/** What a link is for: the mirror's, or the system agents'. */
export type LinkUse = {
  readonly port: number;
  readonly purpose: Purpose;
  /** How long a handshake may take. */
  readonly handshakeMs: Millis;
};

/** Of an engine that does nothing long: a peer that takes longer has no time for calls either. */
const MIRROR: LinkUse = { port: MIRROR_PORT, purpose: 'crossover tls', handshakeMs: 2000 };

const RETRY_MS: Millis = 200;
/** After a handshake that failed: it would fail again. */
const REFUSED_RETRY_MS: Millis = 1000;
/** Sent bytes unacknowledged for so long: the cable is gone though nobody said so. */
const SILENT_MS: Millis = 2000;
const KEEPALIVE_S = 1;
/** The ring holds more: a peer this far behind is brought up by a new join. */
const PENDING_BYTES = 64 * 1024 * 1024;
/** Handshakes at once; a further one ends the oldest. */
const HANDSHAKES = 4;
/** Handshakes begun in a second. */
const HANDSHAKE_RATE = 10;
const TELL_MS: Millis = 10_000;
/** Different failures remembered as told. */
const TOLD_MAX = 32;
const STRANGER: Failure = {
  text: 'link-stranger: somebody who has not the address of the peer connects to the crossover',
  alarm: false,
};
const FLOOD: Failure = { text: 'link-flood: too many connections on the crossover', alarm: false };

export class Link {
  private readonly config: LinkConfig;
  private readonly port: number;
  private readonly handshakeMs: Millis;
  private readonly events: LinkEvents;
  private readonly who: Credentials;
  private standing: SecureStream | undefined;
  /** Connections whose handshake is under way, the oldest first. */
  private readonly shaking: SecureStream[] = [];
  private readonly begun: Mono[] = [];
  private readonly told = new Map<string, Mono>();
  private queued: Uint8Array[] = [];
  private listener: StreamListener | undefined;
  private closed = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(config: LinkConfig, events: LinkEvents, use: LinkUse = MIRROR) {
    this.config = config;
    this.port = use.port;
    this.handshakeMs = use.handshakeMs;
    this.events = events;
    this.who = {
      side: config.box === 'a' ? 'server' : 'client',
      key: derive(config.node.pair.key, use.purpose),
      identity: 'sipair b',
    };
    if (config.box === 'a') this.listen();
    else this.connect();
  }

  /** The bytes leave with the next `flush`, and are not changed before. */
  write(bytes: Uint8Array): void {
    if (this.standing !== undefined) this.queued.push(bytes);
  }

  /** Sends what was written in this turn. */
  flush(): void {
    if (this.queued.length === 0) return;
    const pieces = this.queued;
    this.queued = [];
    // a peer that takes nothing for 64 MB is not a peer
    if (this.standing?.write(pieces) === false) this.drop();
  }

  /** Ends the connection; `down` follows. */
  drop(): void {
    const old = this.standing;
    if (old === undefined) return;
    old.close();
    this.ended(old);
  }

  /** The end of the link and of its listener. `down` follows when it stood. */
  close(): void {
    this.closed = true;
    this.listener?.close();
    clearTimeout(this.retry);
    for (const stream of this.shaking.splice(0)) stream.close();
    this.drop();
  }

  private listen(): void {
    const { crossover } = this.config;
    const listener = StreamListener.open(
      { ip: crossover.address, port: this.port, freebind: true, device: crossover.interface },
      (fd) => this.accept(fd),
    );
    if (isOsError(listener)) {
      throw new Error(`start-failed: crossover-socket: ${listener.osError} (${listener.call})`);
    }
    this.listener = listener;
  }

  private accept(fd: number): void {
    const peer = netlite.peerName(fd);
    const known =
      typeof peer === 'string' && peer.startsWith(`${this.config.crossover.peerAddress} `);
    if (!known || !this.mayBegin()) {
      netlite.close(fd);
      this.tell(known ? FLOOD : STRANGER);
      return;
    }
    netlite.setUserTimeout(fd, SILENT_MS);
    netlite.keepalive(fd, KEEPALIVE_S, KEEPALIVE_S, 3);
    if (netlite.release(fd) === 0) this.shake(fd);
  }

  /** Whether one more handshake may begin now. */
  private mayBegin(): boolean {
    const now = mono();
    while (this.begun.length > 0 && now - (this.begun[0] as Mono) >= 1000) this.begun.shift();
    if (this.begun.length >= HANDSHAKE_RATE) return false;
    this.begun.push(now);
    return true;
  }

  private connect(): void {
    const { crossover } = this.config;
    const socket = StreamSocket.connect(
      {
        ip: crossover.peerAddress,
        port: this.port,
        localIp: crossover.address,
        device: crossover.interface,
        userTimeoutMs: SILENT_MS,
        keepaliveS: KEEPALIVE_S,
        readBytes: 1,
      },
      {
        onOpen: () => {
          const fd = (socket as StreamSocket).release();
          if (isOsError(fd)) this.tryAgain(RETRY_MS);
          else this.shake(fd);
        },
        onData: () => {},
        onClose: () => this.tryAgain(RETRY_MS),
      },
    );
    if (isOsError(socket)) this.tryAgain(RETRY_MS);
  }

  private shake(fd: number): void {
    if (this.shaking.length >= HANDSHAKES) {
      this.shaking.shift()?.close();
      this.tell(FLOOD);
    }
    const stream = new SecureStream(
      fd,
      this.who,
      {
        onSecure: () => this.stands(stream),
        onData: (bytes) => {
          if (this.standing === stream) this.events.data(bytes);
        },
        onClose: (why) => this.ended(stream, why),
      },
      PENDING_BYTES,
      this.handshakeMs,
    );
    this.shaking.push(stream);
  }

  private stands(stream: SecureStream): void {
    this.forget(stream);
    this.drop();
    this.standing = stream;
    this.events.up();
  }

  private ended(stream: SecureStream, why?: Failure): void {
    this.forget(stream);
    const refused = why !== undefined && why.text !== '';
    if (refused) this.tell(why);
    if (this.standing === stream) {
      this.standing = undefined;
      this.queued = [];
      this.events.down();
    }
    this.tryAgain(refused ? REFUSED_RETRY_MS : RETRY_MS);
  }

  private forget(stream: SecureStream): void {
    const at = this.shaking.indexOf(stream);
    if (at >= 0) this.shaking.splice(at, 1);
  }

  private tell(failure: Failure): void {
    const now = mono();
    if (now - (this.told.get(failure.text) ?? Number.NEGATIVE_INFINITY) < TELL_MS) return;
    if (this.told.size >= TOLD_MAX) this.told.clear();
    this.told.set(failure.text, now);
    this.events.trouble(failure);
  }

  private tryAgain(after: Millis): void {
    if (this.config.box !== 'b' || this.retry !== undefined || this.closed) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      if (this.standing === undefined) this.connect();
    }, after);
  }
}
