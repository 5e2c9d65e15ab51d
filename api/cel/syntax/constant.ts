import type { Expr } from './ast.ts';

const conversions = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'duration', 'timestamp', 'dyn', 'type']);

/** Whether the expression is a literal, a list or map of constants, or a conversion of a constant. */
export function isConstant(expr: Expr): boolean {
  switch (expr.kind) {
    case 'const':
      return true;
    case 'list':
      return expr.optional.size === 0 && expr.elements.every(isConstant);
    case 'map':
      return expr.entries.every(({ key, value, optional }) => !optional && isConstant(key) && isConstant(value));
    case 'call': {
      const [only] = expr.args;
      return expr.target === undefined && expr.args.length === 1 && conversions.has(expr.name) && only !== undefined && isConstant(only);
    }
    default:
      return false;
  }
}
