import sortedBTree from 'sorted-btree';

const BTree = sortedBTree.default;

/** The order of Pods' turns. */
interface Urgency {
  readonly priority: number;
  /** When the Pod entered the queue, in milliseconds. */
  readonly addedMs: number;
}

interface Place extends Urgency {
  /** Distinguishes Pods of equal urgency: the one that was activated first comes first. */
  readonly sequence: number;
}

/** Pods that can be tried now, ordered by priority and then by age. Every operation takes O(log n). */
export class ActivePods<T> {
  readonly #places = new Map<string, Place>();
  readonly #pods = new BTree<Place, T>(undefined, comparePlaces);
  #sequence = 0;

  get size(): number {
    return this.#places.size;
  }

  /** Adds a Pod, or replaces it under a new urgency. */
  set(key: string, urgency: Urgency, pod: T): void {
    this.delete(key);
    const place = { priority: urgency.priority, addedMs: urgency.addedMs, sequence: this.#sequence++ };
    this.#places.set(key, place);
    this.#pods.set(place, pod);
  }

  get(key: string): T | undefined {
    const place = this.#places.get(key);
    return place && this.#pods.get(place);
  }

  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#pods.delete(place);
  }

  /** The Pod whose turn it is; it stays where it is. */
  mostUrgent(): T | undefined {
    const first = this.#pods.minKey();
    return first && this.#pods.get(first);
  }
}

function comparePlaces(a: Place, b: Place): number {
  return b.priority - a.priority || a.addedMs - b.addedMs || a.sequence - b.sequence;
}
