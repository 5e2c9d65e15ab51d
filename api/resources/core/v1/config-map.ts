import { isEqual } from '../../../base/equality.ts';
import { utf8Length } from '../../../base/utf8.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { base64Length } from '../../../semantics/secrets/secrets.ts';
import type { ConfigMap } from '../../../types/core-v1.ts';
import { type FieldError, forbidden, invalid, tooLong } from '../../../validation/field-error.ts';
import { configMapKeyProblems } from '../../../validation/formats.ts';
import { invalidFor } from '../../../resource/field-rules.ts';

/** The greatest size of all values together, in bytes: as much as a node is meant to keep in memory. */
export const maxDataBytes = 1024 * 1024;

/** Configuration as texts by name. */
export const configMaps = defineResource<ConfigMap>({
  group: '',
  version: 'v1',
  scope: 'Namespaced',
  names: { kind: 'ConfigMap', plural: 'configmaps', shortNames: ['cm'] },
  definition: 'io.k8s.api.core.v1.ConfigMap',
  storagePrefix: 'configmaps',
  printerColumns: [
    nameColumn,
    textColumn('Data', ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length),
    ageColumn,
  ],
  validate({ data = {}, binaryData = {} }, path) {
    const errors: FieldError[] = [];
    let bytes = 0;
    for (const [key, value] of Object.entries(data)) {
      const at = path.child('data').key(key);
      errors.push(...invalidFor(at, key, configMapKeyProblems(key)));
      if (Object.hasOwn(binaryData, key)) errors.push(invalid(at, key, 'duplicate of key present in binaryData'));
      bytes += utf8Length(value);
    }
    for (const [key, value] of Object.entries(binaryData)) {
      errors.push(...invalidFor(path.child('binaryData').key(key), key, configMapKeyProblems(key)));
      bytes += base64Length(value);
    }
    // The whole object is too long: the path is empty.
    if (bytes > maxDataBytes) errors.push({ ...tooLong(path, maxDataBytes), field: '[]' });
    return errors;
  },
  validateUpdate(configMap, old, path) {
    if (old.immutable !== true) return [];
    const message = 'field is immutable when `immutable` is set';
    const errors = configMap.immutable === true ? [] : [forbidden(path.child('immutable'), message)];
    for (const field of ['data', 'binaryData'] as const) {
      if (!isEqual(configMap[field] ?? {}, old[field] ?? {})) errors.push(forbidden(path.child(field), message));
    }
    return errors;
  },
});
