import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import type { MutatingAdmissionPolicyBinding } from '../../../types/admissionregistration-v1.ts';
import { formatParamRef, validateBindingTarget } from './policy-validation.ts';

/** Puts a policy that changes requests into force. */
export const mutatingAdmissionPolicyBindings = defineResource<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'MutatingAdmissionPolicyBinding', plural: 'mutatingadmissionpolicybindings', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
  storagePrefix: 'mutatingadmissionpolicybindings',
  formerVersions: ['v1beta1'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    textColumn('ParamRef', ({ spec }) => formatParamRef(spec?.paramRef)),
    ageColumn,
  ],
  validate: ({ spec }, path) => validateBindingTarget(spec, path.child('spec')),
});
