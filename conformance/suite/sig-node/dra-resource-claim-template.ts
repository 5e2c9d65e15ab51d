import { resourceClaimTemplates } from '../../../api/resources/resource/v1/resource-claim-template.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runThroughLifecycle } from '../../framework/crud-lifecycle.ts';

export default conformanceTest({
  name: '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]',
  release: 'v1.35',
  behavior: 'ResourceClaimTemplates MUST be created, read, listed, watched, patched, updated and deleted, one or all.',
  run: ({ client, namespace }) =>
    runThroughLifecycle({
      client,
      resource: resourceClaimTemplates,
      namespace: namespace,
      label: namespace,
      make: (metadata) => ({
        metadata,
        spec: { spec: { devices: { requests: [{ name: 'request', exactly: { deviceClassName: 'none.example.com' } }] } } },
      }),
    }),
});
