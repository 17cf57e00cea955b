/** Bytes as a stream brings them: kept in the pieces they came in, put together once, when a frame is whole. */

export class Pieces {
  private list: Buffer[] = [];
  private total = 0;

  get length(): number {
    return this.total;
  }

  /** Copied: the stream uses its memory again. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.list.push(Buffer.from(bytes));
    this.total += bytes.length;
  }

  /** The first `n` bytes, which have to be there; they stay. */
  peek(n: number): Buffer {
    const [first] = this.list;
    if (first !== undefined && first.length >= n) return first.subarray(0, n);
    const whole = this.take(n);
    this.list.unshift(whole);
    this.total += n;
    return whole;
  }

  /** The same, and they are gone. */
  take(n: number): Buffer {
    const parts: Buffer[] = [];
    let missing = n;
    let used = 0;
    for (const piece of this.list) {
      if (missing === 0) break;
      const part = piece.subarray(0, missing);
      parts.push(part);
      missing -= part.length;
      if (part.length === piece.length) used += 1;
      else this.list[used] = piece.subarray(part.length);
    }
    this.list.splice(0, used);
    this.total -= n;
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
  }

  clear(): void {
    this.list = [];
    this.total = 0;
  }
}
