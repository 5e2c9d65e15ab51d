import type { DeepReadonly } from '../../../../api/base/deep-readonly.ts';
import type { Container, Namespace, Pod } from '../../../../api/types/core-v1.ts';
import type { CheckFacts } from '../check-facts.ts';
import { type CheckItem, fail, notApplicable, notJudged, pass, warn } from '../check-item.ts';
import { listed } from './access.ts';

type AnyContainer = Pick<DeepReadonly<Container>, 'name' | 'securityContext' | 'ports'>;

const levels = ['privileged', 'baseline', 'restricted'];
/** Namespaces of the components of a cluster, which the benchmark leaves out. */
export const systemNamespaces: ReadonlySet<string> = new Set(['kube-system', 'kube-public', 'kube-node-lease']);
const enforceLabel = 'pod-security.kubernetes.io/enforce';

const levelOf = (namespace: DeepReadonly<Namespace>, byDefault: string) => namespace.metadata.labels?.[enforceLabel] ?? byDefault;

export function containersOf({ spec }: DeepReadonly<Pod>): AnyContainer[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
}

interface Standard {
  readonly id: string;
  readonly title: string;
  /** The level that refuses such Pods. */
  readonly level: 'baseline' | 'restricted';
  isWrong(pod: DeepReadonly<Pod>): boolean;
}

/** A control on the admission of Pods: judged by the level that each namespace enforces. The present Pods are the evidence. */
function admission({ id, title, level, isWrong }: Standard): CheckItem {
  return {
    ...{ id, title },
    judge({ cluster, settings }: CheckFacts) {
      if (!cluster)
        return notJudged('the objects of the cluster could not be read', 'start kubets and check again, where its control plane is');
      const admits = cluster.namespaces.filter(
        (namespace) =>
          !systemNamespaces.has(namespace.metadata.name ?? '') &&
          levels.indexOf(levelOf(namespace, settings.podSecurityDefault)) < levels.indexOf(level),
      );
      if (!settings.admissionPlugins.includes('PodSecurity') && settings.source !== 'unknown')
        return fail(
          'the admission plugin PodSecurity does not run: labels of namespaces mean nothing',
          'take it out of --disable-admission-plugins',
        );
      const pods = cluster.pods.filter((pod) => !systemNamespaces.has(pod.metadata.namespace ?? '') && isWrong(pod));
      const evidence = [
        ...listed(admits.map(({ metadata: { name } }) => `namespace ${name} admits them`)),
        ...listed(pods.map(({ metadata: { namespace, name } }) => `Pod ${namespace}/${name} is one`)),
      ];
      if (admits.length === 0) return pass(`every namespace but those of the system enforces ${level} or stricter`, { evidence });
      return warn(
        `namespaces that admit such Pods: ${admits.length}; such Pods: ${pods.length}`,
        `kubectl label namespace NAME ${enforceLabel}=${level}, or a default by --admission-control-config-file`,
        { evidence },
      );
    },
  };
}

const some = (pod: DeepReadonly<Pod>, test: (container: AnyContainer) => boolean) => containersOf(pod).some(test);
const contextOf = ({ securityContext }: AnyContainer) => securityContext ?? {};
const dropsAll = (container: AnyContainer) => contextOf(container).capabilities?.drop?.some((one) => one.toUpperCase() === 'ALL') === true;

function mayBeRoot(pod: DeepReadonly<Pod>): boolean {
  const byPod = pod.spec?.securityContext;
  return some(pod, (container) => {
    const own = contextOf(container);
    const user = own.runAsUser ?? byPod?.runAsUser;
    return user === 0 || (user === undefined && (own.runAsNonRoot ?? byPod?.runAsNonRoot) !== true);
  });
}

/** Section 5.2. */
export const podStandards: readonly CheckItem[] = [
  {
    ...{ id: '5.2.1', title: 'Something decides which Pods are admitted' },
    judge({ cluster, settings }) {
      if (!cluster)
        return notJudged('the objects of the cluster could not be read', 'start kubets and check again, where its control plane is');
      const enforcing = cluster.namespaces.filter((namespace) => levelOf(namespace, settings.podSecurityDefault) !== 'privileged');
      const evidence = listed([
        ...enforcing.map((namespace) => `namespace ${namespace.metadata.name}: ${levelOf(namespace, settings.podSecurityDefault)}`),
        ...cluster.policyControls,
      ]);
      return enforcing.length > 0 || cluster.policyControls.length > 0
        ? pass('PodSecurity is enforced, or policies and webhooks are there', { evidence })
        : warn(
            'PodSecurity runs, and every namespace enforces privileged: anything is admitted',
            `kubectl label namespace NAME ${enforceLabel}=baseline`,
          );
    },
  },
  admission({
    ...{ id: '5.2.2', title: 'Privileged containers are refused', level: 'baseline' },
    isWrong: (pod) => some(pod, (container) => contextOf(container).privileged === true),
  }),
  admission({
    ...{ id: '5.2.3', title: 'Pods with the processes of their host (hostPID) are refused', level: 'baseline' },
    isWrong: ({ spec }) => spec?.hostPID === true,
  }),
  admission({
    ...{ id: '5.2.4', title: 'Pods with the IPC of their host (hostIPC) are refused', level: 'baseline' },
    isWrong: ({ spec }) => spec?.hostIPC === true,
  }),
  admission({
    ...{ id: '5.2.5', title: 'Pods in the network of their host are refused', level: 'baseline' },
    isWrong: ({ spec }) => spec?.hostNetwork === true,
  }),
  admission({
    ...{ id: '5.2.6', title: 'Containers that may gain privileges are refused', level: 'restricted' },
    isWrong: (pod) => some(pod, (container) => contextOf(container).allowPrivilegeEscalation !== false),
  }),
  admission({ ...{ id: '5.2.7', title: 'Containers that may run as root are refused', level: 'restricted' }, isWrong: mayBeRoot }),
  admission({
    ...{ id: '5.2.8', title: 'Containers with the capability NET_RAW are refused', level: 'restricted' },
    isWrong: (pod) =>
      some(pod, (container) => {
        const { add = [], drop = [] } = contextOf(container).capabilities ?? {};
        return add.includes('NET_RAW') || !(dropsAll(container) || drop.includes('NET_RAW'));
      }),
  }),
  admission({
    ...{ id: '5.2.9', title: 'Containers with capabilities are refused', level: 'restricted' },
    isWrong: (pod) => some(pod, (container) => !dropsAll(container) || (contextOf(container).capabilities?.add ?? []).length > 0),
  }),
  {
    ...{ id: '5.2.10', title: 'HostProcess containers of Windows are refused' },
    judge: () => notApplicable('nodes of kubets run Linux; the level baseline refuses such Pods'),
  },
  admission({
    ...{ id: '5.2.11', title: 'Pods with hostPath volumes are refused', level: 'baseline' },
    isWrong: ({ spec }) => spec?.volumes?.some(({ hostPath }) => hostPath !== undefined) === true,
  }),
  admission({
    ...{ id: '5.2.12', title: 'Containers with host ports are refused', level: 'baseline' },
    isWrong: (pod) => some(pod, ({ ports = [] }) => ports.some(({ hostPort }) => (hostPort ?? 0) > 0)),
  }),
];
