import type { Comparison } from './compare.ts';
import { difference, emptySet, type FieldSet, fieldSetOf, isEmptySet, sortSet, union } from './field-set.ts';
import { isSameManager, type Manager } from './managers.ts';
import { fieldElement } from './path-element.ts';

/** Fields of the server that no manager ever owns. */
const unowned = fieldSetOf(
  ...['apiVersion', 'kind', 'metadata'].map((name) => [fieldElement(name)]),
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => [fieldElement('metadata'), fieldElement(name)],
  ),
);

/** The part of a set that a manager may own. */
export function ownable(set: FieldSet): FieldSet {
  return difference(set, unowned);
}

/**
 * The managers without what has changed or gone under them, as the version of each shows it. Managers of versions that the
 * kind does not have are dropped.
 */
export function withoutChanges(managers: readonly Manager[], byVersion: ReadonlyMap<string, Comparison>): Manager[] {
  const goneByVersion = new Map(
    [...byVersion].map(([version, { added, modified, removed }]) => [version, union(union(added, modified), removed)]),
  );
  return managers.flatMap((manager) => {
    const gone = goneByVersion.get(manager.apiVersion);
    if (gone === undefined) return [];
    const fields = difference(manager.fields, gone);
    return fields === manager.fields ? manager : { ...manager, fields };
  });
}

/** The managers after an update: `updater` owns the fields that it changed or added, in addition to those it owned before. */
export function ownChanges(managers: readonly Manager[], byVersion: ReadonlyMap<string, Comparison>, updater: Manager): Manager[] {
  const rest = withoutChanges(managers, byVersion);
  const changes = byVersion.get(updater.apiVersion);
  const taken = changes ? sortSet(ownable(union(changes.added, changes.modified))) : emptySet;
  if (isEmptySet(taken)) return rest;
  const place = rest.findIndex((manager) => isSameManager(manager, updater));
  const previous = rest[place];
  if (previous === undefined) return [...rest, { ...updater, fields: taken }];
  return rest.with(place, { ...updater, fields: union(previous.fields, taken) });
}
