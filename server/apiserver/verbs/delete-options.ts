import { annotating } from '../audit/audit-record.ts';
import { badRequest, invalid, requestEntityTooLarge } from '../../../api/meta/status-errors.ts';
import { protobufMediaType } from '../../../api/serialization/media-types.ts';
import { readEnvelope } from '../../../api/serialization/protobuf/protobuf.ts';
import { ProtobufError } from '../../../api/serialization/protobuf/wire.ts';
import { validateDeleteOptions } from '../../../api/validation/request-options.ts';
import { decodeObject, decodingContext } from '../bodies/decode-object.ts';
import type { Store } from '../registry/store.ts';
import type { DeleteOptions, WriteContext } from '../registry/writes/write-context.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';

interface DeleteBody {
  gracePeriodSeconds?: number;
  propagationPolicy?: NonNullable<DeleteOptions['propagationPolicy']>;
  orphanDependents?: boolean;
  preconditions?: { uid?: string; resourceVersion?: string };
  dryRun?: string[];
  ignoreStoreReadErrorWithClusterBreakingPotential?: boolean;
}

export const ignoreReadError = 'ignoreStoreReadErrorWithClusterBreakingPotential';

/** Warns of what becomes of dependents, where the kind does it otherwise than most and the options do not say. */
export function warnOfDependents({ addWarning }: RequestContext, { definition }: Store, options: DeleteOptions): void {
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
