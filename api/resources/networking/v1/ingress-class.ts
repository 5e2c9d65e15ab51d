import type { DeepReadonly } from '../../../base/deep-readonly.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor } from '../../../resource/field-rules.ts';
import type { IngressClass, IngressClassParametersReference } from '../../../types/networking-v1.ts';
import { type FieldError, forbidden, notSupported, required, tooLong } from '../../../validation/field-error.ts';
import type { FieldPath } from '../../../validation/field-path.ts';
import { validateDomainPrefixedPath } from '../../../validation/formats.ts';
import { validateImmutable } from '../../../validation/immutable.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../../validation/names.ts';

import { validateReferenced } from './ingress.ts';

const maxControllerLength = 250;

/** The controller that serves the Ingresses which name the class. */
export const ingressClasses = defineResource<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'IngressClass', plural: 'ingressclasses' },
  definition: 'io.k8s.api.networking.v1.IngressClass',
  storagePrefix: 'ingressclasses',
  hasGeneration: true,
  printerColumns: [
    nameColumn,
    textColumn('Controller', ({ spec }) => spec?.controller ?? ''),
    textColumn('Parameters', ({ spec }) => {
      if (spec?.parameters === undefined) return '<none>';
      const { kind, apiGroup, name } = spec.parameters;
      return `${apiGroup === undefined ? kind : `${kind}.${apiGroup}`}/${name}`;
    }),
    ageColumn,
  ],
  validate({ spec }, path) {
    const at = path.child('spec');
    const controller = spec?.controller ?? '';
    const errors: FieldError[] = controller.length > maxControllerLength ? [tooLong(at.child('controller'), maxControllerLength)] : [];
    if (controller === '') errors.push(required(at.child('controller')));
    else errors.push(...validateDomainPrefixedPath(at.child('controller'), controller));
    if (spec?.parameters !== undefined) errors.push(...validateParameters(spec.parameters, at.child('parameters')));
    return errors;
  },
  validateUpdate: ({ spec }, old, path) => validateImmutable(path.child('spec', 'controller'), spec?.controller, old.spec?.controller),
});

function validateParameters(reference: DeepReadonly<IngressClassParametersReference>, path: FieldPath): FieldError[] {
  const { apiGroup, kind, name, scope, namespace } = reference;
  const errors = [
    ...(apiGroup !== undefined ? invalidFor(path.child('apiGroup'), apiGroup, dns1123SubdomainProblems(apiGroup)) : []),
    ...validateReferenced(path.child('kind'), kind, 'kind is required'),
    ...validateReferenced(path.child('name'), name, 'name is required'),
  ];
  const at = path.child('namespace');
  if (scope === undefined) errors.push(required(path.child('scope')));
  else if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(required(at, "`parameters.scope` is set to 'Namespace'"));
    else errors.push(...invalidFor(at, namespace, dns1123LabelProblems(namespace)));
  } else if (scope === 'Cluster') {
    if (namespace !== undefined) errors.push(forbidden(at, "`parameters.scope` is set to 'Cluster'"));
  } else errors.push(notSupported(path.child('scope'), scope, ['Cluster', 'Namespace']));
  return errors;
}
