import type { KubernetesObject, V1ConfigMap, V1Deployment, V1OwnerReference, V1Service } from '@kubernetes/client-node';
import { createHash } from 'node:crypto';
import { type Condition, group, hostOf, type Website, type WebsiteStatus } from './website.ts';

export const managedBy = 'website-operator';
const labelsOf = (website: Website) => ({
  'app.kubernetes.io/name': 'website',
  'app.kubernetes.io/instance': website.metadata?.name ?? '',
  'app.kubernetes.io/managed-by': managedBy,
});
const selectorOf = (website: Website) => ({ 'web.example.com/website': website.metadata?.name ?? '' });

/** The children of a Website, with all that this operator says about each; fields of others are left alone by apply. */
export function planChildren(website: Website): [V1ConfigMap, V1Deployment, V1Service] {
  const { name = '', namespace = '' } = website.metadata ?? {};
  const metadata = { name, namespace, labels: labelsOf(website), ownerReferences: [ownerReferenceTo(website)] };
  const selector = selectorOf(website);
  // Part of the Pods' template, so that other pages are a rollout: nobody sees the old and the new page from one server.
  const hash = createHash('sha256').update(JSON.stringify(website.spec.pages)).digest('hex').slice(0, 16);
  const probe = { httpGet: { path: '/', port: 'http' }, periodSeconds: 2 };
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ...website.spec.pages } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: website.spec.replicas,
        selector: { matchLabels: selector },
        template: {
          metadata: { labels: { ...labelsOf(website), ...selector }, annotations: { 'web.example.com/pages': hash } },
          spec: {
            automountServiceAccountToken: false,
            containers: [
              {
                name: 'server',
                image: website.spec.image,
                ports: [{ name: 'http', containerPort: 80, protocol: 'TCP' }],
                readinessProbe: probe,
                volumeMounts: [{ name: 'pages', mountPath: '/usr/share/nginx/html', readOnly: true }],
              },
            ],
            volumes: [{ name: 'pages', configMap: { name } }],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector, ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }] },
    },
  ];
}

/** With `controller`: the garbage collector deletes the child after its Website. */
function ownerReferenceTo({ metadata }: Website): V1OwnerReference {
  return {
    apiVersion: `${group}/v1`,
    kind: 'Website',
    name: metadata?.name ?? '',
    uid: metadata?.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

export const isOwnedBy = ({ metadata }: KubernetesObject, website: Website): boolean =>
  metadata?.ownerReferences?.some(({ uid, controller }) => controller === true && uid === website.metadata?.uid) ?? false;

/** Why a Website cannot be what it says: told in its status. */
export interface Problem {
  readonly reason: string;
  readonly message: string;
}

export function planStatus(website: Website, found: V1Deployment | Problem, now: string): WebsiteStatus {
  const generation = website.metadata?.generation ?? 0;
  const selector = Object.entries(selectorOf(website))
    .map((pair) => pair.join('='))
    .join();
  const deployment = 'reason' in found ? undefined : found;
  const verdict = 'reason' in found ? ({ status: 'False', ...found } as const) : judgeDeployment(found);
  return {
    observedGeneration: generation,
    url: `http://${hostOf(website)}`,
    replicas: deployment?.status?.replicas ?? 0,
    readyReplicas: deployment?.status?.readyReplicas ?? 0,
    selector,
    conditions: [toCondition(website, { type: 'Ready', ...verdict }, now)],
  };
}

function judgeDeployment({ metadata, spec, status }: V1Deployment): Pick<Condition, 'status' | 'reason' | 'message'> {
  const wanted = spec?.replicas ?? 0;
  const isObserved = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
  // Before the Deployment's controller has seen the newest spec, its numbers are about an older one.
  const available = isObserved ? Math.min(status?.availableReplicas ?? 0, status?.updatedReplicas ?? 0) : 0;
  const message = `${available} of ${wanted} servers are available`;
  return isObserved && available >= wanted
    ? { status: 'True', reason: 'Available', message }
    : { status: 'False', reason: 'Progressing', message };
}

/** A condition whose time of transition stays where its status does. */
function toCondition(website: Website, condition: Omit<Condition, 'lastTransitionTime' | 'observedGeneration'>, now: string): Condition {
  const before = website.status?.conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : now;
  return { ...condition, observedGeneration: website.metadata?.generation ?? 0, lastTransitionTime };
}
