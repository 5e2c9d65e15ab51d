import { addQuantities, compareQuantities, quantityOf, subtractQuantities } from '../../base/quantity/arithmetic.ts';
import { parseQuantity, type Quantity, QuantityError } from '../../base/quantity/quantity.ts';
import { declare, global, member } from './declare.ts';
import { boolType, type CELType, doubleType, intType, objectType, stringType } from '../types/types.ts';
import { type CELValue, Failure, type OpaqueValue } from '../types/values.ts';
import type { Library } from '../declarations.ts';

export const quantityType: CELType = objectType('kubernetes.Quantity');

export class QuantityValue implements OpaqueValue {
  readonly kind = 'opaque';
  readonly type = quantityType;
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }
  equals(other: CELValue): boolean {
    return other instanceof QuantityValue && compareQuantities(this.quantity, other.quantity) === 0;
  }
}

function quantityOfText(text: string): QuantityValue {
  try {
    return new QuantityValue(parseQuantity(text));
  } catch (error) {
    if (error instanceof QuantityError) throw new Failure(error.message);
    throw error;
  }
}

function isQuantity(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

const order = (a: QuantityValue, b: QuantityValue): number => Math.sign(compareQuantities(a.quantity, b.quantity));
const zero = quantityOf(0);
const sum = (a: Quantity, b: Quantity): QuantityValue => new QuantityValue(addQuantities(a, b));
const difference = (a: Quantity, b: Quantity): QuantityValue => new QuantityValue(subtractQuantities(a, b));

/** Undefined where the quantity is no whole number of 64 bits. */
function wholeNumber({ unscaled, scale }: Quantity): bigint | undefined {
  if (unscaled === 0n) return 0n;
  if (scale > 30) return undefined;
  const divisor = scale < 0 ? 10n ** BigInt(-scale) : 1n;
  if (unscaled % divisor !== 0n) return undefined;
  const value = scale < 0 ? unscaled / divisor : unscaled * 10n ** BigInt(scale);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function asInteger({ quantity }: QuantityValue): bigint {
  const value = wholeNumber(quantity);
  if (value === undefined) throw new Failure('cannot convert value to integer');
  return value;
}

const sign = ({ quantity }: QuantityValue): bigint => BigInt(Math.sign(compareQuantities(quantity, zero)));
const two: readonly CELType[] = [quantityType, quantityType];

export const quantityLibrary: Library = {
  types: [quantityType],
  functions: [
    declare('quantity', global('string_to_quantity', [stringType], quantityType, quantityOfText)),
    declare('isQuantity', global('is_quantity_string', [stringType], boolType, isQuantity)),
    declare('sign', global('quantity_sign', [quantityType], intType, sign), member('quantity_sign_member', [quantityType], intType, sign)),
    declare(
      'isGreaterThan',
      member('quantity_is_greater_than', two, boolType, (a: QuantityValue, b: QuantityValue) => order(a, b) > 0),
    ),
    declare(
      'isLessThan',
      member('quantity_is_less_than', two, boolType, (a: QuantityValue, b: QuantityValue) => order(a, b) < 0),
    ),
    declare(
      'compareTo',
      member('quantity_compare_to', two, intType, (a: QuantityValue, b: QuantityValue) => BigInt(order(a, b))),
    ),
    declare(
      'asApproximateFloat',
      member('quantity_get_float', [quantityType], doubleType, ({ quantity }: QuantityValue) =>
        Number(`${quantity.unscaled}e${quantity.scale}`),
      ),
    ),
    declare('asInteger', member('quantity_get_int', [quantityType], intType, asInteger)),
    declare(
      'isInteger',
      member('quantity_is_integer', [quantityType], boolType, ({ quantity }: QuantityValue) => wholeNumber(quantity) !== undefined),
    ),
    declare(
      'add',
      member('quantity_add', two, quantityType, (a: QuantityValue, b: QuantityValue) => sum(a.quantity, b.quantity)),
      member('quantity_add_int', [quantityType, intType], quantityType, (a: QuantityValue, b: bigint) => sum(a.quantity, quantityOf(b))),
    ),
    declare(
      'sub',
      member('quantity_sub', two, quantityType, (a: QuantityValue, b: QuantityValue) => difference(a.quantity, b.quantity)),
      member('quantity_sub_int', [quantityType, intType], quantityType, (a: QuantityValue, b: bigint) =>
        difference(a.quantity, quantityOf(b)),
      ),
    ),
  ],
};
