import { isJSONObject, type JSONObject } from '../../../../api/base/json-object.ts';
import type { CELValue, ListValue, MapValue } from '../../../../api/cel/types/values.ts';

const escapes: ReadonlyMap<string, string> = new Map([
  ['__underscores__', '__'],
  ['__dot__', '.'],
  ['__dash__', '-'],
  ['__slash__', '/'],
]);
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return'.split(' '),
);

/** The member that an expression names: `a__dot__b` is `a.b`, `__namespace__` is `namespace`. */
function unescape(name: string): string {
  const keyword = /^__(\w+)__$/.exec(name)?.[1];
  if (keyword !== undefined && reserved.has(keyword)) return keyword;
  return name.replaceAll(/__(?:underscores|dot|dash|slash)__/g, (part) => escapes.get(part) ?? part);
}

/** JSON as expressions see claims: every number is a double, members may be named in their escaped form. */
export function claimsValue(claims: JSONObject): MapValue {
  const find = (key: CELValue): CELValue | undefined => {
    if (typeof key !== 'string') return undefined;
    const name = unescape(key);
    return Object.hasOwn(claims, name) ? valueOf(claims[name]) : undefined;
  };
  const names = Object.keys(claims);
  return { kind: 'map', size: names.length, find, keys: () => names };
}

function valueOf(json: unknown): CELValue {
  if (typeof json === 'string' || typeof json === 'boolean' || typeof json === 'number') return json;
  if (Array.isArray(json)) return { kind: 'list', size: json.length, get: (index) => valueOf(json[index]) } satisfies ListValue;
  return isJSONObject(json) ? claimsValue(json) : null;
}

/** One or more strings, without empty ones, for groups and extra values. Throws for other values. */
export function stringsOfValue(value: CELValue): readonly string[] {
  if (value === null || value === '') return [];
  if (typeof value === 'string') return [value];
  const problem = 'expression must return a string or a list of strings';
  if (typeof value !== 'object' || !('kind' in value) || value.kind !== 'list') throw new Error(problem);
  const strings = Array.from({ length: value.size }, (_, index) => value.get(index));
  if (!strings.every((one) => typeof one === 'string')) throw new Error(problem);
  return strings.filter((one) => one !== '');
}
