import type { CheckFacts, ClusterFacts } from '../check-facts.ts';
import { type CheckItem, manual, notJudged, pass, type Verdict, warn } from '../check-item.ts';
import { textOf } from '../setting-judges.ts';
import { listed } from './access.ts';
import { containersOf, systemNamespaces } from './pod-standards.ts';

const ofCluster =
  (judge: (cluster: ClusterFacts, facts: CheckFacts) => Verdict): CheckItem['judge'] =>
  (facts) =>
    facts.cluster
      ? judge(facts.cluster, facts)
      : notJudged('the objects of the cluster could not be read', 'start kubets and check again, where its control plane is');

const isOfSystem = ({ metadata: { namespace } }: { readonly metadata: { readonly namespace?: string } }) =>
  systemNamespaces.has(namespace ?? '');
const nameOf = ({ metadata: { namespace, name } }: { readonly metadata: { readonly namespace?: string; readonly name?: string } }) =>
  `${namespace}/${name}`;

/** Sections 5.3 to 5.6. */
export const policies: readonly CheckItem[] = [
  {
    ...{ id: '5.3.1', title: 'The network of Pods enforces NetworkPolicies' },
    judge: ({ settings }) => {
      if (settings.source === 'unknown') return notJudged('the mode of the Pod network is not known', 'start kubets and check again');
      const mode = textOf(settings, 'podNetwork');
      return mode === 'external'
        ? manual('--pod-network external: a network plugin of your own is in charge', 'see that it enforces NetworkPolicies')
        : pass('every node enforces them with nftables, for IPv4 and IPv6', { evidence: [`--pod-network ${mode ?? 'host-gw'}`] });
    },
  },
  {
    ...{ id: '5.3.2', title: 'Every namespace has NetworkPolicies' },
    judge: ofCluster(({ namespaces, networkPolicies }) => {
      const has = new Set(networkPolicies.map(({ metadata: { namespace } }) => namespace));
      const without = namespaces.map(({ metadata: { name = '' } }) => name).filter((name) => !systemNamespaces.has(name) && !has.has(name));
      return without.length === 0
        ? pass('every namespace but those of the system has one')
        : warn(
            'in namespaces without one, every Pod may be reached by every other',
            'begin with one that denies all, and allow what is needed',
            {
              evidence: listed(without),
            },
          );
    }),
  },
  {
    ...{ id: '5.4.1', title: 'Secrets come to containers as files' },
    judge: ofCluster(({ pods }) => {
      const found = pods.filter((pod) =>
        [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].some(
          ({ env = [], envFrom = [] }) =>
            env.some(({ valueFrom }) => valueFrom?.secretKeyRef) || envFrom.some(({ secretRef }) => secretRef),
        ),
      );
      return found.length === 0
        ? pass('no Pod has a Secret in its environment')
        : warn('programs log and inherit their environment', 'mount these Secrets as volumes', { evidence: listed(found.map(nameOf)) });
    }),
  },
  {
    ...{ id: '5.4.2', title: 'Secrets are kept outside of the cluster' },
    judge: () => manual('where Secrets come from cannot be seen in the cluster', 'think about a store for secrets, by CSI or an operator'),
  },
  {
    ...{ id: '5.5.1', title: 'Images come from sources that are trusted (ImagePolicyWebhook)' },
    judge: ofCluster(({ policyControls }, { settings }) =>
      settings.admissionPlugins.includes('ImagePolicyWebhook')
        ? pass('the admission plugin ImagePolicyWebhook runs')
        : manual(
            'ImagePolicyWebhook does not run; policies and webhooks may do the same',
            'decide by a ValidatingAdmissionPolicy or a webhook where images may come from',
            {
              evidence: listed(policyControls),
            },
          ),
    ),
  },
  {
    ...{ id: '5.6.1', title: 'Namespaces separate what does not belong together' },
    judge: ofCluster(({ namespaces }) =>
      manual('whether they separate the right things is for a person to say', 'one namespace for each team or application', {
        evidence: listed(namespaces.map(({ metadata: { name = '' } }) => name)),
      }),
    ),
  },
  {
    ...{ id: '5.6.2', title: 'Pods have the seccomp profile RuntimeDefault, or one of their own' },
    judge: ofCluster(({ pods }) => {
      const isConfined = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost';
      const found = pods.filter(
        (pod) =>
          !isOfSystem(pod) &&
          containersOf(pod).some(
            ({ securityContext }) => !isConfined(securityContext?.seccompProfile?.type ?? pod.spec?.securityContext?.seccompProfile?.type),
          ),
      );
      return found.length === 0
        ? pass('every Pod has one')
        : warn(`${found.length} Pods have none`, 'seccompProfile: {type: RuntimeDefault}, or enforce restricted', {
            evidence: listed(found.map(nameOf)),
          });
    }),
  },
  {
    ...{ id: '5.6.3', title: 'Pods and containers have a securityContext' },
    judge: ofCluster(({ pods }) => {
      const found = pods.filter(
        (pod) =>
          !isOfSystem(pod) &&
          Object.keys(pod.spec?.securityContext ?? {}).length === 0 &&
          containersOf(pod).some((one) => !one.securityContext),
      );
      return found.length === 0
        ? pass('every Pod has one')
        : warn(`${found.length} Pods have none`, 'set what they need; the level restricted demands it', {
            evidence: listed(found.map(nameOf)),
          });
    }),
  },
  {
    ...{ id: '5.6.4', title: 'The namespace default is not used' },
    judge: ofCluster(({ pods }) => {
      const found = pods.filter(({ metadata: { namespace } }) => namespace === 'default');
      return found.length === 0
        ? pass('no Pod is in it')
        : warn('Pods are in it', 'give each application a namespace', { evidence: listed(found.map(nameOf)) });
    }),
  },
];
