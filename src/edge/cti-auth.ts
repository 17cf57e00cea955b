/**
 * Who a program is. Passwords are hashes (scrypt) that cost time on purpose, so they are computed
 * beside the thread, a few at once; what proved itself is remembered; who guesses waits.
 */

import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../base/limits.ts';
import type { Mono } from '../base/units.ts';
import type { Program } from '../proto/centre.ts';

export type Verdict = 'yes' | 'no' | 'wait';

/** What one hash may use: 128 N r bytes, and no more than this. */
const MAX_MEMORY = 64 * 1024 * 1024;
/** Sources that guessed are remembered, so many. */
const SOURCES = 10_000;

type Guesses = { left: number; at: Mono };

export class Auth {
  private programs: ReadonlyMap<string, Program>;
  private readonly now: () => Mono;
  /** Nobody who reads this memory later has a password by it. */
  private readonly secret = randomBytes(32);
  private readonly proved = new Map<string, Buffer>();
  private readonly sources = new Map<string, Guesses>();
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(programs: readonly Program[], now: () => Mono) {
    this.programs = new Map(programs.map((p) => [p.name, p]));
    this.now = now;
  }

  /** Configured anew. @returns names of programs that have to prove themselves again, or are no more. */
  reload(programs: readonly Program[]): ReadonlySet<string> {
    const next = new Map(programs.map((p) => [p.name, p]));
    const changed = new Set<string>();
    for (const [name, { password }] of this.programs) {
      if (next.get(name)?.password === password) continue;
      changed.add(name);
      this.proved.delete(name);
    }
    this.programs = next;
    return changed;
  }

  get guessed(): number {
    return this.sources.size;
  }

  program(name: string): Program | undefined {
    return this.programs.get(name);
  }

  /** `done` is called once, at once when there is nothing to compute. */
  prove(source: string, name: string, password: string, done: (verdict: Verdict) => void): void {
    const mark = createHmac('sha256', this.secret).update(`${name} ${password}`).digest();
    const known = this.proved.get(name);
    if (known !== undefined && timingSafeEqual(known, mark)) {
      done('yes');
      return;
    }
    if (!this.mayGuess(source) || this.waiting.length >= LIMITS.ctiHashes) {
      done('wait');
      return;
    }
    const judge = (right: boolean): void => {
      if (right) this.proved.set(name, mark);
      else this.guess(source);
      done(right ? 'yes' : 'no');
    };
    const program = this.programs.get(name);
    if (program === undefined) judge(false);
    else if (!program.password.startsWith('scrypt:')) {
      const own = createHmac('sha256', this.secret).update(`${name} ${program.password}`).digest();
      judge(timingSafeEqual(own, mark));
    } else this.hash(program.password, password, judge);
  }

  private hash(stored: string, password: string, judge: (right: boolean) => void): void {
    const [, n, r, p, salt = '', hash = ''] = stored.split(':');
    const wanted = Buffer.from(hash, 'base64');
    const run = (): void => {
      this.running += 1;
      const options = { N: Number(n), r: Number(r), p: Number(p), maxmem: MAX_MEMORY };
      const next = (right: boolean): void => {
        this.running -= 1;
        judge(right);
        this.waiting.shift()?.();
      };
      try {
        scrypt(password, Buffer.from(salt, 'base64'), wanted.length, options, (error, made) => {
          next(error === null && wanted.length > 0 && timingSafeEqual(made, wanted));
        });
      } catch {
        // a hash of the configuration that says nothing: nobody has this password
        next(false);
      }
    };
    if (this.running < LIMITS.ctiHashesAtOnce) run();
    else this.waiting.push(run);
  }

  /** A wrong password costs one of a few guesses, which come back one by one. */
  private mayGuess(source: string): boolean {
    const known = this.sources.get(source);
    if (known === undefined) return true;
    const back = Math.floor((this.now() - known.at) / LIMITS.ctiGuessMs);
    if (back > 0) {
      known.left += back;
      known.at += back * LIMITS.ctiGuessMs;
    }
    if (known.left >= LIMITS.ctiGuesses) this.sources.delete(source);
    return known.left > 0;
  }

  private guess(source: string): void {
    const known = this.sources.get(source);
    if (known !== undefined) {
      known.left -= 1;
      return;
    }
    if (this.sources.size >= SOURCES) {
      const [oldest] = this.sources.keys();
      if (oldest !== undefined) this.sources.delete(oldest);
    }
    this.sources.set(source, { left: LIMITS.ctiGuesses - 1, at: this.now() });
  }
}
