import type { CallExpr, ComprehensionExpr, Expr, ListExpr, SelectExpr } from '../syntax/ast.ts';
import type { CheckedExpr } from '../check/check.ts';
import type { Environment } from '../environment.ts';
import { exactly, oneRange, productRange, type Range, scaleRange, sumRange, unbounded, unionRange, zeroRange } from './ranges.ts';
import { firstPart, qualifiedName, resolveFunction } from '../check/resolve.ts';
import { listCreationCost, mapCreationCost, regexLengthFactor, stringTraversalFactor, structCreationCost } from './runtime-costs.ts';
import { type CELType, dynType } from '../types/types.ts';
import { codePointLength } from '../types/code-points.ts';
import type { CallEstimate, EstimatedPart } from '../declarations.ts';

/** The least and the greatest cost of evaluating an expression, as far as the declared sizes bound it. */
export function estimateCost(checked: CheckedExpr, environment: Environment): Range {
  return new Estimator(checked, environment).cost(checked.expr);
}

const scalars = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint']);

class Estimator {
  readonly #checked: CheckedExpr;
  readonly #environment: Environment;
  /** The declared types (which bound sizes) of the values reached from variables. */
  readonly #declared = new Map<number, CELType>();
  readonly #sizes = new Map<number, Range>();
  /** The sizes of the elements of lists that an expression makes itself. */
  readonly #elementSizes = new Map<number, Range>();
  /** The sizes of the variables of loops over such lists. */
  #loopSizes: ReadonlyMap<string, Range> = new Map();
  /** The ranges that the variables of loops go through; undefined: not reached from a variable. */
  #scope: ReadonlyMap<string, CELType | undefined> = new Map();

  constructor(checked: CheckedExpr, environment: Environment) {
    this.#checked = checked;
    this.#environment = environment;
  }

  cost(expr: Expr): Range {
    switch (expr.kind) {
      case 'const':
        return zeroRange;
      case 'ident':
        this.#declare(expr, this.#declaredVariable(expr.name));
        this.#noteLoopSize(expr.id, expr.name);
        return oneRange;
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#sum(
          expr.entries.flatMap(({ key, value }) => [key, value]),
          mapCreationCost,
        );
      case 'struct':
        return this.#sum(
          expr.fields.map(({ value }) => value),
          structCreationCost,
        );
      default:
        return this.#fold(expr);
    }
  }

  #sum(parts: readonly Expr[], base: number): Range {
    return parts.reduce((sum, part) => sumRange(sum, this.cost(part)), exactly(base));
  }

  #list(expr: ListExpr): Range {
    const cost = this.#sum(expr.elements, listCreationCost);
    this.#noteElementSize(
      expr.id,
      expr.elements.map((element) => this.#sizeOf(element)),
    );
    return cost;
  }

  #noteElementSize(id: number, sizes: readonly (Range | undefined)[]): void {
    const known = sizes.filter((size) => size !== undefined);
    if (known.length > 0) this.#elementSizes.set(id, known.reduce(unionRange));
  }

  #noteLoopSize(id: number, name: string): void {
    const size = this.#loopSizes.get(name);
    if (size !== undefined) this.#sizes.set(id, size);
  }

  #declare(expr: Expr, type: CELType | undefined): void {
    if (type !== undefined) this.#declared.set(expr.id, type);
  }

  #declaredVariable(name: string): CELType | undefined {
    if (this.#scope.has(name)) return this.#scope.get(name);
    for (const candidate of this.#environment.candidates(name)) {
      const type = this.#environment.findVariable(candidate);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  #typeOf(expr: Expr): CELType {
    return this.#checked.types.get(expr.id) ?? dynType;
  }

  #sizeOf(expr: Expr): Range {
    const computed = this.#sizes.get(expr.id);
    if (computed !== undefined) return computed;
    if (expr.kind === 'const') {
      const { value } = expr;
      return exactly(typeof value === 'string' ? codePointLength(value) : value instanceof Uint8Array ? value.length : 1);
    }
    if (expr.kind === 'list') return exactly(expr.elements.length);
    if (expr.kind === 'map') return exactly(expr.entries.length);
    const { kind } = this.#typeOf(expr);
    // Kubernetes takes the name of a type for the variable that a schema describes.
    if (kind === 'type' && expr.kind === 'ident') return declaredSize(this.#environment.findVariable('self')) ?? unbounded;
    return declaredSize(this.#declared.get(expr.id)) ?? (scalars.has(kind) ? oneRange : unbounded);
  }

  #part(expr: Expr): EstimatedPart {
    return {
      expr,
      type: this.#typeOf(expr),
      size: this.#sizeOf(expr),
      elementSize: declaredSize(this.#declared.get(expr.id)?.params[0]) ?? unbounded,
    };
  }

  #elementSizeOf(expr: Expr): Range | undefined {
    return declaredSize(this.#declared.get(expr.id)?.params[0]) ?? this.#elementSizes.get(expr.id);
  }

  #select(expr: SelectExpr): Range {
    const name = qualifiedName(expr);
    if (name !== undefined && !this.#scope.has(firstPart(name)) && this.#checked.types.get(expr.operand.id) === undefined) {
      this.#declare(expr, this.#declaredVariable(name));
      return oneRange;
    }
    const operand = this.cost(expr.operand);
    if (expr.testOnly) return this.#environment.presenceTestHasCost ? sumRange(operand, oneRange) : operand;
    const declared = this.#declared.get(expr.operand.id);
    // The number of a map's entries is known to be bounded only where they are read as map[key], as upstream estimates it.
    this.#declare(expr, declared?.fields?.().get(expr.field)?.type);
    return ['map', 'object', 'param'].includes(this.#typeOf(expr.operand).kind) ? sumRange(operand, oneRange) : operand;
  }

  #call(expr: CallExpr): Range {
    const overloads = this.#checked.overloads.get(expr.id) ?? [];
    const resolved = resolveFunction(expr, this.#environment, (name) => this.#scope.has(name));
    const args = resolved?.args ?? expr.args;
    const costs = args.map((arg) => this.cost(arg));
    // `a.?b` is read like a field, but priced as a call.
    if (overloads.length === 0) return expr.name === '_?._' ? sumRange(costs[0] ?? zeroRange, oneRange) : zeroRange;
    const parts = args.map((arg) => this.#part(arg));
    const [first] = args;
    const declared = first === undefined ? undefined : this.#declared.get(first.id);
    let cost: Range | undefined;
    let size: Range | undefined;
    for (const { id } of overloads) {
      const estimate = this.#estimateCall(resolved?.name ?? expr.name, id, parts, costs, resolved?.isMember ?? false);
      cost = cost === undefined ? estimate.cost : unionRange(cost, estimate.cost);
      if (estimate.size !== undefined) size = size === undefined ? estimate.size : unionRange(size, estimate.size);
      const elementSizes = args.map((arg) => this.#elementSizeOf(arg));
      if (id === 'add_list') this.#noteElementSize(expr.id, elementSizes);
      if (id === 'conditional') this.#noteElementSize(expr.id, elementSizes.slice(1));
      if (id === 'index_list' && declared?.kind === 'list') this.#declare(expr, declared.params[0]);
      if (id === 'index_map' && declared?.kind === 'map') this.#declare(expr, declared.params[1]);
    }
    if (size !== undefined) this.#sizes.set(expr.id, size);
    return cost ?? zeroRange;
  }

  /** With the arguments. */
  #estimateCall(name: string, id: string, parts: readonly EstimatedPart[], costs: readonly Range[], isMember: boolean): CallEstimate {
    const [first = zeroRange, second = zeroRange, third = zeroRange] = costs;
    if (id === 'logical_or' || id === 'logical_and') return { cost: { min: first.min, max: sumRange(first, second).max } };
    if (id === 'conditional') {
      const size = unionRange(parts[1]?.size ?? unbounded, parts[2]?.size ?? unbounded);
      return { cost: sumRange(first, unionRange(second, third)), size };
    }
    const estimate = this.#environment.estimateCall(name, id, parts, isMember) ?? standardEstimate(id, parts);
    return { ...estimate, cost: costs.reduce(sumRange, estimate.cost) };
  }

  #fold(expr: ComprehensionExpr): Range {
    const range = this.cost(expr.range);
    const initial = this.cost(expr.initial);
    const declared = this.#declared.get(expr.range.id);
    const outer = this.#scope;
    const withAccumulator = new Map([...outer, [expr.accumulator, undefined]]);
    const [first, second] = declared?.params ?? [];
    this.#scope = new Map<string, CELType | undefined>([
      ...withAccumulator,
      [expr.variable, expr.variable2 !== undefined && declared?.kind === 'list' ? undefined : first],
      ...(expr.variable2 === undefined ? [] : [[expr.variable2, declared?.kind === 'list' ? first : second] as const]),
    ]);
    const outerSizes = this.#loopSizes;
    this.#loopSizes = this.#loopSizesIn(expr);
    const loop = sumRange(this.cost(expr.condition), this.cost(expr.step));
    this.#loopSizes = outerSizes;
    this.#noteElementSize(expr.id, [this.#elementSizes.get(expr.step.id)]);
    this.#scope = withAccumulator;
    const result = this.cost(expr.result);
    this.#scope = outer;
    const times = this.#sizeOf(expr.range);
    this.#sizes.set(expr.id, times);
    return [initial, result, productRange(times, loop)].reduce(sumRange, range);
  }

  /** The sizes of variables of loops within a loop, whose own variables hide others of their names. */
  #loopSizesIn({ range, accumulator, variable, variable2 }: ComprehensionExpr): ReadonlyMap<string, Range> {
    const hidden = new Set([accumulator, variable, variable2]);
    const sizes = new Map([...this.#loopSizes].filter(([name]) => !hidden.has(name)));
    // Upstream takes the elements of a list that comes from nowhere for the variable that a schema describes.
    const isFromNowhere = this.#declared.get(range.id) === undefined;
    const size = this.#elementSizeOf(range) ?? (isFromNowhere ? declaredSize(this.#environment.findVariable('self')) : undefined);
    if (size !== undefined && this.#typeOf(range).kind === 'list') sizes.set(variable2 ?? variable, size);
    return sizes;
  }
}

function declaredSize(type: CELType | undefined): Range | undefined {
  if (type === undefined) return undefined;
  if (type.maxSize !== undefined) return { min: 0, max: type.maxSize };
  return scalars.has(type.kind) ? oneRange : undefined;
}

const sizeAt = (parts: readonly EstimatedPart[], index: number): Range => parts[index]?.size ?? unbounded;
const traverse = (size: Range): Range => scaleRange(size, stringTraversalFactor);

/** Estimated cost of matching a regular expression. */
export const estimateRegex = (text: Range, pattern: Range): Range =>
  productRange(traverse(sumRange(text, oneRange)), scaleRange(pattern, regexLengthFactor));

function standardEstimate(id: string, parts: readonly EstimatedPart[]): CallEstimate {
  const [first, second] = [sizeAt(parts, 0), sizeAt(parts, 1)];
  if (/^(less|greater|less_equals|greater_equals)_(string|bytes)$|^(not_)?equals$/.test(id)) {
    const max = Math.min(first.max, second.max);
    return { cost: traverse({ min: max > 0 ? 1 : 0, max }) };
  }
  switch (id) {
    case 'string_format':
      return { cost: traverse(first) };
    case 'string_to_bytes':
      return { cost: traverse(first), size: { min: first.min, max: first.max * 4 } };
    case 'bytes_to_string':
      return { cost: traverse(first), size: { min: Math.floor(first.min / 4), max: first.max } };
    case 'strings_quote':
      return { cost: traverse(first), size: { min: first.min + 2, max: first.max * 2 + 2 } };
    case 'starts_with_string':
    case 'ends_with_string':
      return { cost: traverse(second) };
    case 'in_list':
      return { cost: second };
    case 'matches_string':
      return { cost: estimateRegex(first, second) };
    case 'contains_string':
      return { cost: productRange(traverse(first), traverse(second)) };
    case 'add_list':
      return { cost: oneRange, size: sumRange(first, second) };
    case 'add_string':
    case 'add_bytes':
      return { cost: traverse(sumRange(first, second)), size: sumRange(first, second) };
    default:
      return { cost: oneRange };
  }
}
