import {
  labelValueProblems,
  nameIsDNS1035Label,
  nameIsDNSLabel,
  nameIsDNSSubdomain,
  qualifiedNameProblems,
} from '../../validation/names.ts';
import { declare, global, member } from './declare.ts';
import { parseTimestampText } from '../types/time-values.ts';
import { type CELType, listType, objectType, optionalType, stringType } from '../types/types.ts';
import { type CELValue, Failure, NativeList, none, type OpaqueValue, OptionalValue } from '../types/values.ts';
import { parseRequestURI, URLError } from './request-uri.ts';
import type { Library } from '../declarations.ts';

const formatType: CELType = objectType('kubernetes.NamedFormat');

export class FormatValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = formatType;
  readonly name: string;
  /** How long the regular expression is taken to be when a validation is priced. */
  readonly regexSize: number;
  readonly problems: (text: string) => readonly string[];
  constructor(name: string, regexSize: number, problems: (text: string) => readonly string[]) {
    this.name = name;
    this.regexSize = regexSize;
    this.problems = problems;
  }
  equals(other: CELValue): boolean {
    return other instanceof FormatValue && other.name === this.name;
  }
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/;

const unless = (isValid: (text: string) => boolean, problem: string) => (text: string) => (isValid(text) ? [] : [problem]);

function isTime(text: string): boolean {
  try {
    parseTimestampText(text.toUpperCase());
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

function uriProblems(text: string): readonly string[] {
  try {
    parseRequestURI(text);
    return [];
  } catch (error) {
    if (error instanceof URLError) return [error.message];
    throw error;
  }
}

const dateTimeRegexSize = 71;

const formats: ReadonlyMap<string, FormatValue> = new Map([
  ['dns1123Label', new FormatValue('DNS1123Label', 30, (text) => nameIsDNSLabel(text, false))] as const,
  ['dns1123Subdomain', new FormatValue('DNS1123Subdomain', 60, (text) => nameIsDNSSubdomain(text, false))] as const,
  ['dns1035Label', new FormatValue('DNS1035Label', 30, (text) => nameIsDNS1035Label(text, false))] as const,
  ['qualifiedName', new FormatValue('QualifiedName', 60, qualifiedNameProblems)] as const,
  ['dns1123LabelPrefix', new FormatValue('DNS1123LabelPrefix', 30, (text) => nameIsDNSLabel(text, true))] as const,
  ['dns1123SubdomainPrefix', new FormatValue('DNS1123SubdomainPrefix', 60, (text) => nameIsDNSSubdomain(text, true))] as const,
  ['dns1035LabelPrefix', new FormatValue('DNS1035LabelPrefix', 30, (text) => nameIsDNS1035Label(text, true))] as const,
  ['labelValue', new FormatValue('LabelValue', 40, labelValueProblems)] as const,
  ['uri', new FormatValue('URI', 1103, uriProblems)] as const,
  [
    'uuid',
    new FormatValue(
      'uuid',
      70,
      unless((text) => uuid.test(text), 'does not match the UUID format'),
    ),
  ] as const,
  [
    'byte',
    new FormatValue(
      'byte',
      84,
      unless((text) => base64.test(text), 'invalid base64'),
    ),
  ] as const,
  [
    'date',
    new FormatValue(
      'date',
      dateTimeRegexSize,
      unless((text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && isTime(`${text}T00:00:00Z`), 'invalid date'),
    ),
  ] as const,
  ['datetime', new FormatValue('datetime', dateTimeRegexSize, unless(isTime, 'invalid datetime'))] as const,
]);

function named(name: string): OptionalValue {
  const format = formats.get(name);
  return format === undefined ? none : new OptionalValue(format);
}

function validate(format: FormatValue, text: string): OptionalValue {
  const problems = format.problems(text);
  return problems.length === 0 ? none : new OptionalValue(new NativeList(problems));
}

export const formatLibrary: Library = {
  types: [formatType],
  functions: [
    declare('validate', member('format-validate', [formatType, stringType], optionalType(listType(stringType)), validate)),
    declare('format.named', global('format-named', [stringType], optionalType(formatType), named)),
    ...[...formats].map(([name, format]) =>
      declare(
        `format.${name}`,
        global(`format.${name}`, [], formatType, () => format),
      ),
    ),
  ],
};

/** jsonpatch.escapeKey(), which mutating policies have. */
export const jsonPatchLibrary: Library = {
  functions: [
    declare(
      'jsonpatch.escapeKey',
      global('string_jsonpatch_escapeKey_string', [stringType], stringType, (key: string) =>
        key.replaceAll('~', '~0').replaceAll('/', '~1'),
      ),
    ),
  ],
};
