import { fieldManagerName } from '../../../api/apply/update-managed-fields.ts';
import { annotating } from '../audit/audit-record.ts';
import { invalid } from '../../../api/meta/status-errors.ts';
import type { FieldValidation } from '../../../api/serialization/read-object.ts';
import { validatePatchOptions, validateWriteOptions } from '../../../api/validation/request-options.ts';
import type { WriteContext } from '../registry/writes/write-context.ts';
import { operationOptionsOf } from '../request/operation-options.ts';
import type { RequestContext } from '../request/request-context.ts';
import { isTrue } from '../request/request-info.ts';

export interface WriteOptions extends WriteContext {
  readonly fieldValidation: FieldValidation;
  readonly force: boolean;
}

/** Parses the options of create, update and patch from the query; throws 422 as upstream for invalid values. */
export function parseWriteOptions(
  context: RequestContext,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  isApply = false,
): WriteOptions {
  const { query, request, info } = context;
  const fieldManager = query.get('fieldManager') ?? undefined;
  const dryRun = query.getAll('dryRun');
  const fieldValidation = query.get('fieldValidation') ?? '';
  const force = query.get('force');
  const options = {
    ...(fieldManager === undefined ? {} : { fieldManager }),
    dryRun,
    fieldValidation,
    ...(force === null ? {} : { force: isTrue(force) }),
  };
  const errors = kind === 'PatchOptions' ? validatePatchOptions(options, isApply) : validateWriteOptions(options);
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors);
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
    fieldValidation: fieldValidation === '' ? 'Warn' : (fieldValidation as FieldValidation),
    force: isTrue(force),
  };
}
