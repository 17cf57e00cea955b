/**
 * Whether a server is who it should be (RFC 5922 7): its certificate must name the host of the URI that
 * led to it, not the name a name service led to on the way. Wildcards name nobody (7.2). Everybody else
 * whom we connect to is known by address: then that is looked for.
 */

import { isIP } from 'node:net';
import type { PeerCertificate } from 'node:tls';

/** subjectAltName of a certificate as the runtime prints it: `DNS:a.test, URI:sip:b.test, IP Address:…`. */
type Names = {
  readonly any: boolean;
  readonly hosts: ReadonlySet<string>;
  readonly ips: ReadonlySet<string>;
};

/** An address in one spelling. */
function plainIp(ip: string): string {
  return isIP(ip) === 6 ? new URL(`http://[${ip}]/`).hostname.slice(1, -1) : ip;
}

function namesOf(text: string): Names {
  const hosts = new Set<string>();
  const ips = new Set<string>();
  // what holds commas or quotes is quoted, and no name of a host
  for (const part of text.split(', ')) {
    const colon = part.indexOf(':');
    const [kind, value] = [part.slice(0, colon), part.slice(colon + 1).toLowerCase()];
    if (kind === 'DNS') hosts.add(value);
    else if (kind === 'IP Address') ips.add(plainIp(value));
    // 7.1: "sip" URIs without a user part
    else if (kind === 'URI' && /^sip:[^@;?:]+$/.test(value)) hosts.add(value.slice(4));
  }
  return { any: text !== '', hosts, ips };
}

/** Why a certificate is not that of all of `wanted` (hosts of URIs, or addresses); undefined: it is. */
export function nameFault(
  wanted: readonly string[],
  certificate: PeerCertificate,
): Error | undefined {
  const names = namesOf(certificate.subjectaltname ?? '');
  // 7.1: the common name counts only where there is nothing else
  const cn = names.any ? '' : String(certificate.subject?.CN ?? '').toLowerCase();
  for (const name of wanted) {
    const host = name.toLowerCase().replace(/^\[|\]$/g, '');
    const ip = isIP(host) !== 0;
    const known = ip ? names.ips.has(plainIp(host)) : names.hosts.has(host) || cn === host;
    if (!known) {
      const shown = certificate.subjectaltname ?? `CN ${certificate.subject?.CN ?? ''}`;
      return new Error(`its certificate is not that of ${name}, but of ${shown.slice(0, 200)}`);
    }
  }
  return undefined;
}
