/**
 * Asks witnesses: ICMP echo from this box, on one interface, IPv4 and IPv6. An answer proves that
 * the cable carries both ways; carrier alone does not.
 *
 * Every request has the identifier of this process, a sequence number and eight octets drawn at
 * random when it was opened. A reply counts when it has all of them, and is to one of the last
 * requests: a reply to another program, a forged one, or an old one is nobody's word.
 */

import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { constants } from 'node:os';
import process from 'node:process';
import { isFault } from '../base/fault.ts';
import { decodeEcho, encodeEcho } from '../wire/icmp.ts';
import { type Family, ipCanonical, ipFamily, ipText } from '../wire/ip.ts';
import type { OsError } from './native/netlite.ts';
import { isOsError, osError } from './native/netlite.ts';
import { type RawSetting, RawSocket } from './raw.ts';

const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ICMP6_FILTER = 1;
const ECHO_REPLY = 0;
const ECHO_REPLY_6 = 129;

const COOKIE_BYTES = 8;
/** Requests, to whomever, whose replies still count. */
const RECENT = 64;
const IPV4_HEAD = 20;
const { EAFNOSUPPORT } = constants.errno;

export class Pinger {
  readonly #identifier = process.pid & 0xffff;
  readonly #cookie = randomBytes(COOKIE_BYTES);
  readonly #onEcho: (ip: string) => void;
  readonly #address: string;
  readonly #sockets = new Map<Family, RawSocket>();
  #sequence = 0;

  private constructor(address: string, onEcho: (ip: string) => void) {
    this.#address = address;
    this.#onEcho = onEcho;
  }

  /**
   * @param address the box's own IPv4 address there: a reply to another one is not to us. IPv6
   * requests have the source that the kernel chooses.
   * @param onEcho gets the address (canonical) of whoever answered
   */
  static open(ifname: string, address: string, onEcho: (ip: string) => void): Pinger | OsError {
    const pinger = new Pinger(address, onEcho);
    const four = RawSocket.open({ family: 4, protocol: IPPROTO_ICMP, ifname }, [only4()], (bytes) =>
      pinger.#heard4(bytes),
    );
    if (isOsError(four)) return four;
    pinger.#sockets.set(4, four);
    const six = RawSocket.open(
      { family: 6, protocol: IPPROTO_ICMPV6, ifname },
      [only6()],
      (bytes, from) => pinger.#heard(6, from, bytes),
    );
    // A box without IPv6 is a box with one family.
    if (isOsError(six) && six.errno === EAFNOSUPPORT) return pinger;
    if (isOsError(six)) {
      pinger.close();
      return six;
    }
    pinger.#sockets.set(6, six);
    return pinger;
  }

  /** Asks once. @returns undefined when the kernel has the request. */
  ping(ip: string): OsError | undefined {
    const family = ipFamily(ip);
    const socket = family === undefined ? undefined : this.#sockets.get(family);
    if (family === undefined || socket === undefined) return osError('ping', -EAFNOSUPPORT);
    this.#sequence = (this.#sequence + 1) & 0xffff;
    const request = encodeEcho(family, {
      op: 'request',
      identifier: this.#identifier,
      sequence: this.#sequence,
      data: this.#cookie,
    });
    return socket.send(request, ip);
  }

  /** May be called twice. */
  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
  }

  #heard4(bytes: Uint8Array): void {
    const head = ((bytes[0] ?? 0) & 0x0f) * 4;
    if (head < IPV4_HEAD || bytes.length < head) return;
    if (ipText(bytes.subarray(16, 20)) !== this.#address) return;
    this.#heard(4, ipText(bytes.subarray(12, 16)), bytes.subarray(head));
  }

  #heard(family: Family, from: string, bytes: Uint8Array): void {
    const echo = decodeEcho(family, bytes);
    if (isFault(echo) || echo.op !== 'reply' || echo.identifier !== this.#identifier) return;
    if (!this.#cookie.equals(echo.data)) return;
    if (((this.#sequence - echo.sequence) & 0xffff) >= RECENT) return;
    this.#onEcho(ipCanonical(from) ?? from);
  }
}

/** A set bit keeps that type out (icmp(7)). */
function only4(): RawSetting {
  return [SOL_RAW, ICMP_FILTER, ~(1 << ECHO_REPLY) >>> 0];
}

/** 256 bits, and a set one keeps that type out (RFC 3542 3.2). */
function only6(): RawSetting {
  const filter = Buffer.alloc(32, 0xff);
  const at = 4 * (ECHO_REPLY_6 >> 5);
  filter.writeUInt32LE(~(1 << (ECHO_REPLY_6 & 31)) >>> 0, at);
  return [IPPROTO_ICMPV6, ICMP6_FILTER, filter];
}
