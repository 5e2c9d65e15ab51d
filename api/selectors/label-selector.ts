import { compileRequirements } from './compile-requirements.ts';
import type { LabelOperator, LabelRequirement } from './label-requirement.ts';
import { parseInteger } from './parse-integer.ts';
import { FieldPath } from '../validation/field-path.ts';
import { type FieldError, formatFieldErrors, invalid } from '../validation/field-error.ts';
import type { LabelSelectorLike } from '../validation/labels.ts';
import { labelValueProblems, qualifiedNameProblems } from '../validation/names.ts';

type Labels = Readonly<Record<string, string>> | undefined;

/** The error for a selector that cannot be parsed; its message is the API's answer. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

/** Decides on labels. Made by parseLabelSelector, toLabelMatcher and the two constants. Immutable. */
export class LabelMatcher {
  static readonly everything: LabelMatcher = new LabelMatcher([], false);
  static readonly nothing: LabelMatcher = new LabelMatcher([], true);

  /** Sorted by key. */
  readonly requirements: readonly LabelRequirement[];
  readonly #matchesNothing: boolean;
  #compiled: ((labels: Labels) => boolean) | undefined;
  #text: string | undefined;

  private constructor(requirements: readonly LabelRequirement[], matchesNothing: boolean) {
    this.requirements = requirements;
    this.#matchesNothing = matchesNothing;
  }

  /** Throws SelectorError where a requirement breaks the rules for label keys, operators and values. */
  static of(requirements: readonly LabelRequirement[]): LabelMatcher {
    for (const requirement of requirements) checkRequirement(requirement);
    return LabelMatcher.ofChecked(requirements);
  }

  /** A matcher of requirements that have passed checkRequirement. */
  static ofChecked(requirements: readonly LabelRequirement[]): LabelMatcher {
    if (requirements.length === 0) return LabelMatcher.everything;
    return new LabelMatcher(requirements.length === 1 ? requirements : requirements.toSorted(compareKeys), false);
  }

  /** Whether every object matches, without looking. */
  get isEverything(): boolean {
    return this.requirements.length === 0 && !this.#matchesNothing;
  }

  matches(labels: Labels): boolean {
    if (this.#matchesNothing) return false;
    if (this.requirements.length > comparedOneByOne) {
      this.#compiled ??= compileRequirements(this.requirements);
      return this.#compiled(labels);
    }
    for (const requirement of this.requirements) if (!matchesRequirement(requirement, labels)) return false;
    return true;
  }

  /** The value that the label must have, if only one can match: an index can then answer. */
  requiredValue(key: string): string | undefined {
    const requirement = this.requirements.find((candidate) => candidate.key === key);
    if (requirement === undefined || requirement.values.length !== 1) return undefined;
    return ['=', '==', 'in'].includes(requirement.operator) ? requirement.values[0] : undefined;
  }

  /** In the syntax of the query parameter; '' for everything and for nothing. */
  toString(): string {
    this.#text ??= this.requirements.map(formatRequirement).join(',');
    return this.#text;
  }
}

/** Number of requirements that are compared faster than an index of them is made. */
const comparedOneByOne = 8;

function compareKeys({ key: a }: LabelRequirement, { key: b }: LabelRequirement): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Throws SelectorError where the requirement breaks the rules for label keys, operators and values. */
export function checkRequirement(requirement: LabelRequirement): void {
  const errors = validateRequirement(requirement);
  if (errors.length > 0) throw new SelectorError(formatFieldErrors(errors));
}

function matchesRequirement({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const left = parseInteger(value);
      const right = parseInteger(values[0]);
      if (left === undefined || right === undefined) return false;
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

function validateRequirement({ key, operator, values }: LabelRequirement): FieldError[] {
  const errors: FieldError[] = [];
  const at = FieldPath.root.child('values');
  const keyProblems = qualifiedNameProblems(key);
  if (keyProblems.length > 0) errors.push(invalid(FieldPath.root.child('key'), key, keyProblems.join('; ')));
  if (operator === 'in' || operator === 'notin') {
    if (values.length === 0) errors.push(invalid(at, values, "for 'in', 'notin' operators, values set can't be empty"));
  } else if (operator === 'exists' || operator === '!') {
    if (values.length > 0) errors.push(invalid(at, values, 'values set must be empty for exists and does not exist'));
  } else if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) errors.push(invalid(at, values, "for 'Gt', 'Lt' operators, exactly one value is required"));
    for (const [index, value] of values.entries()) {
      if (parseInteger(value) === undefined) {
        errors.push(invalid(at.index(index), value, "for 'Gt', 'Lt' operators, the value must be an integer"));
      }
    }
  } else if (values.length !== 1) {
    errors.push(invalid(at, values, 'exact-match compatibility requires one single value'));
  }
  for (const [index, value] of values.entries()) {
    const problems = labelValueProblems(value);
    if (problems.length > 0) errors.push(invalid(at.index(index).key(key), value, problems.join('; ')));
  }
  return errors;
}

function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const list = values.length === 1 ? (values[0] ?? '') : values.toSorted().join(',');
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`;
    case 'gt':
      return `${key}>${list}`;
    case 'lt':
      return `${key}<${list}`;
    default:
      return `${key}${operator}${list}`;
  }
}

const operators: ReadonlyMap<string, LabelOperator> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
]);

/** The matcher for a LabelSelector object of a spec: an absent selector matches nothing, an empty one everything. Throws SelectorError. */
export function toLabelMatcher(selector: LabelSelectorLike | undefined | null): LabelMatcher {
  if (selector === undefined || selector === null) return LabelMatcher.nothing;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) requirements.push({ key, operator: '=', values: [value] });
  for (const { key, operator: name, values = [] } of selector.matchExpressions ?? []) {
    const operator = operators.get(name);
    if (operator === undefined) throw new SelectorError(`"${name}" is not a valid label selector operator`);
    requirements.push({ key, operator, values });
  }
  return LabelMatcher.of(requirements);
}

/** The matcher for a plain map of labels, as in Services and ReplicationControllers; an empty or absent one matches everything. */
export function labelMatcherOfSet(labels: Labels): LabelMatcher {
  return LabelMatcher.of(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })));
}
