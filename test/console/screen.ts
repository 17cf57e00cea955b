/**
 * What a person sees of the bytes a console writes: a terminal as dumb as there is. It knows carriage
 * return, line feed, backspace, and the four sequences the console may use; anything else is an error,
 * because somebody's terminal would not know it either.
 */

export class Screen {
  readonly columns: number;
  private readonly done: string[] = [];
  private chars: string[] = [];
  private at = 0;
  private escape = '';
  /** Sequences and characters it does not know. */
  readonly unknown: string[] = [];
  /** Bells. */
  bells = 0;
  /** Lines that went over the last column. */
  wrapped = 0;

  constructor(columns = 80) {
    this.columns = columns;
  }

  write(text: string): void {
    for (const c of text) this.put(c);
  }

  private put(c: string): void {
    if (this.escape !== '') {
      this.escape += c;
      if (this.escape.length > 2 && /[@-~]/.test(c)) this.sequence();
      return;
    }
    switch (c) {
      case '\x1b':
        this.escape = c;
        break;
      case '\r':
        this.at = 0;
        break;
      case '\n':
        this.done.push(this.line());
        this.chars = [];
        break;
      case '\b':
        this.at = Math.max(0, this.at - 1);
        break;
      case '\x07':
        this.bells += 1;
        break;
      default:
        this.plain(c);
    }
  }

  private plain(c: string): void {
    if ((c.codePointAt(0) ?? 0) < 0x20) this.unknown.push(JSON.stringify(c));
    if (this.at >= this.columns) {
      this.wrapped += 1;
      this.done.push(this.line());
      this.chars = [];
      this.at = 0;
    }
    while (this.chars.length < this.at) this.chars.push(' ');
    this.chars[this.at] = c;
    this.at += 1;
  }

  private sequence(): void {
    const m = /^\[(\d*)([A-Za-z])$/.exec(this.escape.slice(1));
    const n = m?.[1] === '' ? 1 : Number(m?.[1]);
    const known: { readonly [letter: string]: () => void } = {
      K: () => {
        this.chars.length = Math.min(this.chars.length, this.at);
      },
      C: () => {
        this.at = Math.min(this.columns - 1, this.at + n);
      },
      D: () => {
        this.at = Math.max(0, this.at - n);
      },
      // home and clear: what was seen stays in the transcript
      H: () => {
        this.at = 0;
      },
      J: () => {
        this.chars = [];
      },
    };
    const act = known[m?.[2] ?? ''];
    if (act === undefined) this.unknown.push(JSON.stringify(this.escape));
    else act();
    this.escape = '';
  }

  /** The line the cursor is in. */
  line(): string {
    return this.chars.join('').trimEnd();
  }

  /** Column of the cursor. */
  cursor(): number {
    return this.at;
  }

  /** Everything that was seen, line by line. */
  lines(): readonly string[] {
    return this.line() === '' ? this.done : [...this.done, this.line()];
  }

  text(): string {
    return this.lines().join('\n');
  }
}
