import { encodeBase64 } from '../../base/base64.ts';
import { formatDurationSeconds, formatTimestamp } from '../../cel/types/time-values.ts';
import { type CELValue, Failure, typeName, UintValue } from '../../cel/types/values.ts';

/** JSON of a value. Throws Failure for values that have none: types, quantities, optionals without content, maps with other keys than strings. */
export function jsonOfValue(value: CELValue): unknown {
  if (typeof value === 'bigint') return numberOf(value);
  if (value instanceof UintValue) return numberOf(value.value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return encodeBase64(value);
  switch (value.kind) {
    case 'timestamp':
      return formatTimestamp(value.ns);
    case 'duration':
      return formatDurationSeconds(value.ns);
    case 'list':
      return Array.from({ length: value.size }, (_, index) => jsonOfValue(value.get(index)));
    case 'map':
      return Object.fromEntries(
        value.keys().map((key) => {
          if (typeof key !== 'string') throw new Failure(`map key of type ${typeName(key)}, not string`);
          return [key, jsonOfValue(value.find(key) ?? null)];
        }),
      );
    case 'object':
      return Object.fromEntries(value.fields().map((field) => [field, jsonOfValue(value.find(field) ?? null)]));
    default:
      throw new Failure(`unsupported type: ${typeName(value)}`);
  }
}

/** A number, where it is exact. */
function numberOf(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** How the names of object types differ from the fields in which the objects are. */
export function typeMismatches(value: CELValue, path: string): string[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  switch (value.kind) {
    case 'object': {
      const wrong =
        value.type.name === path
          ? []
          : [`unexpected type name "${value.type.name}", expected "${path}", which matches field name path from root Object type`];
      return [...wrong, ...value.fields().flatMap((field) => typeMismatches(value.find(field) ?? null, `${path}.${field}`))];
    }
    case 'list':
      return Array.from({ length: value.size }, (_, index) => typeMismatches(value.get(index), path)).flat();
    case 'map':
      return value.keys().flatMap((key) => typeMismatches(value.find(key) ?? null, path));
    default:
      return [];
  }
}
