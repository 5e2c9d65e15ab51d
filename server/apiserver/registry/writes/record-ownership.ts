import { updateManagedFields } from '../../../../api/apply/update-managed-fields.ts';
import type { Converting } from '../../../../api/apply/versions.ts';
import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import { formatTime } from '../../../../api/meta/time.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../../api/resource/schema-of.ts';
import { resetFieldsOf } from '../../bodies/reset-fields.ts';

/** Sets metadata.managedFields of an object that is about to be written by something else than server-side apply. Modifies. */
export function* recordOwnership(
  definition: ResourceDefinition,
  object: UntypedObject,
  old: DeepReadonly<UntypedObject> | undefined,
  { fieldManager, subresource }: { readonly fieldManager: string; readonly subresource: string },
  nowMs: number,
): Converting<void> {
  const entries = yield* updateManagedFields({
    schema: schemaOf(definition),
    apiVersion: apiVersionOf(definition),
    live: old as never,
    updated: object as never,
    manager: fieldManager,
    subresource,
    resetFields: resetFieldsOf(definition, subresource),
    now: formatTime(nowMs),
  });
  if (entries === undefined) delete object.metadata.managedFields;
  else Object.assign(object.metadata, { managedFields: entries });
}
