import { type CheckedExpr, checkExpr } from './check/check.ts';
import { compileExpr, type Compiled } from './run/compile.ts';
import type { Environment } from './environment.ts';
import { estimateCost } from './cost/estimate.ts';
import { Frame } from './run/frame.ts';
import { formatIssues, type Issue } from './syntax/issues.ts';
import { parseExpression } from './syntax/parser.ts';
import type { Range } from './cost/ranges.ts';
import type { CELType } from './types/types.ts';
import { validateLiterals } from './check/validate-literals.ts';
import { type CELValue, CostLimitExceeded, Failure } from './types/values.ts';

/** The values of the variables an expression may read. A variable that is not given cannot be read. */
export type Activation = Readonly<Record<string, CELValue>>;

export type Evaluation =
  | { readonly ok: true; readonly value: CELValue; readonly cost: number }
  /** `isTooCostly`: the cost limit ended it. */
  | { readonly ok: false; readonly error: string; readonly cost: number; readonly isTooCostly: boolean };

interface EvaluateOptions {
  /** Unlimited when absent; Kubernetes' own limit is `perCallCostLimit`. */
  readonly costLimit?: number;
}

/** An expression ready to be evaluated as often as wanted. */
export class Program {
  readonly outputType: CELType;
  readonly checked: CheckedExpr;
  readonly #compiled: Compiled;
  readonly #environment: Environment;

  constructor(checked: CheckedExpr, compiled: Compiled, environment: Environment) {
    this.#environment = environment;
    this.checked = checked;
    this.outputType = checked.type;
    this.#compiled = compiled;
  }

  /** Whether the expression reads that variable of its environment. */
  uses(variable: string): boolean {
    return this.#compiled.variables.has(variable);
  }

  /** The least and the greatest cost of an evaluation, as far as declared sizes bound it. */
  estimateCost(): Range {
    return estimateCost(this.checked, this.#environment);
  }

  evaluate(activation: Activation, options: EvaluateOptions = {}): Evaluation {
    return evaluateCompiled(this.#compiled, activation, options.costLimit);
  }
}

type CompileResult =
  | { readonly ok: true; readonly program: Program }
  /** `message` is the text that cel-go prints for the issues. */
  | { readonly ok: false; readonly message: string; readonly issues: readonly Issue[] };

/** Reads an expression, checks its types and makes it ready. */
export function compileCEL(source: string, environment: Environment): CompileResult {
  const failed = (issues: readonly Issue[]): CompileResult => ({ ok: false, message: formatIssues(source, issues), issues });
  const parsed = parseExpression(source, environment.parseOptions);
  if ('issues' in parsed) return failed(parsed.issues);
  const result = checkExpr(parsed.expr, environment);
  if ('issues' in result) return failed(result.issues);
  const wrong = environment.validateLiterals ? validateLiterals(result.checked) : [];
  if (wrong.length > 0) return failed(wrong);
  const compiled = compileExpr(parsed.expr, environment, result.checked);
  const { failure } = compiled;
  if (failure !== undefined) return { ok: false, message: failure.message, issues: [{ offset: -1, message: failure.message }] };
  return { ok: true, program: new Program(result.checked, compiled, environment) };
}

export function evaluateCompiled(compiled: Compiled, activation: Activation, costLimit = Number.POSITIVE_INFINITY): Evaluation {
  const frame = new Frame(compiled.slotCount, costLimit);
  for (const [name, slot] of compiled.variables) {
    if (Object.hasOwn(activation, name)) frame.slots[slot] = activation[name];
  }
  try {
    const value = compiled.run(frame);
    return { ok: true, value, cost: frame.cost };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, error: error.message, cost: frame.cost, isTooCostly: false };
    if (error instanceof CostLimitExceeded) return { ok: false, error: error.message, cost: frame.cost, isTooCostly: true };
    throw error;
  }
}
