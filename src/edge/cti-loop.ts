/**
 * What the thread of the programs does, once it has its priority (cti-thread.ts): it hands requests
 * to the engine and what the engine says to the programs' connections.
 *
 * May load: cti/ (door, hub, document), ws, node's HTTP and TLS. Not the engine, not SQLite.
 */

import { parentPort, workerData } from 'node:worker_threads';
import type { ProgramInput } from '../cti/terms.ts';
import { noStanding, StandingCell } from '../pair/standing.ts';
import { mono } from './clock.ts';
import { CtiServer } from './cti-server.ts';
import { CELL, type CtiThreadData, type FromCti, type ToCti } from './cti-words.ts';

const port = parentPort;
if (port === null) throw new Error('cti-thread is started by the engine');
const data = workerData as CtiThreadData;
const lease = new Float64Array(data.lease);
const cell = new Int32Array(data.cell);
const standingCell = new StandingCell(data.standing);
const standing = noStanding();

/** Requests of one round of the event loop go in one message. */
let requests: ProgramInput[] = [];

function flush(): void {
  const message: FromCti = { kind: 'asked', requests };
  port?.postMessage(message);
  requests = [];
}

const server = new CtiServer(data.settings, {
  ask(request) {
    if (requests.push(request) === 1) setImmediate(flush);
  },
  log(line) {
    const message: FromCti = { kind: 'log', line };
    port.postMessage(message);
  },
  mayAnswer: () => mono() < (lease[0] as number),
  standing() {
    standingCell.read(standing);
    return standing;
  },
});

port.on('message', (m: ToCti) => {
  Atomics.add(cell, CELL.taken, 1);
  if (m.kind === 'said') server.said(m.items);
  else if (m.kind === 'role') server.role(m.primary);
  else if (m.kind === 'programs') server.reload(m.programs);
  else server.lost();
});

/** `status` shows it. */
const COUNT_MS = 500;
setInterval(() => Atomics.store(cell, CELL.connections, server.connections), COUNT_MS);
