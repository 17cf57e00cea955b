import type { State } from './states.ts';
export const TRANSFER_STATES: readonly State[] = [];
