/**
 * `sipair show WHAT [ID]`: what the console shows, from a shell. Long answers are asked for page by page.
 */

import { ASKS, render, renderJson, SHOW_NAMES, type Source } from '../panel/show/index.ts';
import { ask } from './control-client.ts';

/** A terminal that does not say how wide it is. */
const WIDTH = 80;

type Page = { readonly rows?: readonly unknown[]; readonly next?: number };

/** @returns the lines, and whether they are an answer rather than a fault. */
export async function runShow(
  what: string,
  options: {
    readonly id: string;
    readonly json: boolean;
    /** Columns; undefined: not a terminal. */
    readonly width: number | undefined;
    /** Another socket than the usual one. */
    readonly socket: string | undefined;
  },
): Promise<{ readonly ok: boolean; readonly lines: readonly string[] }> {
  const name = SHOW_NAMES.find((one) => one === what);
  if (name === undefined) {
    return { ok: false, lines: [`show-what: what to show is one of ${SHOW_NAMES.join(', ')}`] };
  }
  const [source, request] = ASKS[name];
  const path = options.socket ?? socketOf(source);
  const asked = options.id === '' ? request : { ...request, id: options.id };
  const lines: string[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const paged: object = 'what' in request ? { ...asked, from } : asked;
    const answer: Page = await ask(path, paged);
    const cx = { width: options.width ?? WIDTH, now: Date.now() };
    lines.push(...(options.json ? renderJson(answer) : render(name, answer, cx)));
    if ('error' in answer) return { ok: false, lines };
    from = answer.next;
  }
  return { ok: true, lines };
}

function socketOf(source: Source): string {
  return `/run/sipair/${source}.sock`;
}
