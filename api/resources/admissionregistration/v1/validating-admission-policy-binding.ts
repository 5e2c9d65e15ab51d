import { repeatedIndexes } from '../../../base/repeats.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { validateEach } from '../../../resource/field-rules.ts';
import type { ValidatingAdmissionPolicyBinding } from '../../../types/admissionregistration-v1.ts';
import { duplicate, invalid, notSupported, required } from '../../../validation/field-error.ts';
import { formatParamRef, validateBindingTarget } from './policy-validation.ts';

const actions = ['Audit', 'Deny', 'Warn'];

/** Puts a policy into force. */
export const validatingAdmissionPolicyBindings = defineResource<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'ValidatingAdmissionPolicyBinding', plural: 'validatingadmissionpolicybindings', categories: ['api-extensions'] },
  definition: 'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  storagePrefix: 'validatingadmissionpolicybindings',
  formerVersions: ['v1beta1'],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('PolicyName', ({ spec }) => spec?.policyName ?? ''),
    textColumn('ParamRef', ({ spec }) => formatParamRef(spec?.paramRef)),
    ageColumn,
  ],
  validate({ spec }, path) {
    const at = path.child('spec');
    const errors = validateBindingTarget(spec, at);
    const given = spec?.validationActions ?? [];
    const actionsPath = at.child('validationActions');
    if (given.length === 0) return [...errors, required(actionsPath, 'at least one validation action is required')];
    const repeated = repeatedIndexes(given);
    errors.push(
      ...validateEach(given, actionsPath, (action, actionPath, index) => {
        if (!actions.includes(action)) return [notSupported(actionPath, action, actions)];
        return repeated.has(index) ? [duplicate(actionPath, action)] : [];
      }),
    );
    if (given.includes('Deny') && given.includes('Warn')) {
      errors.push(
        invalid(
          actionsPath,
          given,
          'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
        ),
      );
    }
    return errors;
  },
});
