import { fieldManagerName } from '../../../api/apply/update-managed-fields.ts';
import { annotating } from '../audit/audit-record.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import { badRequest, invalid } from '../../../api/meta/status-errors.ts';
import { validateWriteOptions } from '../../../api/validation/request-options.ts';
import { operationOptionsOf } from '../request/operation-options.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { WriteContext } from '../registry/writes/write-context.ts';
import type { SubresourceDependencies } from './subresource.ts';

/** The answer to a POST to a subresource that has no object to show. */
export function createdStatus(context: RequestContext, { respond }: SubresourceDependencies): APIResponse {
  return respond(context, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201);
}

/** A connection cannot be tried out: 400. */
export function refuseDryRun({ query }: RequestContext): void {
  if (query.has('dryRun')) throw badRequest('dryRun is not supported');
}

/** Options of a write to a subresource from its query. Throws 422. */
export function readWriteContext(context: RequestContext): WriteContext {
  const { query, request, info } = context;
  const fieldManager = query.get('fieldManager') ?? undefined;
  const dryRun = query.getAll('dryRun');
  const errors = validateWriteOptions({ ...(fieldManager === undefined ? {} : { fieldManager }), dryRun });
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', errors);
  return {
    user: context.user,
    dryRun: dryRun.length > 0,
    fieldManager: fieldManagerName(fieldManager, request.headers['user-agent'] ?? ''),
    subresource: info.subresource,
    signal: context.signal,
    deadlineMs: context.deadlineMs,
    operationOptions: operationOptionsOf(query),
    addWarning: context.addWarning,
    ...annotating(context),
  };
}
