import {
  boolType,
  type CELType,
  dynType,
  intType,
  listType,
  mapType,
  objectType,
  stringType,
  timestampType,
} from '../../cel/types/types.ts';

const strings = (...names: readonly string[]): Readonly<Record<string, CELType>> =>
  Object.fromEntries(names.map((name) => [name, stringType]));

const groupVersionKindType = objectType('kubernetes.GroupVersionKind', strings('group', 'version', 'kind'));
const groupVersionResourceType = objectType('kubernetes.GroupVersionResource', strings('group', 'version', 'resource'));

/** The type of the variable `request`: an AdmissionRequest without its uid and objects. */
export const requestType: CELType = objectType('kubernetes.AdmissionRequest', {
  kind: groupVersionKindType,
  resource: groupVersionResourceType,
  requestKind: groupVersionKindType,
  requestResource: groupVersionResourceType,
  ...strings('subResource', 'requestSubResource', 'name', 'namespace', 'operation'),
  userInfo: objectType('kubernetes.UserInfo', {
    ...strings('username', 'uid'),
    groups: listType(stringType),
    extra: mapType(stringType, listType(stringType)),
  }),
  dryRun: boolType,
  options: dynType,
});

/** The type of the variable `namespaceObject`: a Namespace without ownerReferences and managedFields. */
export const namespaceType: CELType = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    ...strings('name', 'generateName', 'namespace', 'UID', 'resourceVersion'),
    labels: mapType(stringType, stringType),
    annotations: mapType(stringType, stringType),
    creationTimestamp: timestampType,
    deletionTimestamp: timestampType,
    deletionGracePeriodSeconds: intType,
    generation: intType,
    finalizers: listType(stringType),
  }),
  spec: objectType('kubernetes.NamespaceSpec', { finalizers: listType(stringType) }),
  status: objectType('kubernetes.NamespaceStatus', {
    phase: stringType,
    conditions: listType(
      objectType('kubernetes.NamespaceCondition', {
        ...strings('status', 'type', 'message', 'reason'),
        lastTransitionTime: timestampType,
      }),
    ),
  }),
});
