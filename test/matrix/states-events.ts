import type { State } from './states.ts';
export const EVENT_STATES: readonly State[] = [];
