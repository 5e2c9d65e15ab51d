import type { APIResponse } from '../../../api/client/transport.ts';
import { annotating } from '../audit/audit-record.ts';
import { badRequest, invalid, requestEntityTooLarge } from '../../../api/meta/status-errors.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { apiVersionOf } from '../../../api/resource/resource-definition.ts';
import { protobufMediaType } from '../../../api/serialization/media-types.ts';
import { readEnvelope } from '../../../api/serialization/protobuf/protobuf.ts';
import { ProtobufError } from '../../../api/serialization/protobuf/wire.ts';
import { validateDeleteOptions } from '../../../api/validation/request-options.ts';
import { invalid as invalidField } from '../../../api/validation/field-error.ts';
import { FieldPath } from '../../../api/validation/field-path.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { attributesOf, forbiddenError } from '../filters/authorization.ts';
import { returnsDeleted } from '../registry/returns-deleted.ts';
import type { DeleteOptions, Store, WriteContext } from '../registry/store.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';
import { decodeObject, decodingContext } from '../bodies/decode-object.ts';
import { readPage } from './list.ts';
import { negotiateObject, plainObjectResponse } from '../responses/object-response.ts';
import { writtenResponse } from './write.ts';

interface DeleteBody {
  gracePeriodSeconds?: number;
  propagationPolicy?: NonNullable<DeleteOptions['propagationPolicy']>;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

/**
 * DELETE of one object. Answers with the object if it still exists (finalizers, grace period), else with a Status or the object's last
 * state.
 */
export async function deleteEndpoint(context: RequestContext, store: Store, authorizer: Authorizer): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const { namespace, name } = context.info;
  const { options, write } = parseDeleteOptions(context);
  if (options[ignoreReadError]) await requireUnsafeDelete(context, authorizer);
  warnOfDependents(context, store, options);
  const deleted = await store.delete({ namespace, name }, options, write);
  if (deleted.kind === 'object') {
    // Only clients that ask with orphanDependents are told that the deletion is not finished.
    return writtenResponse(context, store, deleted.written, options.orphanDependents === false ? 202 : 200);
  }
  if (returnsDeleted(store.definition) && deleted.last) return writtenResponse(context, store, deleted.last, 200);
  const { code: _, ...status } = deleted.status;
  return plainObjectResponse(context, status);
}

const ignoreReadError = 'ignoreStoreReadErrorWithClusterBreakingPotential';

/** Deleting an object without reading it needs a right of its own. */
async function requireUnsafeDelete(context: RequestContext, authorizer: Authorizer): Promise<void> {
  const attributes = { ...attributesOf(context), verb: 'unsafe-delete-ignore-read-errors' };
  const { decision, reason } = await authorizer.authorize(attributes);
  if (decision !== 'Allow') throw forbiddenError(attributes, reason);
}

/** How many deletions of a collection go on at a time. */
const workers = 16;

/** DELETE of a collection: deletes all objects that the selectors match, and answers with their list. */
export async function deleteCollectionEndpoint(context: RequestContext, store: Store): Promise<APIResponse> {
  negotiateObject(context, store.definition);
  const { options, write } = parseDeleteOptions(context);
  if (options[ignoreReadError]) {
    const detail = 'is not allowed with DELETECOLLECTION, try again after removing the option';
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [invalidField(FieldPath.root.child(ignoreReadError), true, detail)]);
  }
  warnOfDependents(context, store, options);
  const { objects, metadata } = await readPage(context, store);
  const pending = objects.values();
  const work = async () => {
    for (const { namespace, name } of pending) {
      try {
        await store.delete({ namespace, name }, { ...options, isOfCollection: true }, write);
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  const { definition } = store;
  return plainObjectResponse(context, {
    kind: definition.names.listKind,
    apiVersion: apiVersionOf(definition),
    metadata,
    items: objects.map((object) => store.read(object)),
  });
}

function warnOfDependents({ addWarning }: RequestContext, { definition }: Store, options: DeleteOptions): void {
  const isSaid = options.propagationPolicy !== undefined || options.orphanDependents !== undefined;
  if (definition.deletionWarning !== undefined && !isSaid) addWarning(definition.deletionWarning);
}

/** From the body (a DeleteOptions) or else the query. Throws 422 as upstream. */
export function parseDeleteOptions(context: RequestContext): { readonly options: DeleteOptions; readonly write: WriteContext } {
  const { request } = context;
  const body = request.body !== undefined && request.body.length > 0 ? bodyOptions(context) : queryOptions(context);
  const { dryRun = [], ...options } = body;
  const errors = validateDeleteOptions({ ...options, dryRun });
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return {
    options,
    write: {
      user: context.user,
      dryRun: dryRun.length > 0,
      fieldManager: '',
      subresource: context.info.subresource,
      signal: context.signal,
      deadlineMs: context.deadlineMs,
      operationOptions: { ...options, ...(dryRun.length > 0 ? { dryRun } : {}) },
      addWarning: context.addWarning,
      ...annotating(context),
    },
  };
}

/** The largest DeleteOptions; it has only a few fields. */
const maxOptionsBytes = 32 * 1024;

function bodyOptions(context: RequestContext): DeleteBody {
  if ((context.request.body?.length ?? 0) > maxOptionsBytes) throw requestEntityTooLarge(`limit is ${maxOptionsBytes}`);
  // clients send it as v1, as meta.k8s.io/v1 or as the version of the resource's group
  const version = apiVersionOfBody(context) || 'v1';
  const slash = version.indexOf('/');
  const expected = {
    group: version.slice(0, Math.max(0, slash)),
    version: version.slice(slash + 1),
    kind: 'DeleteOptions',
    definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  };
  const object = decodeObject(decodingContext(context), expected, 'Ignore');
  context.audit?.noteObject(object);
  const decoded = object as unknown as DeleteBody;
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun } = decoded;
  return dropUndefined({
    ...{ gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions, dryRun },
    [ignoreReadError]: decoded[ignoreReadError],
  });
}

function apiVersionOfBody({ request }: RequestContext): string | undefined {
  const body = request.body ?? new Uint8Array(0);
  if (request.headers['content-type']?.startsWith(protobufMediaType.name)) {
    try {
      return readEnvelope(body).apiVersion;
    } catch (error) {
      if (error instanceof ProtobufError) return undefined; // decoding says what is wrong
      throw error;
    }
  }
  return /"apiVersion"\s*:\s*"([^"]*)"/.exec(Buffer.from(body).toString())?.[1];
}

function queryOptions({ query }: RequestContext): DeleteBody {
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^-?\d+$/.test(grace)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  const orphan = query.get('orphanDependents');
  const ignore = query.get(ignoreReadError);
  return dropUndefined({
    gracePeriodSeconds: grace === null ? undefined : Number(grace),
    propagationPolicy: (query.get('propagationPolicy') ?? undefined) as DeleteBody['propagationPolicy'],
    orphanDependents: orphan === null ? undefined : isTrue(orphan),
    dryRun: query.getAll('dryRun'),
    [ignoreReadError]: ignore === null ? undefined : isTrue(ignore),
  });
}

function dropUndefined(fields: { [K in keyof DeleteBody]: DeleteBody[K] | undefined }): DeleteBody {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as DeleteBody;
}
