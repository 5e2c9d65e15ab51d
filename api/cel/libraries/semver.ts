import { quote } from '../../base/quote.ts';
import { declare, global, member } from './declare.ts';
import { boolType, type CELType, intType, objectType, stringType } from '../types/types.ts';
import { type CELValue, Failure, type OpaqueValue } from '../types/values.ts';
import type { Library } from '../declarations.ts';

const semverType: CELType = objectType('kubernetes.Semver');

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];
}

class SemverValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = semverType;
  readonly version: Version;
  constructor(version: Version) {
    this.version = version;
  }
  equals(other: CELValue): boolean {
    return other instanceof SemverValue && compareVersions(this.version, other.version) === 0;
  }
}

const maxUint64 = 2n ** 64n - 1n;
const numeric = /^\d+$/;

/** A version of the form 1.2.3-pre.1+build. Throws Failure. */
export function parseSemver(text: string): SemverValue {
  if (text === '') throw new Failure('Version string empty');
  const core = /^[^-+]*/.exec(text)?.[0] ?? '';
  const rest = text.slice(core.length);
  const plus = rest.indexOf('+');
  const prerelease = rest.startsWith('-') ? rest.slice(1, plus < 0 ? undefined : plus).split('.') : [];
  const build = plus < 0 ? [] : rest.slice(plus + 1).split('.');
  const parts = core.split('.');
  if (parts.length !== 3) throw new Failure('No Major.Minor.Patch elements found');
  const number = (name: string, index: number): bigint => parseNumber(name, parts[index] ?? '');
  const numbers = [number('Major', 0), number('Minor', 1), number('Patch', 2)] as const;
  for (const part of prerelease) {
    if (!/^[0-9A-Za-z-]+$/.test(part))
      throw new Failure(part === '' ? 'Prerelease is empty' : `Invalid character(s) found in prerelease ${quote(part)}`);
    if (numeric.test(part) && /^0./.test(part))
      throw new Failure(`Numeric PreRelease version must not contain leading zeroes ${quote(part)}`);
  }
  for (const part of build) {
    if (!/^[0-9A-Za-z-]+$/.test(part)) {
      throw new Failure(part === '' ? 'Build meta data is empty' : `Invalid character(s) found in build meta data ${quote(part)}`);
    }
  }
  return new SemverValue({ numbers, prerelease });
}

function parseNumber(name: string, text: string): bigint {
  if (!numeric.test(text)) throw new Failure(`Invalid character(s) found in ${name.toLowerCase()} number ${quote(text)}`);
  if (/^0./.test(text)) throw new Failure(`${name} number must not contain leading zeroes ${quote(text)}`);
  const value = BigInt(text);
  if (value > maxUint64) throw new Failure(`strconv.ParseUint: parsing ${quote(text)}: value out of range`);
  return value;
}

/** Parses a version, also v1, 1.2 and 01.2.3. Throws Failure. */
function parseTolerantSemver(text: string): SemverValue {
  const plain = text.replace(/^v/, '');
  const core = /^[^-+]*/.exec(plain)?.[0] ?? '';
  const parts = core.split('.').map((part) => part.replace(/^0+(?=\d)/, ''));
  if (parts.length < 3 && core.length < plain.length) throw new Failure('short version cannot contain PreRelease/Build meta data');
  while (parts.length < 3) parts.push('0');
  return parseSemver(parts.join('.') + plain.slice(core.length));
}

function compareParts(a: string, b: string): number {
  if (numeric.test(a) && numeric.test(b)) {
    const [x, y] = [BigInt(a), BigInt(b)];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (numeric.test(a) !== numeric.test(b)) return numeric.test(a) ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareVersions(a: Version, b: Version): number {
  for (const index of [0, 1, 2] as const) {
    if (a.numbers[index] !== b.numbers[index]) return a.numbers[index] < b.numbers[index] ? -1 : 1;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) return Math.sign(b.prerelease.length - a.prerelease.length);
  for (let index = 0; index < Math.min(a.prerelease.length, b.prerelease.length); index++) {
    const order = compareParts(a.prerelease[index] ?? '', b.prerelease[index] ?? '');
    if (order !== 0) return order;
  }
  return Math.sign(a.prerelease.length - b.prerelease.length);
}

function isParsed(parse: () => SemverValue): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof Failure) return false;
    throw error;
  }
}

const parse = (text: string, normalize: boolean): SemverValue => (normalize ? parseTolerantSemver(text) : parseSemver(text));
const order = (a: SemverValue, b: SemverValue): number => compareVersions(a.version, b.version);
const two: readonly CELType[] = [semverType, semverType];
const part = (index: 0 | 1 | 2) => (value: SemverValue) => BigInt.asIntN(64, value.version.numbers[index]);

export const semverLibrary: Library = {
  types: [semverType],
  functions: [
    declare(
      'semver',
      global('string_to_semver', [stringType], semverType, parseSemver),
      global('string_bool_to_semver', [stringType, boolType], semverType, parse),
    ),
    declare(
      'isSemver',
      global('is_semver_string', [stringType], boolType, (text: string) => isParsed(() => parseSemver(text))),
      global('is_semver_string_bool', [stringType, boolType], boolType, (text: string, normalize: boolean) =>
        isParsed(() => parse(text, normalize)),
      ),
    ),
    declare(
      'isGreaterThan',
      member('semver_is_greater_than', two, boolType, (a: SemverValue, b: SemverValue) => order(a, b) > 0),
    ),
    declare(
      'isLessThan',
      member('semver_is_less_than', two, boolType, (a: SemverValue, b: SemverValue) => order(a, b) < 0),
    ),
    declare(
      'compareTo',
      member('semver_compare_to', two, intType, (a: SemverValue, b: SemverValue) => BigInt(order(a, b))),
    ),
    declare('major', member('semver_major', [semverType], intType, part(0))),
    declare('minor', member('semver_minor', [semverType], intType, part(1))),
    declare('patch', member('semver_patch', [semverType], intType, part(2))),
  ],
};
