import { accumulatorName, type ComprehensionExpr, type Expr, type MapEntry, type StructField } from './ast.ts';
import type { CELValue } from '../types/values.ts';

/** Makes the nodes of one tree, each with its own id and its position in the source. */
export class ExprBuilder {
  readonly #ids: { last: number };
  readonly #offset: number;

  constructor(offset = 0, ids: { last: number } = { last: 0 }) {
    this.#offset = offset;
    this.#ids = ids;
  }

  /** Makes nodes of the same tree at another place. */
  at(offset: number): ExprBuilder {
    return new ExprBuilder(offset, this.#ids);
  }

  nextID(): number {
    return ++this.#ids.last;
  }

  #place(): { id: number; offset: number } {
    return { id: this.nextID(), offset: this.#offset };
  }

  literal(value: CELValue): Expr {
    return { ...this.#place(), kind: 'const', value };
  }

  ident(name: string): Expr {
    return { ...this.#place(), kind: 'ident', name };
  }

  accumulator(): Expr {
    return this.ident(accumulatorName);
  }

  select(operand: Expr, field: string, testOnly = false): Expr {
    return { ...this.#place(), kind: 'select', operand, field, testOnly };
  }

  call(name: string, ...args: readonly Expr[]): Expr {
    return { ...this.#place(), kind: 'call', name, args };
  }

  memberCall(name: string, target: Expr, ...args: readonly Expr[]): Expr {
    return { ...this.#place(), kind: 'call', name, target, args };
  }

  list(elements: readonly Expr[], optional: ReadonlySet<number> = new Set()): Expr {
    return { ...this.#place(), kind: 'list', elements, optional };
  }

  map(entries: readonly MapEntry[]): Expr {
    return { ...this.#place(), kind: 'map', entries };
  }

  struct(typeName: string, fields: readonly StructField[]): Expr {
    return { ...this.#place(), kind: 'struct', typeName, fields };
  }

  fold(parts: Omit<ComprehensionExpr, 'id' | 'offset' | 'kind' | 'accumulator'> & { readonly accumulator?: string }): Expr {
    return { ...this.#place(), kind: 'comprehension', accumulator: accumulatorName, ...parts };
  }
}
