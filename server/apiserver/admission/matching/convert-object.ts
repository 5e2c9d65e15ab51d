import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import { cloneJSON } from '../../../../api/base/json-object.ts';
import type { KubeObject, UntypedObject } from '../../../../api/meta/object.ts';
import { apiVersionOf, type ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { schemaOf } from '../../../../api/resource/schema-of.ts';
import { decode } from '../../../../api/schema/decode.ts';
import type { AdmissionRequest } from '../admission.ts';

/**
 * A copy of an object in another version of its resource, by way of the stored version. Asynchronous, because the conversion
 * of a custom resource may be a webhook's. An object of a subresource that has the same kind in all versions stays as it is.
 */
export async function convertObject(
  object: DeepReadonly<UntypedObject>,
  from: ResourceDefinition,
  to: ResourceDefinition,
  { convertObjects, signal }: Pick<AdmissionRequest, 'convertObjects' | 'signal'>,
): Promise<UntypedObject> {
  const copy = cloneJSON(object) as UntypedObject;
  if (object['apiVersion'] !== undefined && object['apiVersion'] !== apiVersionOf(from)) return copy;
  if (to.conversionWebhook && convertObjects) {
    const [converted] = await convertObjects(to.conversionWebhook, [copy], apiVersionOf(to), signal);
    return decode(converted, schemaOf(to)).object as UntypedObject;
  }
  const stored = from.convert ? from.convert.toStorage(copy as KubeObject) : copy;
  const converted = (to.convert ? to.convert.fromStorage(stored as KubeObject) : stored) as UntypedObject;
  const { object: canonical } = decode({ ...converted, apiVersion: apiVersionOf(to), kind: to.names.kind }, schemaOf(to));
  return canonical as UntypedObject;
}
