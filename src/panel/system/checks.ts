/** Checks of candidates that wait for the peer's word: a bounded number of them, for a bounded time. */

import type { ConfigurationFault } from './terms.ts';

const MOST = 8;

type Waiting = { readonly faults: readonly ConfigurationFault[]; readonly until: number };

export class Checks {
  private readonly waiting = new Map<number, Waiting>();

  get full(): boolean {
    return this.waiting.size >= MOST;
  }

  get ids(): readonly number[] {
    return [...this.waiting.keys()];
  }

  begin(id: number, faults: readonly ConfigurationFault[], until: number): void {
    this.waiting.set(id, { faults, until });
  }

  /** @returns all that was found; undefined: nobody waits for it. */
  end(id: number, more: readonly ConfigurationFault[]): readonly ConfigurationFault[] | undefined {
    const known = this.waiting.get(id);
    this.waiting.delete(id);
    return known === undefined ? undefined : [...known.faults, ...more];
  }

  late(now: number): readonly number[] {
    return this.ids.filter((id) => (this.waiting.get(id)?.until ?? now) <= now);
  }

  deadline(): number {
    return Math.min(...[...this.waiting.values()].map(({ until }) => until));
  }
}
