import type { CELValue } from '../types/values.ts';

/** The position at which an expression begins; `offset` counts UTF-16 units of the source. */
interface At {
  /** Unique in its tree. */
  readonly id: number;
  readonly offset: number;
}

export type Expr = ConstExpr | IdentExpr | SelectExpr | CallExpr | ListExpr | MapExpr | StructExpr | ComprehensionExpr;

interface ConstExpr extends At {
  readonly kind: 'const';
  readonly value: CELValue;
}

export interface IdentExpr extends At {
  readonly kind: 'ident';
  /** With a leading dot: looked up from the root. */
  readonly name: string;
}

export interface SelectExpr extends At {
  readonly kind: 'select';
  readonly operand: Expr;
  readonly field: string;
  /** has(operand.field). */
  readonly testOnly: boolean;
}

export interface CallExpr extends At {
  readonly kind: 'call';
  /** An operator as cel-go names it (`_+_`, `_[_]`, `_?._`), or a function. */
  readonly name: string;
  readonly target?: Expr;
  readonly args: readonly Expr[];
}

export interface ListExpr extends At {
  readonly kind: 'list';
  readonly elements: readonly Expr[];
  /** Indices of elements written with `?`. */
  readonly optional: ReadonlySet<number>;
}

export interface MapExpr extends At {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
}

export interface MapEntry extends At {
  readonly key: Expr;
  readonly value: Expr;
  readonly optional: boolean;
}

export interface StructExpr extends At {
  readonly kind: 'struct';
  readonly typeName: string;
  readonly fields: readonly StructField[];
}

export interface StructField extends At {
  readonly name: string;
  readonly value: Expr;
  readonly optional: boolean;
}

/** The expression that macros such as all() and map() become: a fold over a list or the keys of a map. */
export interface ComprehensionExpr extends At {
  readonly kind: 'comprehension';
  readonly range: Expr;
  readonly variable: string;
  /** The second variable of two-variable macros: `variable` is then the index or key, this the element or value. */
  readonly variable2?: string;
  readonly accumulator: string;
  readonly initial: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
}

/** The name of the accumulator that macros use; no identifier can be written so. */
export const accumulatorName = '@result';

/** The expressions an expression is made of. */
export function partsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case 'const':
    case 'ident':
      return [];
    case 'select':
      return [expr.operand];
    case 'call':
      return expr.target === undefined ? expr.args : [expr.target, ...expr.args];
    case 'list':
      return expr.elements;
    case 'map':
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case 'struct':
      return expr.fields.map(({ value }) => value);
    default:
      return [expr.range, expr.initial, expr.condition, expr.step, expr.result];
  }
}
