import type { ParseOptions } from './syntax/parser.ts';
import { standardCost } from './cost/runtime-costs.ts';
import type { CELType } from './types/types.ts';
import type { CELValue } from './types/values.ts';
import type { CallCost, CallEstimate, EstimatedPart, Library, Overload } from './declarations.ts';

export interface EnvironmentOptions {
  readonly libraries: readonly Library[];
  readonly variables?: Readonly<Record<string, CELType>>;
  /** Names are also looked up within this, as in `a.b`. */
  readonly container?: string;
  /** Refuse durations, timestamps and regular expressions that cannot be read, and lists and maps of elements of different types. */
  readonly validateLiterals?: boolean;
  /** Let fields be written as `in backticks`. */
  readonly escapedIdentifiers?: boolean;
  /** Whether has() costs as much as reading the field. Kubernetes: no. */
  readonly presenceTestHasCost?: boolean;
  /** Types made from their names, for names that nothing else declares. */
  readonly resolveType?: (name: string) => CELType | undefined;
}

/** The variables, functions and types that an expression may use. Make it once; it is shared by all that is compiled in it. */
export class Environment {
  readonly container: string;
  readonly validateLiterals: boolean;
  readonly presenceTestHasCost: boolean;
  readonly parseOptions: ParseOptions;
  readonly #options: EnvironmentOptions;
  readonly #variables: ReadonlyMap<string, CELType>;
  readonly #functions = new Map<string, Overload[]>();
  readonly #types = new Map<string, CELType>();
  readonly #constants = new Map<string, CELValue>();

  constructor(options: EnvironmentOptions) {
    this.#options = options;
    this.container = options.container ?? '';
    this.validateLiterals = options.validateLiterals ?? false;
    this.presenceTestHasCost = options.presenceTestHasCost ?? true;
    this.#variables = new Map(Object.entries(options.variables ?? {}));
    for (const library of options.libraries) {
      for (const { name, overloads } of library.functions) {
        this.#functions.set(name, [...(this.#functions.get(name) ?? []), ...overloads]);
      }
      for (const type of library.types ?? []) this.#types.set(type.name, type);
      for (const [name, value] of library.constants ?? []) this.#constants.set(name, value);
    }
    this.parseOptions = {
      macros: options.libraries.flatMap((library) => library.macros ?? []),
      optionalSyntax: this.#functions.has('_?._'),
      escapedIdentifiers: options.escapedIdentifiers ?? false,
    };
    for (const type of this.#variables.values()) this.#addObjectTypes(type, new Set());
  }

  /** The same environment with more variables or libraries. */
  extend(more: Partial<EnvironmentOptions>): Environment {
    return new Environment({
      ...this.#options,
      ...more,
      libraries: [...this.#options.libraries, ...(more.libraries ?? [])],
      variables: { ...this.#options.variables, ...more.variables },
    });
  }

  #addObjectTypes(type: CELType, seen: Set<CELType>): void {
    if (seen.has(type)) return;
    seen.add(type);
    if (type.kind === 'object' && !this.#types.has(type.name)) this.#types.set(type.name, type);
    for (const param of type.params) this.#addObjectTypes(param, seen);
    for (const field of type.fields?.().values() ?? []) this.#addObjectTypes(field.type, seen);
  }

  /** The full names that a name may resolve to, in the order of the lookup. */
  candidates(name: string): readonly string[] {
    if (name.startsWith('.')) return [name.slice(1)];
    if (this.container === '') return [name];
    const parts = this.container.split('.');
    return [...parts.map((_part, index) => [...parts.slice(0, parts.length - index), name].join('.')), name];
  }

  findVariable(name: string): CELType | undefined {
    return this.#variables.get(name);
  }

  findType(name: string): CELType | undefined {
    return this.#types.get(name) ?? this.#options.resolveType?.(name);
  }

  findConstant(name: string): CELValue | undefined {
    return this.#constants.get(name);
  }

  /** Whether a call of that name with one argument is optional.or() or orValue(), which evaluate the argument only when it is needed. */
  isOptionalFallback(name: string): boolean {
    return (name === 'or' || name === 'orValue') && this.#functions.has(name);
  }

  /** Undefined: 1. */
  callCost(name: string, overloadID: string | undefined): CallCost | undefined {
    for (const library of this.#options.libraries) {
      const cost = library.callCost?.(name, overloadID);
      if (cost !== undefined) return cost;
    }
    return overloadID === undefined ? undefined : standardCost(overloadID);
  }

  /** Undefined: as CEL itself expects. */
  estimateCall(name: string, id: string, parts: readonly EstimatedPart[], isMember: boolean): CallEstimate | undefined {
    for (const library of this.#options.libraries) {
      const estimate = library.estimateCall?.(name, id, parts, isMember);
      if (estimate !== undefined) return estimate;
    }
    return undefined;
  }

  findFunction(name: string): readonly Overload[] | undefined {
    return this.#functions.get(name);
  }
}
