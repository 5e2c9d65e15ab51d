import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '../../api/base/system-clock.ts';
import type { Client } from '../../api/client/client.ts';
import { createClient } from '../../api/client/create-client.ts';
import { createHTTPTransport } from '../../api/client/http-transport.ts';
import { readBody } from '../../api/client/read-body.ts';
import type { Transport } from '../../api/client/transport.ts';
import type { RawAnswer, RawRequest } from './conformance-context.ts';

/** A cluster reached by the current context of a kubeconfig. */
export interface Cluster {
  readonly kubeConfig: KubeConfig;
  readonly client: Client;
  readonly transport: Transport;
  request(method: string, path: string, options?: RawRequest): Promise<RawAnswer>;
  close(): void;
}

/** Reads a kubeconfig with the official client (files, exec plugins, tokens, certificates) and makes our typed client of it. */
export async function connectCluster(kubeconfigFile: string): Promise<Cluster> {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(kubeconfigFile);
  const cluster = kubeConfig.getCurrentCluster();
  if (!cluster) throw new Error(`${kubeconfigFile} has no current cluster`);
  const options: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(options);
  const authorization = authorizationOf(options);
  const { transport, close } = createHTTPTransport({
    server: cluster.server,
    clock: systemClock,
    ...(isPEM(options.ca) ? { ca: options.ca } : {}),
    ...(isPEM(options.cert) && isPEM(options.key) ? { certificate: options.cert, key: options.key } : {}),
    ...(authorization === undefined ? {} : { token: () => authorization }),
    ...(cluster.tlsServerName ? { serverName: cluster.tlsServerName } : {}),
    insecureSkipTLSVerify: cluster.skipTLSVerify ?? false,
  });
  const client = createClient(transport, { userAgent: 'kubets-conformance' });
  return { kubeConfig, client, transport, close, request: (...call) => sendRaw(transport, ...call) };
}

const isPEM = (value: unknown): value is string | Uint8Array => typeof value === 'string' || value instanceof Uint8Array;

function authorizationOf(options: RequestOptions): string | undefined {
  const headers = options.headers;
  const value = headers && !Array.isArray(headers) ? (headers as Record<string, unknown>)['Authorization'] : undefined;
  return typeof value === 'string' ? value.replace(/^Bearer /, '') : undefined;
}

async function sendRaw(transport: Transport, method: string, path: string, options: RawRequest = {}): Promise<RawAnswer> {
  const headers: Record<string, string> = { accept: options.accept ?? 'application/json' };
  if (options.body !== undefined) headers['content-type'] = options.contentType ?? 'application/json';
  const { body } = options;
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const signal = AbortSignal.timeout(60_000);
  const response = await transport({ method, path, query: options.query ?? '', headers, ...(bytes ? { body: bytes } : {}), signal });
  const text = new TextDecoder().decode(await readBody(response.body));
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
}
