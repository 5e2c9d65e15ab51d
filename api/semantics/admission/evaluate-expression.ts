import type { Activation } from '../../cel/compile-cel.ts';
import { perCallCostLimit } from '../../cel/cost/runtime-costs.ts';
import {
  type AuthorizationAnswer,
  type AuthorizationQuestion,
  authorizerValue,
  type FindAnswer,
  resourceCheckValue,
} from '../../cel/libraries/authorizer.ts';
import { valueOfJSON } from '../../cel/run/json-values.ts';
import { type CELType, objectType } from '../../cel/types/types.ts';
import { type CELValue, Failure, type ObjectValue } from '../../cel/types/values.ts';
import type { CompiledExpression } from './compile-expression.ts';

/** The cost budget of the expressions of one policy, for one binding and parameter. */
export const policyCostBudget = 10_000_000;
/** The cost budget of the matchConditions of one webhook or policy. */
export const matchConditionsCostBudget = 2_500_000;

/** The values of the variables of an expression, as JSON, so that they can be sent to another thread. */
export interface AdmissionInput {
  readonly object: unknown;
  readonly oldObject: unknown;
  readonly params: unknown;
  readonly namespaceObject: unknown;
  readonly request: AdmissionRequestVariable;
  /** The authorizer's answers that are known, by keyOfQuestion. */
  readonly answers: ReadonlyMap<string, AuthorizationAnswer>;
}

/** The variable `request`. */
export interface AdmissionRequestVariable {
  readonly name?: string;
  readonly namespace?: string;
  readonly subResource?: string;
  readonly requestResource: { readonly group: string; readonly resource: string; readonly version: string };
  readonly [field: string]: unknown;
}

/** Identifies a question. */
export function keyOfQuestion(question: AuthorizationQuestion): string {
  return JSON.stringify(Object.entries(question).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The cost that may still be spent in one turn of the event loop; infinite where no request waits. */
export interface CostSlice {
  left: number;
}

/** The cost that may still be spent of a budget. */
export interface CostMeter {
  remaining: number;
  readonly slice: CostSlice;
}

/** Ends an evaluation that has used up its slice of time; it has to begin anew where there is more. */
export class SliceSpent extends Error {
  override readonly name = 'SliceSpent';
}

/** Ends the evaluation of a group of expressions. */
export class OutOfBudget extends Error {
  override readonly name = 'OutOfBudget';
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run');
  }
}

export type ExpressionResult = { readonly ok: true; readonly value: CELValue } | { readonly ok: false; readonly error: string };

/** The variables of a group of expressions that are evaluated one after the other. */
export interface Scope {
  readonly activation: Activation;
  /** Takes the cost of the policy's variables that were read since it was last asked. */
  takeVariableCost(): number;
}

/** Compiled variables, in order. */
export type CompiledVariables = ReadonlyMap<string, CompiledExpression>;

export function createScope(
  input: AdmissionInput,
  meter: CostMeter,
  { variables, hasAuthorizer }: { readonly variables?: CompiledVariables; readonly hasAuthorizer: boolean },
): Scope {
  const find: FindAnswer = (question) => input.answers.get(keyOfQuestion(question));
  const { request } = input;
  const { group, resource } = request.requestResource;
  const activation: Record<string, CELValue> = {
    object: valueOfJSON(input.object ?? null),
    oldObject: valueOfJSON(input.oldObject ?? null),
    params: valueOfJSON(input.params ?? null),
    namespaceObject: valueOfJSON(input.namespaceObject ?? null),
    request: valueOfJSON(request),
  };
  if (hasAuthorizer) {
    const { subResource: subresource = '', namespace = '', name = '' } = request;
    activation['authorizer'] = authorizerValue(find);
    activation['authorizer.requestResource'] = resourceCheckValue(find, { group, resource, subresource, namespace, name });
  }
  if (variables === undefined) return { activation, takeVariableCost: () => 0 };
  const values = new VariableValues(variables, activation, meter);
  activation['variables'] = values;
  return { activation, takeVariableCost: () => values.takeCost() };
}

const variablesType: CELType = objectType('kubernetes.variables');

/** The policy's variables, each evaluated when it is first read. */
class VariableValues implements ObjectValue {
  readonly kind = 'object';
  readonly type = variablesType;
  readonly #compiled: CompiledVariables;
  readonly #activation: Activation;
  readonly #meter: CostMeter;
  readonly #known = new Map<string, CELValue | Failure>();
  #cost = 0;

  constructor(compiled: CompiledVariables, activation: Activation, meter: CostMeter) {
    this.#compiled = compiled;
    this.#activation = activation;
    this.#meter = meter;
  }

  takeCost(): number {
    const cost = this.#cost;
    this.#cost = 0;
    return cost;
  }

  fields(): readonly string[] {
    return [...this.#compiled.keys()];
  }

  find(name: string): CELValue | undefined {
    const compiled = this.#compiled.get(name);
    if (compiled === undefined) return undefined;
    let value = this.#known.get(name);
    if (value === undefined) this.#known.set(name, (value = this.#evaluate(name, compiled)));
    if (value instanceof Failure) throw value;
    return value;
  }

  #evaluate(name: string, compiled: CompiledExpression): CELValue | Failure {
    if (!compiled.ok) return new Failure(`composited variable "${name}" fails to compile: ${compiled.error}`);
    const result = runProgram(compiled, this.#activation, this.#meter);
    this.#cost += result.cost;
    return result.ok ? result.value : new Failure(`composited variable "${name}" fails to evaluate: ${result.error}`);
  }
}

/** Throws SliceSpent. */
function runProgram({ program }: CompiledExpression & { readonly ok: true }, activation: Activation, meter: CostMeter) {
  const { slice } = meter;
  const costLimit = Math.min(perCallCostLimit, slice.left);
  if (costLimit <= 0) throw new SliceSpent();
  const result = program.evaluate(activation, { costLimit });
  slice.left -= result.cost;
  if (!result.ok && result.isTooCostly && costLimit < perCallCostLimit) throw new SliceSpent();
  return result;
}

/**
 * Evaluates one expression of a group.
 * @throws OutOfBudget, SliceSpent, AnswerMissing
 */
export function evaluateExpression(compiled: CompiledExpression, scope: Scope, meter: CostMeter): ExpressionResult {
  if (!compiled.ok) return { ok: false, error: `compilation error: ${compiled.error}` };
  const result = runProgram(compiled, scope.activation, meter);
  for (const cost of [scope.takeVariableCost(), result.cost]) {
    if (cost > meter.remaining) throw new OutOfBudget();
    meter.remaining -= cost;
  }
  return result.ok ? result : { ok: false, error: `expression '${compiled.expression}' resulted in error: ${result.error}` };
}
