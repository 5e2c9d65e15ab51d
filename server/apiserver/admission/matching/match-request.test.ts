import assert from 'node:assert/strict';
import type { KubeObject } from '../../../../api/meta/object.ts';
import { notFound } from '../../../../api/meta/status-errors.ts';
import type { ResourceDefinition } from '../../../../api/resource/resource-definition.ts';
import { catalog } from '../../../../api/resources/catalog.ts';
import { deployments } from '../../../../api/resources/apps/v1/deployment.ts';
import { horizontalPodAutoscalers as autoscalersV1 } from '../../../../api/resources/autoscaling/v1/horizontal-pod-autoscaler.ts';
import { horizontalPodAutoscalers as autoscalersV2 } from '../../../../api/resources/autoscaling/v2/horizontal-pod-autoscaler.ts';
import { events } from '../../../../api/resources/core/v1/event.ts';
import { namespaces } from '../../../../api/resources/core/v1/namespace.ts';
import { nodes } from '../../../../api/resources/core/v1/node.ts';
import { pods } from '../../../../api/resources/core/v1/pod.ts';
import { derivedParts } from '../admission-request.ts';
import type { AdmissionRequest } from '../admission.ts';
import { convertObject } from './convert-object.ts';
import { createEquivalentResources } from './equivalent-resources.ts';
import { compileMatchResources, compileWebhookCriteria, type MatchCriteria, matchRequest } from './match-request.ts';

type Change = Partial<Omit<AdmissionRequest, 'resource'>> & { readonly resource?: unknown };

function request({ resource = pods, ...more }: Change = {}): AdmissionRequest {
  const { operation = 'CREATE', subresource = '' } = more;
  const definition = resource as ResourceDefinition;
  return {
    ...{ operation, resource: definition, subresource, namespace: 'default', name: 'x', user: { name: 'u', groups: [] }, dryRun: false },
    ...{ signal: new AbortController().signal, addWarning() {}, object: { metadata: { name: 'x', labels: { app: 'a' } } } as never },
    ...derivedParts(definition, subresource, operation, undefined),
    ...more,
  };
}

const every = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] };
const everything = { namespaceSelector: {}, objectSelector: {}, matchPolicy: 'Equivalent' } as const;
const known = new Map([['default', { metadata: { name: 'default', labels: { team: 'blue' } } }]]);

/** Knows the namespace default; `late` is in no cache yet. */
const dependencies = {
  lister: () => ({ find: ({ name }: { name: string }) => known.get(name) }) as never,
  client: (() => ({
    async get({ name }: { name: string }) {
      if (name !== 'late') throw notFound(namespaces as unknown as ResourceDefinition, name);
      return { metadata: { name, labels: { team: 'red' } } };
    },
  })) as never,
  equivalents: createEquivalentResources(() => catalog as readonly ResourceDefinition<KubeObject>[]),
};

async function matchedBy(criteria: MatchCriteria, change: Change): Promise<string | undefined> {
  const matched = await matchRequest(criteria, request(change), dependencies);
  return matched && `${matched.resource.group}/${matched.resource.version} ${matched.kind.kind}`;
}
const webhook = (rule: object, more: object = {}) => compileWebhookCriteria({ ...everything, ...more, rules: [{ ...every, ...rule }] });

describe('rules of webhooks and policies', () => {
  const cases: [rule: object, change: Change, matches: boolean][] = [
    [{}, {}, true],
    [{}, { subresource: 'status', operation: 'UPDATE' }, false],
    [{ resources: ['*/*'] }, { subresource: 'status', operation: 'UPDATE' }, true],
    [{ resources: ['*/*'] }, {}, true],
    [{ resources: ['pods/*'] }, {}, true],
    [{ resources: ['pods/*'] }, { subresource: 'exec', operation: 'CONNECT' }, true],
    [{ resources: ['*/exec'] }, { subresource: 'exec', operation: 'CONNECT' }, true],
    [{ resources: ['*/exec'] }, { subresource: 'attach', operation: 'CONNECT' }, false],
    [{ resources: ['pods'] }, { subresource: 'exec', operation: 'CONNECT' }, false],
    [{ operations: ['UPDATE', 'DELETE'] }, {}, false],
    [{ operations: ['UPDATE', 'DELETE'] }, { operation: 'DELETE' }, true],
    [{ apiGroups: [''] }, { resource: deployments }, false],
    [{ apiGroups: ['apps'], apiVersions: ['v1'] }, { resource: deployments }, true],
    [{ apiVersions: ['v1beta1'] }, { resource: deployments }, false],
    [{ scope: 'Namespaced' }, {}, true],
    [{ scope: 'Cluster' }, {}, false],
    [{ scope: 'Namespaced' }, { resource: nodes, namespace: '' }, false],
    [{ scope: 'Cluster' }, { resource: nodes, namespace: '' }, true],
    [{ scope: 'Namespaced' }, { resource: namespaces, namespace: '' }, false],
    [{ scope: 'Cluster' }, { resource: namespaces, namespace: '' }, true],
    [{ resourceNames: ['y'] }, {}, false],
    [{ resourceNames: ['y', 'x'] }, {}, true],
  ];
  for (const [rule, change, matches] of cases)
    it(`${JSON.stringify(rule)} and ${JSON.stringify({ ...change, resource: (change.resource as ResourceDefinition)?.names.plural })}`, async () =>
      assert.equal((await matchedBy(webhook(rule), change)) !== undefined, matches));

  it('of a webhook without rules match nothing, of a binding everything', async () => {
    assert.equal(await matchedBy(compileWebhookCriteria(everything), {}), undefined);
    assert.equal(await matchedBy(compileMatchResources(everything), {}), '/v1 Pod');
  });
  it('that are excluded win', async () => {
    const criteria = compileMatchResources({
      ...everything,
      resourceRules: [every],
      excludeResourceRules: [{ ...every, resourceNames: ['x'] }],
    });
    assert.equal(await matchedBy(criteria, {}), undefined);
    assert.equal(await matchedBy(criteria, { name: 'y' }), '/v1 Pod');
  });
});

describe('matchPolicy', () => {
  const v2 = { apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['horizontalpodautoscalers'] };
  it('Equivalent finds other versions and groups that share their objects', async () => {
    assert.equal(await matchedBy(webhook(v2), { resource: autoscalersV1 }), 'autoscaling/v2 HorizontalPodAutoscaler');
    assert.equal(await matchedBy(webhook(v2), { resource: autoscalersV2 }), 'autoscaling/v2 HorizontalPodAutoscaler');
    assert.equal(await matchedBy(webhook({ apiGroups: ['events.k8s.io'] }), { resource: events }), 'events.k8s.io/v1 Event');
    const status = { ...v2, resources: ['*/status'] };
    const change = { resource: autoscalersV1, subresource: 'status', operation: 'UPDATE' } as const;
    assert.equal(await matchedBy(webhook(status), change), 'autoscaling/v2 HorizontalPodAutoscaler');
  });
  it('prefers the resource as it was requested', async () => {
    const rules = [
      { ...every, ...v2 },
      { ...every, apiGroups: ['autoscaling'], apiVersions: ['v1'] },
    ];
    assert.equal(
      await matchedBy(compileWebhookCriteria({ ...everything, rules }), { resource: autoscalersV1 }),
      'autoscaling/v1 HorizontalPodAutoscaler',
    );
  });
  it('Exact does not', async () =>
    assert.equal(await matchedBy(webhook(v2, { matchPolicy: 'Exact' }), { resource: autoscalersV1 }), undefined));
  it('sees what is served from then on', () => {
    let served: readonly ResourceDefinition[] = [autoscalersV1 as unknown as ResourceDefinition];
    const equivalents = createEquivalentResources(() => served);
    const own = autoscalersV1 as unknown as ResourceDefinition;
    assert.deepEqual(equivalents.of(own, ''), []);
    served = [...served, autoscalersV2 as unknown as ResourceDefinition];
    assert.deepEqual(equivalents.of(own, ''), [autoscalersV2]);
    assert.deepEqual(equivalents.of(own, 'scale'), []);
  });
  it('converts objects by way of the stored version', async () => {
    const spec = { maxReplicas: 3, targetCPUUtilizationPercentage: 50 };
    const object = { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', metadata: { name: 'x' }, spec };
    const [v1, v2] = [autoscalersV1, autoscalersV2] as unknown as [ResourceDefinition, ResourceDefinition];
    const converted = await convertObject(object, v1, v2, request());
    assert.equal(converted['apiVersion'], 'autoscaling/v2');
    assert.deepEqual((converted['spec'] as { metrics: unknown }).metrics, [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
    ]);
    const back = (await convertObject(converted, v2, v1, request()))['spec'] as Readonly<Record<string, unknown>>;
    assert.deepEqual({ ...back, scaleTargetRef: undefined }, { ...spec, scaleTargetRef: undefined });
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'x' } };
    assert.deepEqual(await convertObject(scale, deployments as unknown as ResourceDefinition, v2, request()), scale);
  });
});

describe('selectors of webhooks and policies', () => {
  const blue = { namespaceSelector: { matchLabels: { team: 'blue' } } };
  const cases: [more: object, change: Change, matches: boolean][] = [
    [blue, {}, true],
    [{ namespaceSelector: { matchLabels: { team: 'red' } } }, {}, false],
    [{ namespaceSelector: { matchLabels: { team: 'red' } } }, { namespace: 'late' }, true],
    [blue, { namespace: 'late' }, false],
    // Objects of the cluster are never exempt, but Namespaces are selected by their labels: the new ones, or those that are kept.
    [blue, { resource: nodes, namespace: '' }, true],
    [{ namespaceSelector: { matchLabels: { app: 'a' } } }, { resource: namespaces, namespace: '', name: 'default' }, true],
    [blue, { resource: namespaces, namespace: '', name: 'default', operation: 'UPDATE' }, false],
    [blue, { resource: namespaces, namespace: '', name: 'default', operation: 'DELETE' }, true],
    [blue, { resource: namespaces, namespace: '', name: 'default', operation: 'UPDATE', subresource: 'status' }, false],
    [{ objectSelector: { matchLabels: { app: 'a' } } }, {}, true],
    [{ objectSelector: { matchLabels: { app: 'b' } } }, {}, false],
    [{ objectSelector: { matchLabels: { app: 'b' } } }, { oldObject: { metadata: { labels: { app: 'b' } } } as never }, true],
    [{ objectSelector: { matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] } }, {}, true],
    [{ objectSelector: { matchExpressions: [{ key: 'none', operator: 'DoesNotExist' }] } }, { object: undefined as never }, false],
  ];
  for (const [more, change, matches] of cases)
    it(`${JSON.stringify(more)} and ${JSON.stringify({ ...change, resource: (change.resource as ResourceDefinition)?.names.plural })}`, async () =>
      assert.equal((await matchedBy(webhook({}, more), change)) !== undefined, matches));

  it('a namespace that is missing fails only requests that the rules match', async () => {
    await assert.rejects(async () => matchRequest(webhook({}, blue), request({ namespace: 'gone' }), dependencies), {
      message: 'namespaces "gone" not found',
    });
    assert.equal(await matchedBy(webhook({ operations: ['DELETE'] }, blue), { namespace: 'gone' }), undefined);
  });
});
