import { systemClock } from '../../api/base/system-clock.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { services } from '../../api/resources/core/v1/service.ts';
import { isNodeReady } from '../../api/semantics/nodes/node-conditions.ts';
import { isPodReady } from '../../api/semantics/pods/pod-conditions.ts';
import { isPodFinished } from '../../api/semantics/pods/pod-phase.ts';
import type { Client } from '../../api/client/client.ts';
import type { Pod } from '../../api/types/core-v1.ts';
import { createCRIClient } from '../../node-agent/cri/cri-client.ts';
import { runtimeLabels } from '../../node-agent/kubelet/runtime/labels.ts';
import { nodePaths } from '../../node-agent/node-paths.ts';
import { containerdSocket } from '../../node-agent/linux/runtime/containerd.ts';
import type { BareMachine } from '../clients/support/bare-machine.ts';

/** Containers of each Pod with how often they were restarted, by Pod. */
export function containersOf(all: readonly Pod[]): ReadonlyMap<string, string> {
  return new Map(
    all.map(({ metadata, status }) => [
      metadata.name ?? '',
      (status?.containerStatuses ?? []).map(({ containerID, restartCount }) => `${containerID} restarted ${restartCount} times`).join(),
    ]),
  );
}

/** Problems of Pods that should be stable, as the API shows them: no Pod is between two states, none was restarted without a cause. */
export function podProblems(all: readonly Pod[], mayHaveRestarted: (nodeName: string) => boolean): string[] {
  const problems: string[] = [];
  const addresses = new Map<string, string>();
  for (const pod of all) {
    const { name = '', deletionTimestamp } = pod.metadata;
    const nodeName = pod.spec?.nodeName ?? '';
    if (deletionTimestamp) problems.push(`${name} on ${nodeName} does not end: ${JSON.stringify(pod.status)}`);
    if (isPodFinished(pod)) continue;
    if (!isPodReady(pod)) problems.push(`${name} on ${nodeName} is not ready: ${JSON.stringify(pod.status)}`);
    // A container whose start was cut short by the fault never ran and is made again: nothing was interrupted.
    const wasRestarted = pod.status?.containerStatuses?.some(
      ({ restartCount, lastState }) => restartCount > 0 && lastState?.terminated && lastState.terminated.reason !== 'StartError',
    );
    if (wasRestarted && !mayHaveRestarted(nodeName)) problems.push(`${name} on ${nodeName} was restarted: ${JSON.stringify(pod.status)}`);
    const { podIP } = pod.status ?? {};
    if (podIP === undefined || pod.spec?.hostNetwork) continue;
    if (addresses.has(podIP)) problems.push(`${name} and ${addresses.get(podIP)} have the same address ${podIP}`);
    addresses.set(podIP, name);
  }
  return problems;
}

/** Processes and containers that run on a machine and should not, or twice. */
export async function runtimeProblems(machine: BareMachine, all: readonly Pod[]): Promise<string[]> {
  const known = new Map(all.filter(({ spec }) => spec?.nodeName === machine.name).map((pod) => [pod.metadata.uid ?? '', pod]));
  const socket = containerdSocket(nodePaths(machine.dataDir).containerd);
  const cri = createCRIClient({ endpoint: `unix://${socket}`, clock: systemClock });
  try {
    const [sandboxes, containers] = await Promise.all([cri.runtime.listPodSandboxes(), cri.runtime.listContainers()]);
    const problems: string[] = [];
    const seen = new Set<string>();
    const once = (what: string) => {
      if (seen.has(what)) problems.push(`${what} on ${machine.name} runs twice`);
      seen.add(what);
    };
    for (const { id, state, labels } of sandboxes) {
      const uid = labels[runtimeLabels.podUID] ?? '';
      if (!known.has(uid))
        problems.push(`sandbox ${id} (${state}) on ${machine.name} is of no Pod: ${labels[runtimeLabels.podName]} ${uid}`);
      if (state === 'SANDBOX_READY') once(`sandbox of ${labels[runtimeLabels.podName]} ${uid}`);
    }
    for (const { id, state, labels } of containers) {
      const name = `container ${labels[runtimeLabels.containerName]} of ${labels[runtimeLabels.podName]}`;
      if (!known.has(labels[runtimeLabels.podUID] ?? '')) problems.push(`${name} (${id}, ${state}) on ${machine.name} is of no Pod`);
      if (state === 'CONTAINER_RUNNING') once(name);
    }
    return problems;
  } finally {
    cri.close();
  }
}

const turns = 24;

/** Whether a Service answers on a machine, and only with Pods that are ready. */
export async function serviceProblems(client: Client, machine: BareMachine, namespace: string, name: string): Promise<string[]> {
  const { spec } = await client(services).get({ namespace, name });
  const { items } = await client(pods).list({ namespace, labelSelector: `app=${name}` });
  const ready = new Set(items.filter((pod) => isPodReady(pod) && !pod.metadata.deletionTimestamp).map(({ metadata }) => metadata.name));
  const ask = `for i in $(seq ${turns}); do curl -s -m 2 http://${spec?.clusterIP}/ || echo "error $?"; done`;
  const { stdout } = await machine.run('sh', ['-c', ask]);
  const answers = stdout.trim().split('\n');
  const wrong = answers.filter((answer) => (ready.size === 0 ? !/^error (7|28)$/.test(answer) : !ready.has(answer)));
  if (wrong.length === 0) return [];
  return [
    `Service ${name} on ${machine.name} answers ${[...new Set(wrong)].join()} (${wrong.length} of ${turns}) in place of ${[...ready].join()}`,
  ];
}

/** Nodes that the control plane takes for lost. */
export async function nodeProblems(client: Client): Promise<string[]> {
  const { items } = await client(nodes).list();
  return items
    .filter((node) => !isNodeReady(node))
    .map(({ metadata, status }) => `${metadata.name} is not ready: ${JSON.stringify(status?.conditions)}`);
}

/** Deletes a namespace with its content. */
export async function deleteNamespace(client: Client, name: string): Promise<void> {
  await client(namespaces).delete({ namespace: '', name });
}

export async function namespaceProblems(client: Client, name: string): Promise<string[]> {
  const { items } = await client(namespaces).list({ fieldSelector: `metadata.name=${name}` });
  if (items.length === 0) return [];
  const left = await client(pods).list({ namespace: name });
  return [
    `namespace ${name} does not go: ${JSON.stringify(items[0]?.status)}; Pods ${left.items.map(({ metadata, spec }) => `${metadata.name} on ${spec?.nodeName}`).join()}`,
  ];
}
