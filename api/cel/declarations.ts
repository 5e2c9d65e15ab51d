import type { CELValue } from './types/values.ts';
import type { Expr } from './syntax/ast.ts';
import type { Range } from './cost/ranges.ts';
import type { CELType } from './types/types.ts';
import type { Macro } from './syntax/macros.ts';

/** The cost of a call. It is charged before the call, so that a call over the budget is not made. */
export interface CallCost {
  (args: readonly CELValue[], result: CELValue): number;
  /** Paid after the call, because it depends on the result. */
  readonly isOfResult?: true;
}

/** A part of an expression as the estimates of calls see it. */
export interface EstimatedPart {
  readonly expr: Expr;
  readonly type: CELType;
  /** Code points, bytes, elements or entries. */
  readonly size: Range;
  /** Sizes of a list's elements. */
  readonly elementSize: Range;
}

export interface CallEstimate {
  /** Without the arguments. */
  readonly cost: Range;
  readonly size?: Range;
}

/** Estimates the least and the greatest cost of a call. If the call has a target, `parts` begins with it. */
export type EstimateCall = (
  name: string,
  overloadID: string,
  parts: readonly EstimatedPart[],
  isMember: boolean,
) => CallEstimate | undefined;

/** One signature of a function and its implementation. */
export interface Overload {
  /** Unique in an environment; costs are looked up by it. */
  readonly id: string;
  /** Called as `first.name(others)`: the first parameter is the target. */
  readonly isMember: boolean;
  readonly params: readonly CELType[];
  readonly result: CELType;
  /**
   * Called only with arguments of the parameters' kinds (not looked into: a list(int) may hold anything where types were
   * not known). Throws Failure.
   */
  call(a: CELValue, b: CELValue, c: CELValue, d: CELValue): CELValue;
}

export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
}

/** Functions, macros and types that belong together. */
export interface Library {
  readonly functions: readonly FunctionDeclaration[];
  readonly macros?: readonly Macro[];
  /** Types that may be named in expressions. */
  readonly types?: readonly CELType[];
  /** The names of constants and their values. */
  readonly constants?: ReadonlyMap<string, CELValue>;
  /** The cost of calls, by function and, where only one signature is possible, its id. undefined: CEL's own cost. */
  callCost?(name: string, overloadID: string | undefined): CallCost | undefined;
  /** Estimated cost of calls. Undefined: as CEL itself expects. */
  readonly estimateCall?: EstimateCall;
}
