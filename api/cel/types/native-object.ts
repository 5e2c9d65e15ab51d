import type { CELType } from './types.ts';
import type { CELValue, ObjectValue } from './values.ts';

/** An object made by an expression, or by a program that has its fields as CEL values. */
export class NativeObject implements ObjectValue {
  readonly kind = 'object';
  readonly type: CELType;
  readonly #fields: ReadonlyMap<string, CELValue>;
  constructor(type: CELType, fields: ReadonlyMap<string, CELValue>) {
    this.type = type;
    this.#fields = fields;
  }
  find(field: string): CELValue | undefined {
    return this.#fields.get(field);
  }
  fields(): readonly string[] {
    return [...this.#fields.keys()];
  }
}
