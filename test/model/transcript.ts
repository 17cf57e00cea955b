/** Tells a history, step by step: what happened, and how both boxes stand after it. */

import { phaseOf, T0, viewOf } from './adapter.ts';
import type { Box } from './box.ts';
import { clone } from './clone.ts';
import { PATIENCE, settled } from './properties.ts';
import { act, type Choice, GO, heal } from './search.ts';
import { type Hooks, Mover, type Sabotage, type World } from './world.ts';

const LEFT = 74;

function column(w: World, box: Box): string {
  const e = box.engine;
  if (box.sentry === undefined) return `off (disk ${e.word.epoch}${e.word.primary ? 'P' : ''})`;
  const { epoch } = viewOf(box.sentry);
  const left = box.lease > w.now ? ` lease ${box.lease - w.now}` : '';
  const vip = box.vipUntil > w.now ? ' vip' : '';
  const marks = `${e.stands ? ' stands' : ''}${e.word.peerStale ? ' alone' : ''}`;
  const frozen = box.frozen ? 'FROZEN ' : '';
  return `${frozen}${phaseOf(box.sentry)} e${epoch} #${e.lsn}${marks}${vip}${left}`;
}

/**
 * @param quiet leaves out heartbeats and timers that changed nothing a reader would miss.
 * @returns lines: ms since the first deviation, what happened, box a, box b.
 */
export function transcript(
  root: World,
  choices: readonly Choice[],
  sabotage: Sabotage = {},
  quiet = true,
): string[] {
  const w = clone(root);
  const lines: string[] = [];
  let said: string[] = [];
  const hooks: Hooks = { sabotage, tell: (who, text) => said.push(`${who} ${text}`) };
  const first = choices.findIndex((c) => c !== GO);
  let zero = -1;
  let shown = '';
  const flush = (): void => {
    const state = `${column(w, w.a).padEnd(38)} | ${column(w, w.b)}`;
    const plain = state.replace(/ lease \d+/g, ' lease').replace(/#\d+/g, '#');
    const dull = said.every((s) =>
      /◂ (primary|backup) \d+ on|stream: (record|ack)|disk:|says what|VIP is up/.test(s),
    );
    if (!quiet || !dull || plain !== shown) {
      const at = `${(w.now - (zero < 0 ? T0 : zero)).toFixed(0)}`.padStart(6);
      const list = said.length === 0 ? ['timer'] : said;
      for (const [i, s] of list.entries()) {
        const end = i === list.length - 1 ? ` | ${state}` : '';
        lines.push(
          `${at}  ${(s.length > LEFT ? `${s.slice(0, LEFT - 1)}…` : s).padEnd(LEFT)}${end}`,
        );
      }
      shown = plain;
    }
    said = [];
  };
  for (const [i, choice] of choices.entries()) {
    if (i === first) {
      zero = w.now;
      lines.length = 0;
    }
    act(w, choice, hooks);
    flush();
  }
  if (w.bad === undefined) fairEnd(w, hooks, flush);
  return lines;
}

/** What was bad came only when all was put right: told to where it shows. */
function fairEnd(w: World, hooks: Hooks, flush: () => void): void {
  heal(w, hooks);
  flush();
  const m = new Mover(w, hooks);
  const end = w.now + PATIENCE;
  while (w.bad === undefined && w.now <= end && !settled(w) && m.advance()) flush();
}
