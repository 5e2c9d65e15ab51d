import type { LoggedChange } from './event-log.ts';
import type { CachedObject, RequiredValue, WatchScope } from './watch-cache.ts';
import { WatchGroup, type Watcher } from './watch-group.ts';

/** The groups that require a value of one field or label, by that value. */
interface ValueIndex {
  readonly of: RequiredValue['of'];
  readonly name: string;
  readonly groups: Map<string, Set<WatchGroup>>;
}

/** The groups of one key prefix. */
interface Partition {
  /** Every change may be theirs. */
  readonly any: Set<WatchGroup>;
  readonly byValue: Map<string, ValueIndex>;
}

/** The most fields and labels with an index. Selectors by others are evaluated one by one for each change. */
const maxValueIndexes = 16;

/**
 * Leads from a change to the watches it can matter to: by the object's key, its namespace, and the values of fields and
 * labels that selectors require. A change costs nothing for a watch of another namespace, node or label.
 */
export class WatchIndex {
  readonly #groups = new Map<string, WatchGroup>();
  readonly #partitions = new Map<string, Partition>();

  add(scope: WatchScope, watch: Watcher): WatchGroup {
    const id = `${scope.keyPrefix}\0${scope.selector}`;
    let group = this.#groups.get(id);
    if (!group) {
      group = new WatchGroup(scope);
      this.#groups.set(id, group);
      this.#enter(group);
    }
    group.watches.add(watch);
    return group;
  }

  remove(group: WatchGroup, watch: Watcher): void {
    if (!group.watches.delete(watch) || group.watches.size > 0) return;
    const { scope } = group;
    this.#groups.delete(`${scope.keyPrefix}\0${scope.selector}`);
    const partition = this.#partitions.get(scope.keyPrefix);
    if (!partition) return;
    if (!partition.any.delete(group)) leaveValues(partition, group);
    if (partition.any.size === 0 && partition.byValue.size === 0) this.#partitions.delete(scope.keyPrefix);
  }

  isEmpty(): boolean {
    return this.#groups.size === 0;
  }

  groups(): Iterable<WatchGroup> {
    return this.#groups.values();
  }

  /** Groups that may see something of the change of that key, relative to the resource. */
  *candidates(relativeKey: string, change: LoggedChange): Generator<WatchGroup> {
    yield* this.#candidatesAt('', change);
    for (let slash = relativeKey.indexOf('/'); slash >= 0; slash = relativeKey.indexOf('/', slash + 1))
      yield* this.#candidatesAt(relativeKey.slice(0, slash + 1), change);
    yield* this.#candidatesAt(relativeKey, change);
  }

  *#candidatesAt(keyPrefix: string, change: LoggedChange): Generator<WatchGroup> {
    const partition = this.#partitions.get(keyPrefix);
    if (!partition) return;
    yield* partition.any;
    for (const index of partition.byValue.values()) yield* candidatesOf(index, change);
  }

  #enter(group: WatchGroup): void {
    const { keyPrefix, requires } = group.scope;
    let partition = this.#partitions.get(keyPrefix);
    if (!partition) this.#partitions.set(keyPrefix, (partition = { any: new Set(), byValue: new Map() }));
    const index = requires && indexOf(partition, requires);
    if (!index) {
      partition.any.add(group);
      return;
    }
    const known = index.groups.get(requires.value);
    if (known) known.add(group);
    else index.groups.set(requires.value, new Set([group]));
  }
}

function indexOf({ byValue }: Partition, { of, name }: RequiredValue): ValueIndex | undefined {
  const id = `${of} ${name}`;
  const known = byValue.get(id);
  if (known || byValue.size >= maxValueIndexes) return known;
  const index: ValueIndex = { of, name, groups: new Map() };
  byValue.set(id, index);
  return index;
}

function leaveValues({ byValue }: Partition, group: WatchGroup): void {
  const { requires } = group.scope;
  if (!requires) return;
  const id = `${requires.of} ${requires.name}`;
  const index = byValue.get(id);
  const groups = index?.groups.get(requires.value);
  if (!index || !groups) return;
  groups.delete(group);
  if (groups.size === 0) index.groups.delete(requires.value);
  if (index.groups.size === 0) byValue.delete(id);
}

/** The groups that require the new value, and those that require the old one, for which the object leaves the selection. */
function* candidatesOf(index: ValueIndex, { object, previous }: LoggedChange): Generator<WatchGroup> {
  const values = new Set<string>();
  try {
    for (const state of [object, previous]) {
      const value = state && valueOf(index, state);
      if (value !== undefined) values.add(value);
    }
  } catch {
    // An object that cannot be read must be reported to all watches that need it: each gets the error.
    for (const groups of index.groups.values()) yield* groups;
    return;
  }
  for (const value of values) yield* index.groups.get(value) ?? [];
}

function valueOf({ of, name }: ValueIndex, object: CachedObject): string | undefined {
  return of === 'field' ? object.field(name) : object.labels()[name];
}
