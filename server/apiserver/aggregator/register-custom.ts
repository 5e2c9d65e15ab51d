import type { Clock } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import type { InformerFactory } from '../../../api/client/informers/informer.ts';
import { createWorkQueue } from '../../../api/client/work-queue.ts';
import { apiServices } from '../../../api/resources/apiregistration/v1/api-service.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { CustomResourceDefinition } from '../../../api/types/apiextensions-v1.ts';
import type { APIService } from '../../../api/types/apiregistration-v1.ts';
import { applyRegistration, customPriorities, localAPIService, planRegistration } from '../bootstrap/api-services.ts';

interface RegistrationDependencies {
  /** Acts as the API server itself. */
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The APIService that a group version of custom kinds is to have; undefined: no CustomResourceDefinition serves it. */
function wantedForCustom(name: string, definitions: readonly DeepReadonly<CustomResourceDefinition>[]): APIService | undefined {
  const dot = name.indexOf('.');
  const [version, group] = [name.slice(0, dot), name.slice(dot + 1)];
  const isServed = definitions.some(({ spec }) => spec.group === group && spec.versions.some((one) => one.name === version && one.served));
  return isServed ? localAPIService(group, version, 'true', customPriorities) : undefined;
}

/** Keeps an APIService for each group version of custom kinds. Ends with the signal. */
export async function registerCustom({ client, informers, clock, logger }: RegistrationDependencies, signal: AbortSignal): Promise<void> {
  const [registered, custom] = [informers.informer(apiServices), informers.informer(customResourceDefinitions)];
  const queue = createWorkQueue({ clock });
  const addAll = ({ spec }: DeepReadonly<CustomResourceDefinition>) => {
    for (const { name } of spec.versions) queue.add(`${name}.${spec.group}`);
  };
  const add = ({ metadata }: DeepReadonly<APIService>) => queue.add(metadata.name ?? '');
  const stop = [
    custom.addHandler({
      onAdd: addAll,
      onDelete: addAll,
      onUpdate(now, old) {
        if (now.metadata.generation === old.metadata.generation) return;
        addAll(old);
        addAll(now);
      },
    }),
    registered.addHandler({ onAdd: add, onUpdate: add, onDelete: add }),
  ];
  signal.addEventListener('abort', () => queue.shutDown(), { once: true });
  for (let name = await queue.get(); name !== undefined; name = await queue.get()) {
    const present = registered.lister.find({ namespace: '', name });
    try {
      await applyRegistration(planRegistration(present, wantedForCustom(name, custom.lister.list()), false), present, client);
      queue.forget(name);
    } catch (error) {
      if (!signal.aborted) logger.warn('an APIService could not be registered', { name, error });
      queue.addRateLimited(name);
    }
    queue.done(name);
  }
  for (const end of stop) end();
}
