import { deviceClasses } from '../../../api/resources/resource/v1/device-class.ts';
import { conformanceTest } from '../../framework/conformance-test.ts';
import { runThroughLifecycle } from '../../framework/crud-lifecycle.ts';

export default conformanceTest({
  name: '[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]',
  release: 'v1.35',
  behavior: 'DeviceClasses MUST be created, read, listed, watched, patched, updated and deleted, one or all.',
  run: ({ client, namespace }) =>
    runThroughLifecycle({
      client,
      resource: deviceClasses,
      namespace: '',
      label: namespace,
      make: (metadata) => ({ metadata, spec: { selectors: [{ cel: { expression: 'device.driver == "dra.example.com"' } }] } }),
    }),
});
