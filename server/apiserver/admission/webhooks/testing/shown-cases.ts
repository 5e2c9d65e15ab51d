import { rulesFor, core, space, configMap, post, presentMap, pod, both, type WebhookCase } from './case-parts.ts';

/** AdmissionReviews of all operations, and of subresources. */
export const shownCases: readonly WebhookCase[] = [
  { name: 'create', webhooks: both(core('configmaps')), request: post },
  {
    name: 'create with options',
    webhooks: both(core('configmaps')),
    request: { ...post, path: `${post.path}?fieldManager=me&fieldValidation=Strict&dryRun=All` },
  },
  {
    name: 'create with generateName',
    webhooks: both({ ...core('configmaps') }),
    request: { ...post, body: { metadata: { generateName: 'gen-' } } },
  },
  { name: 'create of a Pod', webhooks: both(core('pods')), request: { method: 'POST', path: `${space}/pods?dryRun=All`, body: pod } },
  {
    name: 'create of a Namespace',
    webhooks: both(core('namespaces')),
    request: { method: 'POST', path: '/api/v1/namespaces?dryRun=All', body: { metadata: { name: 'fresh' } } },
  },
  {
    name: 'update of a Namespace',
    webhooks: both(core('namespaces')),
    request: {
      method: 'PATCH',
      path: '/api/v1/namespaces/hooked?dryRun=All',
      contentType: 'application/merge-patch+json',
      body: { metadata: { labels: { a: 'b' } } },
    },
  },
  {
    name: 'create in the cluster',
    webhooks: both({ rules: rulesFor('rbac.authorization.k8s.io', 'v1', 'clusterroles') }),
    request: {
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles?dryRun=All',
      body: { metadata: { name: 'c' }, rules: [] },
    },
  },
  {
    name: 'update',
    webhooks: both(core('configmaps')),
    present: presentMap,
    request: { method: 'PUT', path: `${space}/configmaps/x?fieldManager=me`, body: { ...configMap, data: { a: 'c' } } },
  },
  {
    name: 'merge patch',
    webhooks: both(core('configmaps')),
    present: presentMap,
    request: {
      method: 'PATCH',
      path: `${space}/configmaps/x?fieldManager=me`,
      contentType: 'application/merge-patch+json',
      body: { data: { z: 'c' } },
    },
  },
  {
    name: 'apply of a new object',
    webhooks: both(core('configmaps')),
    request: {
      method: 'PATCH',
      path: `${space}/configmaps/y?fieldManager=me&force=true&dryRun=All`,
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'y' }, data: { z: 'c' } },
    },
  },
  {
    name: 'apply',
    webhooks: both(core('configmaps')),
    present: presentMap,
    request: {
      method: 'PATCH',
      path: `${space}/configmaps/x?fieldManager=me&force=true`,
      contentType: 'application/apply-patch+yaml',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { z: 'c' } },
    },
  },
  {
    name: 'PUT that creates',
    webhooks: both({ rules: rulesFor('coordination.k8s.io', 'v1', 'leases') }),
    request: {
      method: 'PUT',
      path: '/apis/coordination.k8s.io/v1/namespaces/hooked/leases/l?dryRun=All',
      body: { metadata: { name: 'l' } },
    },
  },
  { name: 'delete', webhooks: both(core('configmaps')), present: presentMap, request: { method: 'DELETE', path: `${space}/configmaps/x` } },
  {
    name: 'delete with options',
    webhooks: both(core('configmaps')),
    present: presentMap,
    request: {
      method: 'DELETE',
      path: `${space}/configmaps/x`,
      body: { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background', gracePeriodSeconds: 0, dryRun: ['All'] },
    },
  },
  {
    name: 'delete of a collection',
    webhooks: both(core('configmaps')),
    present: presentMap,
    request: { method: 'DELETE', path: `${space}/configmaps?labelSelector=app%3Da` },
  },
  {
    name: 'status',
    webhooks: both(core('pods/status')),
    present: [{ path: `${space}/pods`, body: pod }],
    request: {
      method: 'PATCH',
      path: `${space}/pods/p/status`,
      contentType: 'application/merge-patch+json',
      body: { status: { message: 'm' } },
    },
  },
  {
    name: 'eviction',
    webhooks: both(core('pods/eviction')),
    present: [{ path: `${space}/pods`, body: pod }],
    request: {
      method: 'POST',
      path: `${space}/pods/p/eviction`,
      body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' }, deleteOptions: { gracePeriodSeconds: 0 } },
    },
  },
  {
    name: 'binding',
    webhooks: both(core('pods/binding')),
    present: [{ path: `${space}/pods`, body: pod }],
    request: {
      method: 'POST',
      path: `${space}/pods/p/binding?dryRun=All`,
      body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } },
    },
  },
  {
    name: 'token',
    webhooks: both(core('serviceaccounts/token')),
    present: [{ path: `${space}/serviceaccounts`, body: { metadata: { name: 's' } } }],
    request: { method: 'POST', path: `${space}/serviceaccounts/s/token`, body: { spec: { audiences: [], expirationSeconds: 3600 } } },
  },
  {
    name: 'connection',
    webhooks: both(core('pods/exec')),
    present: [{ path: `${space}/pods`, body: pod }],
    request: { method: 'POST', path: `${space}/pods/p/exec?command=ls&command=-l&stdout=true` },
  },
  {
    name: 'scale',
    webhooks: both({ rules: rulesFor('apps', 'v1', 'deployments/scale') }),
    present: [
      {
        path: '/apis/apps/v1/namespaces/hooked/deployments',
        body: {
          metadata: { name: 'd' },
          spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: pod.spec } },
        },
      },
    ],
    request: {
      method: 'PATCH',
      path: '/apis/apps/v1/namespaces/hooked/deployments/d/scale',
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas: 3 } },
    },
  },
  {
    name: 'review of access',
    webhooks: both({ rules: rulesFor('authorization.k8s.io', 'v1', '*') }),
    request: {
      method: 'POST',
      path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
    },
  },
  {
    name: 'v1beta1',
    webhooks: both({ ...core('configmaps'), admissionReviewVersions: ['v0', 'v1beta1', 'v1'] }),
    request: { ...post, path: `${post.path}?dryRun=All` },
  },
  {
    name: 'another version',
    webhooks: both({ rules: rulesFor('autoscaling', 'v2', 'horizontalpodautoscalers') }),
    request: {
      method: 'POST',
      path: '/apis/autoscaling/v1/namespaces/hooked/horizontalpodautoscalers?dryRun=All',
      body: {
        metadata: { name: 'h' },
        spec: {
          maxReplicas: 3,
          targetCPUUtilizationPercentage: 50,
          scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' },
        },
      },
    },
  },
  {
    name: 'another version of the policy Exact',
    webhooks: both({ matchPolicy: 'Exact', rules: rulesFor('autoscaling', 'v2', 'horizontalpodautoscalers') }),
    request: {
      method: 'POST',
      path: '/apis/autoscaling/v1/namespaces/hooked/horizontalpodautoscalers?dryRun=All',
      body: { metadata: { name: 'h' }, spec: { maxReplicas: 3, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } } },
    },
  },
];
