import { hasField, index, optionalField, optionalIndex, selectField } from './access.ts';
import type { CallExpr, ComprehensionExpr, Expr, IdentExpr, ListExpr, MapExpr, SelectExpr, StructExpr } from './ast.ts';
import type { CheckedExpr } from './check.ts';
import { compileCall, guardOf } from './dispatch.ts';
import type { Environment } from './environment.ts';
import { compileFold, type FoldParts } from './fold.ts';
import type { Closure } from './frame.ts';
import { and, conditional, notStrictlyFalse, optionalOr, optionalOrValue, or } from './logic.ts';
import { NativeObject } from './native-object.ts';
import { firstPart, qualifiedName, resolveFunction } from './resolve.ts';
import { listCreationCost, mapCreationCost, structCreationCost } from './runtime-costs.ts';
import type { CELType } from './types.ts';
import { type CELValue, Failure, NativeList, NativeMap, OptionalValue, TypeValue } from './values.ts';

export interface Compiled {
  readonly run: Closure;
  readonly slotCount: number;
  /** Where the variables of the environment are put before an evaluation. */
  readonly variables: ReadonlyMap<string, number>;
}

/** Makes closures of an expression, once; `checked` has what the type checker found out, if it was asked. */
export function compileExpr(expr: Expr, environment: Environment, checked?: CheckedExpr): Compiled {
  const compiler = new Compiler(environment, checked);
  const run = compiler.compile(expr);
  return { run, slotCount: compiler.slotCount, variables: compiler.variables };
}

class Compiler {
  slotCount = 0;
  readonly variables = new Map<string, number>();
  readonly #environment: Environment;
  readonly #checked: CheckedExpr | undefined;
  #scope: ReadonlyMap<string, number> = new Map();

  constructor(environment: Environment, checked: CheckedExpr | undefined) {
    this.#environment = environment;
    this.#checked = checked;
  }

  compile(expr: Expr): Closure {
    switch (expr.kind) {
      case 'const': {
        const { value } = expr;
        return () => value;
      }
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
  #named(name: string): Closure | undefined {
    const local = this.#scope.get(name);
    if (local !== undefined) return readSlot(local, name);
    for (const candidate of this.#environment.candidates(name)) {
      if (this.#environment.findVariable(candidate) !== undefined) return readSlot(this.#slotOfVariable(candidate), candidate);
      const constant = this.#environment.findConstant(candidate) ?? this.#typeNamed(candidate);
      if (constant !== undefined) return () => constant;
    }
    return undefined;
  }

  #typeNamed(name: string): TypeValue | undefined {
    return this.#environment.findType(name) === undefined ? undefined : new TypeValue(name);
  }

  #ident(expr: IdentExpr): Closure {
    return (
      this.#named(expr.name) ??
      (() => {
        throw new Failure(`no such attribute(s): ${expr.name}`);
      })
    );
  }

  #select(expr: SelectExpr): Closure {
    const { field, testOnly } = expr;
    const name = qualifiedName(expr);
    const named = name === undefined || this.#scope.has(firstPart(name)) ? undefined : this.#named(name);
    if (named !== undefined) return named;
    const operand = this.compile(expr.operand);
    const extra = isAttribute(expr.operand) ? 0 : 1;
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
      frame.charge(1 + extra);
      return selectField(value, field);
    };
  }

  #call(expr: CallExpr): Closure {
    const [first, second, third] = expr.args;
    if (expr.target === undefined && first !== undefined) {
      if (expr.name === '@not_strictly_false') return notStrictlyFalse(this.compile(first));
      if (second !== undefined) {
        if (expr.name === '_&&_') return and(this.compile(first), this.compile(second));
        if (expr.name === '_||_') return or(this.compile(first), this.compile(second));
        if (expr.name === '_?_:_' && third !== undefined)
          return conditional(this.compile(first), this.compile(second), this.compile(third));
        if (/^_(\[_\]|\[\?_\]|\?\._)$/.test(expr.name)) return this.#access(expr.name, first, second);
      }
    }
    if (expr.target !== undefined && first !== undefined && second === undefined && this.#environment.isOptionalFallback(expr.name)) {
      const target = this.compile(expr.target);
      const fallback = this.compile(first);
      return expr.name === 'or' ? optionalOr(target, fallback) : optionalOrValue(target, fallback);
    }
    return this.#function(expr);
  }

  #access(name: string, operandExpr: Expr, keyExpr: Expr): Closure {
    const operand = this.compile(operandExpr);
    const key = this.compile(keyExpr);
    const cost = isAttribute(operandExpr) ? 1 : 2;
    const read = name === '_[_]' ? index : name === '_[?_]' ? optionalIndex : optionalKey;
    return (frame) => {
      const value = operand(frame);
      const at = key(frame);
      frame.charge(cost);
      return read(value, at);
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
      const field = declared.get(name);
      return { name, value: this.compile(value), optional, guard: field === undefined ? undefined : guardOf(field.type) };
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
    const closure = build(this.compile(expr.result));
    this.#scope = outer;
    return closure;
  }
}

function readSlot(slot: number, name: string): Closure {
  return (frame) => {
    const value = frame.slots[slot];
    if (value === undefined) throw new Failure(`no such attribute(s): ${name}`);
    if (value instanceof Failure) throw value;
    frame.charge(1);
    return value;
  };
}

/** Whether reading from the expression is one step of a path and not the start of a new one, which costs 1 more. */
function isAttribute(expr: Expr): boolean {
  if (expr.kind === 'ident') return true;
  if (expr.kind === 'select') return !expr.testOnly;
  return expr.kind === 'call' && expr.target === undefined && /^_(\[_\]|\[\?_\]|\?\._|\?_:_)$/.test(expr.name);
}

function optionalKey(operand: CELValue, key: CELValue): CELValue {
  if (typeof key !== 'string') throw new Failure('no such overload');
  return optionalField(operand, key);
}

/** What an element or entry written with `?` adds; undefined: nothing. Throws Failure where it is no optional. */
function contentOf(value: CELValue): CELValue | undefined {
  if (!(value instanceof OptionalValue)) throw new Failure('cannot initialize optional entry from non-optional value');
  return value.value;
}
