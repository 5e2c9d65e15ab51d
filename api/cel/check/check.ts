import type { CallExpr, ComprehensionExpr, Expr, IdentExpr, ListExpr, MapExpr, SelectExpr, StructExpr } from '../syntax/ast.ts';
import type { Environment } from '../environment.ts';
import type { Issue } from '../syntax/issues.ts';
import { firstPart, qualifiedName, resolveFunction } from './resolve.ts';
import { formatSignature, mostGeneral, Substitution } from '../types/substitution.ts';
import {
  boolType,
  bytesType,
  type CELType,
  doubleType,
  dynType,
  equalTypes,
  errorType,
  formatType,
  intType,
  isDyn,
  listType,
  mapType,
  nullType,
  objectType,
  optionalType,
  stringType,
  typeOf,
  typeParam,
  uintType,
} from '../types/types.ts';
import { type CELValue, UintValue } from '../types/values.ts';
import type { Overload } from '../declarations.ts';

export interface CheckedExpr {
  readonly expr: Expr;
  /** The type of each expression, by its id. */
  readonly types: ReadonlyMap<number, CELType>;
  /** The signatures a call may mean, by its id. */
  readonly overloads: ReadonlyMap<number, readonly Overload[]>;
  readonly type: CELType;
}

type CheckResult = { readonly checked: CheckedExpr } | { readonly issues: readonly Issue[] };

/** Finds the type of every part of an expression. */
export function checkExpr(expr: Expr, environment: Environment): CheckResult {
  const checker = new Checker(environment);
  const type = checker.visit(expr);
  if (checker.issues.length > 0) return { issues: checker.issues };
  const types = new Map([...checker.types].map(([id, found]) => [id, checker.substitution.apply(found, true)]));
  return { checked: { expr, types, overloads: checker.overloads, type: checker.substitution.apply(type, true) } };
}

class Checker {
  readonly issues: Issue[] = [];
  readonly types = new Map<number, CELType>();
  readonly overloads = new Map<number, readonly Overload[]>();
  readonly substitution = new Substitution();
  readonly #environment: Environment;
  #scope: ReadonlyMap<string, CELType> = new Map();
  #fresh = 0;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  #report(at: { readonly offset: number }, message: string): CELType {
    this.issues.push({ offset: at.offset, message });
    return errorType;
  }

  #undeclared(at: Expr, name: string): CELType {
    return this.#report(at, `undeclared reference to '${name.replace(/^\./, '')}' (in container '${this.#environment.container}')`);
  }

  #freshParam(): CELType {
    return typeParam(`_var${this.#fresh++}`);
  }

  visit(expr: Expr): CELType {
    const type = this.#typeOf(expr);
    this.types.set(expr.id, type);
    return type;
  }

  #typeOf(expr: Expr): CELType {
    switch (expr.kind) {
      case 'const':
        return typeOfConstant(expr.value);
      case 'ident':
        return this.#ident(expr);
      case 'select':
        return this.#select(expr);
      case 'call':
        return this.#call(expr);
      case 'list':
        return this.#list(expr);
      case 'map':
        return this.#map(expr);
      case 'struct':
        return this.#struct(expr);
      default:
        return this.#fold(expr);
    }
  }

  #named(name: string): CELType | undefined {
    const local = this.#scope.get(name);
    if (local !== undefined) return local;
    for (const candidate of this.#environment.candidates(name)) {
      const variable = this.#environment.findVariable(candidate);
      if (variable !== undefined) return variable;
      const type = this.#environment.findType(candidate);
      if (type !== undefined) return typeOf(type);
      const constant = this.#environment.findConstant(candidate);
      if (constant !== undefined) return typeOfConstant(constant);
    }
    return undefined;
  }

  #ident(expr: IdentExpr): CELType {
    return this.#named(expr.name) ?? this.#undeclared(expr, expr.name);
  }

  #select(expr: SelectExpr): CELType {
    const name = qualifiedName(expr);
    if (name !== undefined && !this.#scope.has(firstPart(name))) {
      const named = this.#named(name);
      if (named !== undefined) return named;
    }
    const field = this.#fieldType(expr, this.visit(expr.operand), expr.field, false);
    return expr.testOnly ? boolType : field;
  }

  /** The type of `operand.field`; of an optional operand, or a select with `?`, an optional. */
  #fieldType(at: Expr, operand: CELType, field: string, isOptional: boolean): CELType {
    const applied = this.substitution.apply(operand);
    const target = applied.kind === 'optional' ? (applied.params[0] ?? dynType) : applied;
    const found = this.#fieldOf(at, target, field);
    return isOptional || applied.kind === 'optional' ? optionalType(found) : found;
  }

  #fieldOf(at: Expr, target: CELType, field: string): CELType {
    switch (target.kind) {
      case 'any':
      case 'dyn':
      case 'error':
        return dynType;
      case 'param':
        this.substitution.bind(target, dynType);
        return dynType;
      case 'map':
        return target.params[1] ?? dynType;
      case 'object': {
        if (target.fields === undefined) return this.#report(at, `unexpected failed resolution of '${target.name}'`);
        const declared = target.fields().get(field);
        return declared?.type ?? target.anyField ?? this.#report(at, `undefined field '${field}'`);
      }
      default:
        return this.#report(at, `type '${formatType(target)}' does not support field selection`);
    }
  }

  #call(expr: CallExpr): CELType {
    if (expr.name === '_?._' && expr.target === undefined) {
      const [operand, field] = expr.args;
      if (operand === undefined || field?.kind !== 'const' || typeof field.value !== 'string') {
        return this.#report(expr, 'unsupported optional field selection');
      }
      this.types.set(field.id, stringType);
      return this.#fieldType(expr, this.visit(operand), field.value, true);
    }
    if (expr.target === undefined && (expr.name === '_&&_' || expr.name === '_||_')) {
      for (const arg of expr.args) this.#expect(arg, this.visit(arg), boolType);
      this.overloads.set(expr.id, this.#environment.findFunction(expr.name) ?? []);
      return boolType;
    }
    const resolved = resolveFunction(expr, this.#environment, (name) => this.#scope.has(name));
    if (resolved === undefined) {
      for (const arg of expr.target === undefined ? expr.args : [...expr.args, expr.target]) this.visit(arg);
      return this.#undeclared(expr, expr.name);
    }
    // The arguments before the target, as their mistakes are reported in this order where they share a place.
    const args = resolved.isMember ? [...resolved.args.slice(1).map((arg) => [arg, this.visit(arg)] as const)] : [];
    const types = resolved.isMember
      ? [this.visit(resolved.args[0] ?? expr), ...args.map(([, type]) => type)]
      : resolved.args.map((arg) => this.visit(arg));
    return this.#resolve(expr, resolved.name, resolved.overloads, types, resolved.isMember);
  }

  #resolve(expr: Expr, name: string, overloads: readonly Overload[], args: readonly CELType[], isMember: boolean): CELType {
    const fitting: Overload[] = [];
    let result: CELType | undefined;
    for (const overload of overloads) {
      if (overload.isMember !== isMember || overload.params.length !== args.length) continue;
      const [params, declared] = this.#instantiate(overload);
      if (!this.substitution.assignAll(args, params)) continue;
      fitting.push(overload);
      const type = this.substitution.apply(declared);
      if (result === undefined) result = type;
      else if (!isDyn(result) && !equalTypes(result, type)) result = dynType;
    }
    if (result === undefined) {
      const shown = args.map((arg) => this.substitution.apply(arg, true));
      return this.#report(expr, `found no matching overload for '${name}' applied to '${formatSignature(shown, isMember)}'`);
    }
    this.overloads.set(expr.id, fitting);
    return result;
  }

  /** The signature with fresh type parameters. */
  #instantiate({ params, result }: Overload): readonly [readonly CELType[], CELType] {
    const fresh = new Map<string, CELType>();
    const rename = (type: CELType): CELType => {
      if (type.kind === 'param') {
        const known = fresh.get(type.name) ?? this.#freshParam();
        fresh.set(type.name, known);
        return known;
      }
      if (type.params.length === 0) return type;
      const renamed = type.params.map(rename);
      return fresh.size === 0 ? type : { ...type, params: renamed };
    };
    const renamed = params.map(rename);
    return [renamed, rename(result)];
  }

  /** The common type of the elements of a literal. */
  #join(previous: CELType | undefined, current: CELType): CELType {
    if (previous === undefined) return current;
    if (this.substitution.assign(previous, current))
      return mostGeneral(this.substitution.apply(previous), this.substitution.apply(current));
    return dynType;
  }

  #mismatch(at: { readonly offset: number }, expected: CELType, found: CELType): CELType {
    const show = (type: CELType) => formatType(this.substitution.apply(type, true));
    return this.#report(at, `expected type '${show(expected)}' but found '${show(found)}'`);
  }

  /** Adds the content of an entry written with `?` to its literal. */
  #content(at: Expr, type: CELType): CELType {
    const applied = this.substitution.apply(type);
    if (applied.kind === 'optional') return applied.params[0] ?? dynType;
    if (isDyn(applied) || applied.kind === 'error') return dynType;
    this.#mismatch(at, optionalType(applied), applied);
    return applied;
  }

  #list(expr: ListExpr): CELType {
    let joined: CELType | undefined;
    for (const [index, element] of expr.elements.entries()) {
      const type = this.visit(element);
      joined = this.#join(joined, expr.optional.has(index) ? this.#content(element, type) : type);
    }
    return listType(joined ?? this.#freshParam());
  }

  #map(expr: MapExpr): CELType {
    let keys: CELType | undefined;
    let values: CELType | undefined;
    for (const { key, value, optional } of expr.entries) {
      keys = this.#join(keys, this.visit(key));
      const type = this.visit(value);
      values = this.#join(values, optional ? this.#content(value, type) : type);
    }
    return mapType(keys ?? this.#freshParam(), values ?? this.#freshParam());
  }

  #struct(expr: StructExpr): CELType {
    const type = this.#environment
      .candidates(expr.typeName)
      .map((name) => this.#environment.findType(name))
      .find((found) => found !== undefined);
    if (type === undefined) return this.#undeclared(expr, expr.typeName);
    if (type.kind !== 'object' || type.fields === undefined) return this.#report(expr, `'${type.name}' is not a message type`);
    for (const field of expr.fields) {
      const given = this.visit(field.value);
      const found = field.optional ? this.#content(field.value, given) : given;
      const wanted = this.#fieldOf({ ...expr, offset: field.offset }, type, field.name);
      if (wanted.kind === 'error' || this.substitution.assign(wanted, found)) continue;
      const shown = formatType(this.substitution.apply(found, true));
      this.#report(field, `expected type of field '${field.name}' is '${formatType(wanted)}' but provided type is '${shown}'`);
    }
    return type.anyField === undefined ? objectType(type.name, type.fields) : type;
  }

  #fold(expr: ComprehensionExpr): CELType {
    const outer = this.#scope;
    const range = this.substitution.apply(this.visit(expr.range));
    const accumulator = this.visit(expr.initial);
    const [first, second] = this.#loopTypes(expr, range);
    const withAccumulator = new Map([...outer, [expr.accumulator, accumulator]]);
    this.#scope = new Map(withAccumulator);
    this.#scope = new Map([
      ...withAccumulator,
      [expr.variable, first],
      ...(expr.variable2 === undefined ? [] : ([[expr.variable2, second]] as const)),
    ]);
    this.#expect(expr.condition, this.visit(expr.condition), boolType);
    this.#expect(expr.step, this.visit(expr.step), accumulator);
    this.#scope = withAccumulator;
    const result = this.visit(expr.result);
    this.#scope = outer;
    return this.substitution.apply(result);
  }

  #expect(at: Expr, found: CELType, expected: CELType): void {
    if (!this.substitution.assign(found, expected)) this.#mismatch(at, expected, found);
  }

  /** The types of the one or two variables of a fold over a range of that type. */
  #loopTypes(expr: ComprehensionExpr, range: CELType): readonly [CELType, CELType] {
    const [first = dynType, second = dynType] = range.params;
    switch (range.kind) {
      case 'list':
        return expr.variable2 === undefined ? [first, dynType] : [intType, first];
      case 'map':
        return [first, second];
      case 'any':
      case 'dyn':
      case 'error':
        return [dynType, dynType];
      case 'param':
        this.substitution.bind(range, dynType);
        return [dynType, dynType];
      default: {
        const message = `expression of type '${formatType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
        const error = this.#report(expr.range, message);
        return [error, error];
      }
    }
  }
}

function typeOfConstant(value: CELValue): CELType {
  switch (typeof value) {
    case 'boolean':
      return boolType;
    case 'bigint':
      return intType;
    case 'number':
      return doubleType;
    case 'string':
      return stringType;
  }
  if (value === null) return nullType;
  if (value instanceof Uint8Array) return bytesType;
  return value instanceof UintValue ? uintType : dynType;
}
