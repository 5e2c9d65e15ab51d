import assert from 'node:assert/strict';
import type { Client } from '../../api/client/client.ts';
import { keyOf, type KubeObject } from '../../api/meta/object.ts';
import type { ResourceDefinition } from '../../api/resource/resource-definition.ts';
import type { ObjectMeta } from '../../api/types/meta-v1.ts';
import { take } from './take.ts';

interface CRUDLifecycle<T extends KubeObject> {
  readonly client: Client;
  readonly resource: ResourceDefinition<T>;
  /** '' for objects of the cluster. */
  readonly namespace: string;
  /** A label that is unique in the cluster and identifies the objects. */
  readonly label: string;
  make(metadata: ObjectMeta): T;
}

/** Creates, reads, lists, watches, patches, updates and deletes objects of a kind, one and then the rest at once. */
export async function runThroughLifecycle<T extends KubeObject>({
  client,
  resource,
  namespace,
  label,
  make,
}: CRUDLifecycle<T>): Promise<void> {
  const api = client(resource);
  const labelSelector = `conformance-crud=${label}`;
  const scope = namespace === '' ? {} : { namespace };
  const { metadata } = await api.list({ ...scope, labelSelector });
  const watch = api.watch({ ...scope, labelSelector, resourceVersion: metadata.resourceVersion ?? '' });
  const seen = take(8, watch, { withinSeconds: 60 });
  const names = ['a', 'b', 'c'].map((suffix) => `${label}-${suffix}`);
  const created: T[] = [];
  for (const name of names) created.push((await api.create(make({ ...scope, name, labels: { 'conformance-crud': label } }))) as T);
  const [first] = created;
  if (first === undefined) throw new Error('nothing was created');
  const key = keyOf(first);
  const got = await api.get(key);
  assert.equal(got.metadata.uid, first.metadata.uid);
  const listed = await api.list({ ...scope, labelSelector });
  assert.deepEqual(listed.items.map((item) => item.metadata.name).sort(), names);
  const patched = await api.patch(key, { type: 'merge', body: { metadata: { annotations: { patched: 'true' } } } });
  assert.equal(patched.metadata.annotations?.['patched'], 'true');
  const fresh = structuredClone(await api.get(key)) as T;
  const updated = await api.update({
    ...fresh,
    metadata: { ...fresh.metadata, annotations: { ...fresh.metadata.annotations, updated: 'true' } },
  });
  assert.deepEqual([updated.metadata.annotations?.['patched'], updated.metadata.annotations?.['updated']], ['true', 'true']);
  await api.delete(key);
  await api.deleteCollection({ ...scope, labelSelector });
  assert.deepEqual((await api.list({ ...scope, labelSelector })).items, []);
  const types = (await seen).map(({ type }) => type);
  assert.deepEqual(types, ['ADDED', 'ADDED', 'ADDED', 'MODIFIED', 'MODIFIED', 'DELETED', 'DELETED', 'DELETED']);
}
