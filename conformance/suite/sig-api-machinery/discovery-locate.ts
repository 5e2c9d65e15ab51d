import assert from 'node:assert/strict';
import { conformanceTest } from '../../framework/conformance-test.ts';

const expected = [
  { group: 'admissionregistration.k8s.io', version: 'v1', resource: 'validatingwebhookconfigurations' },
  { group: 'apiextensions.k8s.io', version: 'v1', resource: 'customresourcedefinitions' },
  { group: 'apiregistration.k8s.io', version: 'v1', resource: 'apiservices' },
  { group: 'apps', version: 'v1', resource: 'deployments' },
  { group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' },
  { group: 'authorization.k8s.io', version: 'v1', resource: 'selfsubjectaccessreviews' },
  { group: 'autoscaling', version: 'v1', resource: 'horizontalpodautoscalers' },
  { group: 'autoscaling', version: 'v2', resource: 'horizontalpodautoscalers' },
  { group: 'batch', version: 'v1', resource: 'jobs' },
  { group: 'certificates.k8s.io', version: 'v1', resource: 'certificatesigningrequests' },
  { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' },
  { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' },
  { group: 'events.k8s.io', version: 'v1', resource: 'events' },
  { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses' },
  { group: 'node.k8s.io', version: 'v1', resource: 'runtimeclasses' },
  { group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' },
  { group: 'scheduling.k8s.io', version: 'v1', resource: 'priorityclasses' },
];

export default conformanceTest({
  name: '[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup [Conformance]',
  release: 'v1.28',
  behavior: 'Every stable API group MUST be found in /apis, in its own document, and in its resource list with a well-known resource.',
  async run({ request }) {
    const root = (await request('GET', '/apis')).json() as { kind: string; groups: { name: string; versions: { version: string }[] }[] };
    assert.equal(root.kind, 'APIGroupList');
    for (const { group, version, resource } of expected) {
      const listed = root.groups.find(({ name }) => name === group);
      assert.ok(
        listed?.versions.some((one) => one.version === version),
        `/apis lists no ${group}/${version}`,
      );
      const own = (await request('GET', `/apis/${group}`)).json() as { kind: string; versions: { groupVersion: string }[] };
      assert.equal(own.kind, 'APIGroup');
      assert.ok(
        own.versions.some(({ groupVersion }) => groupVersion === `${group}/${version}`),
        `/apis/${group} has no ${version}`,
      );
      const list = (await request('GET', `/apis/${group}/${version}`)).json() as { groupVersion: string; resources: { name: string }[] };
      assert.equal(list.groupVersion, `${group}/${version}`);
      assert.ok(
        list.resources.some(({ name }) => name === resource),
        `${group}/${version} has no ${resource}`,
      );
    }
  },
});
