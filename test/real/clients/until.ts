/** Waiting for something that real programs do in their own time. */

/** Polls until `done` is true; rejects with `failure()` after `ms`. */
export async function until(
  done: () => boolean | Promise<boolean>,
  failure: () => Error,
  ms = 20_000,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await done())) {
    if (performance.now() > end) throw failure();
    await new Promise((wake) => setTimeout(wake, 50));
  }
}
