/**
 * Certificates and prompts of the operator: files that a configuration names and does not contain. Both
 * boxes have the same, so that either can lead, and a box in the place of a dead one gets them from its
 * peer. Each tells what it has when they meet; who has a newer one gives it.
 */

import { placeText, type Tree } from '../tree/terms.ts';
import { visit } from '../tree/walk.ts';
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

/** Who signs the certificates of log servers; its name is its use. */
export const SYSLOG_SIGNERS = 'syslog-ca.pem';
/** Leaves whose value is the name of a sound. */
const SOUNDS: ReadonlySet<string> = new Set(['musicOnHold', 'treatment']);

/**
 * Who plays a sound leaves out its folder and its ending; a certificate is named by its path, or is the one that log servers need.
 * @returns the first place of the configuration that names this file; '' for none.
 */
export function usedBy(tree: Tree, name: string): string {
  const kind = siteKind(name);
  if (kind === undefined) return '';
  const stem = (text: string): string =>
    text.slice(text.lastIndexOf('/') + 1).replace(/\.wav$/i, '');
  let place = '';
  visit(tree, (words, _node, value) => {
    if (place !== '' || typeof value !== 'string') return;
    const same =
      kind.kind === 'prompt'
        ? SOUNDS.has(words.at(-1) ?? '') && stem(value) === stem(name)
        : value === `/${kind.folder}/${name}` ||
          (name === SYSLOG_SIGNERS && words[1] === 'syslog' && value === 'tls');
    if (same) place = placeText(words);
  });
  return place;
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
