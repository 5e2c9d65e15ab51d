import { isLongerThan } from '../base/utf8.ts';

/** A rule for names. It returns the problems of the value in the API's words, or an empty array. */
export type NameRule = (name: string, isPrefix: boolean) => string[];

const labelFormat = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const subdomainFormat = `${labelFormat}(\\.${labelFormat})*`;
const underscoreLabelFormat = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const underscoreSubdomainFormat = `${underscoreLabelFormat}(\\.${underscoreLabelFormat})*`;
const dns1035Format = '[a-z]([-a-z0-9]*[a-z0-9])?';
const wildcardFormat = `\\*\\.${subdomainFormat}`;
const labelKeyFormat = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const labelValueFormat = `(${labelKeyFormat})?`;

const whole = (format: string) => new RegExp(`^(?:${format})$`);
const labelPattern = whole(labelFormat);
const subdomainPattern = whole(subdomainFormat);
const underscoreSubdomainPattern = whole(underscoreSubdomainFormat);
const dns1035Pattern = whole(dns1035Format);
const wildcardPattern = whole(wildcardFormat);
const labelKeyPattern = whole(labelKeyFormat);
const labelValuePattern = whole(labelValueFormat);

/** `<message> (e.g. 'a', or 'b', regex used for validation is '<format>')` */
export function describeFormat(message: string, format: string, ...examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return examples.length === 0
    ? `${message} (regex used for validation is '${format}')`
    : `${message} (e.g. ${shown}regex used for validation is '${format}')`;
}

/** The limits are bytes; where names are meant the messages nevertheless say characters, those on labels say bytes. */
function tooLongMessage(maxBytes: number, unit = 'characters'): string {
  return `must be no more than ${maxBytes} ${unit}`;
}

/** A label of a domain name as RFC 1123 has it: lower case, at most 63. */
export function dns1123LabelProblems(value: string): string[] {
  const problems = isLongerThan(value, 63) ? [tooLongMessage(63)] : [];
  if (labelPattern.test(value)) return problems;
  if (subdomainPattern.test(value)) return [...problems, 'must not contain dots'];
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, describeFormat(message, labelFormat, 'my-name', '123-abc')];
}

/** Labels joined by dots, at most 253. */
export function dns1123SubdomainProblems(value: string): string[] {
  return subdomainProblems(value, 'characters');
}

function subdomainProblems(value: string, unit: string): string[] {
  const problems = isLongerThan(value, 253) ? [tooLongMessage(253, unit)] : [];
  if (subdomainPattern.test(value)) return problems;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, describeFormat(message, subdomainFormat, 'example.com')];
}

/** The problems of a subdomain in which underscores are allowed (DNS search paths). */
export function dns1123SubdomainWithUnderscoreProblems(value: string): string[] {
  const problems = isLongerThan(value, 253) ? [tooLongMessage(253)] : [];
  if (underscoreSubdomainPattern.test(value)) return problems;
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, describeFormat(message, underscoreSubdomainFormat, 'example.com')];
}

/** `*.` and a subdomain (Ingress hosts). */
export function wildcardDNS1123SubdomainProblems(value: string): string[] {
  const problems = isLongerThan(value, 253) ? [tooLongMessage(253)] : [];
  if (wildcardPattern.test(value)) return problems;
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  return [...problems, describeFormat(message, wildcardFormat, '*.example.com')];
}

/** A label as RFC 1035 has it: begins with a letter (Service names before v1.34). */
export function dns1035LabelProblems(value: string): string[] {
  const problems = isLongerThan(value, 63) ? [tooLongMessage(63)] : [];
  if (dns1035Pattern.test(value)) return problems;
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, describeFormat(message, dns1035Format, 'my-name', 'abc-123')];
}

const labelKeyMessage = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const labelKeyExamples = ['MyName', 'my.name', '123-abc'];

/** A label key, also called qualified name: `name` or `prefix.example.com/name`. */
export function qualifiedNameProblems(value: string): string[] {
  const slash = value.indexOf('/');
  if (slash !== value.lastIndexOf('/')) {
    const message = describeFormat(`a valid label key ${labelKeyMessage}`, labelKeyFormat, ...labelKeyExamples);
    return [`${message} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  if (slash === 0) problems.push('prefix part must be non-empty');
  else if (slash > 0) problems.push(...subdomainProblems(value.slice(0, slash), 'bytes').map((problem) => `prefix part ${problem}`));
  const name = value.slice(slash + 1);
  if (name === '') problems.push('name part must be non-empty');
  else if (isLongerThan(name, 63)) problems.push(`name part ${tooLongMessage(63, 'bytes')}`);
  if (!labelKeyPattern.test(name)) problems.push(`name part ${describeFormat(labelKeyMessage, labelKeyFormat, ...labelKeyExamples)}`);
  return problems;
}

export function labelValueProblems(value: string): string[] {
  const problems = isLongerThan(value, 63) ? [tooLongMessage(63, 'bytes')] : [];
  if (labelValuePattern.test(value)) return problems;
  const message = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`;
  return [...problems, describeFormat(message, labelValueFormat, 'MyValue', 'my_value', '12345')];
}

/** The errors of a name that must fit a path of the API and a key of the store. */
export function pathSegmentNameProblems(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((character) => value.includes(character)).map((character) => `may not contain '${character}'`);
}

/** A generated name will get a suffix, so a dash may end its prefix. */
function withoutTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name;
}

export const nameIsDNSSubdomain: NameRule = (name, isPrefix) => dns1123SubdomainProblems(isPrefix ? withoutTrailingDash(name) : name);
export const nameIsDNSLabel: NameRule = (name, isPrefix) => dns1123LabelProblems(isPrefix ? withoutTrailingDash(name) : name);
export const nameIsDNS1035Label: NameRule = (name, isPrefix) => dns1035LabelProblems(isPrefix ? withoutTrailingDash(name) : name);
/** Kinds whose names may hold nearly anything (RBAC: `system:node`). */
export const nameIsPathSegment: NameRule = (name, isPrefix) => {
  const problems = pathSegmentNameProblems(name);
  return isPrefix ? problems.filter((problem) => problem.startsWith('may not contain')) : problems;
};
