import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Random } from '../../../api/base/random.ts';
import { createWatchedValue, type WatchedValue } from '../../../api/base/watched-value.ts';
import type { Client } from '../../../api/client/client.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import type { KubeletServer } from '../server/kubelet-server.ts';
import { makeSelfSignedCertificate } from '../server/self-signed-certificate.ts';
import { namesAll } from './certificate-life.ts';
import type { NodeCredentials, ServingCertificate } from './node-credentials.ts';
import { readCertificate, rotateCertificate, type RotatingCertificateDependencies } from './rotating-certificate.ts';

interface ServingSettings {
  /**
   * The absolute path of the directory for certificates that the cluster has issued. With it the kubelet requests a serving certificate.
   */
  readonly certificateDirectory?: string;
}

interface ServingDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly files: HostFiles;
  readonly credentials: NodeCredentials;
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
}

/** The certificate that the kubelet's API is served with. */
interface Serving {
  readonly pair: WatchedValue<ServingCertificate>;
  /** Makes the server use each new certificate and the present authorities, until the signal is aborted. */
  run(server: Pick<KubeletServer, 'useCertificate'>, signal: AbortSignal): Promise<void>;
}

/** A certificate from files, from the cluster, or, until the cluster has issued one, a self-signed one. */
export async function createServing(settings: ServingSettings, dependencies: ServingDependencies): Promise<Serving> {
  const { credentials, clock, nodeName, nodeIPs } = dependencies;
  const rotation = rotationOf(settings, dependencies);
  const kept = credentials.serving?.get() ?? (rotation && (await findKept(rotation, dependencies)));
  const pair = createWatchedValue(kept ?? (await makeSelfSignedCertificate(nodeName, nodeIPs, clock)));
  return {
    pair,
    async run(server, signal) {
      const use = () => {
        if (!signal.aborted) server.useCertificate(pair.get(), { clientCA: credentials.authorities.get() });
      };
      pair.onChange(use);
      credentials.authorities.onChange(use);
      credentials.serving?.onChange(pair.set);
      // Changes since the server was started.
      if (credentials.serving) pair.set(credentials.serving.get());
      use();
      if (rotation && !credentials.serving) await rotateCertificate(rotation, kept, pair.set, signal);
    },
  };
}

function rotationOf(
  { certificateDirectory }: ServingSettings,
  { credentials, ...dependencies }: ServingDependencies,
): RotatingCertificateDependencies | undefined {
  if (certificateDirectory === undefined) return undefined;
  const { nodeName, nodeIPs } = dependencies;
  return {
    ...dependencies,
    authorities: credentials.authorities,
    file: `${certificateDirectory}/kubelet-server-current.pem`,
    wish: { nodeName, signerName: 'kubernetes.io/kubelet-serving', dnsNames: [nodeName], addresses: nodeIPs },
  };
}

/** The certificate of an earlier start, if it still contains all names and addresses. */
async function findKept(
  rotation: RotatingCertificateDependencies,
  { nodeName, nodeIPs }: ServingDependencies,
): Promise<ServingCertificate | undefined> {
  const pair = await readCertificate(rotation);
  return pair && namesAll(pair, [nodeName], nodeIPs) ? pair : undefined;
}
