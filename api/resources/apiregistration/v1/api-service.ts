import { decodeBase64 } from '../../../base/base64.ts';
import { findCondition } from '../../../meta/conditions.ts';
import { formatTime } from '../../../meta/time.ts';
import { ageColumn, nameColumn, textColumn } from '../../../resource/columns.ts';
import { defineResource } from '../../../resource/define-resource.ts';
import { invalidFor } from '../../../resource/field-rules.ts';
import type { APIService } from '../../../types/apiregistration-v1.ts';
import { type FieldError, invalid, required } from '../../../validation/field-error.ts';
import { portNumberProblems } from '../../../validation/formats.ts';
import { dns1035LabelProblems, dns1123LabelProblems, dns1123SubdomainProblems, nameIsPathSegment } from '../../../validation/names.ts';

/** A group and version of the API, and who serves it. */
export const apiServices = defineResource<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  scope: 'Cluster',
  names: { kind: 'APIService', plural: 'apiservices', categories: ['api-extensions'] },
  definition: 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService',
  resetFields: { status: [['spec'], ['metadata']] },
  subresources: {
    status: { kind: 'APIService', verbs: ['get', 'patch', 'update'] },
  },
  storagePrefix: 'apiregistration.k8s.io/apiservices',
  nameRule: nameIsPathSegment,
  allowUnconditionalUpdate: false,
  printerColumns: [
    nameColumn,
    textColumn('Service', ({ spec }) => (spec?.service ? `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}` : 'Local')),
    textColumn('Available', ({ status }) => {
      const available = findCondition(status?.conditions, 'Available');
      if (available === undefined) return 'Unknown';
      return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`;
    }),
    ageColumn,
  ],
  prepareForCreate(service, { nowMs }) {
    // A group that the server itself serves is available from the start.
    if (service.spec?.service === undefined) {
      const message = 'Local APIServices are always available';
      const condition = { type: 'Available', status: 'True', reason: 'Local', message, lastTransitionTime: formatTime(nowMs) };
      service.status = { conditions: [condition] };
    }
  },
  validate({ metadata, spec }, path) {
    const at = path.child('spec');
    const {
      group = '',
      version = '',
      groupPriorityMinimum = 0,
      versionPriority = 0,
      service,
      insecureSkipTLSVerify,
      caBundle,
    } = spec ?? {};
    const errors: FieldError[] = [];
    if (metadata.name !== `${version}.${group}`) {
      errors.push(invalid(path.child('metadata', 'name'), metadata.name, `must be \`spec.version+"."+spec.group\`: "${version}.${group}"`));
    }
    if (group !== '') errors.push(...invalidFor(at.child('group'), group, dns1123SubdomainProblems(group)));
    else if (version !== 'v1') errors.push(required(at.child('group'), 'only v1 may have an empty group and it better be legacy kube'));
    errors.push(...invalidFor(at.child('version'), version, dns1035LabelProblems(version)));
    if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
      errors.push(invalid(at.child('groupPriorityMinimum'), groupPriorityMinimum, 'must be positive and less than 20000'));
    }
    if (versionPriority <= 0 || versionPriority > 1000)
      errors.push(invalid(at.child('versionPriority'), versionPriority, 'must be positive and less than 1000'));
    if (service === undefined) {
      if (caBundle)
        errors.push(invalid(at.child('caBundle'), `${decodeBase64(caBundle).length} bytes`, 'local APIServices may not have a caBundle'));
      if (insecureSkipTLSVerify)
        errors.push(invalid(at.child('insecureSkipTLSVerify'), true, 'local APIServices may not have insecureSkipTLSVerify'));
      return errors;
    }
    const servicePath = at.child('service');
    if (!service.namespace) errors.push(required(servicePath.child('namespace')));
    else errors.push(...invalidFor(servicePath.child('namespace'), service.namespace, dns1123LabelProblems(service.namespace)));
    if (!service.name) errors.push(required(servicePath.child('name')));
    if (service.port !== undefined) {
      errors.push(
        ...portNumberProblems(service.port).map((problem) =>
          invalid(servicePath.child('port'), service.port, `port is not valid: ${problem}`),
        ),
      );
    }
    if (insecureSkipTLSVerify && caBundle) {
      errors.push(invalid(at.child('insecureSkipTLSVerify'), true, 'may not be true if caBundle is present'));
    }
    return errors;
  },
});
