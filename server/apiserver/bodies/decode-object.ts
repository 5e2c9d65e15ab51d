import { quote } from '../../../api/base/quote.ts';
import { uniqueOwners } from '../../../api/meta/owner-references.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, invalid } from '../../../api/meta/status-errors.ts';
import type { StatusError } from '../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../api/resource/schema-of.ts';
import { DecodeError, formatStrictFailure } from '../../../api/schema/decode-error.ts';
import { decode, type Reader } from '../../../api/schema/decode.ts';
import { applyDefaults } from '../../../api/schema/default.ts';
import { findKindSchema } from '../../../api/schema/definition-schema.ts';
import type { StructuralSchema } from '../../../api/schema/structural-schema.ts';
import type { MediaType } from '../../../api/serialization/media-types.ts';
import { negotiateInput } from '../../../api/serialization/negotiate.ts';
import { type FieldValidation, type ObjectKind, readObject } from '../../../api/serialization/read-object.ts';
import { invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { RequestContext } from '../request/request-context.ts';

/** The expected kind of a body. */
export interface ExpectedKind extends ObjectKind {
  /** OpenAPI definition, for its schema. */
  readonly definition: string;
  /** The schema of a custom kind. */
  readonly schema?: StructuralSchema;
  /** The accepted media types; absent: all. */
  readonly mediaTypes?: readonly MediaType[];
  /** Further defaults of the kind. */
  default?(object: UntypedObject): void;
}

export function expectedKind(definition: ResourceDefinition): ExpectedKind {
  return {
    group: definition.group,
    version: definition.version,
    kind: definition.names.kind,
    definition: definition.definition,
    ...(definition.schema ? { schema: definition.schema } : {}),
    ...(definition.mediaTypes ? { mediaTypes: definition.mediaTypes } : {}),
    default: (object) => definition.default?.(object),
  };
}

const apiVersionText = ({ group, version }: ObjectKind) => (group === '' ? version : `${group}/${version}`);

/** The parts of a request that reading its body needs. */
export interface DecodingContext {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly nowMs: number;
  addWarning(text: string): void;
}

export function decodingContext({ request, clock, addWarning }: RequestContext): DecodingContext {
  const { body = new Uint8Array(0), headers } = request;
  return { body, contentType: headers['content-type'], nowMs: clock.nowMs(), addWarning };
}

/** The request's object: parsed, checked for its kind, decoded, defaulted. Throws 400 and 415 as upstream. */
export function decodeObject(context: DecodingContext, expected: ExpectedKind, fieldValidation: FieldValidation): UntypedObject {
  const { body, contentType } = context;
  const schema = schemaOf(expected);
  const isRegistered = (kind: ObjectKind) => findKindSchema(apiVersionText(kind), kind.kind) !== undefined;
  const { object, warnings } = readObject(body, negotiateInput(contentType, expected.mediaTypes), {
    expected,
    schema,
    fieldValidation,
    isRegistered,
  });
  for (const warning of warnings) context.addWarning(warning);
  dropDuplicateOwners(object as UntypedObject, context);
  return defaulted(object as UntypedObject, expected, context);
}

/** Removes repeated owner references to the same owner, with a warning. */
function dropDuplicateOwners({ metadata }: UntypedObject, context: Pick<DecodingContext, 'addWarning'>): void {
  const references = metadata?.ownerReferences ?? [];
  if (references.length < 2) return;
  const { unique, duplicateUIDs } = uniqueOwners(references);
  if (duplicateUIDs.length === 0) return;
  metadata.ownerReferences = [...unique];
  context.addWarning(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${duplicateUIDs.join(', ')}`,
  );
}

/** The result of a patch, checked as a body is, with the messages that upstream gives for patches. */
export function decodePatched(
  value: unknown,
  expected: ExpectedKind,
  context: Pick<DecodingContext, 'nowMs' | 'addWarning'>,
  options: {
    readonly fieldValidation: FieldValidation;
    readonly problems: readonly string[];
    /** How messages show the patch. */
    readonly shown: () => string;
    readonly reader?: Reader;
  },
): UntypedObject {
  checkPatchedKind(value, expected, options.shown);
  try {
    const { object, unknownFields } = decode(value, schemaOf(expected), options.reader);
    const problems = [...options.problems, ...unknownFields.map((path) => `unknown field ${JSON.stringify(path)}`)];
    if (options.fieldValidation === 'Strict' && problems.length > 0) throw invalidPatch(options.shown(), formatStrictFailure(problems));
    if (options.fieldValidation === 'Warn') for (const problem of problems) context.addWarning(problem);
    return defaulted({ ...object, metadata: object['metadata'] ?? {} } as UntypedObject, expected, context);
  } catch (error) {
    if (error instanceof DecodeError) throw invalidPatch(options.shown(), error.message);
    throw error;
  }
}

function checkPatchedKind(value: unknown, expected: ExpectedKind, shown: () => string): void {
  const { apiVersion, kind } = (value ?? {}) as { apiVersion?: unknown; kind?: unknown };
  const wanted = apiVersionText(expected);
  if (apiVersion === wanted && kind === expected.kind) return;
  if (typeof apiVersion === 'string' && typeof kind === 'string' && findKindSchema(wanted, expected.kind) !== undefined) {
    if (findKindSchema(apiVersion, kind) === undefined)
      throw invalidPatch(
        shown(),
        `no kind ${quote(kind)} is registered for version ${quote(apiVersion)} in scheme "pkg/api/legacyscheme/scheme.go:30"`,
      );
    const version = apiVersion.split('/').at(-1);
    throw invalidPatch(shown(), `converting (${version}.${kind}) to (${goPackage(expected.group)}.${expected.kind}): unknown conversion`);
  }
  throw badRequest(
    `the patched object is of kind ${String(apiVersion)}, ${String(kind)}, which does not match the expected ${wanted}, ${expected.kind}`,
  );
}

/** Messages name Go types of the group's package. */
function goPackage(group: string): string {
  if (group === '' || group === 'events.k8s.io') return 'core';
  const [first = ''] = group.split('.');
  return group.endsWith('.authorization.k8s.io') && first === 'rbac' ? 'rbac' : first;
}

function invalidPatch(patch: string, message: string): StatusError {
  return invalid({ group: '', kind: '' }, '', [invalidField(FieldPath.root.child('patch'), patch, message)]);
}

function defaulted(object: UntypedObject, expected: ExpectedKind, { nowMs }: Pick<DecodingContext, 'nowMs'>): UntypedObject {
  applyDefaults(object, schemaOf(expected), { nowMs });
  expected.default?.(object);
  return object;
}
