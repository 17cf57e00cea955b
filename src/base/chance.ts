/**
 * Randomness is an argument. Below `edge/` nobody draws a random number except through `Chance`,
 * which the edge fills from the operating system and the simulator from its seed.
 */

export interface Chance {
  /** @returns a uniformly distributed integer in 0 .. 2^32 - 1. */
  u32(): number;
}

/** @returns `words` × 8 hexadecimal digits. */
export function hex(chance: Chance, words: number): string {
  let s = '';
  for (let i = 0; i < words; i += 1) s += (chance.u32() + 0x1_0000_0000).toString(16).slice(1);
  return s;
}

/** @returns a uniformly distributed integer in 0 .. limit - 1. */
export function below(chance: Chance, limit: number): number {
  return Math.floor((chance.u32() / 0x1_0000_0000) * limit);
}

/**
 * A small seeded generator (xoshiro128**), the source of everything random in the simulator: the
 * same seed gives the same run, to the byte.
 */
export function seeded(seed: number): Chance {
  // splitmix32 spreads the seed over the four words of state
  let x = seed >>> 0;
  const word = (): number => {
    x = (x + 0x9e3779b9) >>> 0;
    let z = x;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
  let a = word();
  let b = word();
  let c = word();
  let d = word();
  return {
    u32(): number {
      const m = Math.imul(b, 5);
      const r = Math.imul((m << 7) | (m >>> 25), 9) >>> 0;
      const t = b << 9;
      c ^= a;
      d ^= b;
      b ^= c;
      a ^= d;
      c ^= t;
      d = (d << 11) | (d >>> 21);
      return r;
    },
  };
}
