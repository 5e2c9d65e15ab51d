import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Client } from '../../../api/client/client.ts';
import type { ResourceDefinition } from '../../../api/resource/resource-definition.ts';
import { customResourceDefinitions } from '../../../api/resources/apiextensions/v1/custom-resource-definition.ts';
import type { LargeWork } from '../registry/large-objects/large-work.ts';
import type { Store } from '../registry/store.ts';
import type { ResourceCatalog } from '../served/resource-catalog.ts';
import type { RunStartHook, StartHookName } from '../documents/start-hooks.ts';
import type { OpenAPIDocuments } from '../documents/openapi.ts';
import { followDefinitions } from './follow-definitions.ts';
import { createOpenAPIWork } from './openapi-work.ts';
import { withCustomKinds } from './publish-kinds.ts';
import { settleDefinitions } from './settle-definitions.ts';

interface CustomKindsDependencies {
  readonly catalog: ResourceCatalog;
  readonly client: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent: large documents are made in this thread. */
  readonly largeWork?: LargeWork;
  storeFor(definition: typeof customResourceDefinitions): Store;
  /** A store of objects of a kind that asks no admission plugin. */
  openStore(definition: ResourceDefinition): Store;
}

/** The hooks that the start of custom kinds runs. */
export const customKindHooks = [
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
] as const satisfies readonly StartHookName[];

/** The kinds that CustomResourceDefinitions add to the catalog. */
export interface CustomKinds {
  /** Adds the kinds that are stored; resolves when the catalog has them. Its background work ends with the signal, see `ended`. */
  start(signal: AbortSignal, runHook: RunStartHook): Promise<void>;
  /** Resolves when the background work that was started has ended. */
  ended(): Promise<unknown>;
  /** The documents with those of the kinds. */
  withOpenAPI(documents: OpenAPIDocuments): OpenAPIDocuments;
  /** Resolves when the catalog has all kinds that were in the store when it was called. */
  catchUp(signal: AbortSignal): Promise<void>;
}

export function createCustomKinds(dependencies: CustomKindsDependencies): CustomKinds {
  const { catalog, client, clock, logger, openStore } = dependencies;
  const store = dependencies.storeFor(customResourceDefinitions);
  const followed = followDefinitions({ store, catalog, clock, logger });
  const running: Promise<void>[] = [];
  return {
    async start(signal, runHook) {
      await runHook('start-apiextensions-informers', () => {
        followed.sync();
        running.push(followed.run(signal));
      });
      await runHook('crd-informer-synced', () => followed.catchUp(signal));
      await runHook('start-apiextensions-controllers', () => {
        running.push(settleDefinitions({ followed, client, clock, logger, openStore, isShadowed: catalog.isShadowed }, signal));
      });
    },
    ended: () => Promise.all(running),
    withOpenAPI: (documents) => withCustomKinds(documents, followed, createOpenAPIWork(dependencies.largeWork, followed.sizeOf)),
    catchUp: (signal) => followed.catchUp(signal),
  };
}
