import { type CELValue, Failure, typeName } from '../../cel/types/values.ts';
import type { CompiledMutatingPolicy } from './compile-policy.ts';
import {
  type AdmissionInput,
  type CostMeter,
  type CostSlice,
  createScope,
  evaluateExpression,
  OutOfBudget,
  policyCostBudget,
} from './evaluate-expression.ts';
import { jsonOfValue, typeMismatches } from './json-of-value.ts';

/** One operation of a JSON Patch. */
interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

/** The change that one mutation of a policy makes. */
export type MutationResult =
  | { readonly kind: 'configuration'; readonly configuration: Readonly<Record<string, unknown>> }
  | { readonly kind: 'patch'; readonly operations: readonly PatchOperation[] }
  | { readonly kind: 'failed'; readonly error: string };

const failed = (error: string): MutationResult => ({ kind: 'failed', error });

/**
 * Evaluates one mutation of a policy.
 * @throws SliceSpent, AnswerMissing
 */
export function evaluateMutation(
  policy: CompiledMutatingPolicy,
  index: number,
  input: AdmissionInput,
  { slice }: { readonly slice: CostSlice },
): MutationResult {
  const mutation = policy.mutations[index];
  if (mutation === undefined) return failed(`there is no mutation ${index}`);
  const { expression, patchType } = mutation;
  if (!expression.ok) return failed(expression.error);
  const meter: CostMeter = { remaining: policyCostBudget, slice };
  const scope = createScope(input, meter, { variables: policy.variables, hasAuthorizer: true });
  try {
    const result = evaluateExpression(expression, scope, meter);
    if (!result.ok) return failed(result.error);
    return patchType === 'JSONPatch' ? patchOf(result.value) : configurationOf(result.value);
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(error.message);
    throw error;
  }
}

function configurationOf(value: CELValue): MutationResult {
  if (!isObject(value)) return failed(`unsupported return type from ApplyConfiguration expression: ${typeName(value)}`);
  const mismatches = typeMismatches(value, value.type.name);
  if (mismatches.length > 0) return failed(`type mismatch: ${mismatches.join('\n')}`);
  const json = toJSON(value);
  if (json instanceof Failure) return failed(`invalid return type: ${json.message}`);
  return { kind: 'configuration', configuration: json as Readonly<Record<string, unknown>> };
}

function patchOf(value: CELValue): MutationResult {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array || value.kind !== 'list')
    return failed('type mismatch: JSONPatchType.expression should evaluate to array');
  const operations: PatchOperation[] = [];
  for (let index = 0; index < value.size; index++) {
    const operation = operationOf(value.get(index));
    if (typeof operation === 'string') return failed(operation);
    operations.push(operation);
  }
  return { kind: 'patch', operations };
}

/** The operation, or why it is none. */
function operationOf(operation: CELValue): PatchOperation | string {
  if (!isObject(operation)) return 'type mismatch: JSONPatchType.expression should evaluate to array of JSONPatch';
  const value = operation.find('value');
  const from = operation.find('from');
  const mismatches = isObject(value) ? typeMismatches(value, value.type.name) : [];
  if (mismatches.length > 0) return `type mismatch: ${mismatches.join('\n')}`;
  const json = value === undefined ? undefined : toJSON(value);
  if (json instanceof Failure) return `JSONPath valueExpression evaluated to a type that could not marshal to JSON: ${json.message}`;
  return {
    op: textOf(operation.find('op')),
    path: textOf(operation.find('path')),
    ...(typeof from === 'string' && from !== '' ? { from } : {}),
    ...(value === undefined ? {} : { value: json }),
  };
}

const textOf = (value: CELValue | undefined): string => (typeof value === 'string' ? value : '');

function isObject(value: CELValue | undefined): value is Extract<CELValue, { kind: 'object' }> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === 'object';
}

function toJSON(value: CELValue): unknown {
  try {
    return jsonOfValue(value);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}
