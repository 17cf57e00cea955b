/**
 * Units as branded numbers, so that a count of records cannot be mistaken for a count of
 * milliseconds. A brand costs nothing at run time.
 */

declare const unit: unique symbol;
type Branded<T, U extends string> = T & { readonly [unit]?: U };

/** A length of time in milliseconds. */
export type Millis = Branded<number, 'Millis'>;
/**
 * A moment on the box's monotonic clock, milliseconds with a fraction. It never steps; it means
 * nothing on the other box.
 */
export type Mono = Branded<number, 'Mono'>;
/**
 * A moment on the *pair clock*, whole milliseconds. Both boxes agree on it (the backup follows the
 * primary), a step of a wall clock does not move it, and rows store it: absolute expiries therefore
 * do not restart at a switchover.
 */
export type Instant = Branded<number, 'Instant'>;
/** Reign number: grows by one at every takeover. */
export type Epoch = Branded<number, 'Epoch'>;
/** Number of a record in the journal, counted from 1; 0 is "before the first". */
export type Lsn = Branded<number, 'Lsn'>;

export const SECOND: Millis = 1000;
export const MINUTE: Millis = 60_000;
export const HOUR: Millis = 3_600_000;
/** Later than everything: the deadline of something that has none. */
export const NEVER = Number.MAX_SAFE_INTEGER;
