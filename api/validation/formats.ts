import { isLongerThan } from '../base/utf8.ts';
import { describeFormat, dns1123SubdomainProblems, qualifiedNameProblems } from './names.ts';
import { type FieldError, invalid, required } from './field-error.ts';
import type { FieldPath } from './field-path.ts';

/** Rules for short texts and numbers other than names. As in names.ts, each returns the problems of the value. */

const identifierFormat = '[A-Za-z_][A-Za-z0-9_]*';
const percentFormat = '[0-9]+%';
const headerFormat = '[-A-Za-z0-9]+';
const configMapKeyFormat = '[-._a-zA-Z0-9]+';
const envVarFormat = '[-._a-zA-Z][-._a-zA-Z0-9]*';
const httpPathFormat = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;
const headerPattern = /^[-A-Za-z0-9]+$/;
const configMapKeyPattern = /^[-._a-zA-Z0-9]+$/;
const envVarPattern = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/;
const httpPathPattern = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

export function inclusiveRangeMessage(minimum: number, maximum: number): string {
  return `must be between ${minimum} and ${maximum}, inclusive`;
}

export function rangeProblems(value: number, minimum: number, maximum: number): string[] {
  return value >= minimum && value <= maximum ? [] : [inclusiveRangeMessage(minimum, maximum)];
}

export function portNumberProblems(port: number): string[] {
  return rangeProblems(port, 1, 65_535);
}

/** An IANA service name (RFC 6335), lower case only. */
export function portNameProblems(name: string): string[] {
  const problems: string[] = [];
  if (isLongerThan(name, 15)) problems.push('must be no more than 15 characters');
  if (!/^[-a-z0-9]+$/.test(name)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(name)) problems.push('must contain at least one letter (a-z)');
  if (name.includes('--')) problems.push('must not contain consecutive hyphens');
  if (name.startsWith('-') || name.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function userIDProblems(id: number): string[] {
  return rangeProblems(id, 0, 2_147_483_647);
}

export function groupIDProblems(id: number): string[] {
  return rangeProblems(id, 0, 2_147_483_647);
}

export function percentProblems(value: string): string[] {
  if (/^[0-9]+%$/.test(value)) return [];
  return [describeFormat("a valid percent string must be a numeric string followed by an ending '%'", percentFormat, '1%', '93%')];
}

export function cIdentifierProblems(value: string): string[] {
  if (identifierPattern.test(value)) return [];
  const message =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return [describeFormat(message, identifierFormat, 'my_name', 'MY_NAME', 'MyName')];
}

export function httpHeaderNameProblems(value: string): string[] {
  if (headerPattern.test(value)) return [];
  return [describeFormat("a valid HTTP header must consist of alphanumeric characters or '-'", headerFormat, 'X-Header-Name')];
}

function parentDirectoryProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`must not be '${value}'`];
  return value.startsWith('..') ? ["must not start with '..'"] : [];
}

/** Keys of ConfigMaps and Secrets, which become file names. */
export function configMapKeyProblems(value: string): string[] {
  const problems = isLongerThan(value, 253) ? ['must be no more than 253 characters'] : [];
  if (!configMapKeyPattern.test(value)) {
    const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(describeFormat(message, configMapKeyFormat, 'key.name', 'KEY_NAME', 'key-name'));
  }
  return [...problems, ...parentDirectoryProblems(value)];
}

/** Environment variable names as they were before KEP-4369; still the rule where a file key becomes a variable. */
export function strictEnvVarNameProblems(value: string): string[] {
  const problems: string[] = [];
  if (!envVarPattern.test(value)) {
    const message =
      "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit";
    problems.push(describeFormat(message, envVarFormat, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1'));
  }
  return [...problems, ...parentDirectoryProblems(value)];
}

/** Environment variable names: any printable ASCII but `=` (KEP-4369). */
export function envVarNameProblems(value: string): string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  if (/^[ -<>-~]+$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const conditionReasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';

export function conditionReasonProblems(value: string): string[] {
  if (/^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/.test(value)) return [];
  const message =
    "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
  return [describeFormat(message, conditionReasonFormat, 'my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB')];
}

/** A domain of at least three labels (e.g. names of signers). */
export function validateFullyQualifiedName(path: FieldPath, name: string): FieldError[] {
  if (name === '') return [required(path)];
  const problems = dns1123SubdomainProblems(name);
  if (problems.length > 0) return [invalid(path, name, problems.join(','))];
  if (name.split('.').length >= 3) return [];
  return [invalid(path, name, 'should be a domain with at least three segments separated by dots')];
}

/** `acme.io/foo` (Ingress controllers, job managers). */
export function validateDomainPrefixedPath(path: FieldPath, value: string): FieldError[] {
  if (value === '') return [required(path)];
  const slash = value.indexOf('/');
  if (slash <= 0 || slash === value.length - 1) {
    return [invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const host = value.slice(0, slash);
  const rest = value.slice(slash + 1);
  const errors = dns1123SubdomainProblems(host).map((problem) => invalid(path, host, problem));
  if (!httpPathPattern.test(rest)) errors.push(invalid(path, rest, describeFormat('Invalid path', httpPathFormat)));
  return errors;
}

/** A qualified name that has a prefix. */
export function validateDomainPrefixedKey(path: FieldPath, value: string): FieldError[] {
  if (value === '') return [required(path)];
  const problems = qualifiedNameProblems(value);
  if (problems.length > 0) return problems.map((problem) => invalid(path, value, problem));
  return value.includes('/') ? [] : [invalid(path, value, 'must be a domain-prefixed key (such as "acme.io/foo")')];
}

/** Counts and seconds that must not be below zero. */
export function validateNonnegative(path: FieldPath, value: number): FieldError[] {
  return value < 0 ? [invalid(path, value, 'must be greater than or equal to 0')] : [];
}
