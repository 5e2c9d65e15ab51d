import assert from 'node:assert/strict';
import { deploymentBounds } from './workloads/deployment-status.ts';
import { resolveIntOrPercent, resolveRollingUpdateBounds } from './workloads/int-or-percent.ts';
import { formatLabelSelector, matchesLabelMap, matchesLabelSelector } from '../selectors/label-selectors.ts';
import { matchesNodeSelectorTerm, matchesRequiredNodeAffinity, preferredNodeAffinityScore } from './nodes/node-selectors.ts';
import { isPodAvailable } from './pods/pod-conditions.ts';
import { findTargetPort, hostPortsConflict } from './pods/pod-ports.ts';
import { fnv32a, podTemplateHash, safeEncode } from './pods/pod-template-hash.ts';

const node = { metadata: { name: 'n1', labels: { zone: 'a', cores: '8' } } };

describe('node selectors', () => {
  const cases = [
    ['In', { key: 'zone', operator: 'In', values: ['a', 'b'] }, true],
    ['NotIn of an absent label', { key: 'disk', operator: 'NotIn', values: ['hdd'] }, true],
    ['Exists', { key: 'disk', operator: 'Exists' }, false],
    ['Gt', { key: 'cores', operator: 'Gt', values: ['7'] }, true],
    ['Gt needs an integer', { key: 'zone', operator: 'Gt', values: ['7'] }, false],
    ['Lt', { key: 'cores', operator: 'Lt', values: ['8'] }, false],
    ['inherited properties are no labels', { key: 'constructor', operator: 'Exists' }, false],
  ] as const;
  for (const [name, requirement, matches] of cases) {
    it(name, () => assert.equal(matchesNodeSelectorTerm({ matchExpressions: [requirement] }, node), matches));
  }

  it('an empty term matches nothing, fields match by name', () => {
    assert.equal(matchesNodeSelectorTerm({}, node), false);
    assert.equal(matchesNodeSelectorTerm({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }, node), true);
  });

  it('a Pod needs both its nodeSelector and its affinity', () => {
    const affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'Exists' as const }] }],
        },
      },
    };
    assert.equal(matchesRequiredNodeAffinity({ containers: [], nodeSelector: { zone: 'a' }, affinity }, node), true);
    assert.equal(matchesRequiredNodeAffinity({ containers: [], nodeSelector: { zone: 'b' }, affinity }, node), false);
  });

  it('preferences add up', () => {
    const prefer = (weight: number, value: string) => ({
      weight,
      preference: { matchExpressions: [{ key: 'zone', operator: 'In' as const, values: [value] }] },
    });
    const affinity = {
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefer(10, 'a'), prefer(5, 'a'), prefer(50, 'b')] },
    };
    assert.equal(preferredNodeAffinityScore({ containers: [], affinity }, node), 15);
  });
});

describe('label selectors', () => {
  it('an absent selector matches nothing, an empty one everything', () => {
    assert.equal(matchesLabelSelector(undefined, { a: 'b' }), false);
    assert.equal(matchesLabelSelector({}, { a: 'b' }), true);
    assert.equal(matchesLabelMap({}, { a: 'b' }), false);
  });

  it('are shown sorted', () => {
    const selector = {
      matchLabels: { b: '1', a: '2' },
      matchExpressions: [
        { key: 'aa', operator: 'In', values: ['y', 'x'] },
        { key: 'c', operator: 'DoesNotExist' },
      ],
    };
    assert.equal(formatLabelSelector(selector), 'a=2,aa in (x,y),b=1,!c');
    assert.equal(formatLabelSelector({}), '<none>');
  });
});

describe('rolling updates', () => {
  it('round surge up and unavailability down, and always get on', () => {
    assert.deepEqual(resolveRollingUpdateBounds('25%', '25%', 3), { surge: 1, unavailable: 0 });
    assert.deepEqual(resolveRollingUpdateBounds('0%', '10%', 3), { surge: 0, unavailable: 1 });
    assert.equal(resolveIntOrPercent(7, 3, 'up'), 7);
    assert.throws(() => resolveIntOrPercent('7', 3, 'up'));
  });

  it('Recreate allows no surge', () => {
    const spec = { replicas: 3, selector: {}, template: {}, strategy: { type: 'Recreate' as const } };
    assert.deepEqual(deploymentBounds({ metadata: {}, spec }), { surge: 0, unavailable: 0 });
  });
});

describe('pods', () => {
  it('are available after having been ready for long enough', () => {
    const pod = { metadata: {}, status: { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] } };
    const readyMs = 1_767_225_600_000;
    assert.equal(isPodAvailable(pod, 10, readyMs + 9_999), false);
    assert.equal(isPodAvailable(pod, 10, readyMs + 10_000), true);
    assert.equal(isPodAvailable(pod, 0, readyMs), true);
  });

  it('named target ports are found by name and protocol', () => {
    const pod = {
      metadata: {},
      spec: {
        containers: [
          {
            name: 'a',
            ports: [
              { name: 'dns', containerPort: 53, protocol: 'UDP' as const },
              { name: 'dns', containerPort: 54 },
            ],
          },
        ],
      },
    };
    assert.equal(findTargetPort(pod, { port: 80, targetPort: 'dns' }), 54);
    assert.equal(findTargetPort(pod, { port: 80, targetPort: 'dns', protocol: 'UDP' }), 53);
    assert.equal(findTargetPort(pod, { port: 80, targetPort: 'web' }), undefined);
    assert.equal(findTargetPort(pod, { port: 80, targetPort: 8080 }), 8080);
  });

  it('host ports conflict on the wildcard address', () => {
    const port = { ip: '10.0.0.1', protocol: 'TCP', port: 80 };
    assert.equal(hostPortsConflict(port, { ...port, ip: '0.0.0.0' }), true);
    assert.equal(hostPortsConflict(port, { ...port, ip: '10.0.0.2' }), false);
    assert.equal(hostPortsConflict(port, { ...port, protocol: 'UDP' }), false);
  });
});

describe('pod template hash', () => {
  it('encodes without vowels', () => {
    assert.equal(fnv32a(new TextEncoder().encode('foobar')), 0xbf9cf968);
    assert.equal(safeEncode('0123456789'), '456789bcdf');
  });

  it('does not depend on the order of fields, but on the collision count', () => {
    const a = podTemplateHash({ metadata: { labels: { a: '1', b: '2' } }, spec: { containers: [{ name: 'c', image: 'i' }] } });
    const b = podTemplateHash({ spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { labels: { b: '2', a: '1' } } });
    assert.equal(a, b);
    assert.match(a, /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
    assert.notEqual(a, podTemplateHash({ metadata: { labels: { a: '1', b: '2' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }, 1));
  });
});
