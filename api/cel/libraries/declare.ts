import type { CELType } from '../types/types.ts';
import type { FunctionDeclaration, Overload } from '../declarations.ts';

/** The parameters may be narrower than CELValue, as the declared types promise. */
type Call = Overload['call'];

/** A signature called as `name(params)`. */
export function global(id: string, params: readonly CELType[], result: CELType, call: Call): Overload {
  return { id, isMember: false, params, result, call };
}

/** A signature called as `first.name(others)`. */
export function member(id: string, params: readonly CELType[], result: CELType, call: Call): Overload {
  return { id, isMember: true, params, result, call };
}

export function declare(name: string, ...overloads: readonly Overload[]): FunctionDeclaration {
  return { name, overloads };
}
