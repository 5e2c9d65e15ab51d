/** A function that may be handed out before there is what it calls. */
export interface Connectable<A extends readonly unknown[], R> {
  /** Rejects until it is connected. */
  readonly call: (...args: A) => Promise<R>;
  connect(target: (...args: A) => Promise<R>): void;
}

/** Makes a function that is connected once its target is there; `name` tells in errors what is missing until then. */
export function createConnectable<A extends readonly unknown[], R>(name: string): Connectable<A, R> {
  let target: ((...args: A) => Promise<R>) | undefined;
  return {
    call: (...args) => (target ? target(...args) : Promise.reject(new Error(`${name} is not complete yet`))),
    connect(found) {
      if (target) throw new Error(`${name} is connected already`);
      target = found;
    },
  };
}
