import assert from 'node:assert/strict';
import type { Container, Pod } from '../../../api/types/core-v1.ts';
import { type EnvironmentSources, makeEnvironment } from './environment.ts';
import { serviceVariables } from './service-variables.ts';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { app: 'web' }, annotations: { note: 'a b' } },
  spec: { nodeName: 'node', serviceAccountName: 'sa', containers: [] },
};

function environment(container: Partial<Container>, more: Partial<EnvironmentSources> = {}): Record<string, string> {
  const whole = { name: 'c', ...container };
  return Object.fromEntries(
    makeEnvironment({
      pod: { ...pod, spec: { ...pod.spec, containers: [whole] } },
      container: whole,
      podIPs: ['10.0.0.1', 'fd00::1'],
      hostIPs: ['192.0.2.1'],
      serviceVariables: new Map(),
      allocatable: { cpu: 2000, memory: 1 << 30, ephemeralStorage: 0 },
      configMap: (name) => (name === 'cm' ? { metadata: {}, data: { k: 'v', other: 'o' } } : undefined),
      secret: (name) => (name === 's' ? { metadata: {}, data: { pw: 'Z2VoZWlt' } } : undefined),
      ...more,
    }),
  );
}

describe('makeEnvironment', () => {
  it('takes values in order, each seeing those before it', () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A)$(C)' },
      { name: 'C', value: '$(SVC)' },
      { name: 'A', value: '2' },
    ];
    assert.deepEqual(
      environment(
        { env },
        {
          serviceVariables: new Map([
            ['SVC', 's'],
            ['A', 'hidden'],
          ]),
        },
      ),
      { A: '2', B: '1$(C)', C: 's', SVC: 's' },
    );
  });

  it('knows all sources', () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const resource = (name: string, key: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: key, ...(divisor ? { divisor } : {}) } },
    });
    const env = [
      { name: 'CM', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } },
      { name: 'SECRET', valueFrom: { secretKeyRef: { name: 's', key: 'pw' } } },
      { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'missing', key: 'k', optional: true } } },
      field('NAME', 'metadata.name'),
      field('UID', 'metadata.uid'),
      field('LABEL', "metadata.labels['app']"),
      field('IP', 'status.podIP'),
      field('IPS', 'status.podIPs'),
      field('NODE', 'spec.nodeName'),
      field('HOST', 'status.hostIP'),
      resource('CPU', 'limits.cpu'),
      resource('MILLI', 'requests.cpu', '1m'),
      resource('MEM', 'limits.memory', '1Mi'),
    ];
    assert.deepEqual(environment({ env, resources: { requests: { cpu: '250m' }, limits: { cpu: '1500m' } } }), {
      CM: 'v',
      SECRET: 'geheim',
      NAME: 'p',
      UID: 'u',
      LABEL: 'web',
      IP: '10.0.0.1',
      IPS: '10.0.0.1,fd00::1',
      NODE: 'node',
      HOST: '192.0.2.1',
      CPU: '2',
      MILLI: '250',
      MEM: '1024',
    });
  });

  it('takes whole objects, prefixed, and lets env win', () => {
    const envFrom = [
      { configMapRef: { name: 'cm' } },
      { prefix: 'S_', secretRef: { name: 's' } },
      { configMapRef: { name: 'none', optional: true } },
    ];
    assert.deepEqual(environment({ envFrom, env: [{ name: 'k', value: 'mine' }] }), { k: 'mine', other: 'o', S_pw: 'geheim' });
  });

  const failures: [string, Partial<Container>][] = [
    ['configmap "x" not found', { envFrom: [{ configMapRef: { name: 'x' } }] }],
    ['secret "x" not found', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'x', key: 'k' } } }] }],
    ["couldn't find key x in ConfigMap n/cm", { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'x' } } }] }],
    ["couldn't find key x in Secret n/s", { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'x' } } }] }],
  ];
  for (const [message, container] of failures)
    it(message, () => assert.throws(() => environment(container), { name: 'ContainerConfigError', message }));
});

describe('serviceVariables', () => {
  const service = (name: string, namespace: string, clusterIP = '10.96.0.7') => ({
    metadata: { name, namespace },
    spec: {
      clusterIP,
      ports: [
        { name: 'http-web', port: 80 },
        { port: 53, protocol: 'UDP' as const },
      ],
    },
  });
  const services = [
    service('my-db', 'n'),
    service('kubernetes', 'default', '10.96.0.1'),
    service('other', 'default'),
    service('headless', 'n', 'None'),
  ];

  it('names hosts and ports', () => {
    const variables = Object.fromEntries(serviceVariables(pod, services));
    assert.deepEqual(
      Object.entries(variables).filter(([name]) => name.startsWith('MY_DB')),
      [
        ['MY_DB_SERVICE_HOST', '10.96.0.7'],
        ['MY_DB_SERVICE_PORT', '80'],
        ['MY_DB_SERVICE_PORT_HTTP_WEB', '80'],
        ['MY_DB_PORT', 'tcp://10.96.0.7:80'],
        ['MY_DB_PORT_80_TCP', 'tcp://10.96.0.7:80'],
        ['MY_DB_PORT_80_TCP_PROTO', 'tcp'],
        ['MY_DB_PORT_80_TCP_PORT', '80'],
        ['MY_DB_PORT_80_TCP_ADDR', '10.96.0.7'],
        ['MY_DB_PORT_53_UDP', 'udp://10.96.0.7:53'],
        ['MY_DB_PORT_53_UDP_PROTO', 'udp'],
        ['MY_DB_PORT_53_UDP_PORT', '53'],
        ['MY_DB_PORT_53_UDP_ADDR', '10.96.0.7'],
      ],
    );
    assert.equal(variables['KUBERNETES_SERVICE_HOST'], '10.96.0.1');
    assert.equal(
      Object.keys(variables).some((name) => /^(OTHER|HEADLESS)/.test(name)),
      false,
    );
  });

  it('keeps only the API server without links', () => {
    const variables = serviceVariables({ ...pod, spec: { containers: [], enableServiceLinks: false } }, services);
    assert.deepEqual([...new Set([...variables.keys()].map((name) => name.split('_')[0]))], ['KUBERNETES']);
  });
});
