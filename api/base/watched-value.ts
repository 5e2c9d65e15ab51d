/** A value that may be replaced while the process runs. */
export interface WatchedValue<T> {
  get(): T;
  /** Called after each replacement, for as long as the process runs. */
  onChange(listener: (value: T) => void): void;
}

export interface SettableValue<T> extends WatchedValue<T> {
  set(value: T): void;
}

/** A watched value that never changes. */
export function fixedValue<T>(value: T): WatchedValue<T> {
  return { get: () => value, onChange: () => {} };
}

export function createWatchedValue<T>(initial: T): SettableValue<T> {
  let current = initial;
  const listeners: ((value: T) => void)[] = [];
  return {
    get: () => current,
    onChange: (listener) => void listeners.push(listener),
    set(value) {
      current = value;
      for (const listener of listeners) listener(value);
    },
  };
}

/** A value derived from another: computed once for each source value. Listeners are called only when the result changes. */
export function mapWatched<T, U>(source: WatchedValue<T>, derive: (value: T) => U): WatchedValue<U> {
  let from = source.get();
  let derived = derive(from);
  const refresh = (): boolean => {
    const now = source.get();
    if (now === from) return false;
    from = now;
    const next = derive(now);
    const isNew = next !== derived;
    derived = next;
    return isNew;
  };
  const listeners: ((value: U) => void)[] = [];
  source.onChange(() => {
    if (refresh()) for (const listener of listeners) listener(derived);
  });
  return {
    get() {
      refresh();
      return derived;
    },
    onChange: (listener) => void listeners.push(listener),
  };
}
