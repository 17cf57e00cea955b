/**
 * The permission to be away: one box asks, the other one, which serves, says that it stays. Whoever has
 * said so does not go away itself, nor asks, until the other one is back on another link or says that it
 * stays. So two boxes can never both have it, whatever is lost on the way: a question has a number, an
 * answer holds for that number on that link, and who was started anew has no permission.
 */

export class Leave {
  /** The other box may be away: this one stays. */
  granted = false;
  /** Number of our question; 0: none is open. */
  private open = 0;
  private numbers = 0;
  private links = 0;
  private grantedOn = 0;

  /** The link came or went: nothing that was asked on it holds. */
  link(): void {
    this.links += 1;
    this.refrain();
  }

  refrain(): void {
    this.open = 0;
  }

  /** @returns the number to ask with. */
  ask(): number {
    this.numbers += 1;
    this.open = this.numbers;
    return this.open;
  }

  /** @returns whether that is the answer to what is asked. */
  answered(nonce: number): boolean {
    if (this.open === 0 || nonce !== this.open) return false;
    this.open = 0;
    return true;
  }

  grant(): void {
    this.granted = true;
    this.grantedOn = this.links;
    this.refrain();
  }

  /** The other box says that it does not leave; on the link of the answer it may have said so before. */
  reported(leaving: boolean): void {
    if (!leaving && this.links !== this.grantedOn) this.granted = false;
  }
}
