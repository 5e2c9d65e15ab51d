import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { startAPIServerInProcess, type TestAPIServer, type TestAPIServerOptions } from '../../apiserver/testing/start-api-server.ts';
import { clientCertificate, type KeyPairPEM, serverCertificate } from '../../pki/certificate-spec.ts';
import { makeCertificate } from '../../pki/make-certificate.ts';
import { serve, type ServingEndpoint } from '../serve.ts';

export interface ServedServer {
  readonly server: TestAPIServer;
  readonly endpoint: ServingEndpoint;
  /** A member of system:masters, inside the process. */
  readonly client: Client;
  readonly host: string;
  /** TLS options of a client, with the certificate of a user: by default a member of system:masters. */
  credentials(user?: { readonly name: string; readonly groups: readonly string[] }): Promise<Credentials>;
  close(): Promise<void>;
}

export interface Credentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const masters = { name: 'kubernetes-admin', groups: ['system:masters'] };

/** An API server with a store in memory behind real sockets. */
export async function startServedServer(options: TestAPIServerOptions = {}): Promise<ServedServer> {
  const making = { clock: systemClock, random: systemRandom };
  const server = await startAPIServerInProcess(options);
  const { clusterCA } = server;
  const spec = serverCertificate({ clusterDomain: 'cluster.local', serviceAddresses: ['10.96.0.1'], hostNames: [], addresses: [] });
  const endpoint = await serve({
    transport: server.transport,
    host: '127.0.0.1',
    port: 0,
    certificate: await makeCertificate(spec, clusterCA, making),
    clientCAsPEM: [clusterCA.certificatePEM],
    clock: systemClock,
    logger: silentLogger,
  });
  const made = new Map<string, Promise<KeyPairPEM>>();
  return {
    server,
    endpoint,
    client: createClient(server.transport, { user: masters }),
    host: `127.0.0.1:${endpoint.port}`,
    async credentials({ name, groups } = masters) {
      const pair = made.get(name) ?? makeCertificate(clientCertificate(name, [...groups]), clusterCA, making);
      made.set(name, pair);
      const { certificatePEM, keyPEM } = await pair;
      return { ca: clusterCA.certificatePEM, cert: certificatePEM, key: keyPEM };
    },
    async close() {
      await Promise.all([server.close(), endpoint.close(1000)]);
    },
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Sends one request over HTTP/1.1 with exactly this target. */
export async function ask(
  { host, credentials }: ServedServer,
  target: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string | Buffer;
    readonly agent?: https.Agent;
  } = {},
): Promise<RawAnswer> {
  const [hostname, port] = host.split(':');
  const { method = 'GET', headers = {}, body, agent = false } = options;
  const request = https.request({ hostname, port, path: target, method, headers, agent, ...(await credentials()) });
  request.end(body);
  const [response]: IncomingMessage[] = await once(request, 'response');
  if (response === undefined) throw new Error('no response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}
