import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../../framework/run-program.ts';
import { testImages } from '../../framework/test-images.ts';
import { clientNodeChecks } from '../support/client-node.ts';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { canCompileGoChecks, compileGoChecks } from '../support/go-checks.ts';

const here = path.resolve(import.meta.dirname, '..');
const python = '/usr/bin/python3';

/** The official client libraries, each used as its users use it. */
describe('client libraries', function () {
  this.timeout(600_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: true });
  });
  after(() => cluster?.stop());

  describe('@kubernetes/client-node', () => {
    const namespace = 'client-node';
    before(() => cluster.run(['create', 'namespace', namespace]));
    for (const [name, check] of Object.entries(clientNodeChecks))
      it(name, async () => {
        const { kubeConfig, close } = await cluster.connect();
        try {
          await check({ kubeConfig, namespace, image: testImages.busybox });
        } finally {
          close();
        }
      });
  });

  describe('Python client', () =>
    checkWith({
      checks: names('python/checks.py', /^checks = \[\n([^\]]*)\]/m, /^ {4}(\w+),$/gm),
      namespace: 'python',
      isThere: existsSync(path.join(path.dirname(python), '../lib/python3/dist-packages/kubernetes')),
      cluster: () => cluster,
      // -I keeps the user's other packages out of the test.
      prepare: async () => ({ program: python, args: ['-I', path.join(here, 'python/checks.py')] }),
    }));

  describe('client-go', () =>
    checkWith({
      checks: ['objects.go', 'pods.go'].flatMap((file) =>
        names(`client-go/${file}`, /Checks = \[\]check\{\n([^]*?)^\}/m, /^\t\{"([^"]*)",/gm),
      ),
      namespace: 'client-go',
      isThere: canCompileGoChecks(),
      cluster: () => cluster,
      prepare: async () => ({ program: await compileGoChecks(cluster.dataDir), args: [] }),
    }));
});

interface Library {
  readonly checks: readonly string[];
  readonly namespace: string;
  readonly isThere: boolean;
  cluster(): TestCluster;
  prepare(): Promise<{ readonly program: string; readonly args: readonly string[] }>;
}

/** Runs the program of a library's checks once, and makes one test of each line of its output, which reports one check. */
function checkWith({ checks, namespace, isThere, cluster, prepare }: Library): void {
  const outcomes = new Map<string, { readonly ok: boolean; readonly error?: string }>();
  let said = '';
  before(async function () {
    if (!isThere) return this.skip();
    const { program, args } = await prepare();
    await cluster().run(['create', 'namespace', namespace]);
    const result = await runProgram(program, [...args, cluster().kubeconfig, namespace, testImages.busybox], { timeoutSeconds: 300 });
    said = `ended with ${result.code}:\n${result.stdout}${result.stderr}`;
    for (const line of result.stdout.split('\n').filter((text) => text.startsWith('{'))) {
      const outcome = JSON.parse(line) as { name: string; ok: boolean; error?: string };
      outcomes.set(outcome.name, outcome);
    }
  });
  for (const name of checks)
    it(name.replaceAll('_', ' '), () => {
      const outcome = outcomes.get(name);
      assert.ok(outcome, `the program of the checks said nothing of it; it ${said.slice(-2000)}`);
      assert.ok(outcome.ok, outcome.error ?? 'failed');
    });
}

/** The names of checks in a source file: the matches of `one` within the match of `all`. */
function names(file: string, all: RegExp, one: RegExp): string[] {
  const list = all.exec(readFileSync(path.join(here, file), 'utf8'))?.[1] ?? '';
  const found = [...list.matchAll(one)].map((match) => match[1] ?? '');
  assert.ok(found.length > 0, `no checks were found in ${file}`);
  return found;
}
