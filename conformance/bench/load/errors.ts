/** Counts what went wrong, by its name. */
export class ErrorCounts {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  toRecord(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }
}

export const isSuccess = (status: number): boolean => status >= 200 && status < 300;
