/** The fake services on real sockets, for a console that is a process of its own. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, Service } from '../../src/panel/console/dialog.ts';
import type { FakePair } from './fake-pair.ts';

export class FakeSockets {
  readonly root: string;
  readonly pair: FakePair;
  private readonly servers = new Map<Service, Server>();
  private readonly sockets = new Set<Socket>();

  constructor(pair: FakePair) {
    this.pair = pair;
    this.root = mkdtempSync(join(tmpdir(), 'sipair-console-'));
    mkdirSync(join(this.root, 'run/sipair'), { recursive: true });
    mkdirSync(join(this.root, 'data'));
  }

  private path(service: Service): string {
    return join(this.root, `run/sipair/${service}.sock`);
  }

  up(service: Service): Promise<void> {
    const server = createServer((socket) => this.serve(service, socket));
    this.servers.set(service, server);
    return new Promise((resolve) => server.listen(this.path(service), resolve));
  }

  private serve(service: Service, socket: Socket): void {
    let text = '';
    this.sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk: string) => {
      text += chunk;
      for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
        const request = JSON.parse(text.slice(0, at)) as Json;
        text = text.slice(at + 1);
        this.answer(service, request, socket);
      }
    });
  }

  private answer(service: Service, request: Json, socket: Socket): void {
    const value = 'answer' in request ? this.pair.told(request) : this.pair.ask(service, request);
    if (value === 'silent') return;
    const all = Array.isArray(value) ? (value as readonly Json[]) : [value as Json];
    for (const one of all) socket.write(`${JSON.stringify(one)}\n`);
  }

  async down(service: Service): Promise<void> {
    const server = this.servers.get(service);
    this.servers.delete(service);
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
  }

  async close(): Promise<void> {
    for (const service of [...this.servers.keys()]) await this.down(service);
    rmSync(this.root, { recursive: true, force: true });
  }
}
