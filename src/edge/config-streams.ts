/**
 * What the configuration says of SIP over streams:
 *
 *   sip: { port, tcp, tls: {port, certificate, key, ca, mutual}, ws: {port}, wss: {port},
 *          outgoing: {ca, insecure} }
 *
 * TCP is served at `sip.port` unless `tcp` is false. Without a certificate of its own the pair shows
 * one made from the pair key (`certificate.ts`). WSS shows the certificate of TLS; it has one itself
 * when browsers need another.
 */

import type { Checker, Json } from './config.ts';

/** A server that shows a certificate; '' for what was not given. */
export type SecureListener = {
  readonly port: number;
  readonly certificate: string;
  readonly key: string;
  /** Who may sign the certificates of clients. */
  readonly ca: string;
  /** Clients must show a certificate that `ca` has signed. */
  readonly mutual: boolean;
};

export type StreamConfig = {
  readonly tcp: boolean;
  readonly tls: SecureListener | undefined;
  readonly ws: { readonly port: number } | undefined;
  readonly wss: SecureListener | undefined;
  /** Connections of ours inside TLS: who signs certificates, '' for the system's; or nobody looks. */
  readonly outgoing: { readonly ca: string; readonly insecure: boolean };
};

const SIP = ['port', 'tcp', 'tls', 'ws', 'wss', 'outgoing', 'sessionExpiresS', 'minSeS'];

export function streamsOf(c: Checker, sip: Json): StreamConfig {
  c.known(sip, 'sip.', SIP);
  const tls = secureOf(c, sip, 'tls', 5061);
  const ws = c.optional(sip, 'ws', 'sip.');
  if (ws !== undefined) c.known(ws, 'sip.ws.', ['port']);
  const wss = secureOf(c, sip, 'wss', 8443);
  const outgoing = c.optional(sip, 'outgoing', 'sip.') ?? {};
  c.known(outgoing, 'sip.outgoing.', ['ca', 'insecure']);
  const streams: StreamConfig = {
    tcp: sip['tcp'] === undefined ? true : c.flag(sip, 'tcp', 'sip.'),
    tls,
    ws: ws === undefined ? undefined : { port: c.whole(ws, 'port', 'sip.ws.', 1, 65_535, 8080) },
    wss,
    outgoing: {
      ca: path(c, outgoing, 'ca', 'sip.outgoing.'),
      insecure: c.flag(outgoing, 'insecure', 'sip.outgoing.'),
    },
  };
  onePortEach(c, sip, streams);
  return streams;
}

function secureOf(
  c: Checker,
  sip: Json,
  name: 'tls' | 'wss',
  usual: number,
): SecureListener | undefined {
  const given = c.optional(sip, name, 'sip.');
  if (given === undefined) return undefined;
  const place = `sip.${name}.`;
  c.known(given, place, ['port', 'certificate', 'key', 'ca', 'mutual']);
  const listener: SecureListener = {
    port: c.whole(given, 'port', place, 1, 65_535, usual),
    certificate: path(c, given, 'certificate', place),
    key: path(c, given, 'key', place),
    ca: path(c, given, 'ca', place),
    mutual: c.flag(given, 'mutual', place),
  };
  if ((listener.certificate === '') !== (listener.key === '')) {
    c.wrong(`${place}key`, 'config-choice', 'certificate and key are given together');
  }
  if (listener.mutual && listener.ca === '') {
    c.wrong(`${place}ca`, 'config-missing', 'mutual needs a file of who signs client certificates');
  }
  return listener;
}

function path(c: Checker, parent: Json, key: string, place: string): string {
  return parent[key] === undefined ? '' : c.text(parent, key, place);
}

/** Two servers at one port would be one that starts and one that does not. */
function onePortEach(c: Checker, sip: Json, s: StreamConfig): void {
  const seen = new Set<unknown>([s.tcp ? (sip['port'] ?? 5060) : undefined]);
  for (const name of ['tls', 'ws', 'wss'] as const) {
    const port = s[name]?.port;
    if (port === undefined) continue;
    if (seen.has(port)) c.wrong(`sip.${name}.port`, 'config-choice', 'two servers at one port');
    seen.add(port);
  }
}
