import type { Options } from '../world/options.ts';
import type { World } from '../world/world.ts';

export type Saboteur = {
  readonly name: string;
  readonly oracle: string;
  readonly about: string;
  readonly adjust?: (drawn: Options) => Options;
  readonly sabotage: (world: World) => void;
};

export const SABOTEURS: readonly Saboteur[] = [];
