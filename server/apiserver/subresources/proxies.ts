import type { APIResponse } from '../../../api/client/transport.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { randomInt } from '../../../api/base/random.ts';
import type { KubeObject } from '../../../api/meta/object.ts';
import { badRequest, methodNotAllowed, serviceUnavailable } from '../../../api/meta/status-errors.ts';
import { refuseDryRun } from './subresource-response.ts';
import { StatusError } from '../../../api/meta/status.ts';
import { endpoints } from '../../../api/resources/core/v1/endpoints.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { services } from '../../../api/resources/core/v1/service.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { Endpoints, Node, Pod, Service } from '../../../api/types/core-v1.ts';
import type { RequestContext } from '../request/request-context.ts';
import { targetOf } from './kubelet-target.ts';
import { rewriteHTML } from './proxy-html.ts';
import { parseProxyName, rewriteLink, rewriteLocation, splitProxyPath } from './proxy-location.ts';
import type { DialTarget, SubresourceDependencies, SubresourceHandler } from './subresource.ts';

type Locate = (context: RequestContext, dependencies: SubresourceDependencies) => Promise<DialTarget>;

/** Passes HTTP on to a Pod. */
export const podProxy = defineProxy(pods, async (context, dependencies) => {
  const { scheme, name, port } = parseProxyName(context.info.name, 'pod');
  const pod = await read<Pod>(dependencies, pods, context, context.info.namespace, name);
  const host = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '';
  if (host === '') throw badRequest('address not allowed');
  const declared = (pod.spec?.containers ?? []).find(({ ports }) => (ports ?? []).length > 0)?.ports?.[0]?.containerPort;
  return toTarget(scheme, host, port === '' ? declared : portNumber(port));
});

/** Proxies HTTP to one of the ready endpoints of a Service. */
export const serviceProxy = defineProxy(services, async (context, dependencies) => {
  const { scheme, name, port } = parseProxyName(context.info.name, 'service');
  const { namespace } = context.info;
  const service = await read<Service>(dependencies, services, context, namespace, name);
  const portName = servicePortName(service, port);
  if (portName === undefined) throw serviceUnavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`);
  const { subsets = [] } = await read<Endpoints>(dependencies, endpoints, context, namespace, name);
  if (subsets.length === 0) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const candidates = subsets.flatMap(({ addresses = [], ports = [] }) => {
    const found = ports.find((candidate) => (candidate.name ?? '') === portName);
    return found ? addresses.map(({ ip }) => ({ ip, port: found.port })) : [];
  });
  const chosen = candidates[randomInt(dependencies.random, candidates.length)];
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  return toTarget(scheme, chosen.ip, chosen.port);
});

/** Passes HTTP on to a node's kubelet, or to another port of the node. */
export const nodeProxy = defineProxy(nodes, async (context, dependencies) => {
  const { scheme, name, port } = parseProxyName(context.info.name, 'node');
  const node = await read<Node>(dependencies, nodes, context, '', name);
  const kubelet = targetOf(node);
  if (port === '' || Number(port) === kubelet.port) return kubelet;
  return toTarget(scheme, kubelet.host, portNumber(port));
});

function toTarget(scheme: string, host: string, port: number | undefined): DialTarget {
  const isSecure = scheme === 'https';
  return { scheme: isSecure ? 'https' : 'http', host, port: port ?? (isSecure ? 443 : 80), refuseLocal: true };
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

/** The name of the requested port of the Service, which its endpoints use too: found by number or by name, or the only unnamed port. */
function servicePortName({ spec }: DeepReadonly<Service>, wanted: string): string | undefined {
  const ports = spec?.ports ?? [];
  if (/^\d+$/.test(wanted))
    return ports.find(({ port }) => port === Number(wanted))?.name ?? (ports.some(({ port }) => port === Number(wanted)) ? '' : undefined);
  if (wanted === '') return ports.length === 1 ? (ports[0]?.name ?? '') : '';
  return ports.find(({ name }) => name === wanted)?.name;
}

async function read<T extends KubeObject>(
  { storeFor }: SubresourceDependencies,
  definition: ResourceDefinition<T>,
  { signal }: RequestContext,
  namespace: string,
  name: string,
): Promise<DeepReadonly<T>> {
  const store = storeFor(definition);
  return store.read(await store.get({ namespace, name }, signal)) as unknown as DeepReadonly<T>;
}

/** The methods that are routed; others would be the backend's own. */
const methods: ReadonlySet<string> = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']);

function defineProxy<T extends KubeObject>(definition: ResourceDefinition<T>, locate: Locate): SubresourceHandler {
  return {
    group: definition.group,
    resource: definition.names.plural,
    subresource: 'proxy',
    async handle(context, dependencies) {
      const { request, info } = context;
      if (!methods.has(request.method)) throw methodNotAllowed();
      refuseDryRun(context);
      const { path, prefix } = splitProxyPath(request.path, info);
      const store = dependencies.storeFor(definition);
      const options = { kind: `${definition.names.kind}ProxyOptions`, apiVersion: 'v1', metadata: {}, ...(path === '' ? {} : { path }) };
      await dependencies.admit({ context, operation: 'CONNECT', store, subresource: info.subresource, object: options, dryRun: false });
      const target = await locate(context, dependencies);
      const isRead = request.method === 'GET' || request.method === 'HEAD';
      if (path === '' && isRead && request.headers['upgrade'] === undefined) {
        const location = `${request.path}/${request.query === '' ? '' : `?${request.query}`}`;
        return { status: 301, headers: { location }, body: { kind: 'none' } };
      }
      return forward(context, dependencies, target, path === '' ? '/' : path, prefix);
    },
  };
}

async function forward(
  { request, signal }: RequestContext,
  { dialer }: SubresourceDependencies,
  target: DialTarget,
  path: string,
  prefix: string,
): Promise<APIResponse> {
  const forwarded: Record<string, string> = {
    'x-forwarded-uri': request.path,
    ...(request.headers['host'] === undefined ? {} : { 'x-forwarded-host': request.headers['host'] }),
    ...(request.peer === undefined ? {} : { 'x-forwarded-for': request.peer.address }),
  };
  const { host: _host, ...headers } = request.headers;
  try {
    const response = await dialer.send(target, {
      method: request.method,
      path,
      query: request.query,
      headers: { ...headers, ...forwarded },
      ...(request.body ? { body: request.body } : {}),
      ...(request.incoming ? { incoming: request.incoming } : {}),
      canUpgrade: request.canUpgrade === true,
      signal,
    });
    const backend = target.host.includes(':') ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`;
    const { location } = response.headers;
    if (location === undefined)
      return request.method === 'HEAD' ? response : rewriteHTML(response, (address) => rewriteLink(address, prefix, backend));
    return { ...response, headers: { ...response.headers, location: rewriteLocation(location, prefix, backend) } };
  } catch (error) {
    if (error instanceof StatusError || signal.aborted) throw error;
    throw serviceUnavailable(`error trying to reach service: ${error instanceof Error ? error.message : String(error)}`);
  }
}
