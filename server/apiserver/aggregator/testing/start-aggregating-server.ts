import { systemClock } from '../../../../api/base/system-clock.ts';
import { systemRandom } from '../../../../api/base/system-random.ts';
import { createOpenAPIDocuments } from '../../../control-plane/openapi-documents.ts';
import { machineAddress } from '../../../control-plane/addresses.ts';
import { clientCertificate, type KeyPairPEM } from '../../../pki/certificate-spec.ts';
import { makeCertificate } from '../../../pki/make-certificate.ts';
import { createSecureDialer } from '../../../serving/secure-dialer.ts';
import { ask, type ServedServer, startServedServer } from '../../../serving/testing/start-served-server.ts';
import type { AggregationOptions } from '../aggregator.ts';
import type { Ask } from './aggregation-cases.ts';
import { type ExtensionServer, startExtensionServer } from './extension-server.ts';

export interface AggregatingServer {
  readonly served: ServedServer;
  readonly extension: ExtensionServer;
  readonly ask: Ask;
  close(): Promise<void>;
}

/** An API server behind real sockets and an extension server beside it; undefined: the machine has no address but those of its loopback. */
export async function startAggregatingServer(
  isOwnEndpoint = (_host: string, _port: number): boolean => false,
  options: Pick<AggregationOptions, 'isIdentityHeader'> = {},
): Promise<AggregatingServer | undefined> {
  const address = machineAddress();
  if (address.startsWith('127.')) return undefined;
  const dialer = createSecureDialer({ clock: systemClock });
  const identity: { pair?: KeyPairPEM } = {};
  const served = await startServedServer({
    overrides: {
      openAPI: createOpenAPIDocuments(),
      aggregation: {
        ...options,
        dialer,
        isOwnEndpoint,
        clientCertificate() {
          if (!identity.pair) throw new Error('there is no certificate yet');
          return identity.pair;
        },
      },
    },
  });
  identity.pair = await makeCertificate(clientCertificate('front-proxy-client'), served.server.frontProxyCA, {
    clock: systemClock,
    random: systemRandom,
  });
  const extension = await startExtensionServer(address, ['api.ext.svc']);
  return {
    served,
    extension,
    ask: (method, target, { headers = {}, body } = {}) =>
      ask(served, target, {
        method,
        headers: { accept: 'application/json', ...headers } as Record<string, string>,
        ...(body === undefined ? {} : { body }),
      }),
    async close() {
      await extension.close();
      await served.close();
      dialer.close();
    },
  };
}
