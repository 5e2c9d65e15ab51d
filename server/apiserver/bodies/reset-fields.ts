import { fieldElement } from '../../../api/apply/path-element.ts';
import { emptySet, fieldSetOf, type FieldSet } from '../../../api/apply/field-set.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

const status = fieldSetOf([fieldElement('status')]);
const spec = fieldSetOf([fieldElement('spec')]);

/** Fields that a request to this (sub)resource cannot change, and that nobody therefore owns by it (KEP-555). */
export function resetFieldsOf(definition: ResourceDefinition, subresource: string): FieldSet {
  if (definition.subresources['status'] === undefined) return emptySet;
  if (subresource === '') return status;
  return subresource === 'status' ? spec : emptySet;
}
