import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Pod, ServicePort } from '../../types/core-v1.ts';

/**
 * The number of the port of the Pod that a Service port leads to: named target ports are looked up in the containers
 * (restartable init containers too), numbers are taken as they are. Undefined where the Pod has no such port.
 */
export function findTargetPort(pod: DeepReadonly<Pod>, servicePort: DeepReadonly<ServicePort>): number | undefined {
  const target = servicePort.targetPort ?? servicePort.port;
  if (typeof target === 'number') return target === 0 ? servicePort.port : target;
  const protocol = servicePort.protocol ?? 'TCP';
  const sidecars = pod.spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    const port = container.ports?.find((candidate) => candidate.name === target && (candidate.protocol ?? 'TCP') === protocol);
    if (port) return port.containerPort;
  }
  return undefined;
}

interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** The ports of the node that the Pod claims for itself; '' and 0.0.0.0 mean all addresses. */
export function hostPorts(pod: DeepReadonly<Pod>): HostPort[] {
  const claimed: HostPort[] = [];
  const sidecars = pod.spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === 'Always') ?? [];
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const { hostPort = 0, hostIP, protocol = 'TCP' } of container.ports ?? []) {
      if (hostPort > 0) claimed.push({ ip: hostIP || '0.0.0.0', protocol, port: hostPort });
    }
  }
  return claimed;
}

/** Whether two claims on ports of one node exclude each other. */
export function hostPortsConflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0');
}
