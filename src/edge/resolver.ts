/**
 * RFC 3263 by the name service: from a SIP URI to addresses, NAPTR → SRV → A and AAAA. Bounded: so many
 * questions at a time, each with an end; the same question asked twice is asked once. Failing over
 * along the list, drawing by weight and going on with old answers is done below, from rows.
 */

import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Transport } from '../base/peer.ts';
import type { Address, Resolved } from '../proto/context.ts';
import { isFault, parseUri, type SipUri } from '../sip-parser/index.ts';
import type { DnsSettings } from './config-site.ts';

/** What is asked of a name service; `Resolver` of node:dns has it, and tests have their own. */
export type NameService = {
  resolveNaptr(name: string): Promise<readonly Naptr[]>;
  resolveSrv(name: string): Promise<readonly Srv[]>;
  resolve4(name: string, o: { ttl: true }): Promise<readonly WithTtl[]>;
  resolve6(name: string, o: { ttl: true }): Promise<readonly WithTtl[]>;
};
type Naptr = {
  readonly flags: string;
  readonly service: string;
  readonly replacement: string;
  readonly order: number;
  readonly preference: number;
};
type Srv = {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
};
type WithTtl = { readonly address: string; readonly ttl: number };

/** Transports that can be used towards a neighbour. */
export type Usable = readonly Transport[];

/** node:dns tells no TTL of NAPTR and SRV: they are asked for again at least so often, seconds. */
const SRV_TTL_S = 300;
/** URIs being asked for at once, SRV targets looked at for one, addresses given back. */
const MOST = { questions: 64, targets: 8, addresses: 16 } as const;

const SERVICES: { readonly [service: string]: Transport } = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};
const SRV_PREFIX: { readonly [t in Transport]?: string } = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

/** "There is no such record" is an answer; anything else means that the name service failed. */
function isNone(e: unknown): boolean {
  const code = (e as { code?: string }).code;
  return code === 'ENOTFOUND' || code === 'ENODATA';
}

async function orNone<T>(answer: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await answer;
  } catch (e) {
    if (isNone(e)) return [];
    throw e;
  }
}

type Found = { readonly addresses: Address[]; ttlS: number };

/** One lookup, after RFC 3263 4.1 and 4.2. Rejects when the name service failed. */
async function look(dns: NameService, uri: SipUri, usable: Usable, six: boolean): Promise<Found> {
  const found: Found = { addresses: [], ttlS: 86_400 };
  const host = uri.host.startsWith('[') ? uri.host.slice(1, -1) : uri.host;
  const secure = uri.scheme === 'sips';
  const said = /;transport=(\w+)/i.exec(uri.params)?.[1]?.toLowerCase() as Transport | undefined;
  const asked = said === undefined ? undefined : secure ? 'tls' : said;
  if (isIP(host) !== 0 || uri.port !== 0) {
    // 4.1: without a transport and with a port or an address: UDP, or TLS for sips
    const transport = asked ?? (secure ? 'tls' : 'udp');
    const port = uri.port !== 0 ? uri.port : transport === 'tls' ? 5061 : 5060;
    await hosts(dns, found, { name: host, port, priority: 0, weight: 0 }, transport, six);
    return found;
  }
  const transports = asked !== undefined ? [asked] : secure ? (['tls'] as const) : usable;
  const naptr = asked === undefined ? await orNone(dns.resolveNaptr(host)) : [];
  const ways = [...naptr]
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap((n) => {
      const transport = SERVICES[n.service.toUpperCase()];
      const use = transport !== undefined && transports.includes(transport);
      return use && n.flags.toLowerCase() === 's' ? [{ transport, name: n.replacement }] : [];
    });
  const names =
    ways.length > 0
      ? ways
      : transports.map((transport) => ({
          transport,
          name: `${SRV_PREFIX[transport] ?? ''}${host}`,
        }));
  let before = 0;
  for (const { transport, name } of names) {
    const srv = await orNone(dns.resolveSrv(name));
    // RFC 2782: a target of "." says that the service is decidedly not there
    const targets = srv.filter((s) => s.name !== '' && s.name !== '.').slice(0, MOST.targets);
    for (const t of targets) {
      await hosts(dns, found, { ...t, priority: before + t.priority }, transport, six);
    }
    if (srv.length > 0) found.ttlS = Math.min(found.ttlS, SRV_TTL_S);
    // a transport that comes later is tried after all of this one
    before += 65_536;
  }
  if (found.addresses.length === 0) {
    const transport = transports[0] ?? 'udp';
    const port = transport === 'tls' ? 5061 : 5060;
    await hosts(dns, found, { name: host, port, priority: 0, weight: 0 }, transport, six);
  }
  return found;
}

async function hosts(
  dns: NameService,
  found: Found,
  { name, port, priority, weight }: Srv,
  transport: Transport,
  six: boolean,
): Promise<void> {
  const family = isIP(name);
  const literal = family === 0 ? [] : [{ address: name, ttl: 86_400 }];
  const v4 = family === 0 ? await orNone(dns.resolve4(name, { ttl: true })) : literal;
  const v6 = family === 0 && six ? await orNone(dns.resolve6(name, { ttl: true })) : [];
  for (const { address, ttl } of [...v4, ...v6]) {
    found.ttlS = Math.min(found.ttlS, ttl);
    if (found.addresses.length >= MOST.addresses) return;
    found.addresses.push({ transport, ip: address, port, priority, weight });
  }
}

/** Resolves a SIP URI; never rejects. */
export async function resolveUri(
  dns: NameService,
  text: string,
  usable: Usable,
  six: boolean,
): Promise<Resolved> {
  const uri = parseUri(text);
  if (isFault(uri)) return { uri: text, addresses: [], ttlS: 0, cause: 'no URI' };
  try {
    const { addresses, ttlS } = await look(dns, uri, usable, six);
    addresses.sort((a, b) => a.priority - b.priority);
    const cause = addresses.length === 0 ? 'the name has no address' : '';
    return { uri: text, addresses, ttlS, cause };
  } catch (e) {
    const why = (e as { code?: string }).code ?? (e as Error).message;
    return { uri: text, addresses: [], ttlS: 0, cause: `the name service fails: ${why}` };
  }
}

function resolverOf(settings: DnsSettings): NameService {
  const resolver = new Resolver({ timeout: settings.timeoutMs, tries: 2 });
  if (settings.servers.length > 0) resolver.setServers(settings.servers);
  return resolver;
}

/** Asks for URIs and tells what came; one question for the same URI at a time. */
export class Names {
  private dns: NameService;
  /** Given by a test. */
  private readonly fixed: boolean;
  private readonly usable: Usable;
  private readonly six: boolean;
  private readonly tell: (answer: Resolved) => void;
  private readonly asked = new Set<string>();

  constructor(
    settings: DnsSettings,
    usable: Usable,
    six: boolean,
    tell: (answer: Resolved) => void,
    dns?: NameService,
  ) {
    this.usable = usable;
    this.six = six;
    this.tell = tell;
    this.fixed = dns !== undefined;
    this.dns = dns ?? resolverOf(settings);
  }

  /** Other name servers: what is being asked is still answered by the old ones. */
  reload(settings: DnsSettings): void {
    if (!this.fixed) this.dns = resolverOf(settings);
  }

  /** What is asked beyond the bound is asked again by whoever needs it. */
  ask(uri: string): void {
    if (this.asked.has(uri) || this.asked.size >= MOST.questions) return;
    this.asked.add(uri);
    void resolveUri(this.dns, uri, this.usable, this.six).then((answer) => {
      this.asked.delete(uri);
      this.tell(answer);
    });
  }
}
