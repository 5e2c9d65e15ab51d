import assert from 'node:assert/strict';
import type { Logger } from '../../../api/base/logger.ts';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { fixedValue } from '../../../api/base/watched-value.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createEventRecorder } from '../../../api/client/events/event-recorder.ts';
import { createAuthorizedInformers } from '../../../api/client/informers/authorized-informers.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { waitFor } from '../../../api/client/wait-for.ts';
import { formatTime } from '../../../api/meta/time.ts';
import { configMaps } from '../../../api/resources/core/v1/config-map.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { serviceAccounts } from '../../../api/resources/core/v1/service-account.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { createOpenAPIDocuments } from '../../control-plane/openapi-documents.ts';
import { startAPIServerInProcess } from '../../apiserver/testing/start-api-server.ts';
import { createControllers } from '../controllers.ts';
import { runControllers } from '../runtime/run-controllers.ts';

export interface ControlPlane {
  /** The client of a cluster administrator. */
  readonly client: Client;
  /** The complaints of controllers. */
  readonly complaints: string[];
  waitFor<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<Exclude<T, false | undefined>>;
  /** Plays the kubelet for every Pod that appears, without a machine: `run` returns the Pod's status; by default the Pod becomes ready. */
  playKubelet(run?: (pod: Pod) => Pod['status'] | undefined): void;
  stop(): Promise<void>;
}

/** An API server over a store in memory with all controllers, each with no more rights than its role has. */
export async function startControlPlane(): Promise<ControlPlane> {
  const complaints: string[] = [];
  const complain = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    complaints.push(`${message} ${JSON.stringify(fields, (_key, value) => (value instanceof Error ? value.message : value))}`);
  };
  const logger: Logger = { ...silentLogger, warn: complain, error: complain, with: () => logger };
  const controllers = createControllers({
    rootCA: fixedValue('PEM'),
    clusterDNSAddress: '10.96.0.10',
    clusterCIDR: '10.244.0.0/16',
    nodeCIDRMaskSize: 24,
    localStorage: false,
  });
  const server = await startAPIServerInProcess({ controllers, overrides: { openAPI: createOpenAPIDocuments() } });
  const user = { name: 'system:admin', groups: ['system:masters', 'system:authenticated'] };
  const client = createClient(server.transport, { user });
  const stop = new AbortController();
  const { signal } = stop;
  const parts = { clock: systemClock, random: systemRandom, logger };
  const informers = createInformerFactory({ client, ...parts });
  const informing = informers.run(signal);
  const controlling = runControllers({
    controllers,
    clientFor: (account) => createClient(server.transport, { user: account, userAgent: 'kube-controller-manager' }),
    informersFor: (account) =>
      createAuthorizedInformers({
        shared: informers,
        client: createClient(server.transport, { user: account }),
        userName: account.name,
        ...parts,
        signal,
      }),
    ...parts,
    signal,
    recorderFor: (own, component) => createEventRecorder({ client: own, clock: systemClock, logger, component, signal }),
  });
  const within = { withinSeconds: 30, everyMs: 5, clock: systemClock, signal };
  // Until the authorizer has seen the roles that the server has just made, controllers are refused and try again.
  const accounts = async () => (await client(serviceAccounts).list()).items.length >= 4;
  const bundles = async () => (await client(configMaps).list({ fieldSelector: 'metadata.name=kube-root-ca.crt' })).items.length >= 4;
  await waitFor('the first service accounts', accounts, within);
  await waitFor('the first CA bundles', bundles, within);
  complaints.length = 0;
  return {
    client,
    complaints,
    waitFor: <T>(what: string, ask: () => Promise<T | undefined | false>) =>
      waitFor(what, ask as () => Promise<Exclude<T, false | undefined>>, within),
    playKubelet(run = becomeReady) {
      const play = async (pod: Pod) => {
        const status = run(pod);
        if (status !== undefined)
          await client(pods)
            .updateStatus({ ...pod, status })
            .catch(() => undefined);
      };
      const seen = (pod: { readonly metadata: object }) => void play(structuredClone(pod) as Pod);
      informers.informer(pods).addHandler({ onAdd: seen, onUpdate: seen });
    },
    async stop() {
      stop.abort();
      await Promise.all([informing, controlling]);
      await server.close();
      // Every controller has the permissions that it needs.
      assert.deepEqual(
        complaints.filter((complaint) => /is forbidden: User/.test(complaint)),
        [],
      );
    },
  };
}

let nextAddress = 1;

/** A Pod that runs and is ready at once. */
export function becomeReady(pod: Pod): Pod['status'] | undefined {
  if (pod.status?.phase !== 'Pending' || pod.metadata.deletionTimestamp !== undefined) return undefined;
  const ip = `10.1.${nextAddress >> 8}.${nextAddress++ & 255}`;
  const now = formatTime(systemClock.nowMs());
  return {
    ...pod.status,
    phase: 'Running',
    podIP: ip,
    podIPs: [{ ip }],
    conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: now }],
  };
}

/** A Pod that ends at once. */
export function becomeFinished(phase: 'Succeeded' | 'Failed'): (pod: Pod) => Pod['status'] | undefined {
  return (pod) => (pod.status?.phase === 'Pending' ? { ...pod.status, phase } : undefined);
}
