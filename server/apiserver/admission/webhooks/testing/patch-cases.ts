import {
  rulesFor,
  core,
  space,
  configMap,
  post,
  presentMap,
  pod,
  mutating,
  validating,
  says,
  base64,
  type WebhookCase,
} from './case-parts.ts';
import { patching } from './recording-webhook.ts';

const patch = (...operations: readonly object[]) => says(patching(...operations));
const label = (name: string) => patch({ op: 'add', path: `/metadata/labels/${name}`, value: 'x' });

/** Patches, second rounds and their failures. */
export const patchCases: readonly WebhookCase[] = [
  { name: 'a label is added', webhooks: [mutating(label('one')), mutating(label('two')), validating()], request: post },
  { name: 'a patch of no operations', webhooks: [mutating(patch())], request: post },
  {
    name: 'a patch that changes nothing',
    webhooks: [
      mutating(undefined, { ...core('configmaps'), reinvocationPolicy: 'IfNeeded' }),
      mutating(patch({ op: 'replace', path: '/data/a', value: 'b' })),
    ],
    request: post,
  },
  {
    name: 'asked again',
    webhooks: [mutating(undefined, { ...core('configmaps'), reinvocationPolicy: 'IfNeeded' }), mutating(label('two')), validating()],
    request: post,
  },
  {
    name: 'not asked again',
    webhooks: [mutating(), mutating(label('two'), { ...core('configmaps'), reinvocationPolicy: 'IfNeeded' })],
    request: post,
  },
  {
    name: 'asked for the first time when labels match',
    webhooks: [
      mutating(undefined, { ...core('configmaps'), reinvocationPolicy: 'IfNeeded', objectSelector: { matchLabels: { late: 'x' } } }),
      mutating(label('late')),
    ],
    request: post,
  },
  {
    name: 'defaults of what is added',
    webhooks: [
      mutating(patch({ op: 'add', path: '/spec/containers/-', value: { name: 'side', image: 'car' } }), core('pods')),
      validating(undefined, core('pods')),
    ],
    request: { method: 'POST', path: `${space}/pods?dryRun=All`, body: pod },
  },
  { name: 'an unknown field', webhooks: [mutating(patch({ op: 'add', path: '/nonsense', value: 1 })), validating()], request: post },
  { name: 'a value of a wrong type', webhooks: [mutating(patch({ op: 'add', path: '/data', value: 'text' }))], request: post },
  { name: 'a path that is not there', webhooks: [mutating(patch({ op: 'remove', path: '/data/none' }))], request: post },
  { name: 'a test that fails', webhooks: [mutating(patch({ op: 'test', path: '/data/a', value: 'z' }))], request: post },
  { name: 'an unknown operation', webhooks: [mutating(patch({ op: 'twist', path: '/data/a' }))], request: post },
  { name: 'a patch that is an object', webhooks: [mutating(says({ ...patching(), patch: base64('{}') }))], request: post },
  { name: 'a patch that is no JSON', webhooks: [mutating(says({ ...patching(), patch: base64('nonsense') }))], request: post },
  { name: 'another kind', webhooks: [mutating(patch({ op: 'replace', path: '/kind', value: 'Secret' }))], request: post },
  { name: 'an unknown kind', webhooks: [mutating(patch({ op: 'replace', path: '/kind', value: 'Nonsense' }))], request: post },
  { name: 'no kind', webhooks: [mutating(patch({ op: 'remove', path: '/kind' }))], request: post },
  {
    name: 'another name',
    webhooks: [mutating(patch({ op: 'replace', path: '/metadata/name', value: 'renamed' }))],
    request: { ...post, path: `${post.path}?dryRun=All` },
  },
  {
    name: 'another namespace',
    webhooks: [mutating(patch({ op: 'replace', path: '/metadata/namespace', value: 'default' }))],
    request: post,
  },
  {
    name: 'another name on update',
    webhooks: [mutating(patch({ op: 'replace', path: '/metadata/name', value: 'renamed' }))],
    present: presentMap,
    request: { method: 'PUT', path: `${space}/configmaps/x`, body: configMap },
  },
  {
    name: 'an object that breaks rules',
    webhooks: [mutating(patch({ op: 'add', path: '/metadata/labels/a', value: '-bad-' }))],
    request: post,
  },
  {
    name: 'on delete',
    webhooks: [mutating(patch({ op: 'add', path: '/metadata/labels/a', value: 'x' }))],
    present: presentMap,
    request: { method: 'DELETE', path: `${space}/configmaps/x` },
  },
  {
    name: 'in another version',
    webhooks: [
      mutating(patch({ op: 'replace', path: '/spec/metrics/0/resource/target/averageUtilization', value: 70 }), {
        rules: rulesFor('autoscaling', 'v2', 'horizontalpodautoscalers'),
      }),
    ],
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
    name: 'of a scale',
    webhooks: [
      mutating(patch({ op: 'replace', path: '/spec/replicas', value: 5 }), { rules: rulesFor('apps', 'v1', 'deployments/scale') }),
      validating(undefined, { rules: rulesFor('apps', 'v1', 'deployments/scale') }),
    ],
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
      method: 'PUT',
      path: '/apis/apps/v1/namespaces/hooked/deployments/d/scale',
      body: { metadata: { name: 'd', namespace: 'hooked' }, spec: { replicas: 3 } },
    },
  },
  {
    name: 'of v1beta1 without a type',
    webhooks: [
      mutating(says({ ...patching({ op: 'add', path: '/data/z', value: 'x' }), patchType: undefined }), {
        ...core('configmaps'),
        admissionReviewVersions: ['v1beta1'],
      }),
    ],
    request: post,
  },
];
