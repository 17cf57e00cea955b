/**
 * `/metrics` for Prometheus, `/health` for load balancers, and the text of SIPAIR-MIB, at the own LAN
 * address, where the configuration gives them a port. Who is not allowed is not answered.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import { sipairMibText } from '../../panel/mib/text.ts';
import type { BoxStatus } from '../../panel/monitor/box-status.ts';
import { healthOf, metricsText } from '../../panel/telemetry/metrics.ts';
import type { Consumer, ConsumerContext, SystemTree } from './consumer.ts';
import { ownLan } from './own-ports.ts';

/** Nothing listens that nobody asked for. */
const CLOSED = 0;
/** An address that is not there yet is tried again after this. */
const AGAIN_MS = 2000;
const CONNECTIONS = 32;
/** From one address: nobody takes the place of all others. */
const CONNECTIONS_EACH = 8;
/** Who neither asks nor reads is cut off then. */
const IDLE_MS = 10_000;
const LIMITED = {
  // without it the limits below are looked at each half minute
  connectionsCheckingInterval: 1000,
  headersTimeout: 5000,
  requestTimeout: 5000,
  keepAliveTimeout: 5000,
  maxHeaderSize: 8192,
};
/** A state is too old to be called health after this: whoever makes it hangs. */
const STALE_MS = 10_000;
const TEXT = 'text/plain; charset=utf-8';

type Wish = { readonly port: number; readonly allow: readonly string[] };

function wishOf({ metrics }: SystemTree): Wish {
  const m = (typeof metrics === 'object' && metrics !== null ? metrics : {}) as {
    readonly port?: unknown;
    readonly allow?: unknown;
  };
  const allow = Array.isArray(m.allow) ? m.allow.filter((a) => typeof a === 'string') : [];
  return { port: typeof m.port === 'number' ? m.port : CLOSED, allow };
}

/** Nobody named: everybody. */
function listOf(allow: readonly string[]): BlockList | undefined {
  if (allow.length === 0) return undefined;
  const list = new BlockList();
  for (const prefix of allow) {
    const [address = '', length] = prefix.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    try {
      list.addSubnet(address, Number(length ?? (family === 'ipv6' ? 128 : 32)), family);
    } catch {
      // found before it was committed; who is not understood is not allowed
    }
  }
  return list;
}

class MetricsConsumer implements Consumer {
  private readonly context: ConsumerContext;
  private status: BoxStatus | undefined;
  private server: Server | undefined;
  /** Where it listens. */
  private host = '';
  private wish: Wish = { port: CLOSED, allow: [] };
  private allowed: BlockList | undefined;
  private timer: NodeJS.Timeout | undefined;
  private told = '';

  constructor(context: ConsumerContext) {
    this.context = context;
    this.configure(context.system);
  }

  configure(system: SystemTree): void {
    const wish = wishOf(system);
    this.allowed = listOf(wish.allow);
    const moved = wish.port !== this.wish.port;
    this.wish = wish;
    if (!moved) return;
    this.close();
    if (wish.port !== CLOSED) this.listen();
  }

  update(status: BoxStatus): void {
    this.status = status;
    const host = status.daemon?.lan?.address;
    // the box has another address now
    if (host === undefined || this.server === undefined || host === this.host) return;
    this.close();
    this.listen();
  }

  close(): void {
    clearTimeout(this.timer);
    this.server?.close();
    this.server?.closeAllConnections();
    this.server = undefined;
  }

  private listen(): void {
    const host = this.status?.daemon?.lan?.address ?? ownLan(this.context.root)?.address;
    if (host === undefined) {
      this.again('the own LAN address is not known yet');
      return;
    }
    this.host = host;
    const server = createServer(LIMITED, (request, response) => this.serve(request, response));
    server.maxConnections = CONNECTIONS;
    server.setTimeout(IDLE_MS);
    const from = new Map<string, number>();
    server.on('connection', (socket) => {
      const address = socket.remoteAddress ?? '';
      const count = (from.get(address) ?? 0) + 1;
      if (count > CONNECTIONS_EACH || !this.mayAsk(address)) {
        socket.destroy();
        return;
      }
      from.set(address, count);
      socket.on('close', () => {
        const left = (from.get(address) ?? 1) - 1;
        if (left > 0) from.set(address, left);
        else from.delete(address);
      });
    });
    server.on('error', (e) => {
      server.close();
      if (this.server === server) this.again(e.message);
    });
    server.listen({ host, port: this.wish.port }, () => {
      this.told = '';
      this.context.log('info', `metrics: /metrics and /health at ${host} port ${this.wish.port}`);
    });
    this.server = server;
  }

  private again(why: string): void {
    this.server = undefined;
    if (this.told !== why) this.context.log('warning', `metrics: not served: ${why}`);
    this.told = why;
    this.timer = setTimeout(() => this.listen(), AGAIN_MS);
    this.timer.unref();
  }

  private mayAsk(address: string): boolean {
    if (this.allowed === undefined) return true;
    const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
    return this.allowed.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const { status } = this;
    // a URL would refuse some of what strangers write
    const [path = '', query = ''] = (request.url ?? '/').split('?', 2);
    const say = (code: number, type: string, body: string): void => {
      response.writeHead(code, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? '' : body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') say(405, TEXT, 'GET only\n');
    else if (path === '/SIPAIR-MIB.txt') say(200, TEXT, sipairMibText());
    else if (path !== '/metrics' && path !== '/health') say(404, TEXT, 'nothing here\n');
    else if (status === undefined || Date.now() - status.at > STALE_MS) {
      const why = { ok: false, why: 'the state of the box is not known' };
      say(503, 'application/json', `${JSON.stringify(why)}\n`);
    } else if (path === '/metrics') {
      say(200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(status));
    } else {
      const { code, body } = healthOf(status, new URLSearchParams(query).get('role') ?? '');
      say(code, 'application/json', `${JSON.stringify(body)}\n`);
    }
  }
}

export function metricsConsumer(context: ConsumerContext): Consumer {
  return new MetricsConsumer(context);
}
