/**
 * The sentry's side of `show`, `clear` and `monitor`: it passes a question to the engine and lines back,
 * and looks at neither. An engine that does not answer is an answer too.
 */

import type { Answer, Asker, ControlRequest } from './control.ts';
import type { DeskRequest } from './control-desk.ts';
import { log } from './log.ts';
import type { FromDesk, ToDesk } from './show-desk.ts';

/** How long the engine may take. */
const PATIENCE_MS = 2000;

type Waiting = {
  readonly answer: Answer;
  readonly asker: Asker;
  /** Of `monitor`, until whoever watches is gone. */
  readonly stays: boolean;
  readonly timer: NodeJS.Timeout;
  /** Lines he was not told because he reads too slowly. */
  dropped: number;
};

export class Inquiries {
  private readonly toEngine: (m: ToDesk) => void;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;

  constructor(toEngine: (m: ToDesk) => void) {
    this.toEngine = toEngine;
  }

  /** @returns false: it is another kind of request. */
  takes(request: ControlRequest, answer: Answer, asker: Asker): request is DeskRequest {
    switch (request.command) {
      case 'show':
        this.ask(answer, asker, (id) => ({ kind: 'show', id, request: request.show }));
        return true;
      case 'clear':
        log('info', `operator: clear ${request.clear.what} ${request.clear.id}`);
        this.ask(answer, asker, (id) => ({ kind: 'clear', id, request: request.clear }));
        return true;
      case 'monitor': {
        const id = this.ask(
          answer,
          asker,
          (watch) => ({ kind: 'watch', id: watch, filter: request.filter }),
          true,
        );
        asker.onGone(() => this.gone(id));
        return true;
      }
      default:
        return false;
    }
  }

  private ask(answer: Answer, asker: Asker, make: (id: number) => ToDesk, stays = false): number {
    const id = this.nextId;
    this.nextId += 1;
    const timer = setTimeout(() => {
      this.waiting.delete(id);
      answer({ error: 'engine-silent', text: 'the engine does not answer' });
    }, PATIENCE_MS);
    this.waiting.set(id, { answer, asker, stays, timer, dropped: 0 });
    this.toEngine(make(id));
    return id;
  }

  private gone(id: number): void {
    const one = this.waiting.get(id);
    if (one !== undefined) clearTimeout(one.timer);
    this.waiting.delete(id);
    this.toEngine({ kind: 'unwatch', id });
  }

  told({ id, json }: FromDesk): void {
    const one = this.waiting.get(id);
    if (one === undefined) return;
    clearTimeout(one.timer);
    if (!one.stays) this.waiting.delete(id);
    if (one.asker.isBehind()) {
      one.dropped += 1;
      return;
    }
    if (one.dropped > 0) one.answer({ dropped: one.dropped });
    one.dropped = 0;
    one.asker.line(json);
  }
}
