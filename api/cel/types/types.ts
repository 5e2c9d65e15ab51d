/** The types of CEL expressions and values. Two types of one name and equal parameters are the same type. */
type TypeKind =
  | 'any'
  | 'bool'
  | 'bytes'
  | 'double'
  | 'duration'
  | 'dyn'
  | 'error'
  | 'int'
  | 'list'
  | 'map'
  | 'null'
  | 'object'
  | 'opaque'
  | 'optional'
  | 'param'
  | 'string'
  | 'timestamp'
  | 'type'
  | 'uint'
  | 'wrapper';

export interface CELType {
  readonly kind: TypeKind;
  /** The name that type(x) of a value shows: `int`, `list`, `google.protobuf.Timestamp`, `kubernetes.Quantity`. */
  readonly name: string;
  readonly params: readonly CELType[];
  /** The fields of an object type: asked only when a field is looked up, so that types may be recursive. */
  readonly fields?: () => ReadonlyMap<string, Field>;
  /** The type of every field that is not in `fields`. Absent: there are no others. */
  readonly anyField?: CELType;
  /** The most code points, bytes, elements or entries a value can have; used to estimate costs. */
  readonly maxSize?: number;
  /** The x-kubernetes-list-type of a JSON list: a set, or a map by these fields of its elements. */
  readonly listKind?: 'set' | readonly string[];
}

export interface Field {
  readonly type: CELType;
  /** Its name in JSON, where that is not how expressions write it. */
  readonly json?: string;
}

const simple = (kind: TypeKind, name: string): CELType => ({ kind, name, params: [] });

export const anyType = simple('any', 'google.protobuf.Any');
export const boolType = simple('bool', 'bool');
export const bytesType = simple('bytes', 'bytes');
export const doubleType = simple('double', 'double');
export const durationType = simple('duration', 'google.protobuf.Duration');
export const dynType = simple('dyn', 'dyn');
export const errorType = simple('error', '!error!');
export const intType = simple('int', 'int');
export const nullType = simple('null', 'null_type');
export const stringType = simple('string', 'string');
export const timestampType = simple('timestamp', 'google.protobuf.Timestamp');
export const uintType = simple('uint', 'uint');
export const typeType = simple('type', 'type');

export const listType = (element: CELType, maxSize?: number): CELType => sized({ kind: 'list', name: 'list', params: [element] }, maxSize);
export const mapType = (key: CELType, value: CELType, maxSize?: number): CELType =>
  sized({ kind: 'map', name: 'map', params: [key, value] }, maxSize);
export const optionalType = (value: CELType): CELType => ({ kind: 'optional', name: 'optional_type', params: [value] });
export const wrapperType = (value: CELType): CELType => ({ kind: 'wrapper', name: 'wrapper', params: [value] });
export const typeOf = (value: CELType): CELType => ({ kind: 'type', name: 'type', params: [value] });
export const typeParam = (name: string): CELType => simple('param', name);
export const opaqueType = (name: string, ...params: readonly CELType[]): CELType => ({ kind: 'opaque', name, params });

/** The same type, of values no larger than that. */
export function sized(type: CELType, maxSize: number | undefined): CELType {
  return maxSize === undefined ? type : { ...type, maxSize };
}

/** An object type with these fields. Without `fields` (a type of a Kubernetes library) it has only functions. */
export function objectType(name: string, fields?: Readonly<Record<string, CELType>> | (() => ReadonlyMap<string, Field>)): CELType {
  if (fields === undefined) return { kind: 'object', name, params: [] };
  if (typeof fields === 'function') return { kind: 'object', name, params: [], fields };
  const map = new Map(Object.entries(fields).map(([field, type]) => [field, { type }]));
  return { kind: 'object', name, params: [], fields: () => map };
}

export const isDyn = (type: CELType): boolean => type.kind === 'dyn' || type.kind === 'any';

export function equalTypes(a: CELType, b: CELType): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.name !== b.name || a.params.length !== b.params.length) return false;
  return a.params.every((param, index) => {
    const other = b.params[index];
    return other !== undefined && equalTypes(param, other);
  });
}

const shortNames: Partial<Record<TypeKind, string>> = {
  any: 'any',
  duration: 'duration',
  timestamp: 'timestamp',
  null: 'null',
  error: '!error!',
};

/** The name of a type in error messages: `list(int)`, `map(string, dyn)`, `timestamp`. */
export function formatType(type: CELType): string {
  const name = shortNames[type.kind] ?? type.name;
  return type.params.length === 0 ? name : `${name}(${type.params.map(formatType).join(', ')})`;
}
