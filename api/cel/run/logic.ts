import type { Closure } from './frame.ts';
import { type CELValue, Failure, noSuchOverload, OptionalValue } from '../types/values.ts';

/**
 * If either side equals `deciding`, that is the result, even if the other side is an error. Otherwise an error is the result, the left one
 * first.
 */
function commutative(left: Closure, right: Closure, deciding: boolean): Closure {
  return (frame) => {
    let failure: Failure | undefined;
    try {
      const value = left(frame);
      if (value === deciding) return deciding;
      if (value !== !deciding) failure = noSuchOverload();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      failure = error;
    }
    let value: CELValue;
    try {
      value = right(frame);
    } catch (error) {
      throw error instanceof Failure ? (failure ?? error) : error;
    }
    if (value === deciding) return deciding;
    if (failure !== undefined || value !== !deciding) throw failure ?? noSuchOverload();
    return !deciding;
  };
}

export const and = (left: Closure, right: Closure): Closure => commutative(left, right, false);
export const or = (left: Closure, right: Closure): Closure => commutative(left, right, true);

export function conditional(condition: Closure, whenTrue: Closure, whenFalse: Closure): Closure {
  return (frame) => {
    const value = condition(frame);
    if (value === true) return whenTrue(frame);
    if (value === false) return whenFalse(frame);
    throw noSuchOverload();
  };
}

/** Whether a fold goes on. True also for an error, which a later element may still absorb. */
export function notStrictlyFalse(operand: Closure): Closure {
  return (frame) => {
    let value: CELValue;
    try {
      value = operand(frame);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      return true;
    }
    frame.charge(1);
    return value !== false;
  };
}

/** target.or(fallback), both optional. */
export function optionalOr(target: Closure, fallback: Closure): Closure {
  return (frame) => {
    const value = target(frame);
    if (!(value instanceof OptionalValue)) throw noSuchOverload();
    return value.value === undefined ? fallback(frame) : value;
  };
}

/** target.orValue(fallback). */
export function optionalOrValue(target: Closure, fallback: Closure): Closure {
  return (frame) => {
    const value = target(frame);
    if (!(value instanceof OptionalValue)) throw noSuchOverload();
    return value.value ?? (value.value === null ? null : fallback(frame));
  };
}
