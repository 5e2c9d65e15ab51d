import assert from 'node:assert/strict';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { type Cluster } from '../../framework/connect-cluster.ts';
import type { TestCluster } from './cluster.ts';

/** How many creates are under way at once, and after how many answers the process is killed. */
const concurrent = 1000;
const killAfter = 400;

interface Known {
  readonly uid: string;
  readonly resourceVersion: string;
}

/**
 * Kills `kubets up` without warning in the middle of a thousand creates, starts it again on the same data dir, and checks
 * that every create that was acknowledged is there as it was acknowledged, and that a watch opened before goes on from its
 * last event without a gap and without a repetition.
 */
export async function killInCreates(cluster: TestCluster, namespace: string): Promise<{ acknowledged: number }> {
  const before = await cluster.connect();
  const start = (await before.client(configMaps).list({ namespace })).metadata.resourceVersion ?? '';
  const seen: Known[] = [];
  const watching = watchUntilCut(before, namespace, start, seen);
  const acknowledged = new Map<string, Known>();
  const reached = Promise.withResolvers<void>();
  // Each client sends another create as soon as one is answered, so that there are as many under way whenever the kill comes.
  const creating = Array.from({ length: concurrent }, async (_, lane) => {
    for (let turn = 0; ; turn++) {
      const name = `killed-${lane}-${turn}`;
      const { metadata } = await before.client(configMaps).create({ metadata: { namespace, name }, data: { name } });
      acknowledged.set(name, { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' });
      if (acknowledged.size === killAfter) reached.resolve();
    }
  });
  const settled = Promise.allSettled(creating);
  await Promise.race([reached.promise, settled]);
  await cluster.kill('SIGKILL');
  before.close();
  await settled;
  await watching;
  assert.ok(acknowledged.size >= killAfter, `only ${acknowledged.size} creates were acknowledged`);

  await cluster.start();
  const after = await cluster.connect();
  try {
    await checkObjects(after, namespace, acknowledged);
    await checkWatch(after, namespace, start, seen);
  } finally {
    after.close();
  }
  return { acknowledged: acknowledged.size };
}

async function watchUntilCut(cluster: Cluster, namespace: string, resourceVersion: string, seen: Known[]): Promise<void> {
  try {
    for await (const { object } of cluster.client(configMaps).watch({ namespace, resourceVersion })) {
      if (isOurs(object)) seen.push(knownOf(object));
    }
  } catch {
    // Cut off by the kill, as it must be.
  }
}

/** Controllers create their own ConfigMaps in a namespace. */
const isOurs = ({ metadata }: { readonly metadata: { readonly name?: string } }): boolean => metadata.name?.startsWith('killed-') ?? false;

const knownOf = ({ metadata }: { readonly metadata: { readonly uid?: string; readonly resourceVersion?: string } }): Known => ({
  uid: metadata.uid ?? '',
  resourceVersion: metadata.resourceVersion ?? '',
});

async function checkObjects({ client }: Cluster, namespace: string, acknowledged: ReadonlyMap<string, Known>): Promise<void> {
  const { items } = await client(configMaps).list({ namespace });
  const stored = new Map(items.map((object) => [object.metadata.name ?? '', object]));
  for (const [name, known] of acknowledged) {
    const object = stored.get(name);
    assert.ok(object, `${name} was acknowledged and is gone`);
    assert.deepEqual(knownOf(object), known, name);
    assert.equal(object.data?.['name'], name);
  }
}

/** The events that the watch saw before its end, and those from its last event on, are all events in order. */
async function checkWatch({ client }: Cluster, namespace: string, start: string, seen: readonly Known[]): Promise<void> {
  const { items } = await client(configMaps).list({ namespace });
  const made = items.filter(isOurs);
  const expected = made.map(knownOf).sort((a, b) => Number(a.resourceVersion) - Number(b.resourceVersion));
  const events = [...seen];
  const resourceVersion = seen.at(-1)?.resourceVersion ?? start;
  // A create after all others marks where to stop.
  await client(configMaps).create({ metadata: { namespace, name: 'end' } });
  const resumed = client(configMaps).watch({ namespace, resourceVersion, timeoutSeconds: 30 });
  for await (const { type, object } of resumed) {
    if (object.metadata.name === 'end') break;
    if (!isOurs(object)) continue;
    assert.equal(type, 'ADDED');
    events.push(knownOf(object));
  }
  assert.deepEqual(events, expected);
}
