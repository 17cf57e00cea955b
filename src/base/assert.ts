/**
 * Assertions stay on in production. A failed one is our own mistake: the process stops at once and
 * the other box takes over from the last acknowledged record, which is safer than going on with a
 * state nobody understands.
 */

export class AssertionFailed extends Error {
  override readonly name = 'AssertionFailed';
}

/** Stops the box when `condition` is false. `what` says what must be true, as a sentence. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionFailed(what);
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionFailed(`unreachable: ${JSON.stringify(value)}`);
}
