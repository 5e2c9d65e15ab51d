import { FieldMatcher, type FieldRequirement, parseFieldSelector } from '../../../api/selectors/field-selector.ts';
import type { LabelRequirement } from '../../../api/selectors/label-requirement.ts';
import { SelectorError, toLabelMatcher } from '../../../api/selectors/label-selector.ts';
import { parseLabelSelector } from '../../../api/selectors/parse-label-selector.ts';
import type { ResourceAttributes } from '../../../api/types/authorization-v1.ts';
import { type FieldError, forbidden, invalid, required } from '../../../api/validation/field-error.ts';
import type { FieldPath } from '../../../api/validation/field-path.ts';
import { validateLabelName } from '../../../api/validation/labels.ts';
import { labelValueProblems } from '../../../api/validation/names.ts';

interface Requirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

interface Selector {
  readonly rawSelector?: string;
  readonly requirements?: readonly Requirement[];
}

/** The errors of the selectors of an access review. */
export function validateReviewSelectors({ fieldSelector, labelSelector }: ResourceAttributes, path: FieldPath): FieldError[] {
  return [
    ...validateSelector(fieldSelector, path.child('fieldSelector'), (requirement, at) =>
      requirement.key === '' ? [required(at.child('key'), 'must be specified')] : [],
    ),
    ...validateSelector(labelSelector, path.child('labelSelector'), ({ key, values = [] }, at) => [
      ...validateLabelName(key, at.child('key')),
      ...values.flatMap((value, index) =>
        labelValueProblems(value).map((problem) => invalid(at.child('values').index(index), value, problem)),
      ),
    ]),
  ];
}

function validateSelector(
  selector: Selector | undefined,
  path: FieldPath,
  validate: (requirement: Requirement, path: FieldPath) => FieldError[],
): FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = '', requirements = [] } = selector;
  if (rawSelector !== '' && requirements.length > 0)
    return [invalid(path.child('rawSelector'), rawSelector, 'may not specified at the same time as requirements')];
  if (rawSelector === '' && requirements.length === 0)
    return [required(path.child('requirements'), `when ${path} is specified, requirements or rawSelector is required`)];
  return requirements.flatMap((requirement, index) => {
    const at = path.child('requirements').index(index);
    return [...validateValues(requirement, at.child('values')), ...validate(requirement, at)];
  });
}

function validateValues({ operator, values = [] }: Requirement, path: FieldPath): FieldError[] {
  const isSet = operator === 'In' || operator === 'NotIn';
  const isPresence = operator === 'Exists' || operator === 'DoesNotExist';
  if (isSet && values.length === 0) return [required(path, "must be specified when `operator` is 'In' or 'NotIn'")];
  if (isPresence && values.length > 0) return [forbidden(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
  return [];
}

export interface ReviewedSelection {
  /** The fields that authorizers can take into account; absent where nothing is asked, or nothing that a request could be narrowed to. */
  readonly fields?: FieldMatcher;
  readonly labels?: () => readonly LabelRequirement[];
  /** The problems of selectors that cannot be parsed; these selectors are ignored. */
  readonly problems: readonly string[];
}

export function readReviewSelectors({ fieldSelector, labelSelector }: ResourceAttributes, path: FieldPath): ReviewedSelection {
  const fields = fieldSelector && readFields(fieldSelector);
  const labels = labelSelector && readLabels(labelSelector);
  const problems = Object.entries({ fieldSelector: fields, labelSelector: labels }).flatMap(([name, read]) => {
    if (read === undefined || read.isWhole) return [];
    return [`${path.child(name)} ${read.requirements.length > 0 ? 'partially ' : ''}ignored due to parse error`];
  });
  const requirements = fields?.requirements ?? [];
  return {
    ...(requirements.length > 0 ? { fields: new FieldMatcher(requirements) } : {}),
    ...(labels ? { labels: () => labels.requirements } : {}),
    problems,
  };
}

/**
 * The requirements that can be read; they count even if others cannot: each of them only narrows further. A field selector knows
 * = and != alone.
 */
function readFields({ rawSelector = '', requirements = [] }: Selector): {
  readonly requirements: readonly FieldRequirement[];
  readonly isWhole: boolean;
} {
  if (rawSelector !== '') {
    const parsed = attempt(() => parseFieldSelector(rawSelector));
    return { requirements: parsed?.requirements ?? [], isWhole: parsed !== undefined };
  }
  const known = requirements.flatMap(({ key, operator, values = [] }): FieldRequirement[] => {
    const [value] = values;
    if (value === undefined || values.length > 1 || (operator !== 'In' && operator !== 'NotIn')) return [];
    return [{ field: key, operator: operator === 'In' ? '=' : '!=', value }];
  });
  return { requirements: known, isWhole: known.length === requirements.length };
}

/** Reads the requirements of labels as readFields reads those of fields: each by itself. */
function readLabels({ rawSelector = '', requirements = [] }: Selector): {
  readonly requirements: readonly LabelRequirement[];
  readonly isWhole: boolean;
} {
  if (rawSelector !== '') {
    const parsed = attempt(() => parseLabelSelector(rawSelector));
    return { requirements: parsed?.requirements ?? [], isWhole: parsed !== undefined };
  }
  const matchers = requirements.map((requirement) => attempt(() => toLabelMatcher({ matchExpressions: [requirement] })));
  return {
    requirements: matchers.flatMap((matcher) => matcher?.requirements ?? []),
    isWhole: !matchers.includes(undefined),
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
