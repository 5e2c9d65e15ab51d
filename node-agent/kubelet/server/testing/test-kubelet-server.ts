import { systemClock } from '../../../../api/base/system-clock.ts';
import { silentLogger } from '../../../../api/base/logger.ts';
import { parseTLSSettings, type TLSSettings } from '../../../../api/base/tls-settings.ts';
import type { Pod } from '../../../../api/types/core-v1.ts';
import { createHostFiles } from '../../../linux/files/host-files.ts';
import { runtimeLabels } from '../../runtime/labels.ts';
import { nodePaths } from '../../../node-paths.ts';
import { type KubeletServer, type KubeletServerDependencies, startKubeletServer } from '../kubelet-server.ts';
import type { RequestAttributes } from '../request-permission.ts';
import { makeSelfSignedCertificate } from '../self-signed-certificate.ts';

export interface TestKubeletServerOptions {
  readonly runtimeURL: string;
  readonly permits: (attributes: RequestAttributes) => boolean;
  /** Default: as without flags. */
  readonly tls?: TLSSettings;
  /** A command was to be run, attached to or connected to. */
  readonly onCommand?: () => void;
  /** Absent: idle connections are not ended. */
  readonly streamingIdleMs?: number;
}

const pod: Pod = {
  metadata: { namespace: 'n', name: 'p', uid: 'u' },
  spec: { nodeName: 'node', containers: [{ name: 'c', image: 'x' }] },
};

/** The kubelet's server before a Pod n/p with a running container c. The bearer token "user" is a user's. */
export async function startTestKubeletServer(options: TestKubeletServerOptions): Promise<KubeletServer> {
  const { runtimeURL, permits, onCommand, streamingIdleMs = 0, tls = parseTLSSettings({}) } = options;
  const { certificate, key } = await makeSelfSignedCertificate('node', ['127.0.0.1'], systemClock);
  const labels = { [runtimeLabels.podUID]: 'u', [runtimeLabels.containerName]: 'c' };
  const container = { id: '1', metadata: { name: 'c', attempt: 0 }, state: 'CONTAINER_RUNNING', labels, annotations: {}, created_at: '1' };
  const sandbox = { id: 's', metadata: { uid: 'u', attempt: 0 }, state: 'SANDBOX_READY', labels, annotations: {}, created_at: '1' };
  const dial = async () => {
    onCommand?.();
    return runtimeURL;
  };
  const runtime = {
    name: async () => 'containerd',
    listContainers: async () => [{ ...container, pod_sandbox_id: 's' }],
    containerStatus: async () => container,
    listPodSandboxes: async () => [sandbox],
    podSandboxStatus: async () => sandbox,
    ...{ exec: dial, attach: dial, portForward: dial },
  };
  const worker = { pod: () => pod };
  const dependencies = {
    ...{ files: createHostFiles(), paths: nodePaths('/nonexistent'), clock: systemClock, logger: silentLogger, runtime },
    workers: { findByName: (namespace: string, name: string) => (namespace === 'n' && name === 'p' ? worker : undefined) },
    identify: async ({ authorization }: { readonly authorization: string | undefined }) =>
      authorization === 'Bearer user' ? { name: 'user', groups: [] } : undefined,
    permit: async (_user: unknown, attributes: RequestAttributes) => permits(attributes),
    information: async ([first]: readonly string[]) => (first === 'healthz' ? { contentType: 'text/plain', text: 'ok' } : undefined),
    localDirectories: { make: async () => '/x', remove: async () => {} },
    onRequest: () => {},
  } as unknown as KubeletServerDependencies;
  return startKubeletServer({ port: 0, certificate, key, clientCA: certificate, tls, nodeName: 'node', streamingIdleMs }, dependencies);
}
