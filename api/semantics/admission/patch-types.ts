import type { Library } from '../../cel/declarations.ts';
import { declare, global } from '../../cel/libraries/declare.ts';
import { type CELType, dynType, type Field, objectType, stringType } from '../../cel/types/types.ts';

/** The type of a JSON Patch operation that an expression makes. */
export const jsonPatchType: CELType = objectType('JSONPatch', { op: stringType, path: stringType, from: stringType, value: dynType });

const rootName = 'Object';
const noFields: ReadonlyMap<string, Field> = new Map();

const objectNamed = (name: string): CELType => ({ kind: 'object', name, params: [], fields: () => noFields, anyField: dynType });

/** The type of an apply configuration. */
export const applyConfigurationType: CELType = objectNamed(rootName);

const made = new Map<string, CELType>([
  [jsonPatchType.name, jsonPatchType],
  [rootName, applyConfigurationType],
]);
const maxKept = 1000;

/** JSONPatch, Object, and the type of a field at any depth, as in Object.spec.template. All fields may be set. */
export function resolvePatchType(name: string): CELType | undefined {
  const known = made.get(name);
  if (known !== undefined || !name.startsWith(`${rootName}.`)) return known;
  const type = objectNamed(name);
  if (made.size < maxKept) made.set(name, type);
  return type;
}

/** jsonpatch.escapeKey: a key as the path of a JSON Patch writes it. */
export const jsonPatchLibrary: Library = {
  functions: [
    declare(
      'jsonpatch.escapeKey',
      global('string_jsonpatch_escapeKey_string', [stringType], stringType, (key) =>
        String(key).replace(/[~/]/g, (character) => (character === '~' ? '~0' : '~1')),
      ),
    ),
  ],
};
