import { nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor, validateRequired } from '../../../resource/field-rules.ts';
import type { IPAddress } from '../../../types/networking-v1.ts';
import { required } from '../../../validation/field-error.ts';
import { FieldPath } from '../../../validation/field-path.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { validateCanonicalIP } from '../../../validation/ip-addresses.ts';
import { dns1123SubdomainProblems, pathSegmentNameProblems } from '../../../validation/names.ts';

/** An address that is allocated to a Service. The object's name is the address, so it can be allocated only once. */
export const ipAddresses = defineResource<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'IPAddress', plural: 'ipaddresses', shortNames: ['ip'] },
  definition: 'io.k8s.api.networking.v1.IPAddress',
  storagePrefix: 'ipaddresses',
  formerVersions: ['v1beta1'],
  nameRule: (name) => validateCanonicalIP(FieldPath.root, name).map(({ detail }) => detail),
  printerColumns: [
    nameColumn,
    textColumn('ParentRef', ({ spec }) => {
      const parent = spec?.parentRef;
      if (parent === undefined) return '<none>';
      const resource = (parent.group ? `${parent.resource}.${parent.group}` : parent.resource).toLowerCase();
      return [resource, ...(parent.namespace ? [parent.namespace] : []), parent.name].join('/');
    }),
  ],
  selectableFields: {
    'spec.parentRef.group': ({ spec }) => spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': ({ spec }) => spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': ({ spec }) => spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': ({ spec }) => spec?.parentRef?.name ?? '',
  },
  validate({ spec }, path) {
    const at = path.child('spec', 'parentRef');
    if (spec?.parentRef === undefined) return [required(at)];
    const { group, resource, namespace, name } = spec.parentRef;
    return [
      ...(group ? invalidFor(at.child('group'), group, dns1123SubdomainProblems(group)) : []),
      ...validateRequired(at.child('resource'), resource, pathSegmentNameProblems),
      ...validateRequired(at.child('name'), name, pathSegmentNameProblems),
      ...(namespace ? invalidFor(at.child('namespace'), namespace, pathSegmentNameProblems(namespace)) : []),
    ];
  },
  validateUpdate: ({ spec }, old, path) => validateImmutable(path.child('spec', 'parentRef'), spec?.parentRef, old.spec?.parentRef),
});
