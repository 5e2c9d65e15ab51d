import { hasField, index, optionalField, optionalIndex, selectField } from './access.ts';
import type { CallExpr, ComprehensionExpr, Expr, IdentExpr, ListExpr, MapExpr, SelectExpr, StructExpr } from '../syntax/ast.ts';
import type { CheckedExpr } from '../check/check.ts';
import { isConstant } from '../syntax/constant.ts';
import { compileCall, guardOf } from './dispatch.ts';
import type { Environment } from '../environment.ts';
import { compileMembership } from './membership.ts';
import { compileFold, type FoldParts } from './fold.ts';
import { type Closure, Frame } from './frame.ts';
import { and, conditional, notStrictlyFalse, optionalOr, optionalOrValue, or } from './logic.ts';
import { NativeObject } from '../types/native-object.ts';
import { firstPart, qualifiedName, resolveFunction } from '../check/resolve.ts';
import { listCreationCost, mapCreationCost, structCreationCost } from '../cost/runtime-costs.ts';
import type { CELType } from '../types/types.ts';
import { type CELValue, Failure, NativeList, NativeMap, OptionalValue, TypeValue } from '../types/values.ts';

export interface Compiled {
  readonly run: Closure;
  readonly slotCount: number;
  /** The indexes at which the variables of the environment are put before an evaluation. */
  readonly variables: ReadonlyMap<string, number>;
  /** The failure of a part that needs no variables, such as int("x"). */
  readonly failure?: Failure;
}

/** Compiles an expression into closures, once. `checked` holds the results of the type checker, if it ran. */
export function compileExpr(expr: Expr, environment: Environment, checked?: CheckedExpr): Compiled {
  const compiler = new Compiler(environment, checked);
  const run = compiler.compile(expr);
  const { slotCount, variables, failure } = compiler;
  return failure === undefined ? { run, slotCount, variables } : { run, slotCount, variables, failure };
}

class Compiler {
  slotCount = 0;
  /** The failure of evaluating beforehand. */
  failure: Failure | undefined;
  readonly variables = new Map<string, number>();
  readonly #environment: Environment;
  readonly #checked: CheckedExpr | undefined;
  #scope: ReadonlyMap<string, number> = new Map();
  /** The closures of variables that are evaluated on first use, by slot. */
  readonly #lazy = new Map<number, Closure>();

  constructor(environment: Environment, checked: CheckedExpr | undefined) {
    this.#environment = environment;
    this.#checked = checked;
  }

  /** Compiles an expression; its constant parts are evaluated once, and cost nothing. */
  compile(expr: Expr): Closure {
    if (expr.kind === 'const' || !isConstant(expr)) return this.#compile(expr, 1);
    try {
      const value = this.#compile(expr, 1)(new Frame(0, Number.POSITIVE_INFINITY));
      return () => value;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failure ??= error;
      return () => {
        throw error;
      };
    }
  }

  /**
   * `base` is the cost of reading a variable or starting from another value, added to the cost of each step: 1, or 0 within another access.
   */
  #compile(expr: Expr, base: 0 | 1): Closure {
    switch (expr.kind) {
      case 'const': {
        const { value } = expr;
        return () => value;
      }
      case 'ident':
        return this.#ident(expr, base);
      case 'select':
        return this.#select(expr, base);
      case 'call':
        return this.#call(expr, base);
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

  #typeOf(expr: Expr): CELType | undefined {
    return this.#checked?.types.get(expr.id);
  }

  #newSlot(): number {
    return this.slotCount++;
  }

  #slotOfVariable(name: string): number {
    const known = this.variables.get(name);
    if (known !== undefined) return known;
    const slot = this.#newSlot();
    this.variables.set(name, slot);
    return slot;
  }

  /** A variable, a constant or a type of that name. */
  #named(name: string, base: 0 | 1): Closure | undefined {
    const local = this.#scope.get(name);
    if (local !== undefined) {
      const initial = this.#lazy.get(local);
      return initial === undefined ? readSlot(local, name, base) : readLazily(local, initial, base);
    }
    for (const candidate of this.#environment.candidates(name)) {
      if (this.#environment.findVariable(candidate) !== undefined) return readSlot(this.#slotOfVariable(candidate), candidate, base);
      const constant = this.#environment.findConstant(candidate) ?? this.#typeNamed(candidate);
      if (constant !== undefined) return () => constant;
    }
    return undefined;
  }

  #typeNamed(name: string): TypeValue | undefined {
    return this.#environment.findType(name) === undefined ? undefined : new TypeValue(name);
  }

  #ident(expr: IdentExpr, base: 0 | 1): Closure {
    return (
      this.#named(expr.name, base) ??
      (() => {
        throw new Failure(`no such attribute(s): ${expr.name}`);
      })
    );
  }

  #select(expr: SelectExpr, base: 0 | 1): Closure {
    const { field, testOnly } = expr;
    const name = qualifiedName(expr);
    const named = name === undefined || this.#scope.has(firstPart(name)) ? undefined : this.#named(name, base);
    if (named !== undefined) return named;
    const [operand, extra] = this.#source(expr.operand, base);
    if (testOnly) {
      const cost = extra + (this.#environment.presenceTestHasCost ? 1 : 0);
      return (frame) => {
        const value = operand(frame);
        frame.charge(cost);
        return hasField(value, field);
      };
    }
    return (frame) => {
      const value = operand(frame);
      if (value instanceof OptionalValue) {
        const found = optionalField(value, field);
        frame.charge(extra + (found.value === undefined ? 0 : 1));
        return found;
      }
      frame.charge(1 + extra);
      return selectField(value, field);
    };
  }

  /** The operand that is read from, and the cost of reading before its first step. */
  #source(operand: Expr, base: 0 | 1): readonly [Closure, 0 | 1] {
    return isAttribute(operand) ? [this.#compile(operand, base), 0] : [this.compile(operand), base];
  }

  #call(expr: CallExpr, base: 0 | 1): Closure {
    const [first, second, third] = expr.args;
    if (expr.target === undefined && first !== undefined) {
      if (expr.name === '@not_strictly_false') return notStrictlyFalse(this.compile(first));
      if (second !== undefined) {
        if (expr.name === '_&&_') return and(this.compile(first), this.compile(second));
        if (expr.name === '_||_') return or(this.compile(first), this.compile(second));
        if (expr.name === '_?_:_' && third !== undefined) return conditional(this.compile(first), this.#inner(second), this.#inner(third));
        if (expr.name === '@in' && isConstant(second)) {
          const membership = compileMembership(this.compile(first), this.compile(second)(new Frame(0, 0)));
          if (membership !== undefined) return membership;
        }
        if (/^_(\[_\]|\[\?_\]|\?\._)$/.test(expr.name)) return this.#access(expr.name, first, second, base);
      }
    }
    if (expr.target !== undefined && first !== undefined && second === undefined && this.#environment.isOptionalFallback(expr.name)) {
      const target = this.compile(expr.target);
      const fallback = this.compile(first);
      return expr.name === 'or' ? optionalOr(target, fallback) : optionalOrValue(target, fallback);
    }
    return this.#function(expr);
  }

  /** The branch of a condition, or a key: read as part of the access around it. */
  #inner(expr: Expr): Closure {
    return isAttribute(expr) ? this.#compile(expr, 0) : this.compile(expr);
  }

  #access(name: string, operandExpr: Expr, keyExpr: Expr, base: 0 | 1): Closure {
    const [operand, extra] = this.#source(operandExpr, base);
    const key = this.#inner(keyExpr);
    if (name === '_[_]') {
      return (frame) => {
        const value = operand(frame);
        const at = key(frame);
        frame.charge(1 + extra);
        return index(value, at);
      };
    }
    const read = name === '_[?_]' ? optionalIndex : optionalKey;
    return (frame) => {
      const found = read(operand(frame), key(frame));
      // An absent value costs no step.
      frame.charge(extra + (found.value === undefined ? 0 : 1));
      return found;
    };
  }

  #function(expr: CallExpr): Closure {
    const resolved = resolveFunction(expr, this.#environment, (name) => this.#scope.has(name));
    if (resolved === undefined) {
      return () => {
        throw new Failure(`no such overload: ${expr.name}`);
      };
    }
    const { name, isMember, args } = resolved;
    const overloads =
      this.#checked?.overloads.get(expr.id) ??
      resolved.overloads.filter((overload) => overload.isMember === isMember && overload.params.length === args.length);
    const [only] = overloads;
    return compileCall({
      name,
      overloads,
      args: args.map((arg) => this.compile(arg)),
      types: args.map((arg) => this.#typeOf(arg)),
      cost: this.#environment.callCost(name, overloads.length === 1 ? only?.id : undefined),
    });
  }

  #list(expr: ListExpr): Closure {
    const elements = expr.elements.map((element) => this.compile(element));
    const { optional } = expr;
    return (frame) => {
      const items: CELValue[] = [];
      for (let at = 0; at < elements.length; at++) {
        const value = elements[at]?.(frame) ?? null;
        const item = optional.has(at) ? contentOf(value) : value;
        if (item !== undefined) items.push(item);
      }
      frame.charge(listCreationCost);
      return new NativeList(items);
    };
  }

  #map(expr: MapExpr): Closure {
    const entries = expr.entries.map(({ key, value, optional }) => ({ key: this.compile(key), value: this.compile(value), optional }));
    return (frame) => {
      const pairs: [CELValue, CELValue][] = [];
      for (const { key, value, optional } of entries) {
        const at = key(frame);
        const raw = value(frame);
        const item = optional ? contentOf(raw) : raw;
        if (item !== undefined) pairs.push([at, item]);
      }
      frame.charge(mapCreationCost);
      return NativeMap.of(pairs);
    };
  }

  #struct(expr: StructExpr): Closure {
    const type = this.#environment
      .candidates(expr.typeName)
      .map((name) => this.#environment.findType(name))
      .find((found) => found !== undefined);
    if (type?.fields === undefined) {
      return () => {
        throw new Failure(`unknown type: ${expr.typeName}`);
      };
    }
    const declared = type.fields();
    const fields = expr.fields.map(({ name, value, optional }) => {
      const field = declared.get(name)?.type ?? type.anyField;
      return { name, value: this.compile(value), optional, guard: field === undefined ? undefined : guardOf(field) };
    });
    return (frame) => {
      const values = new Map<string, CELValue>();
      for (const { name, value, optional, guard } of fields) {
        if (guard === undefined) throw new Failure(`no such field '${name}'`);
        const raw = value(frame);
        const item = optional ? contentOf(raw) : raw;
        if (item === undefined) continue;
        if (!guard(item)) throw new Failure(`unsupported field type for ${type.name}.${name}`);
        values.set(name, item);
      }
      frame.charge(structCreationCost);
      return new NativeObject(type, values);
    };
  }

  #fold(expr: ComprehensionExpr): Closure {
    const range = this.compile(expr.range);
    const initial = this.compile(expr.initial);
    const outer = this.#scope;
    const accumulator = this.#newSlot();
    const variable = this.#newSlot();
    const variable2 = expr.variable2 === undefined ? undefined : this.#newSlot();
    const withAccumulator = new Map([...outer, [expr.accumulator, accumulator]]);
    this.#scope = new Map([
      ...withAccumulator,
      [expr.variable, variable],
      ...(expr.variable2 === undefined || variable2 === undefined ? [] : ([[expr.variable2, variable2]] as const)),
    ]);
    const compile = (inner: Expr) => this.compile(inner);
    const parts: FoldParts = { expr, range, initial, accumulator, variable, variable2, condition: compile(expr.condition), compile };
    const build = compileFold(parts);
    this.#scope = withAccumulator;
    const binds = expr.condition.kind === 'const' && expr.condition.value === false;
    // A name for a value: found out when it is first read.
    if (binds) this.#lazy.set(accumulator, initial);
    const result = this.compile(expr.result);
    this.#scope = outer;
    if (!binds) return build(result);
    return (frame) => {
      frame.slots[accumulator] = undefined;
      return result(frame);
    };
  }
}

function readLazily(slot: number, initial: Closure, cost: 0 | 1): Closure {
  return (frame) => {
    const known = frame.slots[slot];
    if (known instanceof Failure) throw known;
    frame.charge(cost);
    if (known !== undefined) return known;
    try {
      const value = initial(frame);
      frame.slots[slot] = value;
      return value;
    } catch (error) {
      if (error instanceof Failure) frame.slots[slot] = error;
      throw error;
    }
  };
}

function readSlot(slot: number, name: string, cost: 0 | 1): Closure {
  return (frame) => {
    const value = frame.slots[slot];
    if (value === undefined) throw new Failure(`no such attribute(s): ${name}`);
    if (value instanceof Failure) throw value;
    frame.charge(cost);
    return value;
  };
}

/** Whether the read continues the path of this expression. Otherwise it starts a new path, which costs 1 more. */
function isAttribute(expr: Expr): boolean {
  if (expr.kind === 'ident') return true;
  if (expr.kind === 'select') return !expr.testOnly;
  return expr.kind === 'call' && expr.target === undefined && /^_(\[_\]|\[\?_\]|\?\._|\?_:_)$/.test(expr.name);
}

function optionalKey(operand: CELValue, key: CELValue): OptionalValue {
  if (typeof key !== 'string') throw new Failure('no such overload');
  return optionalField(operand, key);
}

/** The content of an element or entry written with `?`; undefined: nothing. Throws Failure where it is no optional. */
function contentOf(value: CELValue): CELValue | undefined {
  if (!(value instanceof OptionalValue)) throw new Failure('cannot initialize optional entry from non-optional value');
  return value.value;
}
