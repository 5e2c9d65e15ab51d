import { compileCEL, type Evaluation, type Program } from '../../../api/cel/compile-cel.ts';
import { valueOfJSON } from '../../../api/cel/run/json-values.ts';
import { createKubernetesEnvironment } from '../../../api/cel/kubernetes-environment.ts';
import { perCallCostLimit } from '../../../api/cel/cost/runtime-costs.ts';
import { formatType, listType, mapType, objectType, stringType } from '../../../api/cel/types/types.ts';
import { typeName } from '../../../api/cel/types/values.ts';
import type { SubjectAccessReviewSpec } from '../../../api/types/authorization-v1.ts';
import { duplicate, type FieldError, invalid, required, tooMany } from '../../../api/validation/field-error.ts';
import type { FieldPath } from '../../../api/validation/field-path.ts';

/** A compiled CEL expression on `request`, the spec of a SubjectAccessReview. */
export interface MatchCondition {
  readonly expression: string;
  readonly program: Program;
}

const maxConditions = 64;

const requirementType = objectType('kubernetes.SelectorRequirement', {
  key: stringType,
  operator: stringType,
  values: listType(stringType),
});
const selectorType = (name: string) => objectType(name, { rawSelector: stringType, requirements: listType(requirementType) });
const requestType = objectType('kubernetes.SubjectAccessReviewSpec', {
  resourceAttributes: objectType('kubernetes.ResourceAttributes', {
    namespace: stringType,
    verb: stringType,
    group: stringType,
    version: stringType,
    resource: stringType,
    subresource: stringType,
    name: stringType,
    fieldSelector: selectorType('kubernetes.FieldSelectorAttributes'),
    labelSelector: selectorType('kubernetes.LabelSelectorAttributes'),
  }),
  nonResourceAttributes: objectType('kubernetes.NonResourceAttributes', { path: stringType, verb: stringType }),
  user: stringType,
  groups: listType(stringType),
  extra: mapType(stringType, listType(stringType)),
  uid: stringType,
});

const environment = createKubernetesEnvironment({ request: requestType });

/** Compiles the expressions of `matchConditions`, and returns their errors. */
export function compileMatchConditions(
  expressions: readonly string[],
  path: FieldPath,
): { readonly conditions: readonly MatchCondition[]; readonly errors: readonly FieldError[] } {
  if (expressions.length > maxConditions) return { conditions: [], errors: [tooMany(path, expressions.length, maxConditions)] };
  const errors: FieldError[] = [];
  const conditions: MatchCondition[] = [];
  const seen = new Set<string>();
  for (const [index, expression] of expressions.entries()) {
    const found = compileCondition(expression, path.index(index).child('expression'), seen);
    seen.add(expression);
    if ('program' in found) conditions.push(found);
    else errors.push(found);
  }
  return { conditions, errors };
}

function compileCondition(expression: string, at: FieldPath, seen: ReadonlySet<string>): MatchCondition | FieldError {
  if (expression.trim() === '') return required(at);
  if (seen.has(expression)) return duplicate(at, expression);
  const compiled = compileCEL(expression, environment);
  if (!compiled.ok) return invalid(at, expression, `compilation failed: ${compiled.message}`);
  const { program } = compiled;
  if (program.outputType.kind !== 'bool') return invalid(at, expression, `must evaluate to bool but got ${formatType(program.outputType)}`);
  return { expression, program };
}

interface MatchResult {
  readonly matches: boolean;
  /** Expressions that could not be evaluated, while none was false. */
  readonly error?: string;
}

/** The result of one condition; an error is a whole sentence. */
export type ConditionOutcome = { readonly value: boolean } | { readonly error: string };

/** The question whose match conditions are evaluated elsewhere. */
interface ConditionAsker {
  readonly user: { readonly name: string };
  readonly signal: AbortSignal;
}

/** Evaluates a condition in another thread. `request` is JSON. */
export interface ConditionWork {
  evaluate(expression: string, request: object, asker: ConditionAsker): Promise<ConditionOutcome>;
}

/** The cost that one condition spends on the event loop at most: some 5 to 20 ms. What costs more begins anew in another thread. */
const costOfTurn = 40_000;

/** Evaluates a condition of a configuration that has been read, whatever it costs, up to the limit of every expression. */
export function evaluateCondition(expression: string, request: object): ConditionOutcome {
  const compiled = compileCEL(expression, environment);
  if (!compiled.ok) return { error: `cel evaluation error: expression '${expression}' resulted in error: ${compiled.message}` };
  return outcomeOf(expression, compiled.program.evaluate({ request: valueOfJSON(request, requestType) }, { costLimit: perCallCostLimit }));
}

function outcomeOf(expression: string, result: Evaluation): ConditionOutcome {
  if (!result.ok) return { error: `cel evaluation error: expression '${expression}' resulted in error: ${result.error}` };
  const { value } = result;
  if (typeof value === 'boolean') return { value };
  return { error: `cel evaluation error: expression '${expression}' eval result type should be bool but got ${typeName(value)}` };
}

interface EvaluationDependencies {
  /** Awaited between two conditions: each may take a while. */
  pause(): Promise<void> | undefined;
  /** Absent: everything is evaluated in this thread. */
  readonly work?: ConditionWork | undefined;
  readonly signal: AbortSignal;
}

/**
 * Whether all conditions hold for a question. One that is false decides, whatever others are; otherwise one that cannot be
 * evaluated is an error.
 */
export async function evaluateMatchConditions(
  conditions: readonly MatchCondition[],
  spec: SubjectAccessReviewSpec,
  { pause, work, signal }: EvaluationDependencies,
): Promise<MatchResult & { readonly hasErrors: boolean }> {
  const json = requestOf(spec);
  const request = valueOfJSON(json, requestType);
  const errors: string[] = [];
  for (const { expression, program } of conditions) {
    const result = program.evaluate({ request }, { costLimit: work ? costOfTurn : perCallCostLimit });
    const outcome =
      work && !result.ok && result.isTooCostly
        ? await work.evaluate(expression, json, { user: { name: spec.user ?? '' }, signal })
        : outcomeOf(expression, result);
    if ('error' in outcome) errors.push(outcome.error);
    else if (!outcome.value) return { matches: false, hasErrors: errors.length > 0 };
    const waiting = pause();
    if (waiting) await waiting;
  }
  if (errors.length === 0) return { matches: true, hasErrors: false };
  const distinct = [...new Set(errors)];
  return { matches: false, hasErrors: true, error: distinct.length > 1 ? `[${distinct.join(', ')}]` : (distinct[0] ?? '') };
}

/**
 * The request as expressions see it: fields of the user and texts are present even where they are empty, selectors only where they are
 * not.
 */
function requestOf({
  resourceAttributes,
  nonResourceAttributes,
  user = '',
  groups = [],
  extra = {},
  uid = '',
}: SubjectAccessReviewSpec): object {
  return {
    user,
    groups,
    extra,
    uid,
    ...(resourceAttributes
      ? {
          resourceAttributes: {
            ...{ namespace: '', verb: '', group: '', version: '', resource: '', subresource: '', name: '' },
            ...resourceAttributes,
          },
        }
      : {}),
    ...(nonResourceAttributes ? { nonResourceAttributes: { path: '', verb: '', ...nonResourceAttributes } } : {}),
  };
}
