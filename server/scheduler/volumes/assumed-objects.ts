import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../api/meta/object.ts';

/**
 * The scheduler's decisions about objects that the informer does not show yet. An assumption holds for exactly that state of the
 * object on which it was made: as soon as the informer knows another, that counts.
 */
export class AssumedObjects<T extends KubeObject> {
  readonly #assumed = new WeakMap<object, DeepReadonly<T>>();

  newest(known: DeepReadonly<T>): DeepReadonly<T> {
    return this.#assumed.get(known) ?? known;
  }

  assume(known: DeepReadonly<T>, assumed: DeepReadonly<T>): void {
    this.#assumed.set(known, assumed);
  }

  forget(known: DeepReadonly<T>): void {
    this.#assumed.delete(known);
  }
}
