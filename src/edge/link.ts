/**
 * The crossover stream of the mirror. Box a listens, box b connects and tries again; which of them
 * is primary does not matter. One connection at a time: a new one replaces the old.
 */

import type { Millis } from '../base/units.ts';
import { type Config, MIRROR_PORT } from './config.ts';
import { isOsError, netlite } from './native/netlite.ts';
import { StreamListener, StreamSocket } from './tcp.ts';

export type LinkEvents = {
  readonly up: () => void;
  /** Valid during the call only. */
  readonly data: (bytes: Uint8Array) => void;
  readonly down: () => void;
};

const RETRY_MS: Millis = 200;
/** Sent bytes unacknowledged for so long: the cable is gone though nobody said so. */
const SILENT_MS: Millis = 2000;
/** The ring holds more: a peer this far behind is brought up by a new join. */
const PENDING_BYTES = 64 * 1024 * 1024;
const READ_BYTES = 256 * 1024;
const SHAPE = {
  pendingMax: PENDING_BYTES,
  readBytes: READ_BYTES,
  userTimeoutMs: SILENT_MS,
  keepaliveS: 1,
};

export class Link {
  private readonly config: Config;
  private readonly events: LinkEvents;
  private socket: StreamSocket | undefined;
  private standing = false;
  private retry: NodeJS.Timeout | undefined;

  constructor(config: Config, events: LinkEvents) {
    this.config = config;
    this.events = events;
    if (config.box === 'a') this.listen();
    else this.connect();
  }

  write(bytes: Uint8Array): void {
    if (!this.standing || this.socket === undefined) return;
    // a peer that takes nothing for 64 MB is not a peer
    if (!this.socket.write(bytes)) this.drop();
  }

  /** Ends the connection; `down` follows. */
  drop(): void {
    this.socket?.close();
    this.ended();
  }

  private listen(): void {
    const { crossover } = this.config;
    const listener = StreamListener.open(
      { ip: crossover.address, port: MIRROR_PORT, freebind: true, device: crossover.interface },
      (fd) => this.accept(fd),
    );
    if (isOsError(listener)) {
      throw new Error(`start-failed: crossover-socket: ${listener.osError} (${listener.call})`);
    }
  }

  private accept(fd: number): void {
    if (this.socket !== undefined) this.drop();
    const socket = StreamSocket.accepted(fd, this.streamEvents(), SHAPE);
    if (isOsError(socket)) {
      netlite.close(fd);
      return;
    }
    this.socket = socket;
    this.stands();
  }

  private connect(): void {
    const { crossover } = this.config;
    const socket = StreamSocket.connect(
      {
        ...SHAPE,
        ip: crossover.peerAddress,
        port: MIRROR_PORT,
        localIp: crossover.address,
        device: crossover.interface,
      },
      this.streamEvents(),
    );
    if (isOsError(socket)) this.tryAgain();
    else this.socket = socket;
  }

  private streamEvents(): {
    onOpen: () => void;
    onData: (bytes: Uint8Array) => void;
    onClose: () => void;
  } {
    return {
      onOpen: () => this.stands(),
      onData: (bytes) => this.events.data(bytes),
      onClose: () => this.ended(),
    };
  }

  private stands(): void {
    this.standing = true;
    this.events.up();
  }

  private ended(): void {
    this.socket = undefined;
    if (this.standing) {
      this.standing = false;
      this.events.down();
    }
    this.tryAgain();
  }

  private tryAgain(): void {
    if (this.config.box !== 'b' || this.retry !== undefined) return;
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.connect();
    }, RETRY_MS);
  }
}
