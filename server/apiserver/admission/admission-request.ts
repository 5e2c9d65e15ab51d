import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { forbidden } from '../../../api/meta/status-errors.ts';
import type { StatusError } from '../../../api/meta/status.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import type { OperationOptions } from '../request/operation-options.ts';
import type { AdmissionOperation, AdmissionRequest, GroupVersionKind } from './admission.ts';

type Derived = 'kind' | 'options' | 'reinvocation';

/** The parts of a request that its resource and operation give. */
export function derivedParts(
  resource: ResourceDefinition,
  subresource: string,
  operation: AdmissionOperation,
  options: OperationOptions | undefined,
): Pick<AdmissionRequest, Derived> {
  return {
    kind: kindOf(resource, subresource),
    ...(operation === 'CONNECT' ? {} : { options: { kind: optionKinds[operation], apiVersion: 'meta.k8s.io/v1', ...options } }),
    reinvocation: { isSecondRun: false, isWanted: false, notes: new Map() },
  };
}

const optionKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const;

/** The kind of objects of a resource, or of its subresource. */
export function kindOf({ group, version, names, subresources }: ResourceDefinition, subresource: string): GroupVersionKind {
  const view = subresource === '' ? undefined : subresources[subresource];
  return { group: view?.group ?? group, version: view?.version ?? version, kind: view?.kind ?? names.kind };
}

/** The namespace as selectors, reviews and expressions see it: a Namespace itself is in the namespace of its name. */
export function namespaceOf({ resource, namespace, name }: AdmissionRequest): string {
  return isSameResource(resource, namespaces as unknown as ResourceDefinition) ? name : namespace;
}

/** Whether the request is about that resource, in whatever version. */
export function isResource(request: AdmissionRequest, resource: ResourceDefinition): boolean {
  return isSameResource(request.resource, resource);
}

/** Whether two definitions are of the same resource, in any versions. */
export function isSameResource(a: ResourceDefinition, b: ResourceDefinition): boolean {
  return a === b || (a.group === b.group && a.names.plural === b.names.plural);
}

/** The new object, if the request is for that resource itself and not for one of its subresources. May be modified in `admit`. */
export function newObject<T extends KubeObject>(
  request: AdmissionRequest,
  resource: ResourceDefinition<T>,
  subresource = '',
): T | undefined {
  if (request.subresource !== subresource || !isResource(request, resource as unknown as ResourceDefinition)) return undefined;
  // The registry decoded the object by the schema of this resource.
  return request.object as unknown as T | undefined;
}

/** The present object of a request that newObject answers to. */
export function oldObject<T extends KubeObject>(request: AdmissionRequest, _resource: ResourceDefinition<T>): DeepReadonly<T> | undefined {
  return request.oldObject as unknown as DeepReadonly<T> | undefined;
}

/** 403 `pods "web" is forbidden: <message>`. */
export function refuse(request: AdmissionRequest, message: string): StatusError {
  return forbidden(request.resource, shownName(request), message);
}

/** The name as messages show it, before a name was generated too. */
export function shownName({ name, object }: AdmissionRequest): string {
  return name || object?.metadata?.name || object?.metadata?.generateName || 'Unknown';
}
