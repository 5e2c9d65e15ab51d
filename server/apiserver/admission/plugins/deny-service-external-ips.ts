import { services } from '../../../../api/resources/core/v1/service.ts';
import { defineAdmissionPlugin } from '../admission.ts';
import { newObject, oldObject, refuse } from '../admission-request.ts';

/**
 * Refuses external IPs that a Service does not have yet: who may name them may take the traffic of any address
 * (CVE-2020-8554). Off unless it is asked for.
 */
export const denyServiceExternalIPs = defineAdmissionPlugin({
  name: 'DenyServiceExternalIPs',
  operations: ['CREATE', 'UPDATE'],
  resources: [services],
  async validate(request) {
    const wanted = newObject(request, services)?.spec?.externalIPs ?? [];
    const present = new Set(oldObject(request, services)?.spec?.externalIPs);
    if (!wanted.every((ip) => present.has(ip))) throw refuse(request, 'Use of external IPs is denied by admission control');
  },
});
