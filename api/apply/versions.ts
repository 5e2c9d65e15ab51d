import type { StructuralSchema } from '../schema/structural-schema.ts';
import { type Comparison, compareObjects } from './compare.ts';
import { emptySet, type FieldSet } from './field-set.ts';
import type { Manager } from './managers.ts';
import { rootSchema } from './typed-schema.ts';

export type PlainObject = Readonly<Record<string, unknown>>;

/** An object in one version of its kind, and the schema of that version. */
export interface VersionedObject {
  readonly apiVersion: string;
  readonly schema: StructuralSchema;
  readonly object: PlainObject;
}

/** The request for an object in another version of its kind. */
interface ConversionRequest {
  readonly object: PlainObject;
  readonly apiVersion: string;
}

/** The object of a request; undefined for a version that the kind does not have. */
type Converted = Pick<VersionedObject, 'schema' | 'object'> | undefined;

/** The steps of a computation that asks for conversions; whoever runs it knows whether they take time. */
export type Converting<T> = Generator<ConversionRequest, T, Converted>;

/** Converts an object to another version at once. */
export type ConvertVersion = (object: PlainObject, apiVersion: string) => Converted;

/** Runs the steps with conversions that take no time. */
export function convertNow<T>(steps: Converting<T>, convert: ConvertVersion): T {
  let next = steps.next();
  while (!next.done) next = steps.next(convert(next.value.object, next.value.apiVersion));
  return next.value;
}

/** Runs the steps with conversions that may take time, by a webhook. */
export async function convertAsync<T>(
  steps: Converting<T>,
  convert: (object: PlainObject, apiVersion: string) => Converted | Promise<Converted>,
): Promise<T> {
  let next = steps.next();
  while (!next.done) {
    let converted: Converted;
    try {
      converted = await convert(next.value.object, next.value.apiVersion);
    } catch (error) {
      next = steps.throw(error);
      continue;
    }
    next = steps.next(converted);
  }
  return next.value;
}

/** A computation that asks for no conversions, as steps. */
// oxlint-disable-next-line require-yield
export function* withoutConversions<T>(compute: () => T): Converting<T> {
  return compute();
}

/** The conversion of kinds that have a single version. */
export const noOtherVersion: ConvertVersion = () => undefined;

/** The object in the given version. */
export function* inVersion(own: VersionedObject, apiVersion: string): Converting<VersionedObject | undefined> {
  if (apiVersion === own.apiVersion) return own;
  const converted: Converted = yield { object: own.object, apiVersion };
  return converted && { apiVersion, schema: rootSchema(converted.schema), object: converted.object };
}

const noChanges: Comparison = { added: emptySet, modified: emptySet, removed: emptySet };

/** Two states of an object, and how they differ. */
export interface Change {
  readonly before: VersionedObject;
  readonly after: VersionedObject;
  readonly changes: Comparison;
  /** See compareObjects. */
  readonly ignored: FieldSet | undefined;
}

/** The changes as each version shows them that a manager has used; versions that the kind does not have are missing. */
export function* changesByVersion(change: Change, managers: readonly Manager[]): Converting<ReadonlyMap<string, Comparison>> {
  const { before, after, changes, ignored } = change;
  const found = new Map([[after.apiVersion, changes]]);
  for (const version of new Set(managers.map(({ apiVersion }) => apiVersion))) {
    if (found.has(version)) continue;
    const [old, updated] = [yield* inVersion(before, version), yield* inVersion(after, version)];
    if (old && updated) found.set(version, compareObjects(updated.schema, old.object, updated.object, ignored) ?? noChanges);
  }
  return found;
}
