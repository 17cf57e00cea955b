/**
 * Files that the program reads itself: pages, the client library, native parts, the code of threads.
 * From the sources they lie beside the code; in the executable they are parts of it
 * (image/binary.ts puts them there). The two worlds differ here, in worker.ts and in
 * native/packed.ts, and nowhere else.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getAsset, getAssetKeys, isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

/** Folders whose files are read by name; each lies under its own name in the executable. */
export const ASSET_FOLDERS = {
  web: './web/',
  client: '../client/',
} as const;
export type AssetFolder = keyof typeof ASSET_FOLDERS;

/** Does this run as one executable? */
export const PACKED = isSea();

function pathOf(folder: AssetFolder): string {
  return fileURLToPath(new URL(ASSET_FOLDERS[folder], import.meta.url));
}

/** @returns names of the files in a folder, in order. */
export function assetNames(folder: AssetFolder): string[] {
  if (PACKED) {
    const prefix = `${folder}/`;
    return getAssetKeys()
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length))
      .sort();
  }
  const path = pathOf(folder);
  return existsSync(path) ? readdirSync(path).sort() : [];
}

export function assetText(folder: AssetFolder, name: string): string {
  if (PACKED) return getAsset(`${folder}/${name}`, 'utf8');
  return readFileSync(`${pathOf(folder)}${name}`, 'utf8');
}
