import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { isJSONObject, type JSONObject } from '../../../api/base/json-object.ts';
import { quote } from '../../../api/base/quote.ts';
import type { UntypedObject } from '../../../api/meta/object.ts';
import { badRequest, internalError } from '../../../api/meta/status-errors.ts';
import type { ResourceDefinition, ScalePaths } from '../../../api/resource/resource-definition.ts';
import type { Scale } from '../../../api/types/autoscaling-v1.ts';
import { scaleOf, type ScaleShape } from './scale.ts';
import type { SubresourceHandler } from './subresource.ts';

/** The scale subresource of a custom kind, whose definition names the paths of the replicas. */
export function customScale(definition: ResourceDefinition): SubresourceHandler {
  const { scalePaths } = definition;
  if (!scalePaths) throw new Error(`${definition.names.plural} have no scale`);
  return scaleOf(definition, shapeOf(scalePaths));
}

function shapeOf({ specReplicas, statusReplicas, labelSelector }: ScalePaths): ScaleShape {
  return {
    toScale(object) {
      const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
      const replicas = integerAt(object, specReplicas);
      const selector = labelSelector ? textAt(object, labelSelector) : undefined;
      return {
        kind: 'Scale',
        apiVersion: 'autoscaling/v1',
        metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as NonNullable<Scale['metadata']>,
        spec: replicas ? { replicas } : {},
        status: { replicas: integerAt(object, statusReplicas) ?? 0, ...(selector ? { selector } : {}) },
      };
    },
    withReplicas(object, replicas) {
      const [first = '', ...rest] = stepsOf(specReplicas);
      return { [first]: setAt(object[first], rest, replicas) };
    },
    checkShown(object) {
      if (integerAt(object, specReplicas) === undefined)
        throw internalError(`the spec replicas field ${quote(specReplicas)} does not exist`);
    },
  };
}

const stepsOf = (path: string): string[] => path.replace(/^\./, '').split('.');

function valueAt(object: DeepReadonly<UntypedObject>, path: string): unknown {
  let value: unknown = object;
  for (const step of stepsOf(path)) {
    if (value === undefined) return undefined;
    if (!isJSONObject(value)) throw badRequest(`${path} accessor error: ${step} is below a value that is no object`);
    value = value[step];
  }
  return value;
}

function integerAt(object: DeepReadonly<UntypedObject>, path: string): number | undefined {
  const value = valueAt(object, path);
  if (value === undefined || Number.isInteger(value)) return value as number | undefined;
  throw badRequest(`${path} accessor error: ${String(value)} is no integer`);
}

function textAt(object: DeepReadonly<UntypedObject>, path: string): string | undefined {
  const value = valueAt(object, path);
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`${path} accessor error: ${String(value)} is no string`);
}

function setAt(value: unknown, [step, ...rest]: readonly string[], replicas: number): unknown {
  if (step === undefined) return replicas;
  const object: JSONObject = isJSONObject(value) ? value : {};
  return { ...object, [step]: setAt(object[step], rest, replicas) };
}
