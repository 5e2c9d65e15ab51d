import type { Client } from '../../../api/client/client.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { Lister } from '../../../api/client/informers/informer.ts';
import type { APIResponse } from '../../../api/client/transport.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { formatDuration } from '../../../api/meta/duration.ts';
import { hasReason } from '../../../api/meta/status.ts';
import type { KubeObject, UntypedObject } from '../../../api/meta/object.ts';
import { methodNotAllowed, notFound, resourceNotServed } from '../../../api/meta/status-errors.ts';
import { formatTime } from '../../../api/meta/time.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { nodeMetrics, podMetrics } from '../../../api/resources/metrics/v1beta1/metrics.ts';
import { clusterRoles } from '../../../api/resources/rbac/v1/cluster-role.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import type { GroupServer } from '../routing/group-server.ts';
import { objectResponse, plainListResponse } from '../responses/object-response.ts';
import { checkRoute } from '../responses/route-media-types.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { UsageSampler } from './usage-sampler.ts';
import { nodeUsage, podUsage, type Usage } from './usage-window.ts';

interface MetricsAPIDependencies {
  /** Acts as the API server itself. */
  readonly client: Client;
  readonly apiServices: Lister<APIService>;
  readonly sampler: UsageSampler;
}

const group = 'metrics.k8s.io';
const served = [nodeMetrics, podMetrics] as unknown as readonly ResourceDefinition[];

const none: readonly ResourceDefinition[] = [];

/**
 * Serves metrics.k8s.io/v1beta1 from the kubelets' /metrics/resource, as metrics-server would. If an APIService names another server for
 * the group, that server serves it.
 */
export function createMetricsServer(dependencies: MetricsAPIDependencies): GroupServer {
  const { apiServices, client, sampler } = dependencies;
  const isServedElsewhere = () => apiServices.find({ namespace: '', name: `v1beta1.${group}` })?.spec?.service !== undefined;
  return {
    serves: ({ apiGroup }) => apiGroup === group && !isServedElsewhere(),
    handle: (context) => answer(context, dependencies),
    definitions: () => (isServedElsewhere() ? none : served),
    async start(signal) {
      sampler.start(signal);
      await ensureReaderRole(client);
    },
  };
}

async function answer(context: RequestContext, dependencies: MetricsAPIDependencies): Promise<APIResponse> {
  const { info, request } = context;
  const definition = served.find(({ version, names }) => version === info.apiVersion && names.plural === info.resource);
  const depth = info.parts.length;
  if (!definition || depth > 2 || info.parts.includes('') || info.subresource !== '') throw resourceNotServed();
  const isNamespaced = definition.scope === 'Namespaced';
  if ((info.namespace !== '' && !isNamespaced) || (depth === 2 && isNamespaced && info.namespace === '')) throw resourceNotServed();
  if (request.method !== 'GET' || (info.verb !== 'get' && info.verb !== 'list')) throw methodNotAllowed();
  checkRoute(context);
  const measure = isNamespaced ? measurePods : measureNodes;
  if (info.verb === 'list') return plainListResponse(context, definition, await measure(context, dependencies));
  const [found] = await measure(context, dependencies, info.name);
  const shown = isNamespaced ? `${info.namespace}/${info.name}` : info.name;
  if (!found) throw notFound({ group, resource: definition.names.kind.toLowerCase() }, shown);
  return objectResponse(context, definition, { read: () => found });
}

/** The Nodes or Pods that a request asks for: one by name, or those that its selectors match. */
async function subjects<T extends KubeObject>(
  { info, query, signal }: RequestContext,
  client: Client,
  definition: ResourceDefinition<T>,
  name: string | undefined,
): Promise<readonly T[]> {
  if (name !== undefined) {
    const found = await ignoreNotFound(client(definition).get({ namespace: info.namespace, name }, { signal }));
    return found ? [found] : [];
  }
  const options = { labelSelector: query.get('labelSelector') ?? '', fieldSelector: query.get('fieldSelector') ?? '' };
  return (await client(definition).list({ namespace: info.namespace, resourceVersion: '0', ...options, signal })).items;
}

type Measure = (context: RequestContext, dependencies: MetricsAPIDependencies, name?: string) => Promise<UntypedObject[]>;

const measureNodes: Measure = async (context, { client, sampler }, name) => {
  const windows = await sampler.windows();
  return (await subjects(context, client, nodes, name)).flatMap((node) => {
    const window = windows.get(node.metadata.name ?? '');
    const usage = window && nodeUsage(window);
    return usage ? [{ ...head('NodeMetrics', node, usage), usage: usage.usage }] : [];
  });
};

const measurePods: Measure = async (context, { client, sampler }, name) => {
  const windows = await sampler.windows();
  return (await subjects(context, client, pods, name)).flatMap((pod) => {
    const window = windows.get(pod.spec?.nodeName ?? '');
    const usages = window && podUsage(window, `${pod.metadata.namespace}/${pod.metadata.name}`);
    if (!usages) return [];
    // The shortest window shows how old the values can be; all windows end within milliseconds.
    const [shortest] = [...usages.values()].sort((a, b) => a.windowMs - b.windowMs);
    if (!shortest) return [];
    return [
      { ...head('PodMetrics', pod, shortest), containers: [...usages].map(([container, { usage }]) => ({ name: container, usage })) },
    ];
  });
};

function head(kind: string, { metadata }: DeepReadonly<KubeObject>, { endMs, windowMs }: Usage): UntypedObject {
  const { name, namespace, labels, creationTimestamp } = metadata;
  return {
    kind,
    apiVersion: `${group}/v1beta1`,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace ? { namespace } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
      ...(labels ? { labels } : {}),
    },
    timestamp: formatTime(endMs),
    window: formatDuration(windowMs),
  };
}

/** Creates the role that lets users with the role view see resource usage, as an installation of metrics-server does. */
async function ensureReaderRole(client: Client): Promise<void> {
  const labels = Object.fromEntries(['admin', 'edit', 'view'].map((role) => [`rbac.authorization.k8s.io/aggregate-to-${role}`, 'true']));
  try {
    await client(clusterRoles).create({
      metadata: { name: 'system:aggregated-metrics-reader', labels },
      rules: [{ apiGroups: [group], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
    });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}
