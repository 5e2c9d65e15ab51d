import { benchResources, createTemplate, namespace, objectName } from '../objects.ts';
import type { ScenarioContext } from './scenario.ts';

/** The large store: Pods spread over so many namespaces. */
const shards = 20;

export const shardNamespace = (shard: number): string => `${namespace}-${shard}`;
export const shardNamespaces = (): string[] => Array.from({ length: shards }, (_, shard) => shardNamespace(shard));
export const podsPerShard = (pods: number): number => Math.ceil(pods / shards);

export const allPods = '/api/v1/pods';
export const podsOfShard = (shard: number): string => benchResources.pods.collection(shardNamespace(shard));

/** Pods of one namespace carry one label, so that a selector over all finds those. */
export const shardSelector = (shard: number): string => `labelSelector=${encodeURIComponent(`shard=${shard}`)}`;

export async function fillLargeStore({ session, settings, observe }: ScenarioContext): Promise<void> {
  for (const [shard, name] of shardNamespaces().entries()) {
    await session.ensureNamespace(name);
    const template = {
      ...createTemplate(benchResources.pods, name),
      body: benchResources.pods.body(objectName, { bench: 'true', shard: String(shard) }),
    };
    const { errors } = await observe({
      kind: 'requests',
      endpoint: session.endpoint,
      protocol: 'h1',
      concurrency: 32,
      template,
      warmupSeconds: 0,
      seconds: 600,
      first: 0,
      count: podsPerShard(settings.pods),
      cycle: false,
    });
    if (Object.keys(errors).length > 0) throw new Error(`pods could not be created: ${JSON.stringify(errors)}`);
  }
}
