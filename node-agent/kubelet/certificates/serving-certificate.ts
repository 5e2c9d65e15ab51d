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
  /** Absolute; where certificates are kept that the cluster gave. With it the kubelet asks for one to serve with. */
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
  /** Has the server use each new one, and the authorities of the moment, until the signal is aborted. */
  run(server: Pick<KubeletServer, 'useCertificate'>, signal: AbortSignal): Promise<void>;
}

/** From files, from the cluster, or, until that has answered, one that nobody vouches for. */
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

/** The one of an earlier start, if it still names all that it is to name. */
async function findKept(
  rotation: RotatingCertificateDependencies,
  { nodeName, nodeIPs }: ServingDependencies,
): Promise<ServingCertificate | undefined> {
  const pair = await readCertificate(rotation);
  return pair && namesAll(pair, [nodeName], nodeIPs) ? pair : undefined;
}
