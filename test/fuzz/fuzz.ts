/**
 * The engine: mutates a corpus, runs the parser under V8's block counters, keeps what reaches a new
 * block or a new verdict. The same seed and number of executions give the same run.
 */

import { Dice } from '../world/dice.ts';
import { Coverage } from './coverage.ts';
import { Mutator } from './mutate.ts';
import { seeds } from './seeds.ts';

export type Options = {
  readonly seed: number;
  /** Stops after so many executions, or when `go` says no. */
  readonly executions: number;
  readonly go: () => boolean;
  /** Told of each input before it runs, so that one that never ends is known. */
  readonly before: (text: string, executions: number) => void;
  /** What must hold, if not everything that `target.ts` checks. */
  readonly check?: Check;
};

export type Failure = {
  readonly text: string;
  /** Where the stream was cut. */
  readonly cuts: readonly number[];
  readonly rule: string;
  readonly detail: string;
};

export type Report = {
  readonly executions: number;
  readonly corpus: number;
  readonly seeds: number;
  readonly covered: number;
  readonly known: number;
  readonly verdicts: ReadonlyMap<string, number>;
  /** The most block executions an octet that a batch of inputs took. */
  readonly workPerOctet: number;
  readonly missing: ReturnType<Coverage['missing']>;
  readonly failure: Failure | undefined;
};

/**
 * Inputs between two looks at the counters. A look takes as long as a dozen inputs, and a batch
 * with something new in it is run again: while much is new batches are small.
 */
const SMALLEST = 16;
const LARGEST = 320;

/**
 * Block executions allowed an octet of input and an input. Every value is put to every parser of
 * values several times over, so this is some hundred times what one parse takes; work that grows
 * with the square of an input passes it by far.
 */
const WORK_PER_OCTET = 250;
const WORK_PER_INPUT = 150_000;

type Check = (text: string, cuts: readonly number[]) => string;
type Input = { readonly text: string; readonly cuts: readonly number[] };

export async function fuzz(o: Options): Promise<Report> {
  const coverage = new Coverage('/src/sip-parser/');
  coverage.start();
  try {
    // Loaded only now: the counters see no function compiled before them.
    const target = await import('./target.ts');
    const { HEADERS } = await import('../../src/sip-parser/index.ts');
    const names = HEADERS.flatMap((h) => (h.compact === '' ? [h.name] : [h.name, h.compact]));
    return new Run(o, coverage, o.check ?? target.check, names).all();
  } finally {
    coverage.stop();
  }
}

class Run {
  private readonly o: Options;
  private readonly coverage: Coverage;
  private readonly check: Check;
  private readonly dice: Dice;
  private readonly mutator: Mutator;
  private readonly corpus: string[] = seeds();
  private readonly verdicts = new Map<string, number>();
  private executions = 0;
  private size = SMALLEST;
  private workPerOctet = 0;
  private failure: Failure | undefined;

  constructor(o: Options, coverage: Coverage, check: Check, names: readonly string[]) {
    this.o = o;
    this.coverage = coverage;
    this.check = check;
    this.dice = new Dice(o.seed);
    this.mutator = new Mutator(this.dice.fork('mutator'), names);
  }

  all(): Report {
    const first = this.corpus.length;
    for (let i = 0; i < first && this.failure === undefined; i += SMALLEST) {
      this.batch(
        this.corpus.slice(i, i + SMALLEST).map((text) => this.input(text)),
        false,
      );
    }
    while (this.failure === undefined && this.executions < this.o.executions && this.o.go()) {
      const size = Math.min(this.size, this.o.executions - this.executions);
      const inputs = Array.from({ length: size }, () => this.input(this.mutator.next(this.corpus)));
      this.batch(inputs, true);
    }
    const { executions, verdicts, workPerOctet } = this;
    const failure = this.failure === undefined ? undefined : this.smaller(this.failure);
    return {
      executions,
      corpus: this.corpus.length,
      seeds: first,
      ...this.coverage.blocks(),
      verdicts,
      workPerOctet,
      missing: this.coverage.missing(),
      failure,
    };
  }

  private input(text: string): Input {
    const count = this.dice.whole(0, 6);
    return { text, cuts: Array.from({ length: count }, () => this.dice.whole(0, text.length)) };
  }

  private batch(inputs: readonly Input[], keep: boolean): void {
    let octets = 0;
    for (const input of inputs) {
      octets += input.text.length;
      const fresh = this.verdict(input);
      if (this.failure !== undefined) return;
      if (fresh && keep) this.corpus.push(input.text);
    }
    const { fresh, work } = this.coverage.look(!keep);
    this.workPerOctet = Math.max(this.workPerOctet, Math.round(work / (octets + 1)));
    const news = keep && fresh > 0;
    this.size = news ? Math.max(SMALLEST, this.size >> 1) : Math.min(LARGEST, this.size + 8);
    if (news || tooMuch(inputs, work)) this.hunt(inputs);
  }

  /** Runs one input; true when its verdict is a new one. */
  private verdict(input: Input): boolean {
    this.o.before(input.text, this.executions);
    this.executions += 1;
    try {
      const word = this.check(input.text, input.cuts);
      const before = this.verdicts.get(word) ?? 0;
      this.verdicts.set(word, before + 1);
      return before === 0;
    } catch (e) {
      this.failure = describe(input, e);
      return false;
    }
  }

  /** Which of them was it? Runs halves again, and halves of what is still new. */
  private hunt(inputs: readonly Input[]): void {
    if (this.failure !== undefined) return;
    for (const { text, cuts } of inputs) this.check(text, cuts);
    const [only] = inputs.length === 1 ? inputs : [];
    const { fresh, work } = this.coverage.look(only !== undefined);
    const slow = tooMuch(inputs, work);
    if (fresh === 0 && !slow) return;
    if (only === undefined) {
      const half = inputs.length >> 1;
      this.hunt(inputs.slice(0, half));
      this.hunt(inputs.slice(half));
      return;
    }
    this.corpus.push(only.text);
    if (!slow) return;
    const detail = `${work} block executions for ${only.text.length} octets`;
    this.failure = { ...only, rule: 'work is bounded', detail };
  }

  /** The same failure with less text, as far as a bounded search finds it. */
  private smaller(f: Failure): Failure {
    let best = f;
    let tries = 2000;
    for (let size = best.text.length >> 1; size >= 1 && tries > 0; size >>= 1) {
      for (let at = 0; at < best.text.length && tries > 0; tries -= 1) {
        const text = best.text.slice(0, at) + best.text.slice(at + size);
        const cuts = best.cuts.map((cut) => (cut > at ? Math.max(at, cut - size) : cut));
        const again = this.failing({ text, cuts });
        if (again?.rule === f.rule) best = again;
        else at += size;
      }
    }
    return best;
  }

  private failing(input: Input): Failure | undefined {
    try {
      this.check(input.text, input.cuts);
      return undefined;
    } catch (e) {
      return describe(input, e);
    }
  }
}

function tooMuch(inputs: readonly Input[], work: number): boolean {
  const octets = inputs.reduce((sum, input) => sum + input.text.length, 0);
  return work > octets * WORK_PER_OCTET + inputs.length * WORK_PER_INPUT;
}

function describe(input: Input, e: unknown): Failure {
  const rule = e instanceof Error && 'rule' in e ? String(e.rule) : 'nothing throws';
  return { ...input, rule, detail: e instanceof Error ? (e.stack ?? e.message) : String(e) };
}
