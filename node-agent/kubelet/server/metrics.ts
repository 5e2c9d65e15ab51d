import { isPodFinished } from '../../../api/semantics/pod-phase.ts';
import type { PodWorkers } from '../pod-workers/pod-workers.ts';

/** What the kubelet counts, as Prometheus reads it, under upstream's names. */
export function renderMetrics(workers: PodWorkers, nodeName: string): string {
  const alive = workers.all().filter((worker) => !isPodFinished(worker.pod()));
  const containers = alive.flatMap((worker) => worker.pod().status?.containerStatuses ?? []).filter(({ state }) => state?.running);
  return [
    gauge('kubelet_node_name', 'The name of the node. The value is always 1.', `{node="${nodeName}"}`, 1),
    gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox', '', alive.length),
    gauge('kubelet_running_containers', 'Number of containers currently running', '{container_state="running"}', containers.length),
  ].join('');
}

function gauge(name: string, help: string, labels: string, value: number): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}${labels} ${value}\n`;
}
