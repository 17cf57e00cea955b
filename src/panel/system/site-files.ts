/**
 * Certificates and prompts of the operator: files that a configuration names and does not contain. Both
 * boxes have the same, so that either can lead, and a box in the place of a dead one gets them from its
 * peer. Each tells what it has when they meet; who has a newer one gives it.
 */

import type { Utc } from './terms.ts';

export type SiteFile = {
  readonly name: string;
  /** When it was installed: the newer one is right. */
  readonly at: Utc;
  readonly bytes: number;
  readonly digest: string;
};

/** Where a kind of file lies below the root, and what it must look like. */
export type SiteKind = {
  readonly kind: 'prompt' | 'certificate';
  readonly ending: RegExp;
  readonly folder: string;
};

export const SITE_KINDS: readonly SiteKind[] = [
  { kind: 'prompt', ending: /\.wav$/, folder: 'data/state/prompts' },
  { kind: 'certificate', ending: /\.(pem|crt|key)$/, folder: 'data/secret/tls' },
];
export const SITE_FILES_MAX = 200;
export const SITE_FILE_BYTES = 8 * 1024 * 1024;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;

/** @returns undefined for a name that is none. */
export function siteKind(name: string): SiteKind | undefined {
  return NAME.test(name) ? SITE_KINDS.find(({ ending }) => ending.test(name)) : undefined;
}

/** What the peer lacks, or has an older one of. Both evaluate the same, so one gives and not both. */
export function toGive(own: readonly SiteFile[], theirs: readonly SiteFile[]): readonly SiteFile[] {
  const known = new Map(theirs.map((file) => [file.name, file]));
  return own.filter((file) => {
    const other = known.get(file.name);
    if (other === undefined) return true;
    if (other.digest === file.digest) return false;
    // of one instant: whichever, but the same one on both
    return file.at === other.at ? file.digest > other.digest : file.at > other.at;
  });
}
