/**
 * Sounds by name: tones and music that are made here, prompts that an operator put into a folder, and
 * a chime for those that every contact centre needs and nobody has recorded yet. A file goes before
 * what is built in, so an operator can have his own music.
 */

import { chime, music } from './music.ts';
import type { Sound } from './sound.ts';
import { tone } from './tones.ts';

/** The prompt of this name among the files; undefined when there is none. The edge reads it. */
export type Prompts = (name: string) => Sound | undefined;

/** A name that can be a file's: letters, digits, `-`, `_`, and dots inside. */
const NAME = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;

export class Library {
  private readonly prompts: Prompts;
  private readonly made = new Map<string, Sound | undefined>();

  constructor(prompts: Prompts) {
    this.prompts = prompts;
  }

  /**
   * @param play value of the `play` parameter: a name, or a URI of which the last part is one
   * (RFC 4240 3.1); an ending `.wav` is left out.
   */
  find(play: string): Sound | undefined {
    const name = play.slice(play.lastIndexOf('/') + 1).replace(/\.wav$/i, '');
    if (!NAME.test(name)) return undefined;
    return this.prompts(name) ?? this.own(name);
  }

  private own(name: string): Sound | undefined {
    if (this.made.has(name)) return this.made.get(name);
    const sound = name === 'music' ? music() : (tone(name) ?? chime(name));
    // names of others are as many as somebody likes
    if (sound !== undefined) this.made.set(name, sound);
    return sound;
  }
}
