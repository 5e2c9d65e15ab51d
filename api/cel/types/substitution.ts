import { type CELType, dynType, equalTypes, formatType, isDyn } from './types.ts';

/** The types that are bound to type parameters so far. */
export class Substitution {
  readonly #bound = new Map<string, CELType>();
  /** The parameters that were bound last, and their types before: an attempt that fails is undone, and nothing is copied for it. */
  readonly #before: { readonly name: string; readonly type: CELType | undefined }[] = [];

  /** The type with its known parameters put in; those unknown become dyn on request. */
  apply(type: CELType, unknownAsDyn = false): CELType {
    if (type.kind === 'param') {
      const bound = this.#bound.get(type.name);
      if (bound !== undefined) return this.apply(bound, unknownAsDyn);
      return unknownAsDyn ? dynType : type;
    }
    if (type.params.length === 0) return type;
    const params = type.params.map((param) => this.apply(param, unknownAsDyn));
    return params.every((param, index) => param === type.params[index]) ? type : { ...type, params };
  }

  bind(param: CELType, type: CELType): void {
    this.#bound.set(param.name, type);
  }

  #try(name: string, type: CELType): void {
    this.#before.push({ name, type: this.#bound.get(name) });
    this.#bound.set(name, type);
  }

  #undo(): void {
    for (const { name, type } of this.#before.toReversed()) {
      if (type === undefined) this.#bound.delete(name);
      else this.#bound.set(name, type);
    }
  }

  /**
   * Whether values of each type are assignable to the type at the same index. If they are, the bindings of type parameters found on the way
   * are kept.
   */
  assignAll(from: readonly CELType[], to: readonly CELType[]): boolean {
    if (from.length !== to.length) return false;
    const fits = from.every((type, index) => {
      const wanted = to[index];
      return wanted !== undefined && this.#assign(type, wanted);
    });
    if (!fits) this.#undo();
    this.#before.length = 0;
    return fits;
  }

  assign(from: CELType, to: CELType): boolean {
    return this.assignAll([from], [to]);
  }

  #assign(from: CELType, to: CELType): boolean {
    if (to.kind === 'param') {
      const fits = this.#assignParam(to, from);
      if (fits !== undefined) return fits;
    }
    if (from.kind === 'param') {
      const fits = this.#assignParam(from, to);
      if (fits !== undefined) return fits;
    }
    if (isDyn(from) || isDyn(to) || from.kind === 'error' || to.kind === 'error') return true;
    if (from.kind === 'null') return isNullable(to);
    if (to.kind === 'null') return isNullable(from);
    if (from.kind === 'wrapper' && to.kind !== 'wrapper') return this.#assign(from.params[0] ?? dynType, to);
    if (to.kind === 'wrapper' && from.kind !== 'wrapper') return this.#assign(from, to.params[0] ?? dynType);
    if (from.kind !== to.kind || from.name !== to.name) return false;
    if (from.kind === 'type') return true;
    if (from.params.length !== to.params.length) return false;
    return from.params.every((param, index) => {
      const wanted = to.params[index];
      return wanted !== undefined && this.#assign(param, wanted);
    });
  }

  /** Undefined: the parameter cannot be bound to the type, because the type contains it. */
  #assignParam(param: CELType, type: CELType): boolean | undefined {
    const bound = this.#bound.get(param.name);
    if (bound !== undefined) {
      if (!this.#assign(type, bound)) return false;
      const general = mostGeneral(type, bound);
      if (!this.#mentions(general, param)) this.#try(param.name, general);
      return true;
    }
    if (type.kind === 'param' && type.name === param.name) return true;
    if (this.#mentions(type, param)) return undefined;
    this.#try(param.name, type);
    return true;
  }

  #mentions(type: CELType, param: CELType): boolean {
    if (type.kind === 'param') {
      if (type.name === param.name) return true;
      const bound = this.#bound.get(type.name);
      return bound !== undefined && this.#mentions(bound, param);
    }
    return type.params.some((inner) => this.#mentions(inner, param));
  }
}

function isNullable(type: CELType): boolean {
  return ['null', 'opaque', 'optional', 'object', 'duration', 'timestamp', 'wrapper', 'any', 'dyn'].includes(type.kind);
}

function isAsGeneral(a: CELType, b: CELType): boolean {
  if (isDyn(a) || a.kind === 'param') return true;
  if (isDyn(b) || b.kind === 'param') return false;
  if (a.kind === 'null' && b.kind !== 'null') return false;
  if (b.kind === 'null') return isNullable(a);
  if (a.kind === 'wrapper' && b.kind !== 'wrapper') return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'type' || a.params.length === 0) return a.kind === 'type' || equalTypes(a, b);
  return a.params.every((param, index) => {
    const other = b.params[index];
    return other !== undefined && isAsGeneral(param, other);
  });
}

/** The more general of two types where one is assignable to the other. */
export function mostGeneral(a: CELType, b: CELType): CELType {
  return isAsGeneral(a, b) ? a : b;
}

/** `(int, string)`, or `int.(string)` of a call with a target. */
export function formatSignature(args: readonly CELType[], isMember: boolean): string {
  const [target, ...others] = args;
  if (isMember && target !== undefined) return `${formatType(target)}.(${others.map(formatType).join(', ')})`;
  return `(${args.map(formatType).join(', ')})`;
}
