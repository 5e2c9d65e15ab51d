import { isJSONObject, type JSONObject, setOwn } from '../base/json-object.ts';
import { compareUTF8, utf8Length } from '../base/utf8.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { parseJSON } from '../serialization/json.ts';
import { compareObjects } from './compare.ts';
import { difference, type FieldSet } from './field-set.ts';
import { toFieldSet } from './to-field-set.ts';
import { formatJSON } from '../base/format-json.ts';

/**
 * The annotation in which client-side `kubectl apply` keeps the object it applied last. Server-side apply by the manager `kubectl` takes
 * ownership from it.
 */
const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
const maxAnnotationBytes = 256 * 1024;

type Annotated = Readonly<Record<string, unknown>>;

function annotationsOf(object: Annotated): Readonly<Record<string, unknown>> | undefined {
  const { metadata } = object;
  const annotations = isJSONObject(metadata) ? metadata['annotations'] : undefined;
  return isJSONObject(annotations) ? annotations : undefined;
}

function lastAppliedText(object: Annotated): string {
  const text = annotationsOf(object)?.[annotation];
  return typeof text === 'string' ? text : '';
}

/** Fields that the client applied and that are still as it applied them: kubectl may change them whoever owns them. */
export function fieldsOfLastApplied(schema: StructuralSchema, live: Annotated, apiVersion: string): FieldSet | undefined {
  const text = lastAppliedText(live);
  if (text === '') return undefined;
  let applied: unknown;
  try {
    applied = parseJSON(text).value;
  } catch {
    // A last-applied annotation that cannot be parsed is ignored.
    return undefined;
  }
  if (!isJSONObject(applied) || applied['apiVersion'] !== apiVersion) return undefined;
  const fields = toFieldSet(schema, applied);
  const changes = compareObjects(schema, applied, live);
  if (changes === undefined) return fields;
  return difference(difference(difference(fields, changes.modified), changes.added), changes.removed);
}

/** The object with an updated last-applied annotation, if it has one; without it if the annotation would be too large. */
export function withLastApplied<T extends Annotated>(object: T, applied: Annotated): T {
  if (lastAppliedText(object) === '') return object;
  const text = `${formatJSON(sorted(withoutAnnotation(applied)))}\n`;
  const annotations: Record<string, unknown> = { ...annotationsOf(object), [annotation]: text };
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + utf8Length(key) + utf8Length(String(value)), 0);
  if (bytes > maxAnnotationBytes) delete annotations[annotation];
  return { ...object, metadata: { ...(object['metadata'] as object), annotations } };
}

function withoutAnnotation(applied: Annotated): Annotated {
  const annotations = annotationsOf(applied);
  if (annotations === undefined || !Object.hasOwn(annotations, annotation)) return applied;
  const { [annotation]: _, ...rest } = annotations;
  return { ...applied, metadata: { ...(applied['metadata'] as object), annotations: rest } };
}

/** With the members of all objects sorted, as Go writes maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isJSONObject(value)) return value;
  const result: JSONObject = {};
  for (const key of Object.keys(value).toSorted(compareUTF8)) setOwn(result, key, sorted(value[key]));
  return result;
}
