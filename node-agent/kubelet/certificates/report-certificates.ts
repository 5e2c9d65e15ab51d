import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { WatchedValue } from '../../../api/base/watched-value.ts';
import type { Client } from '../../../api/client/client.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { formatNodeCertificates, nodeCertificatesAnnotation } from '../../../api/semantics/certificates/cluster-authorities.ts';
import { describeCertificates } from './authorities.ts';
import type { NodeCredentials } from './node-credentials.ts';

interface ReportDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly credentials: Pick<NodeCredentials, 'authorities' | 'client'>;
  /** PEM of the certificate that is served with. */
  readonly serving: WatchedValue<string>;
}

/** Time after which the report is repeated: the annotation may have been removed, or the Node. */
const repeatMs = 5 * 60_000;
const retryMs = 3000;

/**
 * Keeps an annotation of the Node up to date with the authorities that the node trusts and uses: the control plane reads it before an
 * authority is dropped. Ends with the signal; never rejects.
 */
export async function reportCertificates(dependencies: ReportDependencies, signal: AbortSignal): Promise<void> {
  const { client, clock, logger, nodeName, credentials, serving } = dependencies;
  let wake = new AbortController();
  for (const value of [credentials.authorities, credentials.client, serving]) value.onChange(() => wake.abort());
  while (!signal.aborted) {
    let pauseMs = repeatMs;
    wake = new AbortController();
    try {
      const facts = describeCertificates(credentials.authorities.get(), credentials.client.get(), serving.get());
      const body = { metadata: { annotations: { [nodeCertificatesAnnotation]: formatNodeCertificates(facts) } } };
      await client(nodes).patch({ namespace: '', name: nodeName }, { type: 'merge', body });
    } catch (error) {
      pauseMs = retryMs;
      if (!signal.aborted) logger.debug('the node could not state its certificates yet', { error });
    }
    await sleep(clock, pauseMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined); // aborted or woken
  }
}
