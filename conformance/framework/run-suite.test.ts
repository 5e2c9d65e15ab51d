import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../api/base/logger.ts';
import { namespaces } from '../../api/resources/core/v1/namespace.ts';
import { formatKubeconfig } from '../../server/cli/data-dir/kubeconfig.ts';
import { type ControlPlane, startControlPlane } from '../../server/control-plane/start-control-plane.ts';
import { conformanceTest, type ConformanceTest } from './conformance-test.ts';
import { type Cluster, connectCluster } from './connect-cluster.ts';
import { runSuite, type TestOutcome } from './run-suite.ts';
import { waitFor } from './wait-for.ts';

const about = { release: 'v1.36', behavior: 'The runner MUST tell the truth.' };

describe('conformance: the runner', function () {
  this.timeout(60_000);
  let directory: string;
  let controlPlane: ControlPlane;
  let cluster: Cluster;
  before(async () => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'kubets-runner-'));
    controlPlane = await startControlPlane({
      storage: { kind: 'memory' },
      storageDirectory: directory,
      pkiDirectory: path.join(directory, 'pki'),
      bindAddress: '0.0.0.0',
      port: 0,
      serviceCIDRs: ['10.96.0.0/12'],
      clusterCIDR: '10.244.0.0/16',
      nodeCIDRMaskSize: 24,
      podNetwork: 'host-gw',
      clusterDomain: 'cluster.local',
      logger: silentLogger,
    });
    const { admin, clusterCA } = controlPlane.pki.get();
    const server = `https://127.0.0.1:${controlPlane.port}`;
    const kubeconfig = path.join(directory, 'kubeconfig');
    writeFileSync(
      kubeconfig,
      formatKubeconfig({ server, ca: clusterCA.certificatePEM, certificate: admin.certificatePEM, key: admin.keyPEM }),
    );
    cluster = await connectCluster(kubeconfig);
  });
  after(async () => {
    cluster?.close();
    await controlPlane?.stop();
    rmSync(directory, { recursive: true });
  });

  async function outcomesOf(...tests: readonly ConformanceTest[]): Promise<Record<string, TestOutcome>> {
    const outcomes: Record<string, TestOutcome> = {};
    const report = ({ name }: ConformanceTest, outcome: TestOutcome) => void (outcomes[name] = outcome);
    await runSuite(tests, { cluster, hasNode: false, parallel: 4, report });
    return outcomes;
  }

  it('a test passes, fails, or is skipped, and each is told once', async () => {
    const outcomes = await outcomesOf(
      conformanceTest({ name: 'passes', ...about, run: async () => {} }),
      conformanceTest({ name: 'fails', ...about, run: () => Promise.reject(new Error('as it should')) }),
      conformanceTest({ name: 'needs a node', ...about, needsNode: true, run: async () => {} }),
      conformanceTest({ name: 'needs kubectl', ...about, needsKubectl: true, run: async () => {} }),
    );
    const kinds = Object.fromEntries(Object.entries(outcomes).map(([name, { kind }]) => [name, kind]));
    assert.deepEqual(kinds, { passes: 'passed', fails: 'failed', 'needs a node': 'skipped', 'needs kubectl': 'skipped' });
    assert.match(String((outcomes['fails'] as { error: unknown }).error), /as it should/);
  });

  it('a test that does not end has failed', async () => {
    const outcomes = await outcomesOf(conformanceTest({ name: 'hangs', ...about, timeoutSeconds: 0.2, run: () => new Promise(() => {}) }));
    assert.equal(outcomes['hangs']?.kind, 'failed');
  });

  it('what a test registered is cleaned up in reverse, and a failure of that is one of the test', async () => {
    const order: string[] = [];
    const outcomes = await outcomesOf(
      conformanceTest({
        name: 'cleans up',
        ...about,
        async run({ cleanUp }) {
          cleanUp(async () => void order.push('first'));
          cleanUp(() => Promise.reject(new Error('cannot clean up')));
          cleanUp(async () => void order.push('last'));
        },
      }),
    );
    assert.deepEqual(order, ['last', 'first']);
    assert.equal(outcomes['cleans up']?.kind, 'failed');
  });

  it('each test has namespaces of its own, which are gone afterwards', async () => {
    const seen: string[] = [];
    await outcomesOf(
      ...['one', 'two'].map((name) =>
        conformanceTest({
          name,
          ...about,
          run: async ({ namespace, createNamespace }) => void seen.push(namespace, await createNamespace('more')),
        }),
      ),
    );
    assert.equal(new Set(seen).size, 4);
    await waitFor(
      'removal of all namespaces',
      async () => !(await cluster.client(namespaces).list()).items.some(({ metadata }) => seen.includes(metadata.name ?? '')),
      { withinSeconds: 5 },
    );
  });

  it('serial tests run alone, after the others', async () => {
    let running = 0;
    const order: string[] = [];
    const test = (name: string) =>
      conformanceTest({
        name,
        ...about,
        async run() {
          running++;
          if (name.includes('[Serial]')) assert.equal(running, 1);
          // Others that run at the same time begin now.
          await new Promise((resolve) => setImmediate(resolve));
          order.push(name);
          running--;
        },
      });
    const outcomes = await outcomesOf(test('[Serial] a'), test('b'), test('[Serial] c'), test('d'));
    assert.deepEqual(order.slice(2), ['[Serial] a', '[Serial] c']);
    assert.ok(Object.values(outcomes).every(({ kind }) => kind === 'passed'));
  });
});
