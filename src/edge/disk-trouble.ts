/** What an error of SQLite or of the file system means, and what an operator can do about it. */

export type Trouble = {
  /**
   * wait: it may pass, the file is sound. medium: it may pass, or the file or its medium is broken.
   * damaged: the file is of no more use.
   */
  readonly kind: 'wait' | 'medium' | 'damaged';
  readonly text: string;
};

const WORDS: readonly (readonly [RegExp, Trouble['kind'], string])[] = [
  [
    /^(SQLITE_FULL|ENOSPC|EDQUOT|SQLITE_IOERR_SHM)/,
    'wait',
    'the file system is full: free space on it',
  ],
  [/^SQLITE_READONLY_DBMOVED/, 'damaged', 'the database file was removed or replaced'],
  [
    /^(SQLITE_READONLY|EROFS|EACCES|EPERM)/,
    'wait',
    'the file system is read-only: look at its medium',
  ],
  [/^SQLITE_CANTOPEN/, 'wait', 'a file of the database cannot be opened or made'],
  [/^SQLITE_(BUSY|LOCKED)/, 'wait', 'another program keeps the database locked'],
  [/^SQLITE_(CORRUPT|NOTADB)/, 'damaged', 'the database is damaged'],
  [/^(SQLITE_IOERR|EIO)/, 'medium', 'the medium fails: I/O error'],
];

/** @returns what an error is, in an operator's words, with its code. */
export function troubleOf(e: unknown): Trouble {
  const { code, message } = e as { code?: string; message?: string };
  for (const [pattern, kind, text] of WORDS) {
    if (pattern.test(code ?? '')) return { kind, text: `${text} (${code})` };
  }
  return { kind: 'wait', text: message ?? String(e) };
}
