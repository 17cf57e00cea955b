/** Where programs connect (CTI): `cti: {enabled, port, tlsPort, periodMs, misses}`. */

import type { Checker, Json } from './config.ts';

export type CtiSettings = {
  /** false: there are no programs, and calls are kept for SIP alone. The same on both boxes. */
  readonly enabled: boolean;
  /** WebSocket at each box's own addresses; inside TLS. 0: not served. */
  readonly port: number;
  readonly tlsPort: number;
  /** Either side says something this often; silent for `misses` of these it is dead. */
  readonly periodMs: number;
  readonly misses: number;
};

export function ctiOf(c: Checker, j: Json): CtiSettings {
  const given = c.optional(j, 'cti', '') ?? {};
  c.known(given, 'cti.', ['enabled', 'port', 'tlsPort', 'periodMs', 'misses']);
  const cti = {
    enabled: given['enabled'] === undefined ? true : c.flag(given, 'enabled', 'cti.'),
    port: c.whole(given, 'port', 'cti.', 0, 65_535, 8088),
    tlsPort: c.whole(given, 'tlsPort', 'cti.', 0, 65_535, 0),
    periodMs: c.whole(given, 'periodMs', 'cti.', 100, 60_000, 1000),
    misses: c.whole(given, 'misses', 'cti.', 2, 20, 3),
  };
  if (cti.port !== 0 && cti.port === cti.tlsPort) {
    c.wrong('cti.tlsPort', 'config-choice', 'two servers at one port');
  }
  return cti;
}
