import { type FieldError, invalid, required, tooLong } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';

/** A domain of 253 characters, a slash, a namespace, a dot and a name. */
const maxLength = 571;

/** `example.com/signer-name`: who signs. */
export function validateSignerName(name: string, path: FieldPath): FieldError[] {
  if (name === '') return [required(path)];
  const [domain = '', rest, ...more] = name.split('/');
  if (rest === undefined || more.length > 0) {
    return [invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  }
  const errors: FieldError[] = [];
  if (name.length > maxLength) errors.push(tooLong(path, maxLength));
  const labels = domain.split('.');
  if (labels.length < 2) errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  for (const problem of dns1123SubdomainProblems(domain)) errors.push(invalid(path, domain, problem));
  for (const segment of rest.split('.')) {
    for (const problem of dns1123LabelProblems(segment)) errors.push(invalid(path, rest, `validating label "${segment}": ${problem}`));
  }
  return errors;
}
