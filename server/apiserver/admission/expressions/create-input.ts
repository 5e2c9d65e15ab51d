import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { UntypedObject } from '../../../../api/meta/object.ts';
import type { AdmissionInput } from '../../../../api/semantics/admission/evaluate-expression.ts';
import type { Namespace } from '../../../../api/types/core-v1.ts';
import type { AdmissionRequest } from '../admission.ts';
import { convertObject } from '../matching/convert-object.ts';
import type { AdmissionVariables } from './expressions.ts';
import type { MatchedResource } from '../matching/match-request.ts';

/** The objects of a request as the version shows them in which it matched. */
export interface MatchedObjects {
  readonly object: DeepReadonly<UntypedObject> | undefined;
  readonly oldObject: DeepReadonly<UntypedObject> | undefined;
}

/** Converts the objects of a request if it matched as another version than the requested one. */
export function matchedObjects(request: AdmissionRequest, matched: MatchedResource): MatchedObjects | Promise<MatchedObjects> {
  const { object, oldObject, resource } = request;
  if (matched.resource === resource) return { object, oldObject };
  const convert = async (one: DeepReadonly<UntypedObject> | undefined) => one && convertObject(one, resource, matched.resource, request);
  return Promise.all([convert(object), convert(oldObject)]).then(([converted, old]) => ({ object: converted, oldObject: old }));
}

/** The variables of a request. */
export function createVariables(
  request: AdmissionRequest,
  matched: MatchedResource,
  { object, oldObject }: MatchedObjects,
  more: { readonly namespace?: DeepReadonly<Namespace> | undefined; readonly params?: unknown },
): AdmissionVariables {
  return {
    object: object ?? null,
    oldObject: oldObject ?? null,
    params: more.params ?? null,
    namespaceObject: more.namespace ? namespaceVariable(more.namespace) : null,
    request: requestVariable(request, matched),
  };
}

function requestVariable(request: AdmissionRequest, matched: MatchedResource): AdmissionInput['request'] {
  const { resource, subresource, name, namespace, operation, user, dryRun, options, kind } = request;
  const resourceOf = ({ group, version, names }: MatchedResource['resource']) => ({ group, version, resource: names.plural });
  const extra = user.extra ?? {};
  return {
    kind: matched.kind,
    resource: resourceOf(matched.resource),
    ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: kind,
    requestResource: resourceOf(resource),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      ...(user.name === '' ? {} : { username: user.name }),
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length > 0 ? { groups: user.groups } : {}),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    },
    object: null,
    oldObject: null,
    dryRun,
    options: options ?? null,
  };
}

const namespaceVariables = new WeakMap<object, object>();

/** A Namespace without the fields that expressions may not see: owners, managed fields. */
function namespaceVariable(namespace: DeepReadonly<Namespace>): object {
  const known = namespaceVariables.get(namespace);
  if (known) return known;
  const { ownerReferences: _owners, managedFields: _fields, selfLink: _link, ...metadata } = namespace.metadata;
  const made = { metadata, spec: namespace.spec ?? {}, status: namespace.status ?? {} };
  namespaceVariables.set(namespace, made);
  return made;
}
