/**
 * Two families of error and no third. What the other side did wrong is a value (`Fault`); what we
 * did wrong is an assertion (`assert.ts`), which stops this box so that the other one takes over.
 */

/** Something remote is wrong: a stable code from a list, and where in the input it was seen. */
export type Fault<Code extends string = string> = { readonly fault: Code; readonly at: number };

/** @returns true when a decoder answered with a fault instead of a value. */
export function isFault(x: unknown): x is Fault {
  return typeof x === 'object' && x !== null && 'fault' in x;
}

/** @returns a fault value; `at` is the byte or character offset where it was noticed. */
export function fault<Code extends string>(code: Code, at: number): Fault<Code> {
  return { fault: code, at };
}
