import type { ComprehensionExpr, Expr } from '../syntax/ast.ts';
import { isConstant } from '../syntax/constant.ts';
import type { Closure, Frame } from './frame.ts';
import { listCreationCost } from '../cost/runtime-costs.ts';
import {
  type CELValue,
  Failure,
  type ListValue,
  type MapValue,
  mapKey,
  NativeList,
  NativeMap,
  noSuchOverload,
  typeName,
} from '../types/values.ts';

export interface FoldParts {
  readonly expr: ComprehensionExpr;
  readonly range: Closure;
  readonly initial: Closure;
  readonly condition: Closure;
  /** Slots. */
  readonly accumulator: number;
  readonly variable: number;
  readonly variable2: number | undefined;
  compile(expr: Expr): Closure;
}

/** One step of a fold: updates the accumulator's slot. Returns false when further steps cannot change the result. */
type Step = (frame: Frame) => boolean;

/** The fold over a range, once its result is compiled (in a scope without the loop's variables). */
export function compileFold(parts: FoldParts): (result: Closure) => Closure {
  const { range, initial, accumulator } = parts;
  const collecting = collectingStep(parts);
  const step = collecting?.step ?? generalStep(parts);
  return (result) => (frame) => {
    const over = range(frame);
    const slots = frame.slots;
    const first = initial(frame);
    slots[accumulator] = collecting?.start() ?? first;
    iterate(parts, frame, over, step);
    const made = slots[accumulator];
    if (collecting !== undefined && made !== undefined && !(made instanceof Failure)) slots[accumulator] = collecting.finish(made);
    return result(frame);
  };
}

function iterate({ variable, variable2 }: FoldParts, frame: Frame, over: CELValue, step: Step): void {
  const { slots } = frame;
  if (typeof over !== 'object' || over === null || over instanceof Uint8Array || (over.kind !== 'list' && over.kind !== 'map')) {
    throw new Failure(`got '${goTypeName(over)}', expected iterable type`);
  }
  if (over.kind === 'list') return iterateList(over, variable, variable2, frame, step);
  for (const key of over.keys()) {
    slots[variable] = key;
    if (variable2 !== undefined) slots[variable2] = over.find(key);
    if (!step(frame)) return;
  }
}

const goTypeNames: Readonly<Record<string, string>> = {
  null_type: 'Null',
  'google.protobuf.Timestamp': 'Timestamp',
  'google.protobuf.Duration': 'Duration',
};

/** The name of the value's Go type as messages show it: types.Int. */
function goTypeName(value: CELValue): string {
  const name = typeName(value);
  return `types.${goTypeNames[name] ?? name.charAt(0).toUpperCase() + name.slice(1)}`;
}

function iterateList(list: ListValue, variable: number, variable2: number | undefined, frame: Frame, step: Step): void {
  const { slots } = frame;
  const { size } = list;
  for (let at = 0; at < size; at++) {
    if (variable2 === undefined) slots[variable] = list.get(at);
    else {
      slots[variable] = BigInt(at);
      slots[variable2] = list.get(at);
    }
    if (!step(frame)) return;
  }
}

function generalStep(parts: FoldParts): Step {
  const { condition, accumulator } = parts;
  const step = parts.compile(parts.expr.step);
  const canAbsorb = parts.expr.condition.kind !== 'const';
  return (frame) => {
    if (condition(frame) === false) return false;
    try {
      frame.slots[accumulator] = step(frame);
      return true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      frame.slots[accumulator] = error;
      return canAbsorb;
    }
  };
}

/** The code of the macros that collect: it appends to one list or map instead of making a new one at every step. */
interface Collecting {
  readonly step: Step;
  start(): CELValue;
  finish(made: CELValue): CELValue;
}

/** A list under construction; nothing but its fold sees it before it is finished. */
class GrowingList implements ListValue {
  readonly kind = 'list';
  readonly items: CELValue[] = [];
  get size(): number {
    return this.items.length;
  }
  get(index: number): CELValue {
    return this.items[index] ?? null;
  }
}

class GrowingMap implements MapValue {
  readonly kind = 'map';
  readonly entries = new Map<string | bigint | boolean, readonly [CELValue, CELValue]>();
  get size(): number {
    return this.entries.size;
  }
  find(key: CELValue): CELValue | undefined {
    const at = mapKey(key);
    return at === undefined ? undefined : this.entries.get(at)?.[1];
  }
  keys(): readonly CELValue[] {
    return [...this.entries.values()].map(([key]) => key);
  }
  insert(key: CELValue, value: CELValue): void {
    const at = mapKey(key);
    if (at === undefined) throw new Failure(`unsupported key type: ${typeName(key)}`);
    if (this.entries.has(at)) throw new Failure(`insert failed: key ${String(at)} already exists`);
    this.entries.set(at, [key, value]);
  }
}

function collectingStep(parts: FoldParts): Collecting | undefined {
  const { expr, accumulator } = parts;
  const { initial, step } = expr;
  const isAccumulator = (candidate: Expr | undefined): boolean => candidate?.kind === 'ident' && candidate.name === expr.accumulator;
  const filtered = step.kind === 'call' && step.name === '_?_:_' && isAccumulator(step.args[2]) ? step : undefined;
  const add = filtered === undefined ? step : filtered.args[1];
  if (add?.kind !== 'call' || !isAccumulator(add.args[0])) return undefined;
  const filter = filtered?.args[0];
  const test = filter === undefined ? undefined : parts.compile(filter);
  const guarded = (run: (frame: Frame, into: CELValue | Failure | undefined) => void): Step => collectingGuard(accumulator, test, run);
  const [, second, third] = add.args;
  if (
    add.name === '_+_' &&
    initial.kind === 'list' &&
    initial.elements.length === 0 &&
    second?.kind === 'list' &&
    second.optional.size === 0
  ) {
    const [element] = second.elements;
    if (element === undefined || second.elements.length !== 1) return undefined;
    const value = parts.compile(element);
    // The cost of reading the accumulator, of the one-element list if it is not constant, and of joining the two.
    const cost = 2 + (isConstant(element) ? 0 : listCreationCost);
    return {
      start: () => new GrowingList(),
      finish: (made) => (made instanceof GrowingList ? new NativeList(made.items) : made),
      step: guarded((frame, into) => {
        const item = value(frame);
        frame.charge(cost);
        if (into instanceof GrowingList) into.items.push(item);
      }),
    };
  }
  if (add.name !== 'cel.@mapInsert' || initial.kind !== 'map' || second === undefined) return undefined;
  const insert = compileInsert(parts, second, third);
  return {
    start: () => new GrowingMap(),
    finish: (made) => (made instanceof GrowingMap ? new NativeMap(made.entries) : made),
    step: guarded((frame, into) => {
      if (into instanceof GrowingMap) insert(frame, into);
      frame.charge(2);
    }),
  };
}

/** With a third argument: a key and its value; without: a map to be merged. */
function compileInsert(parts: FoldParts, second: Expr, third: Expr | undefined): (frame: Frame, into: GrowingMap) => void {
  const key = parts.compile(second);
  if (third !== undefined) {
    const value = parts.compile(third);
    return (frame, into) => into.insert(key(frame), value(frame));
  }
  return (frame, into) => {
    const entries = key(frame);
    if (typeof entries !== 'object' || entries === null || entries instanceof Uint8Array || entries.kind !== 'map') throw noSuchOverload();
    for (const at of entries.keys()) into.insert(at, entries.find(at) ?? null);
  };
}

function collectingGuard(
  accumulator: number,
  test: Closure | undefined,
  run: (frame: Frame, into: CELValue | Failure | undefined) => void,
): Step {
  return (frame) => {
    try {
      if (test !== undefined) {
        const taken = test(frame);
        if (typeof taken !== 'boolean') throw noSuchOverload();
        if (!taken) return true;
      }
      run(frame, frame.slots[accumulator]);
      return true;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      frame.slots[accumulator] = error;
      return false;
    }
  };
}
