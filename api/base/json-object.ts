/** A JSON object whose keys come from outside: read and write it only by these functions, so that `__proto__` is data. */
export type JSONObject = Record<string, unknown>;

export function isJSONObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object's own member; inherited properties do not count. */
export function getOwn(object: JSONObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Sets a member, whatever its name. Modifies. */
export function setOwn(object: JSONObject, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

/** A deep copy of a JSON value. */
export function cloneJSON<T>(value: T): T;
export function cloneJSON(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element: unknown) => cloneJSON(element));
  if (!isJSONObject(value)) return value;
  const copy: JSONObject = {};
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJSON(value[key]));
  return copy;
}
