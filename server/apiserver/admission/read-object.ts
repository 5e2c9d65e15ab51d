import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { ignoreNotFound } from '../../../api/client/ignore-not-found.ts';
import type { KubeObject, ObjectKey } from '../../../api/meta/object.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import type { AdmissionDependencies } from './admission.ts';

type Readers = Pick<AdmissionDependencies, 'lister' | 'client'>;

/** Finds an object in the informer's store, or else asks the API for it. */
export async function findObject<T extends KubeObject>(
  { lister, client }: Readers,
  resource: ResourceDefinition<T>,
  key: ObjectKey,
): Promise<DeepReadonly<T> | undefined> {
  return lister(resource).find(key) ?? ((await ignoreNotFound(client(resource).get(key))) as DeepReadonly<T> | undefined);
}

/** As findObject; throws NotFound. */
export async function getObject<T extends KubeObject>(
  { lister, client }: Readers,
  resource: ResourceDefinition<T>,
  key: ObjectKey,
): Promise<DeepReadonly<T>> {
  return lister(resource).find(key) ?? ((await client(resource).get(key)) as DeepReadonly<T>);
}
