import { quote } from '../../../base/quote.ts';
import { type FieldError, invalid, required, tooLong } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';

const maxDomainLength = 253;
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
  if (domain.length > maxDomainLength) errors.push(tooLong(path, maxDomainLength));
  errors.push(...labelErrors(domain, path, dns1123LabelProblems));
  if (!domain.includes('.')) errors.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'));
  errors.push(...labelErrors(rest, path, dns1123SubdomainProblems));
  if (name.length > maxLength) errors.push(tooLong(path, maxLength));
  return errors;
}

/** The errors of the first label that is wrong; those of the others would repeat them. */
function labelErrors(text: string, path: FieldPath, problemsOf: (label: string) => readonly string[]): FieldError[] {
  for (const label of text.split('.')) {
    const problems = problemsOf(label);
    if (problems.length > 0) return problems.map((problem) => invalid(path, text, `validating label ${quote(label)}: ${problem}`));
  }
  return [];
}
