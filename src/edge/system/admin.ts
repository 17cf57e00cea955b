/**
 * The password of the user `admin`: scrypt, in a file of root's, with the count of wrong guesses in the same
 * file, so that neither a restart nor a second console begins the count anew. The console uses this by
 * itself when the agent does not answer. A medium that is full or read-only keeps nobody out: then the count is in memory.
 */

import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeWhole } from './files.ts';

/** OWASP's measure for an interactive login: 2^17 would take a small box a second and 128 MB. */
const COST = { N: 2 ** 15, r: 8, p: 1 } as const;
const MEMORY = 64 * 1024 * 1024;
const HASH_BYTES = 32;
const SALT_BYTES = 16;
const LEAST_LETTERS = 8;
const MOST_LETTERS = 256;
const MOST_LOCK_MS = 24 * 3_600_000;

type AdminFile = {
  readonly salt: string;
  readonly hash: string;
  readonly cost: { readonly N: number; readonly r: number; readonly p: number };
  /** Wrong ones since the last right one. */
  readonly wrong: number;
  /** Nobody may try before this moment, UTC ms. */
  readonly lockedUntil: number;
  /** When it was locked: a clock that is set back does not lock for longer. */
  readonly lockedAt: number;
};

export type LockRule = { readonly attempts: number; readonly lockMin: number };
export const LOCK_RULE: LockRule = { attempts: 5, lockMin: 5 };

export type AdminVerdict = {
  readonly ok: true;
  readonly verified: boolean;
  readonly lockedMs: number;
  readonly triesLeft: number;
};
export type AdminFault = { readonly error: string; readonly text: string };

/** There is one, and nobody knows it any more. */
const DAMAGED: AdminFault = {
  error: 'admin-damaged',
  text:
    'the password of this box cannot be read from its storage: `request system password other-box` at the other box ' +
    'gives it a new one, or log in as factory-reset',
};
const NONE: AdminFault = { error: 'admin-none', text: 'no password of admin was set yet' };

/** What a medium did not take, by path; it is older than what is on the medium once that is taken again. */
const unwritten = new Map<string, AdminFile>();

function isAdminFile(v: unknown): v is AdminFile {
  const file = v as Partial<AdminFile> | null;
  return (
    typeof file === 'object' &&
    typeof file?.salt === 'string' &&
    typeof file.hash === 'string' &&
    typeof file.cost?.N === 'number' &&
    [file.wrong, file.lockedUntil, file.lockedAt].every((n) => Number.isFinite(n))
  );
}

const LENGTH: AdminFault = {
  error: 'admin-length',
  text: `a password has ${LEAST_LETTERS} to ${MOST_LETTERS} characters`,
};

export class Admin {
  private readonly path: string;
  private readonly rule: LockRule;
  private readonly now: () => number;

  /** @param path data/secret/admin.json. @param now the wall clock, ms. */
  constructor(path: string, rule: LockRule, now: () => number) {
    this.path = path;
    this.rule = rule;
    this.now = now;
  }

  /** Nobody can log in before there is one: there is no password by default. */
  get exists(): boolean {
    return this.read() !== NONE;
  }

  /** Only a file that is not there is none: one that cannot be read is no open door. */
  private read(): AdminFile | AdminFault {
    let file: unknown;
    try {
      file = JSON.parse(readFileSync(this.path, 'utf8'));
    } catch (e) {
      return (e as NodeJS.ErrnoException).code === 'ENOENT' ? NONE : DAMAGED;
    }
    if (!isAdminFile(file)) return DAMAGED;
    const counted = unwritten.get(this.path);
    return counted?.hash === file.hash ? counted : file;
  }

  private lockedMs(file: AdminFile): number {
    const now = this.now();
    if (now >= file.lockedAt) return Math.max(0, file.lockedUntil - now);
    // the clock was set back: the lock begins anew, by the clock there is now
    const whole = file.lockedUntil - file.lockedAt;
    this.store({ ...file, lockedAt: now, lockedUntil: now + whole });
    return whole;
  }

  private triesLeft(file: AdminFile): number {
    const { attempts } = this.rule;
    return attempts - (file.wrong % attempts);
  }

  verify(password: string): AdminVerdict | AdminFault {
    const file = this.read();
    if ('error' in file) return file;
    const locked = this.lockedMs(file);
    const told = { ok: true, verified: false } as const;
    if (locked > 0) return { ...told, lockedMs: locked, triesLeft: 0 };
    // counted before it is looked at: a power cut is no free guess
    const wrong = file.wrong + 1;
    const now = this.now();
    const full = wrong % this.rule.attempts === 0;
    const rounds = wrong / this.rule.attempts - 1;
    const lock = Math.min(MOST_LOCK_MS, this.rule.lockMin * 60_000 * 2 ** Math.max(0, rounds));
    const counted: AdminFile = full
      ? { ...file, wrong, lockedAt: now, lockedUntil: now + lock }
      : { ...file, wrong };
    this.store(counted);
    if (!this.fits(file, password)) {
      return full
        ? { ...told, lockedMs: lock, triesLeft: 0 }
        : { ...told, lockedMs: 0, triesLeft: this.triesLeft(counted) };
    }
    this.store({ ...file, wrong: 0, lockedUntil: 0, lockedAt: 0 });
    return { ok: true, verified: true, lockedMs: 0, triesLeft: this.rule.attempts };
  }

  /** @param old needed when there is one already. */
  set(password: string, old?: string): AdminVerdict | AdminFault {
    if (password.length < LEAST_LETTERS || password.length > MOST_LETTERS) return LENGTH;
    if (this.exists) {
      if (old === undefined) return { error: 'admin-old', text: 'the old password is needed' };
      const verdict = this.verify(old);
      if ('error' in verdict || !verdict.verified) return verdict;
    }
    return this.replace(password);
  }

  /** Whoever asks is known already; a lock ends. */
  replace(password: string): AdminVerdict | AdminFault {
    if (password.length < LEAST_LETTERS || password.length > MOST_LETTERS) return LENGTH;
    const salt = randomBytes(SALT_BYTES);
    const hash = scryptSync(password, salt, HASH_BYTES, { ...COST, maxmem: MEMORY });
    const fault = writeWhole(
      this.path,
      JSON.stringify({
        salt: salt.toString('base64'),
        hash: hash.toString('base64'),
        cost: COST,
        wrong: 0,
        lockedUntil: 0,
        lockedAt: 0,
      } satisfies AdminFile),
    );
    if (fault !== '') return { error: 'admin-disk', text: fault };
    unwritten.delete(this.path);
    return { ok: true, verified: true, lockedMs: 0, triesLeft: this.rule.attempts };
  }

  private fits({ salt, hash, cost }: AdminFile, password: string): boolean {
    const wanted = Buffer.from(hash, 'base64');
    const given = password.slice(0, MOST_LETTERS);
    const options = { ...cost, maxmem: MEMORY };
    const made = scryptSync(given, Buffer.from(salt, 'base64'), wanted.length, options);
    return wanted.length > 0 && timingSafeEqual(made, wanted);
  }

  /** Counts and locks. */
  private store(file: AdminFile): void {
    if (writeWhole(this.path, JSON.stringify(file)) === '') unwritten.delete(this.path);
    else unwritten.set(this.path, file);
  }
}
