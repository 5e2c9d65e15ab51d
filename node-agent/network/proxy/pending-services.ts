import type { Clock } from '../../../api/base/clock.ts';

type ChangedKind = 'service' | 'endpoints';

/** Services that have changed since they were last looked at, and how long the kernel has not known. */
export class PendingServices {
  readonly #clock: Clock;
  readonly #names = new Set<string>();
  readonly #counts: Record<ChangedKind, number> = { service: 0, endpoints: 0 };
  readonly #confirmed: Record<ChangedKind, number> = { service: 0, endpoints: 0 };
  readonly #triggers: number[] = [];
  #wakeUp = Promise.withResolvers<void>();
  #takenCounts: Record<ChangedKind, number> = { service: 0, endpoints: 0 };
  #taken: number | undefined;
  #firstMs: number | undefined;
  #queuedMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `triggerMs`: when that happened from which the change follows, milliseconds since the Unix epoch. */
  add(name: string, kind: ChangedKind, triggerMs?: number): void {
    this.#names.add(name);
    this.#counts[kind]++;
    if (triggerMs !== undefined) this.#triggers.push(triggerMs);
    this.#firstMs ??= this.#clock.monotonicMs();
    this.wake();
  }

  wake(): void {
    this.#queuedMs = this.#clock.nowMs();
    this.#wakeUp.resolve();
  }

  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw signal.reason;
    const onAbort = () => this.#wakeUp.resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    await this.#wakeUp.promise;
    signal.removeEventListener('abort', onAbort);
    signal.throwIfAborted();
    this.#wakeUp = Promise.withResolvers();
  }

  take(): string[] {
    const names = [...this.#names];
    this.#names.clear();
    this.#takenCounts = { ...this.#counts };
    this.#taken ??= this.#firstMs;
    this.#firstMs = undefined;
    return names;
  }

  /** Called when everything that was taken is in the kernel. Returns the times of the causes. */
  confirm(): number[] {
    this.#taken = undefined;
    Object.assign(this.#confirmed, this.#takenCounts);
    return this.#triggers.splice(0);
  }

  oldestMs(): number | undefined {
    return this.#taken ?? this.#firstMs;
  }

  /** Milliseconds since the Unix epoch. */
  lastQueuedMs(): number | undefined {
    return this.#queuedMs;
  }

  /** Changes ever seen, and of them those that the kernel does not have yet. */
  count(kind: ChangedKind): { readonly total: number; readonly pending: number } {
    return { total: this.#counts[kind], pending: this.#counts[kind] - this.#confirmed[kind] };
  }
}
