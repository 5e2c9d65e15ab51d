import type { LabelRequirement } from './label-requirement.ts';
import { parseInteger } from './parse-integer.ts';

type Labels = Readonly<Record<string, string>> | undefined;

/** The demands that all requirements of one key together make on its label. */
interface KeyRules {
  /** Whether the label must be there. */
  isRequired: boolean;
  /** Whether it must be absent. */
  isForbidden: boolean;
  /** Values of which it must have one; absent: any. */
  allowed?: Set<string>;
  readonly refused: Set<string>;
  /** Exclusive bounds; absent: none. */
  above?: bigint;
  below?: bigint;
}

/**
 * A function that decides as all requirements one after the other would, in time that grows with the smaller of the number of
 * keys that they name and the number of labels.
 */
export function compileRequirements(requirements: readonly LabelRequirement[]): (labels: Labels) => boolean {
  const rules = new Map<string, KeyRules>();
  let isImpossible = false;
  for (const requirement of requirements) {
    let ofKey = rules.get(requirement.key);
    if (ofKey === undefined) rules.set(requirement.key, (ofKey = { isRequired: false, isForbidden: false, refused: new Set() }));
    if (!addRequirement(ofKey, requirement)) isImpossible = true;
  }
  let required = 0;
  for (const { isRequired, isForbidden } of rules.values()) {
    if (isRequired) required++;
    if (isRequired && isForbidden) isImpossible = true;
  }
  if (isImpossible) return () => false;
  return (labels) => {
    if (labels === undefined) return required === 0;
    const keys = Object.keys(labels);
    if (keys.length < required) return false;
    let met = 0;
    for (const key of keys.length <= rules.size ? keys : rules.keys()) {
      const ofKey = rules.get(key);
      if (ofKey === undefined || !Object.hasOwn(labels, key)) continue;
      if (!allows(ofKey, labels[key] ?? '')) return false;
      if (ofKey.isRequired) met++;
    }
    return met === required;
  };
}

/** False where no label can meet the requirement. */
function addRequirement(rules: KeyRules, { operator, values }: LabelRequirement): boolean {
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      rules.isRequired = true;
      rules.allowed = new Set(rules.allowed === undefined ? values : values.filter((value) => rules.allowed?.has(value)));
      return rules.allowed.size > 0;
    case '!=':
    case 'notin':
      for (const value of values) rules.refused.add(value);
      return true;
    case 'exists':
      rules.isRequired = true;
      return true;
    case '!':
      rules.isForbidden = true;
      return true;
    case 'gt':
    case 'lt': {
      const bound = parseInteger(values[0]);
      if (bound === undefined) return false;
      rules.isRequired = true;
      if (operator === 'gt' && (rules.above === undefined || bound > rules.above)) rules.above = bound;
      if (operator === 'lt' && (rules.below === undefined || bound < rules.below)) rules.below = bound;
      return true;
    }
  }
}

function allows({ isForbidden, allowed, refused, above, below }: KeyRules, value: string): boolean {
  if (isForbidden || refused.has(value) || allowed?.has(value) === false) return false;
  if (above === undefined && below === undefined) return true;
  const number = parseInteger(value);
  return number !== undefined && (above === undefined || number > above) && (below === undefined || number < below);
}
