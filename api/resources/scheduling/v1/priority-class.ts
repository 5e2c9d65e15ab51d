import { ageColumn, integerColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateChoice } from '../../../resource/field-rules.ts';
import type { PriorityClass } from '../../../types/scheduling-v1.ts';
import { type FieldError, forbidden } from '../../../validation/field-error.ts';
import { validateImmutable } from '../../../validation/immutable.ts';

/** Classes of this prefix belong to the system. */
const systemPrefix = 'system-';
const systemClasses: ReadonlyMap<string, number> = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
]);
/** The most that users may give. */
const highestUserPriority = 1_000_000_000;

/** How important Pods are that name it. */
export const priorityClasses = defineResource<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'PriorityClass', plural: 'priorityclasses', shortNames: ['pc'] },
  definition: 'io.k8s.api.scheduling.v1.PriorityClass',
  storagePrefix: 'priorityclasses',
  hasGeneration: true,
  generationFields: [],
  printerColumns: [
    nameColumn,
    integerColumn('Value', ({ value }) => value ?? 0),
    { name: 'Global-Default', type: 'boolean', value: ({ globalDefault }) => globalDefault ?? false },
    ageColumn,
    textColumn('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
  ],
  validate({ metadata, value = 0, preemptionPolicy }, path) {
    const name = metadata.name ?? '';
    const errors: FieldError[] = [];
    if (name.startsWith(systemPrefix)) {
      if (systemClasses.get(name) !== value) {
        errors.push(
          forbidden(
            path.child('metadata', 'name'),
            `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${systemProblem(name)}`,
          ),
        );
      }
    } else if (value > highestUserPriority) {
      errors.push(forbidden(path.child('value'), `maximum allowed value of a user defined priority is ${highestUserPriority}`));
    }
    if (preemptionPolicy !== undefined) {
      errors.push(...validateChoice(path.child('preemptionPolicy'), preemptionPolicy, ['Never', 'PreemptLowerPriority']));
    }
    return errors;
  },
  validateUpdate(priorityClass, old, path) {
    const errors: FieldError[] = [];
    if ((priorityClass.value ?? 0) !== (old.value ?? 0)) errors.push(forbidden(path.child('value'), 'may not be changed in an update.'));
    return [...errors, ...validateImmutable(path.child('preemptionPolicy'), priorityClass.preemptionPolicy, old.preemptionPolicy)];
  },
});

function systemProblem(name: string): string {
  const value = systemClasses.get(name);
  return value === undefined ? `${name} is not a known system priority class` : `value of ${name} PriorityClass must be ${value}`;
}
