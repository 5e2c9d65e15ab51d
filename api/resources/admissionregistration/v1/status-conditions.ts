import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { invalidFor, validateChoice, validateEach } from '../../../resource/field-rules.ts';
import type { Condition } from '../../../types/meta-v1.ts';
import { duplicate, type FieldError, invalid, required, tooLong } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { conditionReasonProblems } from '../../../validation/formats.ts';
import { qualifiedNameProblems } from '../../../validation/names.ts';

const maxReason = 1024;
const maxMessage = 32 * 1024;

/** Validates conditions of the type that kinds share (meta.k8s.io/v1 Condition). */
export function validateConditions(conditions: readonly DeepReadonly<Condition>[] | undefined, path: FieldPath): FieldError[] {
  const types = new Set<string>();
  return validateEach(conditions, path, (condition, at) => {
    const { type, status, reason, message = '', lastTransitionTime, observedGeneration = 0 } = condition;
    const errors = type ? invalidFor(at.child('type'), type, qualifiedNameProblems(type)) : [required(at.child('type'))];
    if (types.has(type)) errors.push(duplicate(at.child('type'), type));
    types.add(type);
    errors.push(...validateChoice(at.child('status'), status, ['False', 'True', 'Unknown'], 'unsupported'));
    if (observedGeneration < 0)
      errors.push(invalid(at.child('observedGeneration'), observedGeneration, 'must be greater than or equal to zero'));
    if (!lastTransitionTime) errors.push(required(at.child('lastTransitionTime')));
    if (!reason) errors.push(required(at.child('reason')));
    else {
      errors.push(...invalidFor(at.child('reason'), reason, conditionReasonProblems(reason)));
      if (reason.length > maxReason) errors.push(tooLong(at.child('reason'), maxReason));
    }
    if (message.length > maxMessage) errors.push(tooLong(at.child('message'), maxMessage));
    return errors;
  });
}
