import type { Lister } from '../../../api/client/informers/informer.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import type { RequestInfo } from '../request/request-context.ts';

/** An APIService whose group version a Service of the cluster serves. */
export type RemoteAPIService = DeepReadonly<APIService> & { readonly spec: NonNullable<DeepReadonly<APIService>['spec']> };

/** The APIServices whose requests are passed on to Services. */
export interface Delegations {
  /** The APIService that a request is for; undefined: this server answers it itself. */
  find(info: Pick<RequestInfo, 'isResourceRequest' | 'apiPrefix' | 'apiGroup' | 'apiVersion' | 'path'>): RemoteAPIService | undefined;
  list(): readonly RemoteAPIService[];
}

/** The group whose APIService must stay reachable, because broken ones are mended through it. */
const ownGroup = 'apiregistration.k8s.io';

/** The core group and the group of APIServices are never passed on. */
export function isRemote(service: DeepReadonly<APIService>): service is RemoteAPIService {
  const { service: target, group = '' } = service.spec ?? {};
  return target !== undefined && group !== '' && group !== ownGroup;
}

export function createDelegations(apiServices: Lister<APIService>): Delegations {
  let version = -1;
  let list: readonly RemoteAPIService[] = [];
  let byGroupVersion: ReadonlyMap<string, RemoteAPIService> = new Map();
  const refresh = () => {
    if (apiServices.version() === version) return;
    version = apiServices.version();
    list = apiServices.list().filter(isRemote);
    byGroupVersion = new Map(list.map((service) => [`${service.spec.group}/${service.spec.version}`, service]));
  };
  return {
    find(info) {
      refresh();
      if (list.length === 0) return undefined;
      if (info.isResourceRequest) return info.apiPrefix === 'apis' ? byGroupVersion.get(`${info.apiGroup}/${info.apiVersion}`) : undefined;
      const [, prefix, group, groupVersion, ...rest] = info.path.split('/');
      return prefix === 'apis' && rest.every((part) => part === '') ? byGroupVersion.get(`${group}/${groupVersion}`) : undefined;
    },
    list() {
      refresh();
      return list;
    },
  };
}
