const maxSeconds = 32;

/**
 * After how many seconds a client that was turned away should come back: doubled while many are turned away second after
 * second, counted down again when few are (as TCP does with its window). Never below 1 nor above 32.
 */
export class RetryAfter {
  #seconds = 1;
  #raisedAt = 0;
  #second = 0;
  #dropped = 0;
  /** Past seconds in which requests were dropped, oldest first. */
  #history: { readonly second: number; readonly dropped: number }[] = [];

  get seconds(): number {
    return this.#seconds;
  }

  noteDropped(nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    if (second === this.#second) {
      this.#dropped++;
      return;
    }
    this.#history.push({ second: this.#second, dropped: this.#dropped });
    const horizon = this.#second - Math.min(2 * this.#seconds, maxSeconds);
    this.#history = this.#history.filter((past) => past.second >= horizon);
    this.#second = second;
    this.#dropped = 1;
    this.#adjust(second);
  }

  #adjust(now: number): void {
    const recent = this.#history.filter(({ second }) => second < now && now - second <= this.#seconds);
    const dropped = recent.reduce((sum, past) => sum + past.dropped, 0);
    if (now - this.#raisedAt >= this.#seconds && dropped >= 3 * this.#seconds) {
      this.#seconds = Math.min(2 * this.#seconds, maxSeconds);
      this.#raisedAt = now;
    } else if (dropped < this.#seconds && this.#seconds > 1) this.#seconds--;
  }
}
