/**
 * From a URI to an address to send to. Below the edge there is no name service, so only literal
 * addresses are followed; everything else goes back to where the other side's packets come from.
 */

import { isReliable, type Peer, type Transport } from '../../base/peer.ts';
import { canonicalIp6 } from '../../wire/ip6.ts';
import type { SipSettings } from '../context.ts';

const IPV4 = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/;
const MAPPED = '::ffff:';

/** [start, end) of host and the port (0: none) of a sip or sips URI. */
function hostAt(uri: string): readonly [number, number, number] {
  const colon = uri.indexOf(':');
  let end = uri.length;
  // "@" cannot stand in parameters or headers of a valid URI, so the last one ends the user part.
  const from = uri.lastIndexOf('@') + 1 || colon + 1;
  for (let i = from; i < uri.length; i += 1) {
    const c = uri.charCodeAt(i);
    if (c === 59 || c === 63) {
      end = i;
      break;
    }
  }
  const close = uri.charCodeAt(from) === 91 ? uri.indexOf(']', from) + 1 : 0;
  const hostEnd = uri.indexOf(':', close > 0 ? close : from);
  if (hostEnd < 0 || hostEnd >= end) return [from, end, 0];
  const port = Number.parseInt(uri.slice(hostEnd + 1, end), 10);
  return [from, hostEnd, port > 0 && port < 65_536 ? port : 0];
}

/** The transport a URI asks for (RFC 3261 19.1.1, 26.2.2); undefined for one nobody knows. */
function transportOf(uri: string, end: number): Transport | undefined {
  const secure = (uri.charCodeAt(3) | 32) === 115;
  const found = uri.length === end ? null : /;transport=([a-z]+)/i.exec(uri.slice(end));
  const name = found === null ? '' : (found[1] as string).toLowerCase();
  if (name === 'ws' || name === 'wss') return secure || name === 'wss' ? 'wss' : 'ws';
  if (secure || name === 'tls') return 'tls';
  if (name === '' || name === 'udp') return 'udp';
  return name === 'tcp' ? 'tcp' : undefined;
}

/**
 * The address a URI names literally, with the port its transport has by default (RFC 3263 4.2);
 * undefined for a name, or a transport nobody knows.
 */
export function literalHop(uri: string): Peer | undefined {
  const [start, end, port] = hostAt(uri);
  const host = uri.slice(start, end);
  const ip = addressIn(host);
  if (ip === undefined) return undefined;
  const transport = transportOf(uri, end);
  if (transport === undefined) return undefined;
  const usual = transport === 'tls' ? 5061 : 5060;
  return { transport, ip, port: port === 0 ? usual : port };
}

/** The one text of the address a host names; undefined when it is a name. */
function addressIn(host: string): string | undefined {
  if (host.charCodeAt(0) !== 91) return IPV4.test(host) ? host : undefined;
  const ip = host.endsWith(']') ? canonicalIp6(host.slice(1, -1)) : undefined;
  if (ip?.startsWith(MAPPED) !== true) return ip;
  const four = ip.slice(MAPPED.length);
  return IPV4.test(four) ? four : ip;
}

/**
 * Where to send to somebody who says `uri` and whose packets come from `source`. Behind a NAT what
 * he says is no use to us (`nat`: his Via says so); a name we cannot resolve is none either. Who came
 * by a connection is spoken to by it (RFC 5923).
 */
export function nextHop(settings: SipSettings, uri: string, source: Peer, nat: boolean): Peer {
  if (nat || isReliable(source.transport)) return source;
  const hop = literalHop(uri);
  // who names us, or nobody in particular, cannot be meant: he is where he speaks from
  if (hop === undefined || isOurs(settings, hop.ip) || isNobody(settings, hop.ip)) return source;
  return hop.ip !== source.ip && isNoPhone(hop) ? source : hop;
}

/** True for an address of the pair: the ones the world knows, and those of the boxes. */
export function isOurs(settings: SipSettings, ip: string): boolean {
  if (ip === settings.vip || (ip !== '' && ip === settings.vip6)) return true;
  return settings.own.length > 0 && settings.own.includes(ip);
}

/**
 * Where nobody is spoken to because a third party says so, or it could have us knock at every service
 * of a site: the well-known ports (RFC 6335 6), and addresses of a link (RFC 3927, RFC 4291 2.5.6).
 */
function isNoPhone(hop: Peer): boolean {
  return hop.port < 1024 || /^169\.254\.|^fe[89ab]/.test(hop.ip);
}

/** True for a port SIP is served at. */
export function isOurPort(s: SipSettings, port: number): boolean {
  return port === s.port || port === s.tlsPort || port === s.wsPort || port === s.wssPort;
}

/** Loopback, unspecified, multicast, broadcast: nothing is sent there because somebody says so. */
function isNobody(settings: SipSettings, ip: string): boolean {
  // a server on loopback serves loopback
  if (/^127\.|^::1$/.test(ip)) return !/^127\.|^::1$/.test(settings.vip);
  return /^0\.|^22[4-9]\.|^23\d\.|^255\.255\.255\.255$|^::$|^ff/i.test(ip);
}

/**
 * A Contact URI as a Request-URI: RFC 3261 19.1.5 and the table of 19.1.1 keep its headers out of a
 * request line.
 */
export function targetOf(uri: string): string {
  if (!uri.includes('?')) return uri;
  // "?" is legal in a user part.
  const headers = uri.indexOf('?', uri.lastIndexOf('@') + 1);
  return headers < 0 ? uri : uri.slice(0, headers);
}

/** User part of a sip, sips or tel URI, '' when it has none; password and parameters left out. */
export function userOf(uri: string): string {
  const colon = uri.indexOf(':');
  const at = uri.lastIndexOf('@');
  if (at < 0) {
    if (!/^tel:/i.test(uri)) return '';
    const semi = uri.indexOf(';');
    return uri.slice(colon + 1, semi < 0 ? uri.length : semi);
  }
  let end = at;
  for (let i = colon + 1; i < at; i += 1) {
    const c = uri.charCodeAt(i);
    if (c === 58 || c === 59) {
      end = i;
      break;
    }
  }
  return uri.slice(colon + 1, end);
}

/**
 * Offset of the "<" of a From, To, Contact or Route value; -1 when it has none. A quoted display name
 * before it and a quoted parameter behind it may hold brackets of their own.
 */
export function bracketAt(value: string): number {
  for (let p = 0; p < value.length; p += 1) {
    const c = value.charCodeAt(p);
    if (c === 60) return p;
    if (c === 59) return -1;
    if (c !== 34) continue;
    for (p += 1; p < value.length && value.charCodeAt(p) !== 34; p += 1) {
      if (value.charCodeAt(p) === 92) p += 1;
    }
  }
  return -1;
}

/** URI of a From, To, Contact or Route value (with or without brackets). */
export function uriOf(value: string): string {
  const lt = bracketAt(value);
  if (lt >= 0) {
    const gt = value.indexOf('>', lt);
    return value.slice(lt + 1, gt < 0 ? value.length : gt);
  }
  const semi = value.indexOf(';');
  return (semi < 0 ? value : value.slice(0, semi)).trim();
}
