import { isSemanticallyEqual } from '../../../api/base/equality.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Client } from '../../../api/client/client.ts';
import { hasReason } from '../../../api/meta/status.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { groupVersionPriorities } from '../served/group-priorities.ts';

/** Label of APIServices that are kept by this server: `onstart` for built-in group versions, `true` for those of custom kinds. */
const managedLabel = 'kube-aggregator.kubernetes.io/automanaged';
/** Priorities of group versions of custom kinds. */
export const customPriorities = { groupPriorityMinimum: 1000, versionPriority: 100 };

/** The APIServices of the built-in group versions, without that of APIServices themselves. */
const builtInAPIServices: readonly APIService[] = groupVersionPriorities
  .filter(({ group }) => group !== 'apiregistration.k8s.io')
  .map(({ group, version, groupPriority, versionPriority }) =>
    localAPIService(group, version, 'onstart', { groupPriorityMinimum: groupPriority, versionPriority }),
  );

/** Names of the APIServices that are made at the start. */
export const builtInAPIServiceNames: readonly string[] = builtInAPIServices.map(({ metadata }) => metadata.name ?? '');

export function localAPIService(
  group: string,
  version: string,
  managed: 'onstart' | 'true',
  priorities: typeof customPriorities,
): APIService {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: `${version}.${group}`, labels: { [managedLabel]: managed } },
    spec: { ...(group === '' ? {} : { group }), version, ...priorities },
  };
}

type RegistrationStep =
  | { readonly do: 'nothing' }
  | { readonly do: 'create' | 'update'; readonly wanted: APIService }
  | { readonly do: 'delete' };

/**
 * The next step for one APIService. Those without the label belong to others. `isFirst`: the first check after the start, the only one that
 * creates, restores and removes built-in ones.
 */
export function planRegistration(
  present: DeepReadonly<APIService> | undefined,
  wanted: APIService | undefined,
  isFirst: boolean,
): RegistrationStep {
  const isOnce = (service: DeepReadonly<APIService> | undefined) => service?.metadata.labels?.[managedLabel] === 'onstart';
  if (isOnce(wanted) && !isFirst) return { do: 'nothing' };
  if (!present) return wanted ? { do: 'create', wanted } : { do: 'nothing' };
  const managed = present.metadata.labels?.[managedLabel];
  if (managed !== 'onstart' && managed !== 'true') return { do: 'nothing' };
  if (isOnce(present) && !isFirst) return { do: 'nothing' };
  if (!wanted) return { do: 'delete' };
  return isSemanticallyEqual(present.spec, wanted.spec) ? { do: 'nothing' } : { do: 'update', wanted };
}

/** Creates the APIServices of built-in group versions, once, and restores changed ones. Rejects if the store cannot be written. */
export async function ensureLocalAPIServices(client: Client): Promise<void> {
  const { items } = await client(apiServices).list({ resourceVersion: '0' });
  const present = new Map(items.map((service) => [service.metadata.name ?? '', service]));
  const spurious = items.filter(({ metadata }) => metadata.labels?.[managedLabel] === 'onstart').map(({ metadata }) => metadata.name ?? '');
  const wanted = new Map(builtInAPIServices.map((service) => [service.metadata.name ?? '', service]));
  const names = new Set([...wanted.keys(), ...spurious]);
  await Promise.all(
    [...names].map((name) => applyRegistration(planRegistration(present.get(name), wanted.get(name), true), present.get(name), client)),
  );
}

/** Reasons of failures after which the step is planned again: another client was faster. */
const overtaken = ['AlreadyExists', 'Conflict', 'NotFound'] as const;

export async function applyRegistration(
  step: RegistrationStep,
  present: DeepReadonly<APIService> | undefined,
  client: Client,
): Promise<void> {
  try {
    if (step.do === 'create') await client(apiServices).create(step.wanted);
    if (step.do === 'update' && present && step.wanted.spec)
      await client(apiServices).update({ ...(present as APIService), spec: step.wanted.spec });
    if (step.do === 'delete' && present) {
      const { name = '', uid = '' } = present.metadata;
      await client(apiServices).delete({ namespace: '', name }, { preconditions: { uid } });
    }
  } catch (error) {
    if (!overtaken.some((reason) => hasReason(error, reason))) throw error;
  }
}
