/**
 * What we use of the npm package raw-socket 1.8.1, which has no types of its own. `wrap` is its
 * native half: not in its documentation, and used for one thing, see `raw.ts`.
 */
declare module 'raw-socket' {
  import type { Buffer } from 'node:buffer';

  type SocketOptions = {
    /** 1 IPv4, 2 IPv6. */
    readonly addressFamily?: number;
    readonly protocol?: number;
    /** Longer packets are cut off; 4096 unless given. */
    readonly bufferSize?: number;
  };

  interface SocketWrap {
    /** One sendto, now. Throws an Error whose text is strerror's. */
    send(
      bytes: Buffer,
      offset: number,
      length: number,
      address: string,
      done: (sent: number) => void,
    ): void;
  }

  interface Socket {
    readonly wrap: SocketWrap;
    /** `bytes` is valid during the call only. IPv4 packets come with their IP header. */
    on(event: 'message', listener: (bytes: Buffer, source: string) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
    /** Throws an Error whose text is strerror's. */
    setOption(level: number, option: number, value: number): void;
    setOption(level: number, option: number, value: Buffer, length: number): void;
    close(): this;
  }

  /** Throws an Error whose text is strerror's. */
  function createSocket(options: SocketOptions): Socket;
}
