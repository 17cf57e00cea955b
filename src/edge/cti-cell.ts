/** What the thread of the programs tells by shared memory: messages it has taken, connections that stand. */

export const CELL = { taken: 0, connections: 1 } as const;
export const CELL_BYTES = 8;
