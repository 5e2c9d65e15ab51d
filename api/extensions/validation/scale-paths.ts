import type { DeepReadonly } from '../../base/deep-readonly.ts';
import { formatGoValue, goTypeOf } from '../../patch/go-value.ts';
import { isJSONObject } from '../../base/json-object.ts';
import type { CustomResourceSubresourceScale } from '../../types/apiextensions-v1.ts';
import { type FieldError, invalid } from '../../validation/field-error.ts';
import { FieldPath } from '../../validation/field-path.ts';

type Scale = DeepReadonly<CustomResourceSubresourceScale>;

const maxReplicas = 2 ** 31 - 1;

/** Validates the number of replicas that an object asks for. */
export function validateScaleSpec(object: unknown, scale: Scale | undefined): FieldError[] {
  return scale === undefined ? [] : validateReplicas(object, scale.specReplicasPath);
}

/** Validates the number of replicas and the label selector that an object reports. */
export function validateScaleStatus(object: unknown, scale: Scale | undefined): FieldError[] {
  if (scale === undefined) return [];
  const errors = validateReplicas(object, scale.statusReplicasPath);
  const path = scale.labelSelectorPath;
  if (path === undefined) return errors;
  const { value, problem } = readPath(object, path, 'string', (found) => typeof found === 'string');
  return problem === undefined || value === undefined ? errors : [...errors, invalid(at(path), '', problem)];
}

function validateReplicas(object: unknown, path: string): FieldError[] {
  const isInteger = (found: unknown) => typeof found === 'bigint' || (typeof found === 'number' && Number.isSafeInteger(found));
  const { value, problem } = readPath(object, path, 'int64', isInteger);
  if (problem !== undefined) return [invalid(at(path), 0, problem)];
  const replicas = Number(value ?? 0);
  if (replicas < 0) return [invalid(at(path), value, 'should be a non-negative integer')];
  return replicas > maxReplicas ? [invalid(at(path), value, `should be less than or equal to ${maxReplicas}`)] : [];
}

const at = (path: string) => FieldPath.root.child(path);

/** The value at a path such as `.spec.replicas`, and why it cannot be used. */
function readPath(
  object: unknown,
  path: string,
  wanted: string,
  isWanted: (found: unknown) => boolean,
): { readonly value?: unknown; readonly problem?: string } {
  const steps = path.replace(/^\./, '').split('.');
  let value: unknown = object;
  for (const [index, step] of steps.entries()) {
    if (!isJSONObject(value)) {
      if (value === null || value === undefined) return {};
      const done = `.${steps.slice(0, index + 1).join('.')}`;
      return {
        value,
        problem: `${done} accessor error: ${formatGoValue(value)} is of the type ${goTypeOf(value)}, expected map[string]interface{}`,
      };
    }
    if (!Object.hasOwn(value, step)) return {};
    value = value[step];
  }
  if (isWanted(value)) return { value };
  return {
    value,
    problem: `.${steps.join('.')} accessor error: ${formatGoValue(value)} is of the type ${goTypeOf(value)}, expected ${wanted}`,
  };
}
