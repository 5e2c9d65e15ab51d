import type { DeepReadonly } from '../../../../base/deep-readonly.ts';
import type { Event } from '../../../../types/core-v1.ts';
import { type FieldError, invalid, required } from '../../../../validation/field-error.ts';
import type { FieldPath } from '../../../../validation/field-path.ts';
import { dns1123SubdomainProblems } from '../../../../validation/names.ts';
import { validateQualifiedName } from '../pod-spec/names.ts';

const maxShortCharacters = 128;
const maxNoteCharacters = 1024;

/** Validates Events of both groups; `reportingField` is the group's name of the field for the reporting controller. */
export function validateEvent(event: DeepReadonly<Event>, reportingField: string, path: FieldPath): FieldError[] {
  const errors = event.eventTime ? validateNewForm(event, reportingField, path) : validateOldForm(event, path);
  const namespace = event.metadata.namespace ?? '';
  return [...errors, ...dns1123SubdomainProblems(namespace).map((problem) => invalid(path.child('namespace'), namespace, problem))];
}

function wrongNamespace(event: DeepReadonly<Event>, path: FieldPath): FieldError {
  return invalid(path.child('involvedObject', 'namespace'), event.involvedObject?.namespace ?? '', 'does not match event.namespace');
}

function validateOldForm(event: DeepReadonly<Event>, path: FieldPath): FieldError[] {
  const own = event.metadata.namespace ?? '';
  const involved = event.involvedObject?.namespace ?? '';
  const matches = involved === '' ? own === '' || own === 'default' : involved === own;
  return matches ? [] : [wrongNamespace(event, path)];
}

function validateNewForm(event: DeepReadonly<Event>, reportingField: string, path: FieldPath): FieldError[] {
  const { reportingComponent: controller = '', reportingInstance = '', action = '', reason = '', message = '' } = event;
  const own = event.metadata.namespace ?? '';
  const errors: FieldError[] = [];
  if (!event.involvedObject?.namespace && own !== 'default' && own !== 'kube-system') errors.push(wrongNamespace(event, path));
  if (controller === '') errors.push(required(path.child(reportingField)));
  errors.push(...validateQualifiedName(path.child(reportingField), controller));
  for (const [field, text] of Object.entries({ reportingInstance, action, reason })) {
    if (text === '') errors.push(required(path.child(field)));
    if (text.length > maxShortCharacters) errors.push(invalid(path.child(field), '', `can have at most ${maxShortCharacters} characters`));
  }
  if (message.length > maxNoteCharacters)
    errors.push(invalid(path.child('message'), '', `can have at most ${maxNoteCharacters} characters`));
  return errors;
}

/** Validates the series of an event of events.k8s.io. */
export function validateSeries({ series }: DeepReadonly<Event>, path: FieldPath): FieldError[] {
  if (series === undefined) return [];
  const errors: FieldError[] = [];
  if ((series.count ?? 0) < 2) errors.push(invalid(path.child('series.count'), '', 'should be at least 2'));
  if (!series.lastObservedTime) errors.push(required(path.child('series.lastObservedTime')));
  return errors;
}
