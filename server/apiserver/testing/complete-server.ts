import assert from 'node:assert/strict';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { hasReason, StatusError } from '../../../api/meta/status.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import { createResources, type ResourcesOptions } from '../../control-plane/create-resources.ts';
import type { PluginChoice } from '../admission/choose-plugins.ts';
import type { PluginConfigurations } from '../admission/configure-plugins.ts';
import type { Dialer } from '../subresources/subresource.ts';
import { startAPIServerInProcess, type TestAPIServer, type TestAPIServerOptions } from './start-api-server.ts';

/** A network in which nothing answers. */
const noDialer: Dialer = { send: () => Promise.reject(new Error('there is no network')) };

export interface CompleteServer {
  readonly server: TestAPIServer;
  /** A member of system:masters. */
  readonly admin: Client;
  as(name: string, ...groups: string[]): Client;
  close(): Promise<void>;
}

export type TestServerStore = Pick<TestAPIServerOptions, 'storage' | 'wrapTransport' | 'clock'>;

/** A complete server over a store that is given, and that stays open. */
export function startCompleteServerOn(store: TestServerStore): Promise<CompleteServer> {
  return startCompleteServer(undefined, {}, {}, store);
}

/** A whole API server over a store in memory, with admission, allocation and all subresources; the namespace default is ready for Pods. */
export async function startCompleteServer(
  dialer: Dialer = noDialer,
  admissionPlugins: PluginChoice = {},
  pluginConfigurations: PluginConfigurations = {},
  { storage: given, wrapTransport, clock, ...more }: Pick<ResourcesOptions, 'largeWork' | 'secureDialer'> & TestServerStore = {},
): Promise<CompleteServer> {
  const server = await startAPIServerInProcess({
    ...(given ? { storage: given } : {}),
    ...(wrapTransport ? { wrapTransport } : {}),
    ...(clock ? { clock } : {}),
    createResources: (parts, storage, caches) =>
      createResources({ storage, caches, serviceCIDRs: ['10.96.0.0/12'], dialer, admissionPlugins, pluginConfigurations, ...more }, parts),
  });
  const as = (name: string, ...groups: string[]) =>
    createClient(server.transport, { user: { name, groups: [...groups, 'system:authenticated'] } });
  const admin = as('admin', 'system:masters');
  await admin(serviceAccounts)
    .create({ metadata: { namespace: 'default', name: 'default' } })
    .catch((error: unknown) => {
      // Another server on the same store has made it.
      if (!hasReason(error, 'AlreadyExists')) throw error;
    });
  return { server, admin, as, close: () => server.close() };
}

/** The server's message of a refusal; fails if there is none. */
export async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof StatusError, `not refused: ${String(error)}`);
  return error.message;
}

/** Waits until informers have seen a change. */
export async function eventually(what: string, ask: () => Promise<boolean>): Promise<void> {
  const { signal } = new AbortController();
  await waitFor(what, async () => (await ask()) || undefined, { withinSeconds: 20, everyMs: 2, clock: systemClock, signal });
}
