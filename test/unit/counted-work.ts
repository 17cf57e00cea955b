/**
 * Work as a number: V8's block counters of the parser, and the octets its calls of string functions
 * look at, which those counters cannot see. The same on every machine, however busy.
 */

import { Coverage } from '../fuzz/coverage.ts';

type Method = (this: string, ...args: unknown[]) => unknown;

// What each call looks at, from the text, the arguments and the result.
type Cost = (text: string, args: readonly unknown[], result: unknown) => number;

const whole: Cost = (text) => text.length;
const COSTS: { readonly [name: string]: Cost } = {
  indexOf: (text, args, result) => {
    const from = Math.min(Number(args[1] ?? 0), text.length);
    return (Number(result) < 0 ? text.length : Number(result)) - Math.max(0, from);
  },
  lastIndexOf: (text, args, result) => {
    return Math.min(Number(args[1] ?? text.length), text.length) - Math.max(0, Number(result));
  },
  includes: whole,
  replace: whole,
  replaceAll: whole,
  split: whole,
  toLowerCase: whole,
  toUpperCase: whole,
  trim: whole,
};

let counted = 0;

const proto = String.prototype as unknown as Record<string, Method>;

/** Runs `job` with every string function counted; what it looked at. */
function octets(job: () => void): number {
  const saved = Object.keys(COSTS).map((name) => [name, proto[name] as Method] as const);
  counted = 0;
  for (const [name, original] of saved) {
    const cost = COSTS[name] as Cost;
    proto[name] = function counting(this: string, ...args: unknown[]): unknown {
      const result = original.apply(this, args);
      counted += Math.max(0, cost(String(this), args, result)) + 1;
      return result;
    };
  }
  try {
    job();
  } finally {
    for (const [name, original] of saved) proto[name] = original;
  }
  return counted;
}

/** Counts the parser, which must be imported after `start`. */
export class Counted {
  private readonly coverage = new Coverage('/src/sip-parser/');

  start(): void {
    this.coverage.start();
  }

  stop(): void {
    this.coverage.stop();
  }

  /** Block executions and octets looked at. */
  work(job: () => void): number {
    this.coverage.look(true);
    const looked = octets(job);
    return looked + this.coverage.look(true).work;
  }
}
