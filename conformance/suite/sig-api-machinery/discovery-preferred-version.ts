import assert from 'node:assert/strict';
import { ApisApi } from '@kubernetes/client-node';
import { conformanceTest } from '../../framework/conformance-test.ts';

export default conformanceTest({
  name: '[sig-api-machinery] Discovery should validate PreferredVersion for each APIGroup [Conformance]',
  release: 'v1.19',
  behavior: 'Every API group in discovery MUST name a preferred version that is one of its versions.',
  async run({ kubeConfig, request }) {
    const { groups } = await kubeConfig.makeApiClient(ApisApi).getAPIVersions();
    assert.ok(groups.length > 0, 'discovery lists no group');
    for (const { name } of groups) {
      const group = (await request('GET', `/apis/${name}`)).json() as {
        preferredVersion?: { groupVersion: string };
        versions: { groupVersion: string }[];
      };
      const preferred = group.preferredVersion?.groupVersion;
      assert.ok(preferred, `${name} prefers no version`);
      assert.ok(
        group.versions.some(({ groupVersion }) => groupVersion === preferred),
        `${name} prefers ${preferred}, which it does not have`,
      );
    }
  },
});
