/**
 * A set and a map of the few things of one turn. Built-in ones, and lists cut to nothing, make a new
 * table whenever they are filled again, which for something that is filled and emptied a few times a
 * call is most of their cost. These keep their places.
 */

export class FewSet {
  private readonly list: number[] = [];
  private from = 0;
  private to = 0;

  get size(): number {
    return this.to - this.from;
  }
  has(key: number): boolean {
    for (let i = this.from; i < this.to; i += 1) if (this.list[i] === key) return true;
    return false;
  }
  add(key: number): void {
    if (this.has(key)) return;
    this.list[this.to] = key;
    this.to += 1;
  }
  /** Takes the oldest out; undefined: it is empty. */
  shift(): number | undefined {
    if (this.from === this.to) {
      this.clear();
      return undefined;
    }
    this.from += 1;
    return this.list[this.from - 1];
  }
  clear(): void {
    this.from = 0;
    this.to = 0;
  }
}

export class FewMap<V> {
  private readonly list: number[] = [];
  private readonly values: (V | undefined)[] = [];
  size = 0;

  /** The key at a place below `size`, in order of insertion. */
  key(at: number): number {
    return this.list[at] ?? 0;
  }
  private find(key: number): number {
    for (let i = 0; i < this.size; i += 1) if (this.list[i] === key) return i;
    return -1;
  }
  get(key: number): V | undefined {
    const at = this.find(key);
    return at < 0 ? undefined : this.values[at];
  }
  has(key: number): boolean {
    return this.find(key) >= 0;
  }
  set(key: number, value: V): void {
    const found = this.find(key);
    const at = found < 0 ? this.size : found;
    this.list[at] = key;
    this.values[at] = value;
    if (found < 0) this.size += 1;
  }
  delete(key: number): void {
    const at = this.find(key);
    if (at < 0) return;
    this.size -= 1;
    for (let i = at; i < this.size; i += 1) {
      this.list[i] = this.list[i + 1] ?? 0;
      this.values[i] = this.values[i + 1];
    }
    this.values[this.size] = undefined;
  }
  clear(): void {
    for (let i = 0; i < this.size; i += 1) this.values[i] = undefined;
    this.size = 0;
  }
}
