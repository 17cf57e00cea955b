import type { State } from './states.ts';
export const SESSION_STATES: readonly State[] = [];
