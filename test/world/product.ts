/**
 * The product's own engine and sentry, bound to the world, with the settings of a pair in its default
 * measures.
 */

import type { Chance } from '../../src/base/chance.ts';
import type { Mono } from '../../src/base/units.ts';
import type { EngineEffects } from '../../src/effect.ts';
import type { EngineInput } from '../../src/input.ts';
import type { Loaded } from '../../src/ledger/disk.ts';
import { Engine } from '../../src/node.ts';
import type { NodeSettings } from '../../src/node-settings.ts';
import { Sentry } from '../../src/pair/sentry.ts';
import { settingsFault, pairSettings as settingsOfPair } from '../../src/pair/settings.ts';
import type {
  BoxId,
  PairSettings,
  Role,
  SentryEffect,
  SentryInput,
  Standing,
} from '../../src/pair/terms.ts';
import { type SipSettings, sipSettings } from '../../src/proto/context.ts';
import { BOX_MAC, LAN_ADDRESS, VIP } from './box.ts';
import { other } from './crossover.ts';
import { GATEWAY } from './gateway.ts';
import type { PairDraw } from './options.ts';
import type { EngineProgram, Facts, Program, SentryProgram } from './program.ts';
import { STREAM_PORT } from './stream.ts';

export const RELEASE = 'sipair world';

export const SHORT_PAIR: PairDraw = { witness: false, fence: false, measures: 'short' };

/** Shorter than shipped, so that more happens in a run; the probes are slower. */
const SHORT = { leaseMs: 1000, renewMs: 200, probeMs: 25, holdMs: 1000 } as const;

export function pairSettings(box: BoxId, drawn: PairDraw = SHORT_PAIR): PairSettings {
  return settingsOfPair({
    box,
    redundancy: drawn.redundancy ?? 'hot-standby',
    ...(drawn.measures === 'short' ? SHORT : {}),
    witnesses: drawn.witness ? [{ address: GATEWAY, by: 'arp' }] : [],
    fence: drawn.fence,
    vips: [VIP],
    lanAddress: LAN_ADDRESS[box],
    peerLanAddress: LAN_ADDRESS[other(box)],
    key: new Uint8Array(32).fill(7),
  });
}

export class ProductEngine implements EngineProgram {
  readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  step(now: Mono, lease: Mono, inputs: readonly EngineInput[], out: EngineEffects): void {
    this.engine.step(now, lease, inputs, out);
  }

  deadline(): Mono {
    return this.engine.deadline();
  }

  get standing(): Standing {
    return this.engine.standing;
  }

  get leads(): boolean {
    return this.engine.role === 'primary';
  }

  facts(): Facts {
    const { engine } = this;
    return {
      epoch: engine.ledger.epoch,
      lsn: engine.ledger.lsn,
      held: engine.view(false).held,
      calls: engine.standing.calls,
    };
  }
}

export class ProductSentry implements SentryProgram {
  readonly sentry: Sentry;
  private readonly standing: Standing;

  constructor(sentry: Sentry, standing: Standing) {
    this.sentry = sentry;
    this.standing = standing;
  }

  step(now: Mono, inputs: readonly SentryInput[], out: SentryEffect[]): void {
    for (const input of inputs) this.sentry.step(now, input, this.standing, out);
  }

  deadline(): Mono {
    return this.sentry.deadline();
  }

  role(): Role {
    return this.sentry.role();
  }
}

/** What a world sets of SIP besides. */
export type SipDraw = Partial<Omit<SipSettings, 'here' | 'heres' | 'vip' | 'nonceKey'>>;

/** For a world in which somebody speaks over streams; TCP is always served. */
export const STREAM_PORTS: SipDraw = {
  tlsPort: STREAM_PORT.tls,
  wsPort: STREAM_PORT.ws,
  wssPort: STREAM_PORT.wss,
};

/** A program that an operator can configure anew. */
export type Configured = Program & {
  /** What its next life begins with. @returns what to tell the one that runs. */
  readonly configure: (sip: SipDraw) => EngineInput;
};

/** The program of `box` as it ships, with what the run drew of the pair's settings. */
export function product(box: BoxId, drawn: PairDraw = SHORT_PAIR, sip: SipDraw = {}): Configured {
  const pair = pairSettings(box, drawn);
  const wrong = settingsFault(pair);
  if (wrong !== undefined) throw new Error(wrong);
  const sipOf = (more: SipDraw): SipSettings =>
    sipSettings({
      vip: VIP,
      nonceKey: 'world',
      passwordPrefix: 'pw-',
      sessionExpiresS: drawn.sessionS ?? 0,
      minSeS: ((drawn.sessionS ?? 180) * 4) / 5,
      ...sip,
      ...more,
    });
  let settings: NodeSettings = { pair, sip: sipOf({}), diskGroupMs: 150, release: RELEASE };
  return {
    configure: (more) => {
      settings = { ...settings, sip: sipOf(more) };
      return { kind: 'reload', sip: settings.sip };
    },
    engine: (loaded: Loaded, chance: Chance, now: Mono) =>
      new ProductEngine(new Engine(settings, loaded, chance, now)),
    sentry: (standing: Standing, chance: Chance) =>
      new ProductSentry(new Sentry(pair, BOX_MAC[box], chance), standing),
  };
}
