/** Runs of an outage measurement as a table: median, p99 and maximum a kind, medians of the steps. */

export const STEPS = ['notice', 'prove', 'reign', 'claim', 'answer'] as const;
export type Step = (typeof STEPS)[number];

export type Run = {
  readonly kind: string;
  /** Longest time between two answers around the event, ms. */
  readonly outage: number;
  readonly lost: number;
  /** The other box leads afterwards. False: the outage ended with the repair, not by itself. */
  readonly moved: boolean;
  /** Of a box that says what it did, ms. */
  readonly steps: Readonly<Record<Step, number>> | undefined;
  /** Longest gap in the second before, in which nothing happened. */
  readonly quiet: number;
  readonly load: number;
};

function share(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}

const ms = (x: number): string => (Number.isNaN(x) ? '-' : x.toFixed(1)).padStart(9);

export function table(kinds: readonly string[], runs: readonly Run[]): string {
  const head = ['moved', 'median', 'p99', 'max', ...STEPS, 'quiet'].map((w) => w.padStart(9));
  const lines = [`${'kind'.padEnd(16)}runs${head.join('')}  (ms; steps and quiet: medians)`];
  for (const kind of kinds) {
    const of = runs.filter((run) => run.kind === kind);
    if (of.length === 0) continue;
    const outage = of.map((run) => run.outage);
    const steps = STEPS.map((step) => {
      const said = of.flatMap((run) => (run.steps === undefined ? [] : [run.steps[step]]));
      return ms(share(said, 0.5));
    });
    const row = [
      String(of.filter((run) => run.moved).length).padStart(9),
      ...[0.5, 0.99, 1].map((q) => ms(share(outage, q))),
      ...steps,
      ms(
        share(
          of.map((run) => run.quiet),
          0.5,
        ),
      ),
    ];
    lines.push(`${kind.padEnd(16)}${String(of.length).padStart(4)}${row.join('')}`);
  }
  return lines.join('\n');
}

export function line(run: Run, i: number): string {
  const { kind, outage, lost, moved, steps, quiet, load } = run;
  const said = steps === undefined ? [] : STEPS.map((s) => `${s} ${steps[s].toFixed(1)}`);
  const how = moved ? '' : ', nobody else took over';
  return (
    `${kind} ${i}: ${outage.toFixed(1)} ms${how}, ${lost} pings lost; ` +
    [...said, `quiet ${quiet.toFixed(1)}`, `load ${load.toFixed(1)}`].join(', ')
  );
}
