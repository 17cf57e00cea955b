/** Agents as those who distribute calls need them: nobody is logged in yet. */

import type { NoAnswerAction } from '../../proto/centre.ts';
import type { Context } from '../../proto/context.ts';
import type { Distribution } from './rows.ts';

type Agent = { readonly id: number; readonly device: string };

export function isStaffed(_cx: Context, _queue: string): boolean {
  return false;
}
export function nextAgent(
  _cx: Context,
  _queue: string,
  _avoid: readonly string[],
): Agent | undefined {
  return undefined;
}
export function agentAt(_cx: Context, _device: string): number {
  return 0;
}
export function loginOf(_cx: Context, _agent: number): string {
  return '';
}
export function keep(_cx: Context, _agent: number, _d: Distribution): void {}
export function freeAgent(_cx: Context, _agent: number): void {}
export function noAnswerOf(_cx: Context, _agent: number, _action: NoAnswerAction): void {}
