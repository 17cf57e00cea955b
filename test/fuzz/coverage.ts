/**
 * What of the parser has run, and how often: V8's block counters, asked in process. They are the
 * fuzzer's guide (an input that reaches a new block is kept) and an operation counter (the sum of
 * all block executions is the same on every machine, unlike time).
 */

import { Session } from 'node:inspector';

type Range = { readonly startOffset: number; readonly endOffset: number; readonly count: number };
type Script = {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly Range[];
  }[];
};

/** What happened since the last look. */
export type Look = {
  /** Octets of source that ran now and in no look that was kept. */
  readonly fresh: number;
  /** Block executions. */
  readonly work: number;
};

/**
 * Counts blocks in the scripts whose URL has `part`. Functions compiled before `start` are counted
 * as wholes only, so start before the import.
 */
export class Coverage {
  private readonly session = new Session();
  private readonly part: string;
  // A script's source, one octet a character: 1 when it ever ran. V8 merges a block with the one
  // around it when both have the same count, so ranges differ from look to look; painted on the
  // source they can be added up.
  private readonly ran = new Map<string, Uint8Array>();
  // Where a block begins that was once seen apart from its surroundings.
  private readonly starts = new Map<string, Set<number>>();

  constructor(part: string) {
    this.part = part;
  }

  start(): void {
    this.session.connect();
    this.session.post('Profiler.enable');
    this.session.post('Profiler.startPreciseCoverage', {
      callCount: true,
      detailed: true,
      allowTriggeredUpdates: false,
    });
  }

  stop(): void {
    this.session.post('Profiler.stopPreciseCoverage');
    this.session.disconnect();
  }

  /** Counters since the last look; sets them to zero. `keep`: what ran is not fresh any more. */
  look(keep: boolean): Look {
    let fresh = 0;
    let work = 0;
    for (const script of this.take()) {
      if (!script.url.includes(this.part)) continue;
      const now = this.paint(script);
      for (const f of script.functions) for (const r of f.ranges) work += r.count;
      const ever = this.ran.get(script.url) ?? new Uint8Array(now.length);
      for (let i = 0; i < now.length; i += 1) {
        if (now[i] === 1 && ever[i] === 0) {
          if (keep) ever[i] = 1;
          fresh += 1;
        }
      }
      this.ran.set(script.url, ever);
    }
    return { fresh, work };
  }

  /** Blocks that ever ran, of those known. */
  blocks(): { readonly covered: number; readonly known: number } {
    let covered = 0;
    let known = 0;
    for (const [url, starts] of this.starts) {
      const ever = this.ran.get(url);
      known += starts.size;
      for (const at of starts) if (ever?.[at] === 1) covered += 1;
    }
    return { covered, known };
  }

  /** Offsets of the known blocks that never ran, by script: for a look at what is out of reach. */
  missing(): readonly { readonly url: string; readonly at: readonly number[] }[] {
    return [...this.starts].map(([url, starts]) => ({
      url,
      at: [...starts].filter((at) => this.ran.get(url)?.[at] !== 1).sort((a, b) => a - b),
    }));
  }

  private take(): readonly Script[] {
    let scripts: readonly Script[] = [];
    // In the same thread the answer comes before `post` returns.
    this.session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      scripts = answer.result;
    });
    return scripts;
  }

  private paint(script: Script): Uint8Array {
    const known = this.starts.get(script.url) ?? new Set<number>();
    this.starts.set(script.url, known);
    const size = Math.max(
      this.ran.get(script.url)?.length ?? 0,
      ...script.functions.map((f) => f.ranges[0]?.endOffset ?? 0),
    );
    const now = new Uint8Array(size);
    // Outer ranges come first, also among functions: the inner ones paint over them.
    for (const f of script.functions) {
      for (const r of f.ranges) {
        known.add(r.startOffset);
        now.fill(r.count > 0 ? 1 : 0, r.startOffset, r.endOffset);
      }
    }
    return now;
  }
}
