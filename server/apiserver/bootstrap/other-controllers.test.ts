import assert from 'node:assert/strict';
import { fixedValue } from '../../../api/base/watched-value.ts';
import { createControllers } from '../../controllers/controllers.ts';
import { controllerRoles } from './controller-roles.ts';
import { withOtherControllers } from './other-controllers.ts';
import { rule } from './role-notation.ts';

/** The accounts of v1.36's controllers, each with a role `system:controller:<account>`. */
const accounts = [
  'attachdetach-controller',
  'certificate-controller',
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemon-set-controller',
  'deployment-controller',
  'device-taint-eviction-controller',
  'disruption-controller',
  'endpoint-controller',
  'endpointslice-controller',
  'endpointslicemirroring-controller',
  'ephemeral-volume-controller',
  'expand-controller',
  'generic-garbage-collector',
  'horizontal-pod-autoscaler',
  'job-controller',
  'legacy-service-account-token-cleaner',
  'namespace-controller',
  'node-controller',
  'persistent-volume-binder',
  'pod-garbage-collector',
  'pv-protection-controller',
  'pvc-protection-controller',
  'replicaset-controller',
  'replication-controller',
  'resource-claim-controller',
  'resourcequota-controller',
  'root-ca-cert-publisher',
  'route-controller',
  'selinux-warning-controller',
  'service-account-controller',
  'service-cidrs-controller',
  'service-controller',
  'statefulset-controller',
  'ttl-after-finished-controller',
  'ttl-controller',
  'validatingadmissionpolicy-status-controller',
  'volumeattributesclass-protection-controller',
];

const options = { rootCA: fixedValue(''), clusterDNSAddress: '10.96.0.10', clusterCIDR: '10.244.0.0/16', nodeCIDRMaskSize: 24 };

describe('roles of controllers', () => {
  it('are there for each of v1.36, built in or not', () => {
    const { roles } = controllerRoles(withOtherControllers(createControllers(options)));
    const names = new Set(roles.map(({ metadata }) => metadata.name));
    assert.deepEqual(
      accounts.filter((account) => !names.has(`system:controller:${account}`)),
      [],
    );
  });
  it('are those that a built-in controller states, where there is one', () => {
    const own = { account: 'ttl-controller', rules: [rule('get', 'core', 'pods')] };
    const { roles } = controllerRoles(withOtherControllers([own]));
    const [role, ...more] = roles.filter(({ metadata }) => metadata.name === 'system:controller:ttl-controller');
    assert.deepEqual(role?.rules, own.rules);
    assert.deepEqual(more, []);
  });
});
