import { createChannelPair } from '../../../../api/client/channel-pair.ts';
import type { Client } from '../../../../api/client/client.ts';
import { readBody } from '../../../../api/client/read-body.ts';
import type { Status } from '../../../../api/meta/status.ts';
import type { UserInfo } from '../../../../api/meta/user-info.ts';
import { nodes } from '../../../../api/resources/core/v1/node.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import type { Pod, PodSpec } from '../../../../api/types/core-v1.ts';
import { startCompleteServer } from '../../testing/complete-server.ts';
import type { Dialer, DialTarget } from '../subresource.ts';

export type Dialed = Parameters<Dialer['send']>[1] & { readonly target: DialTarget };

/** A network in which every address answers with the request that it got. */
function createEchoDialer(dialed: Dialed[]): Dialer {
  return {
    async send(target, request) {
      dialed.push({ ...request, target });
      const { upgrade } = request.headers;
      if (request.canUpgrade && upgrade !== undefined)
        return { status: 101, headers: { upgrade }, body: { kind: 'none' }, upgrade: () => {} };
      if (request.path === '/moved') {
        return { status: 302, headers: { location: `http://${target.host}:${target.port}/there` }, body: { kind: 'none' } };
      }
      const isMissing = request.path.endsWith('/absent');
      const text = isMissing ? 'container "app" in pod "web" is waiting to start: ContainerCreating' : `${request.path}?${request.query}`;
      return {
        status: isMissing ? 400 : 200,
        headers: { 'content-type': 'text/plain' },
        body: { kind: 'bytes', bytes: new TextEncoder().encode(text) },
      };
    },
  };
}

interface SendOptions {
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly user?: UserInfo;
}

export interface SubresourceServer {
  readonly client: Client;
  as(name: string, ...groups: string[]): Client;
  /** The requests to the network so far. */
  readonly dialed: Dialed[];
  /** Sends one request as a network client does. */
  send(
    method: string,
    path: string,
    options?: SendOptions,
  ): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly text: string; object(): Status }>;
  /** A Pod in the namespace default. */
  createPod(name: string, spec?: Partial<PodSpec>, labels?: Record<string, string>): Promise<Pod>;
  /** Creates a ready Pod on the node `one`. */
  runPod(name: string, labels: Record<string, string>): Promise<Pod>;
  close(): Promise<void>;
}

/** A complete server with a node `one`, in a network that echoes requests. */
export async function startSubresourceServer(): Promise<SubresourceServer> {
  const dialed: Dialed[] = [];
  const { server, admin: client, as, close } = await startCompleteServer(createEchoDialer(dialed));
  const node = await client(nodes).create({ metadata: { name: 'one' } });
  await client(nodes).updateStatus({
    ...node,
    status: { addresses: [{ type: 'InternalIP', address: '192.0.2.7' }], daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } } },
  });
  const createPod: SubresourceServer['createPod'] = (name, spec = {}, labels = {}) =>
    client(pods).create({
      metadata: { namespace: 'default', name, labels },
      spec: { containers: [{ name: 'app', image: 'app' }], ...spec },
    });
  return {
    client,
    as,
    dialed,
    close,
    createPod,
    async runPod(name, labels) {
      const pod = await createPod(name, { nodeName: 'one' }, labels);
      const conditions = [{ type: 'Ready', status: 'True' as const }];
      return client(pods).updateStatus({
        ...pod,
        status: { phase: 'Running', podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }], conditions },
      });
    },
    async send(method, path, { query = '', body, headers = {}, user = { name: 'admin', groups: ['system:masters'] } } = {}) {
      const response = await server.transport({
        method,
        path,
        query,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: new TextEncoder().encode(JSON.stringify(body)) }),
        signal: new AbortController().signal,
        user,
        canUpgrade: true,
      });
      const [near, far] = createChannelPair();
      response.upgrade?.(near);
      far.destroy();
      const text = new TextDecoder().decode(await readBody(response.body));
      return { status: response.status, headers: response.headers, text, object: () => JSON.parse(text) as Status };
    },
  };
}
