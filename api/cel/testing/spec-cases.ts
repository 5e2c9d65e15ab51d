import {
  anyType,
  boolType,
  bytesType,
  type CELType,
  doubleType,
  durationType,
  dynType,
  intType,
  listType,
  mapType,
  nullType,
  objectType,
  opaqueType,
  optionalType,
  stringType,
  timestampType,
  typeOf,
  typeParam,
  typeType,
  uintType,
  wrapperType,
} from '../types/types.ts';
import { parseDurationText, parseTimestampText } from '../types/time-values.ts';
import { type CELValue, DurationValue, NativeList, NativeMap, TimestampValue, TypeValue, UintValue } from '../types/values.ts';

/** The parts of a cel-spec test in JSON that are used. */
export interface SpecTest {
  readonly original: Readonly<Record<string, unknown>> & { readonly expr: string };
  readonly ast?: string;
  readonly checkedAst?: string;
  readonly type?: string;
  readonly error?: string;
}

export interface SpecSuite {
  readonly name: string;
  readonly suites?: readonly SpecSuite[];
  readonly tests?: readonly SpecTest[];
}

export function allTests(suite: SpecSuite): readonly SpecTest[] {
  return [...(suite.tests ?? []), ...(suite.suites ?? []).flatMap(allTests)];
}

export function isRecord(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

export const recordAt = (json: unknown, key: string): Readonly<Record<string, unknown>> => {
  const value = isRecord(json) ? json[key] : undefined;
  return isRecord(value) ? value : {};
};

export const listAt = (json: unknown, key: string): readonly unknown[] => {
  const value = isRecord(json) ? json[key] : undefined;
  return Array.isArray(value) ? value : [];
};

/** Values and types of Protocol Buffers, which Kubernetes has none of. */
export class NotSupported extends Error {}

const numberOf = (json: unknown): number => (json === 'Infinity' ? Infinity : json === '-Infinity' ? -Infinity : Number(json));

/** A google.api.expr Value. Throws NotSupported. */
export function specValue(json: unknown): CELValue {
  if (!isRecord(json)) throw new NotSupported('value');
  const [[kind, value] = ['nullValue', null]] = Object.entries(json);
  switch (kind) {
    case 'int64Value':
      return BigInt(String(value));
    case 'uint64Value':
      return new UintValue(BigInt(String(value)));
    case 'doubleValue':
      return numberOf(value);
    case 'stringValue':
      return String(value);
    case 'boolValue':
      return value === true;
    case 'bytesValue':
      return Uint8Array.from(atob(String(value)), (character) => character.charCodeAt(0));
    case 'nullValue':
      return null;
    case 'typeValue':
      return new TypeValue(String(value));
    case 'listValue':
      return new NativeList(listAt(value, 'values').map(specValue));
    case 'mapValue':
      return NativeMap.of(
        listAt(value, 'entries').map((entry) => [specValue(recordAt(entry, 'key')), specValue(recordAt(entry, 'value'))] as const),
      );
    case 'objectValue':
      return objectValue(value);
    default:
      throw new NotSupported(kind);
  }
}

function objectValue(json: unknown): CELValue {
  const type = isRecord(json) ? json['@type'] : undefined;
  const value = isRecord(json) ? String(json.value) : '';
  if (type === 'type.googleapis.com/google.protobuf.Duration') return new DurationValue(parseDurationText(value));
  if (type === 'type.googleapis.com/google.protobuf.Timestamp') return new TimestampValue(parseTimestampText(value));
  throw new NotSupported(String(type));
}

const primitives: Readonly<Record<string, CELType>> = {
  BOOL: boolType,
  INT64: intType,
  UINT64: uintType,
  DOUBLE: doubleType,
  STRING: stringType,
  BYTES: bytesType,
};
const wellKnown: Readonly<Record<string, CELType>> = { ANY: anyType, TIMESTAMP: timestampType, DURATION: durationType };

/** A google.api.expr Type. */
export function specType(json: unknown): CELType {
  if (!isRecord(json)) return dynType;
  const [[kind, value] = ['dyn', null]] = Object.entries(json);
  switch (kind) {
    case 'primitive':
      return primitives[String(value)] ?? dynType;
    case 'wellKnown':
      return wellKnown[String(value)] ?? dynType;
    case 'wrapper':
      return wrapperType(primitives[String(value)] ?? dynType);
    case 'null':
      return nullType;
    case 'listType':
      return listType(specType(recordAt(value, 'elemType')));
    case 'mapType':
      return mapType(specType(recordAt(value, 'keyType')), specType(recordAt(value, 'valueType')));
    case 'type':
      return isRecord(value) && Object.keys(value).length > 0 ? typeOf(specType(value)) : typeType;
    case 'typeParam':
      return typeParam(String(value));
    case 'messageType':
      if (value === 'google.protobuf.Duration') return durationType;
      if (value === 'google.protobuf.Timestamp') return timestampType;
      return objectType(String(value));
    case 'abstractType': {
      const params = listAt(value, 'parameterTypes').map(specType);
      const name = isRecord(value) ? String(value.name) : '';
      return name === 'optional_type' ? optionalType(params[0] ?? dynType) : opaqueType(name, ...params);
    }
    default:
      return dynType;
  }
}
