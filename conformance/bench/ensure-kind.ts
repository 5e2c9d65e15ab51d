import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../framework/connect-cluster.ts';
import type { BenchResource } from './bench-resource.ts';
import { namespace } from './objects.ts';
import type { Session } from './session.ts';

export const definitionsPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const lookEveryMs = 20;
const withinMs = 300_000;

/** Asks until it is true; returns how long that took. */
export async function untilTrue(what: string, isTrue: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    if (await isTrue()) return performance.now() - startedMs;
    if (performance.now() - startedMs > withinMs) throw new Error(`not in time: ${what}`);
    await delay(lookEveryMs);
  }
}

/** Installs the CustomResourceDefinition of a kind that is not built in, and waits until it is served. */
export async function ensureKind({ cluster }: Pick<Session, 'cluster'>, resource: BenchResource): Promise<void> {
  if (!resource.definition) return;
  if (!(await install(cluster, resource.definition))) throw new Error(`the definition of ${resource.plural} was refused`);
  await untilTrue(
    `${resource.plural} are served`,
    async () => (await cluster.request('GET', resource.collection(namespace), { query: 'limit=1' })).status === 200,
  );
}

/** Creates a CustomResourceDefinition; false: it is not valid. */
export async function install(cluster: Cluster, definition: Readonly<Record<string, unknown>>): Promise<boolean> {
  const { status, text } = await cluster.request('POST', definitionsPath, { body: definition });
  if (status === 422 || status === 400) return false;
  if (status !== 201 && status !== 409) throw new Error(`a CustomResourceDefinition could not be created: ${text}`);
  return true;
}
