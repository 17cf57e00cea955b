/**
 * Prompt files: `<folder>/<name>.wav`, read when somebody asks for them, kept while there is room, and
 * read again when they have changed. A file that cannot be used is told once; callers get 404.
 */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isFault } from '../base/fault.ts';
import { LIMITS } from '../base/limits.ts';
import { Sound } from '../media/sound.ts';
import { parseWav } from '../media/wav.ts';

type Kept = { readonly changed: number; readonly bytes: number; readonly sound: Sound | undefined };

export class PromptFolder {
  private readonly folder: string;
  private readonly tell: (text: string) => void;
  private readonly kept = new Map<string, Kept>();
  private bytes = 0;

  constructor(folder: string, tell: (text: string) => void) {
    this.folder = folder;
    this.tell = tell;
  }

  /** @param name checked: no path. */
  readonly find = (name: string): Sound | undefined => {
    const path = join(this.folder, `${name}.wav`);
    const file = statSync(path, { throwIfNoEntry: false });
    const known = this.kept.get(name);
    if (file?.isFile() !== true) {
      this.drop(name);
      return undefined;
    }
    if (known?.changed === file.mtimeMs) return known.sound;
    this.drop(name);
    const sound = this.read(name, path, file.size);
    const bytes = sound === undefined ? 0 : 4 * sound.samples.length;
    for (const other of this.kept.keys()) {
      if (this.bytes + bytes <= LIMITS.promptsBytes) break;
      this.drop(other);
    }
    this.kept.set(name, { changed: file.mtimeMs, bytes, sound });
    this.bytes += bytes;
    return sound;
  };

  private read(name: string, path: string, size: number): Sound | undefined {
    if (size > LIMITS.promptBytes) {
      this.tell(`media: ${path} is too long: ${size} bytes, at most ${LIMITS.promptBytes}`);
      return undefined;
    }
    try {
      const samples = parseWav(readFileSync(path));
      if (!isFault(samples)) return new Sound(name, samples, false);
      this.tell(`media: ${path} is no prompt: ${samples.fault}`);
    } catch (e) {
      this.tell(`media: ${path} cannot be read: ${(e as Error).message}`);
    }
    return undefined;
  }

  private drop(name: string): void {
    this.bytes -= this.kept.get(name)?.bytes ?? 0;
    this.kept.delete(name);
  }
}
