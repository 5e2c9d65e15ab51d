import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { badRequest } from '../../../api/meta/status-errors.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import type { RequestContext } from '../request/request-context.ts';
import type { SubresourceDependencies } from './subresource.ts';

/** The Pod that the request's path names. */
export async function readPod({ info, signal }: RequestContext, { storeFor }: SubresourceDependencies): Promise<DeepReadonly<Pod>> {
  const store = storeFor(pods);
  return store.read(await store.get({ namespace: info.namespace, name: info.name }, signal)) as unknown as DeepReadonly<Pod>;
}

const namesOf = (containers: readonly { readonly name: string }[] | undefined) => (containers ?? []).map(({ name }) => name);

/** The container of the request: the named one, or the only one. Throws 400 if the choice is not clear. */
export function chooseContainer({ metadata, spec }: DeepReadonly<Pod>, wanted: string): string {
  const podName = metadata.name ?? '';
  const [names, initNames, ephemeralNames] = [namesOf(spec?.containers), namesOf(spec?.initContainers), namesOf(spec?.ephemeralContainers)];
  if (wanted !== '') {
    if ([...names, ...initNames, ...ephemeralNames].includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${podName}`);
  }
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  let message = `a container name must be specified for pod ${podName}`;
  if (names.length > 0) message += `, choose one of: [${names.join(' ')}]`;
  if (initNames.length > 0) message += ` or one of the init containers: [${initNames.join(' ')}]`;
  if (ephemeralNames.length > 0) message += ` or one of the ephemeral containers: [${ephemeralNames.join(' ')}]`;
  throw badRequest(message);
}
