/**
 * A program at work: it watches, asks for what its will says, keeps a few requests under way, and writes
 * down all it says and hears. How it reaches the boxes is the client library's affair (`End`): the
 * simulated world and the lab give it one each.
 */

import type { Dice } from '../world/dice.ts';
import type { Clock } from './clock.ts';
import type { Answer, EventView, Params } from './record.ts';
import type { Recorder } from './recorder.ts';
import type { Will, Wish } from './will.ts';

/** The client library as a program uses it. */
export type End = {
  /** @returns the request's own id, as it is told in events. */
  request(method: string, params: Params, told: (answer: Answer) => void): string;
};

export type ActorHabits = {
  /** Mean pause between two wishes. */
  readonly gapMs: number;
  /** Requests under way at once. */
  readonly most: number;
  /** It watches everything, before anybody does anything. */
  readonly witness: boolean;
};

export class Actor {
  readonly name: string;
  /** Requests that were not answered. */
  pending = 0;
  asked = 0;
  events = 0;
  session = '';
  private end: End | undefined;
  private resting = true;
  private readonly will: Will;
  private readonly habits: ActorHabits;
  private readonly book: Recorder;
  private readonly clock: Clock;
  private readonly dice: Dice;
  private readonly first: Wish[] = [];

  constructor(
    name: string,
    will: Will,
    habits: ActorHabits,
    parts: { readonly clock: Clock; readonly dice: Dice; readonly book: Recorder },
  ) {
    this.name = name;
    this.will = will;
    this.habits = habits;
    this.book = parts.book;
    this.clock = parts.clock;
    this.dice = parts.dice;
  }

  join(end: End): void {
    this.end = end;
    this.wait();
  }

  /** Begins to want things. */
  work(): void {
    this.resting = false;
  }

  rest(): void {
    this.resting = true;
  }

  private wait(): void {
    this.clock.after(this.dice.wait(this.habits.gapMs), () => {
      this.wish();
      this.wait();
    });
  }

  private wish(): void {
    if (this.session === '' || this.pending >= this.habits.most) return;
    const first = this.first.shift();
    if (first !== undefined) this.ask(first);
    else if (!this.resting && !this.habits.witness) {
      const wish = this.will.next();
      if (wish !== undefined) this.ask(wish);
    }
  }

  /** Nothing is under way, and what it does at first is done. */
  get idle(): boolean {
    return this.session !== '' && this.pending === 0 && this.first.length === 0;
  }

  ask(wish: Wish, told: (answer: Answer) => void = () => {}): void {
    const { end, session, name: program } = this;
    if (end === undefined) return;
    this.pending += 1;
    this.asked += 1;
    const { method, params } = wish;
    // a library may answer at once: what was asked stands before its answer
    let id = '';
    let early: Answer | undefined;
    const answered = (answer: Answer): void => {
      this.pending -= 1;
      this.book.say('answered', { program, session, id, answer });
      told(answer);
    };
    id = end.request(method, params, (answer) => {
      if (id === '') early = answer;
      else answered(answer);
    });
    this.book.say('asked', { program, session, id, method, params });
    if (early !== undefined) answered(early);
  }

  // ── what its end tells ───────────────────────────────────────────────────────────────────────

  sessionIs(session: string, how: 'started' | 'resumed' | 'lost', since: number): void {
    const { name: program } = this;
    if (how === 'lost') {
      this.book.say('session', { program, session: this.session, how, since });
      this.session = '';
      this.will.forget();
      return;
    }
    this.session = session;
    this.book.say('session', { program, session, how, since });
    if (how !== 'started') return;
    this.first.length = 0;
    if (this.habits.witness) this.first.push({ method: 'monitorStart', params: { all: true } });
    this.first.push(...this.will.beginning());
  }

  hear(event: EventView): void {
    this.events += 1;
    this.book.say('event', { program: this.name, session: this.session, event });
    this.will.hear(event);
  }

  /** The box that serves it said an event that its library did not give it: it had it before. */
  dropped(event: number): void {
    this.book.say('dropped', { program: this.name, session: this.session, event });
  }

  sent(id: string, box: string): void {
    this.book.say('sent', { program: this.name, session: this.session, id, box });
  }

  heard(id: string, answer: Answer): void {
    this.book.say('heard', { program: this.name, session: this.session, id, answer });
  }
}
