import { resourceSlices } from '../../../api/resources/resource/v1/resource-slice.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runThroughLifecycle } from '../../framework/crud-lifecycle.ts';

export default conformanceTest({
  name: '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]',
  release: 'v1.35',
  behavior: 'ResourceSlices MUST be created, read, listed, watched, patched, updated and deleted, one or all.',
  run: ({ client, namespace }) =>
    runThroughLifecycle({
      client,
      resource: resourceSlices,
      namespace: '',
      label: namespace,
      make: (metadata) => ({
        metadata,
        spec: {
          driver: 'dra.example.com',
          nodeName: 'no-such-node',
          pool: { name: metadata.name ?? '', generation: 1, resourceSliceCount: 1 },
          devices: [{ name: 'device' }],
        },
      }),
    }),
});
