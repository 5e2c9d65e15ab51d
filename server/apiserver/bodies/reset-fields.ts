import { fieldElement } from '../../../api/apply/path-element.ts';
import { emptySet, fieldSetOf, type FieldSet } from '../../../api/apply/field-set.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';

const status = fieldSetOf([fieldElement('status')]);
const spec = fieldSetOf([fieldElement('spec')]);

/** The fields that a request to this (sub)resource cannot change, and that no manager therefore owns through it (KEP-555). */
export function resetFieldsOf({ subresources, resetFields }: ResourceDefinition, subresource: string): FieldSet {
  if (subresources['status'] === undefined) return emptySet;
  if (subresource === '') return status;
  const paths = resetFields?.[subresource];
  if (paths !== undefined) return fieldSetOf(...paths.map((path) => path.map(fieldElement)));
  return subresource === 'status' ? spec : emptySet;
}
