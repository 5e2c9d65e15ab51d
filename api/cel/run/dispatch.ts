import type { Closure, Frame } from './frame.ts';
import { type CELType, isDyn } from '../types/types.ts';
import { type CELValue, Failure, noSuchOverload, typeName, UintValue } from '../types/values.ts';
import type { CallCost, Overload } from '../declarations.ts';

type Guard = (value: CELValue) => boolean;

/** Whether a value is of the type's kind. */
export function guardOf(type: CELType): Guard {
  switch (type.kind) {
    case 'bool':
      return (value) => typeof value === 'boolean';
    case 'int':
      return (value) => typeof value === 'bigint';
    case 'double':
      return (value) => typeof value === 'number';
    case 'string':
      return (value) => typeof value === 'string';
    case 'uint':
      return (value) => value instanceof UintValue;
    case 'bytes':
      return (value) => value instanceof Uint8Array;
    case 'null':
      return (value) => value === null;
    case 'any':
    case 'dyn':
    case 'error':
    case 'param':
      return () => true;
    case 'wrapper': {
      const inner = guardOf(type.params[0] ?? type);
      return (value) => value === null || inner(value);
    }
    case 'object':
    case 'opaque':
      return (value) =>
        typeof value === 'object' &&
        value !== null &&
        !(value instanceof Uint8Array) &&
        (value.kind === 'object' || value.kind === 'opaque') &&
        value.type.name === type.name;
    default: {
      const { kind } = type;
      return (value) => typeof value === 'object' && value !== null && !(value instanceof Uint8Array) && value.kind === kind;
    }
  }
}

/** A cost that depends on the result. */
export function costOfResult(cost: (args: readonly CELValue[], result: CELValue) => number): CallCost {
  return Object.assign(cost, { isOfResult: true } as const);
}

interface Candidate {
  readonly overload: Overload;
  readonly guards: readonly Guard[];
}

interface CallParts {
  /** The function's name in error messages. */
  readonly name: string;
  readonly overloads: readonly Overload[];
  readonly args: readonly Closure[];
  /** The types of the arguments where they are known. */
  readonly types: readonly (CELType | undefined)[];
  readonly cost: CallCost | undefined;
}

const standardMembers = /^(contains|startsWith|endsWith|matches|get[A-Z]\w*)$/;

/** The error for values that no signature takes. CEL's own functions do not name the signature; library functions do. */
function mismatch(name: string, args: readonly CELValue[]): Failure {
  return /^[_@!-]/.test(name) || standardMembers.test(name) ? noSuchOverload() : noSuchOverload(name, args);
}

/** Whether a value of a known type need not be looked at before the call. */
function isSafe(type: CELType | undefined, param: CELType): boolean {
  if (isDyn(param) || param.kind === 'param') return true;
  return type !== undefined && type.kind === param.kind && type.kind !== 'object' && type.kind !== 'opaque';
}

/** Evaluates the arguments, chooses the signature by their kinds, calls it and pays. */
export function compileCall(parts: CallParts): Closure {
  const { args, types } = parts;
  const [only] = parts.overloads;
  const candidates = parts.overloads.map((overload) => ({ overload, guards: overload.params.map(guardOf) }));
  if (only !== undefined && candidates.length === 1) {
    const guarded = only.params.some((param, index) => !isSafe(types[index], param));
    const guards = guarded ? candidates[0]?.guards : undefined;
    if (args.length === 1) return unary(parts, only, guards);
    if (args.length === 2) return binary(parts, only, guards);
  }
  return general(parts, candidates);
}

function unary({ name, args, cost }: CallParts, overload: Overload, guards: readonly Guard[] | undefined): Closure {
  const [first] = args;
  const [guard] = guards ?? [];
  if (first === undefined) throw new Error(`${name} is called without its argument`);
  const call = unaryCall(overload);
  const after = cost?.isOfResult === true;
  return (frame) => {
    const a = first(frame);
    if (guard !== undefined && !guard(a)) throw mismatch(name, [a]);
    if (!after) frame.charge(cost === undefined ? 1 : cost([a], null));
    const result = call(a);
    if (after) frame.charge(cost === undefined ? 1 : cost([a], result));
    return result;
  };
}

const unaryCall =
  (overload: Overload) =>
  (a: CELValue): CELValue =>
    overload.call(a, null, null, null);

function binary({ name, args, cost }: CallParts, overload: Overload, guards: readonly Guard[] | undefined): Closure {
  const [first, second] = args;
  const [guardA, guardB] = guards ?? [];
  if (first === undefined || second === undefined) throw new Error(`${name} is called without its arguments`);
  const after = cost?.isOfResult === true;
  return (frame) => {
    const a = first(frame);
    const b = second(frame);
    if ((guardA !== undefined && !guardA(a)) || (guardB !== undefined && !guardB(b))) throw mismatch(name, [a, b]);
    if (!after) frame.charge(cost === undefined ? 1 : cost([a, b], null));
    const result = overload.call(a, b, null, null);
    if (after) frame.charge(cost === undefined ? 1 : cost([a, b], result));
    return result;
  };
}

const comparable = 'bool bytes double duration int string timestamp uint';
/** The types of first operands that have an operator for some second operands. */
const operators: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    '_<_': comparable,
    '_<=_': comparable,
    '_>_': comparable,
    '_>=_': comparable,
    '_+_': 'bytes double duration int list string timestamp uint',
    '_-_': 'double duration int timestamp uint',
    '_*_': 'double int uint',
    '_/_': 'double int uint',
    '_%_': 'int uint',
  }).map(([name, types]) => [name, new Set(types.split(' '))]),
);

const shortNames: Readonly<Record<string, string>> = { 'google.protobuf.Timestamp': 'timestamp', 'google.protobuf.Duration': 'duration' };

/** Whether it is the second operand that has the wrong type. */
function hasOperator(name: string, first: CELValue): boolean {
  const type = typeName(first);
  return operators.get(name)?.has(shortNames[type] ?? type) === true;
}

function general({ name, args, cost }: CallParts, candidates: readonly Candidate[]): Closure {
  const after = cost?.isOfResult === true;
  return (frame: Frame) => {
    const values = args.map((arg) => arg(frame));
    for (const { overload, guards } of candidates) {
      if (guards.length !== values.length || !guards.every((guard, index) => guard(values[index] ?? null))) continue;
      const [a = null, b = null, c = null, d = null] = values;
      if (!after) frame.charge(cost === undefined ? 1 : cost(values, null));
      const result = overload.call(a, b, c, d);
      if (after) frame.charge(cost === undefined ? 1 : cost(values, result));
      return result;
    }
    const [first = null] = values;
    const isFirstKnown = candidates.some(({ guards: [guard] }) => guard?.(first) === true);
    throw isFirstKnown || hasOperator(name, first) || !/^([_@-]|size$)/.test(name)
      ? mismatch(name, values)
      : new Failure(`no such overload: ${name}`);
  };
}
