// Session descriptions (RFC 8866) as offer/answer needs them (RFC 3264): origin, connection, media
// with direction. Lines that offer/answer does not touch are carried verbatim, so that a
// description can be parsed, edited and written without loss. CRLF and bare LF both end a line (RFC
// 8866 5).

import { decimal } from './chars.ts';
import { type SipFault, sipFault } from './faults.ts';
import { LIMITS } from './limits.ts';

export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/**
 * The o= line. `sessId` and `sessVersion` are numbers too large for a number, so they are texts.
 */
export type SdpOrigin = {
  readonly user: string;
  readonly sessId: string;
  readonly sessVersion: string;
  readonly net: string;
  readonly addrType: string;
  readonly addr: string;
};

/** A c= line; `addr` as given, with a TTL suffix if it has one. */
export type SdpConnection = {
  readonly net: string;
  readonly addrType: string;
  readonly addr: string;
};

export type SdpMedia = {
  readonly type: string;
  /** 0 refuses or disables the stream. */
  readonly port: number;
  /** Number of ports, 1 unless the line says `port/n`. */
  readonly ports: number;
  readonly proto: string;
  readonly formats: readonly string[];
  /** i=, b=, k= lines, complete without line end. */
  readonly extra: readonly string[];
  /** Own c= line; else the session's applies. */
  readonly connection: SdpConnection | undefined;
  /** Own attribute, else the session's, else sendrecv (RFC 3264 5.1). */
  readonly direction: SdpDirection;
  /** Attribute texts without `a=`, direction attributes left out. */
  readonly attributes: readonly string[];
};

export type Sdp = {
  readonly origin: SdpOrigin;
  /** s=, `-` when the line is missing or empty. */
  readonly name: string;
  /** i=, u=, e=, p= lines, complete without line end. */
  readonly info: readonly string[];
  readonly connection: SdpConnection | undefined;
  /** b= lines and then t=, r=, z=, k= lines, complete without line end. */
  readonly bandwidth: readonly string[];
  readonly times: readonly string[];
  /** Session attributes without `a=`, direction attributes left out. */
  readonly attributes: readonly string[];
  readonly media: readonly SdpMedia[];
};

const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'];

// The same shapes while they are being filled.
type Draft<T> = { -readonly [K in keyof T]: T[K] extends readonly string[] ? string[] : T[K] };
type MediaDraft = Draft<Omit<SdpMedia, 'direction'>> & { direction: SdpDirection | undefined };
type SessionDraft = Draft<Omit<Sdp, 'media' | 'origin'>> & {
  origin: SdpOrigin | undefined;
  direction: SdpDirection | undefined;
};

/**
 * Parses a session description. v= must be 0 and first, o= must be whole; s= and t= may be missing
 * (old devices). Fault `bad-sdp` with the offset of the line. Never throws.
 */
export function parseSdp(body: string): Sdp | SipFault {
  if (!body.startsWith('v=0')) return sipFault('bad-sdp', 0);
  const session: SessionDraft = {
    origin: undefined,
    name: '-',
    info: [],
    connection: undefined,
    bandwidth: [],
    times: [],
    attributes: [],
    direction: undefined,
  };
  const media: MediaDraft[] = [];
  let pos = 0;
  for (let lines = 0; pos < body.length; lines += 1) {
    if (lines >= LIMITS.sdpLines) return sipFault('bad-sdp', pos);
    let lf = body.indexOf('\n', pos);
    if (lf < 0) lf = body.length;
    const end = lf > pos && body.charCodeAt(lf - 1) === 13 ? lf - 1 : lf;
    if (end > pos) {
      if (end < pos + 2 || body.charCodeAt(pos + 1) !== 61) return sipFault('bad-sdp', pos);
      const value = body.slice(pos + 2, end);
      const type = body.charAt(pos);
      const ok =
        type === 'm'
          ? media.length < LIMITS.sdpMedia && addMedia(media, value)
          : media.length > 0
            ? mediaLine(media[media.length - 1] as MediaDraft, type, value)
            : sessionLine(session, type, value);
      if (!ok) return sipFault('bad-sdp', pos);
    }
    pos = lf + 1;
  }
  const { origin, direction, ...rest } = session;
  if (origin === undefined) return sipFault('bad-sdp', 0);
  const done = media.map((m) => ({ ...m, direction: m.direction ?? direction ?? 'sendrecv' }));
  return { origin, ...rest, media: done };
}

function sessionLine(s: SessionDraft, type: string, value: string): boolean {
  switch (type) {
    case 'v':
      return value === '0';
    case 'o':
      s.origin ??= parseOrigin(value);
      return s.origin !== undefined;
    case 's':
      s.name = value.trim() === '' ? '-' : value;
      return true;
    case 'c':
      s.connection ??= parseConnection(value);
      return s.connection !== undefined;
    case 'a':
      if (DIRECTIONS.includes(value)) s.direction = value as SdpDirection;
      else s.attributes.push(value);
      return true;
    case 'b':
      s.bandwidth.push(`b=${value}`);
      return true;
    case 't':
    case 'r':
    case 'z':
    case 'k':
      s.times.push(`${type}=${value}`);
      return true;
    default: // i, u, e, p; an unknown type is ignored (RFC 8866 5)
      if ('iuep'.includes(type)) s.info.push(`${type}=${value}`);
      return true;
  }
}

function mediaLine(m: MediaDraft, type: string, value: string): boolean {
  if (type === 'a') {
    if (DIRECTIONS.includes(value)) m.direction = value as SdpDirection;
    else m.attributes.push(value);
  } else if (type === 'c') {
    // Further c= lines of a section name more multicast addresses; the first one counts here.
    m.connection ??= parseConnection(value);
    return m.connection !== undefined;
  } else if ('ibk'.includes(type)) m.extra.push(`${type}=${value}`);
  return true;
}

function addMedia(media: MediaDraft[], value: string): boolean {
  const parts = words(value);
  const [type, ports, proto] = parts;
  if (type === undefined || ports === undefined || proto === undefined) return false;
  const slash = ports.indexOf('/');
  const port = decimal(ports, 0, slash < 0 ? ports.length : slash);
  const count = slash < 0 ? 1 : decimal(ports, slash + 1, ports.length);
  if (port < 0 || port > 65_535 || count < 1 || parts.length < 4) return false;
  media.push({
    type,
    port,
    ports: count,
    proto,
    formats: parts.slice(3),
    extra: [],
    connection: undefined,
    direction: undefined,
    attributes: [],
  });
  return true;
}

function words(value: string): string[] {
  return value.split(' ').filter((w) => w !== '');
}

function parseOrigin(value: string): SdpOrigin | undefined {
  const [user, sessId, sessVersion, net, addrType, addr] = words(value);
  if (user === undefined || sessId === undefined || sessVersion === undefined) return undefined;
  if (net === undefined || addrType === undefined || addr === undefined) return undefined;
  return { user, sessId, sessVersion, net, addrType, addr };
}

function parseConnection(value: string): SdpConnection | undefined {
  const [net, addrType, addr] = words(value);
  if (net === undefined || addrType === undefined || addr === undefined) return undefined;
  return { net, addrType, addr };
}

/** Writes a description with CRLF; each media section says its direction itself. */
export function formatSdp(sdp: Sdp): string {
  const o = sdp.origin;
  let out = `v=0\r\no=${o.user} ${o.sessId} ${o.sessVersion} ${o.net} ${o.addrType} ${o.addr}\r\n`;
  out += `s=${sdp.name}\r\n`;
  for (const l of sdp.info) out += `${l}\r\n`;
  if (sdp.connection !== undefined) out += formatConnection(sdp.connection);
  for (const l of sdp.bandwidth) out += `${l}\r\n`;
  for (const l of sdp.times.length > 0 ? sdp.times : ['t=0 0']) out += `${l}\r\n`;
  for (const a of sdp.attributes) out += `a=${a}\r\n`;
  for (const m of sdp.media) out += formatMedia(m);
  return out;
}

function formatMedia(m: SdpMedia): string {
  const ports = m.ports > 1 ? `${m.port}/${m.ports}` : `${m.port}`;
  let out = `m=${m.type} ${ports} ${m.proto} ${m.formats.join(' ')}\r\n`;
  for (const l of m.extra) if (l.startsWith('i=')) out += `${l}\r\n`;
  if (m.connection !== undefined) out += formatConnection(m.connection);
  for (const l of m.extra) if (!l.startsWith('i=')) out += `${l}\r\n`;
  for (const a of m.attributes) out += `a=${a}\r\n`;
  return `${out}a=${m.direction}\r\n`;
}

function formatConnection(c: SdpConnection): string {
  return `c=${c.net} ${c.addrType} ${c.addr}\r\n`;
}

/**
 * The body with session id and version of its o= line replaced and everything else untouched. A
 * body without a whole o= line is returned as it is.
 */
export function rewriteSdpOrigin(body: string, sessId: string, version: string): string {
  const at = body.startsWith('o=') ? 0 : body.indexOf('\no=') + 1;
  if (at === 0 && !body.startsWith('o=')) return body;
  const lf = body.indexOf('\n', at);
  const end = lf < 0 ? body.length : lf;
  const id = body.indexOf(' ', at);
  const ver = id < 0 ? -1 : body.indexOf(' ', id + 1);
  const rest = ver < 0 ? -1 : body.indexOf(' ', ver + 1);
  if (rest < 0 || rest >= end) return body;
  return `${body.slice(0, id)} ${sessId} ${version}${body.slice(rest)}`;
}
