import assert from 'node:assert/strict';
import { startCluster, type TestCluster } from '../support/cluster.ts';
import { ensureClients } from '../support/ensure-clients.ts';
import { type CommandCase, kubectlCases } from '../support/kubectl-cases.ts';

/** Stock kubectl of several releases against the control plane alone: its output must be that on Kubernetes. */
describe('stock kubectl against the API', function () {
  this.timeout(60_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: false });
  });
  after(() => cluster?.stop());

  for (const { version, path: program } of ensureClients().kubectl) {
    describe(version, () => {
      const namespace = `kubectl-${version.replace('.', '-')}`;
      before(() => cluster.run(['create', 'namespace', namespace], { program }));
      after(() => cluster.run(['delete', 'namespace', namespace], { program }));
      for (const command of kubectlCases) it(`kubectl ${command.args}`, () => runCase(command, namespace, program, version));
    });
  }

  async function runCase(command: CommandCase, namespace: string, program: string, version: string): Promise<void> {
    // An argument in single quotes may hold spaces.
    const args = (command.args.match(/'[^']*'|\S+/g) ?? []).map((arg) => arg.replaceAll("'", '').replaceAll('$VERSION', version));
    const deadline = performance.now() + (command.withinSeconds ?? 0) * 1000;
    for (;;) {
      const { code, stdout, stderr } = await cluster.kubectl(['--namespace', namespace, ...args], {
        program,
        ...(command.input === undefined ? {} : { input: command.input }),
        env: { KUBE_EDITOR: 'sed -i s/before/after/' },
      });
      try {
        assert.equal(code, command.code ?? 0, `${stdout}${stderr}`);
        for (const wanted of [command.output].flat()) assert.match(`${stdout}${stderr}`, wanted);
        if (command.not) assert.doesNotMatch(`${stdout}${stderr}`, command.not);
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
    }
  }
});
