/**
 * The media thread: plays to callers who wait and mixes small conferences. It speaks SIP with the
 * engine by messages, and RTP with the world from the virtual addresses. A busy second of the engine
 * is not heard in the music, and a thousand streams do not delay a call.
 *
 * May load: media/, the addon, prompts from files. Not SQLite, not the engine.
 */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { LogLine } from '../effect.ts';
import { Library } from '../media/library.ts';
import { FRAME_MS } from '../media/sound.ts';
import { frameOf } from '../media/stream.ts';
import { Studio } from '../media/studio.ts';
import { Agent } from '../media/ua.ts';
import { mono } from './clock.ts';
import type { MediaConfig } from './config-media.ts';
import { MediaSockets } from './media-sockets.ts';
import { netlite } from './native/netlite.ts';
import { PromptFolder } from './prompts.ts';

export type MediaThreadData = {
  readonly media: MediaConfig;
  readonly vip: string;
  readonly vip6: string;
  readonly nonceKey: string;
  /** One float64: until then what we send may leave. */
  readonly lease: SharedArrayBuffer;
};

export type ToMedia =
  /** What the engine says, and the pair clock minus the monotonic clock. */
  | { readonly kind: 'sip'; readonly texts: readonly string[]; readonly offset: number }
  /** This box is not the one that plays. */
  | { readonly kind: 'drop' };

export type FromMedia =
  /** Times a caller was played nothing for want of a session or a port. */
  | { readonly kind: 'full'; readonly times: number }
  | { readonly kind: 'sip'; readonly texts: readonly string[] }
  | { readonly kind: 'log'; readonly line: LogLine };

/** Frames that are sent late rather than not at all. */
const CATCH_UP = 3;
/** What is not answered is looked at every so many frames. */
const LOOK = 5;
/** nice(2): a late frame is heard. */
const PRIORITY = -10;

const port = parentPort;
if (port === null) throw new Error('media-thread is started by the engine');
const data = workerData as MediaThreadData;
const lease = new Float64Array(data.lease);

function say(message: FromMedia): void {
  port?.postMessage(message);
}

class Loop {
  private readonly studio: Studio;
  private readonly agent: Agent;
  private readonly sockets: MediaSockets;
  private offset = 0;
  private ticking = false;
  private full = 0;
  private frame = 0;

  constructor() {
    const { media, vip, vip6, nonceKey } = data;
    const tell = (text: string): void => say({ kind: 'log', line: { level: 'warning', text } });
    this.studio = new Studio(
      {
        digit: (id, digit) => this.agent.digit(this.pairNow(), id, digit),
        ended: (id) => this.agent.ended(this.pairNow(), id),
      },
      media.max,
    );
    this.sockets = new MediaSockets(vip, vip6, media.ports, (id, bytes, ip, from) => {
      this.studio.receive(id, bytes, ip, from);
      this.flush();
    });
    const library = new Library(new PromptFolder(media.prompts, tell).find);
    // made now, not when the first caller waits
    for (const codec of ['PCMA', 'PCMU'] as const) library.find('music')?.as(codec);
    this.agent = new Agent({ vip, vip6, key: nonceKey }, library, this.studio, this.sockets);
  }

  private pairNow(): number {
    return Math.floor(mono() + this.offset);
  }

  take(message: ToMedia): void {
    if (message.kind === 'drop') {
      this.agent.clear();
      return;
    }
    // the clock of a reign stays what it was when it began: nobody must hear it jump
    if (this.agent.size === 0) this.offset = message.offset;
    const now = this.pairNow();
    for (const text of message.texts) this.agent.receive(now, text);
    this.flush();
    if (this.ticking || this.agent.size === 0) return;
    this.ticking = true;
    this.frame = frameOf(now);
    this.arm();
  }

  private flush(): void {
    const { out, told } = this.agent;
    if (out.length > 0) say({ kind: 'sip', texts: out.splice(0) });
    for (const text of told.splice(0)) say({ kind: 'log', line: { level: 'alarm', text } });
    if (this.agent.full === this.full) return;
    this.full = this.agent.full;
    say({ kind: 'full', times: this.full });
  }

  private arm(): void {
    const wait = (this.frame + 1) * FRAME_MS - (mono() + this.offset);
    setTimeout(this.tick, Math.max(0, Math.ceil(wait)));
  }

  private readonly tick = (): void => {
    if (this.agent.size === 0) {
      this.ticking = false;
      return;
    }
    const now = this.pairNow();
    const k = frameOf(now);
    if (k - this.frame > CATCH_UP) this.frame = k - 1;
    while (this.frame < k) {
      this.frame += 1;
      this.studio.tick(this.frame, this.send);
      if (this.frame % LOOK === 0) this.agent.due(now);
    }
    this.flush();
    this.arm();
  };

  /** The lease is looked at where the packet leaves: a thread may have slept. */
  private readonly send: MediaSockets['send'] = (id, bytes, ip, to) => {
    if (mono() < (lease[0] as number)) this.sockets.send(id, bytes, ip, to);
  };
}

try {
  setPriority(netlite.gettid(), PRIORITY);
} catch {
  // not allowed: as the others then, at ordinary priority
}
const loop = new Loop();
port.on('message', (message: ToMedia) => loop.take(message));
