import type { CallExpr, Expr } from '../syntax/ast.ts';
import type { Environment } from '../environment.ts';
import type { Overload } from '../declarations.ts';

/** The qualified name of a chain of selects (`a.b.c`), or undefined if the expression is not such a chain. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === 'ident') return expr.name;
  if (expr.kind !== 'select' || expr.testOnly) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}

/** The first part of a qualified name, without which it is no name of a variable in a scope. */
export const firstPart = (name: string): string => name.split('.', 1)[0] ?? name;

interface ResolvedFunction {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** The arguments; a call on a value has that value first. */
  readonly args: readonly Expr[];
  readonly isMember: boolean;
}

/** The function a call names: `f(x)`, `x.f()`, or `f` of a namespace as in `math.greatest(x)`. */
export function resolveFunction(
  call: CallExpr,
  environment: Environment,
  isLocal: (name: string) => boolean,
): ResolvedFunction | undefined {
  if (call.target === undefined) {
    for (const name of environment.candidates(call.name)) {
      const overloads = environment.findFunction(name);
      if (overloads !== undefined) return { name, overloads, args: call.args, isMember: false };
    }
    return undefined;
  }
  const qualifier = qualifiedName(call.target);
  if (qualifier !== undefined && !isLocal(firstPart(qualifier))) {
    for (const name of environment.candidates(`${qualifier}.${call.name}`)) {
      const overloads = environment.findFunction(name);
      if (overloads !== undefined) return { name, overloads, args: call.args, isMember: false };
    }
  }
  const overloads = environment.findFunction(call.name);
  return overloads === undefined ? undefined : { name: call.name, overloads, args: [call.target, ...call.args], isMember: true };
}
