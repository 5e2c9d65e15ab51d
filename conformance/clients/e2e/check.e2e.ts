import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../../framework/run-program.ts';
import { kubets, nodeProgram, startCluster, type TestCluster } from '../support/cluster.ts';

interface Document {
  readonly totals: Readonly<Record<string, number>>;
  readonly checks: readonly {
    readonly id: string;
    readonly result: string;
    readonly judged: boolean;
    readonly evidence?: readonly string[];
  }[];
}

/**
 * The failing controls of a cluster with the defaults of `kubets up`: there is no audit log, and kubelets are not verified, as by
 * upstream's defaults.
 */
const expectedFailures = ['1.2.5', '1.2.16', '1.2.17', '1.2.18', '1.2.19', '3.2.1'];
/** Ports that the node agent opens beside its API: see docs/security.md. */
const agentPorts = ['10053', '10249', '10250', '10256'];

describe('kubets check on a cluster of one node', function () {
  this.timeout(240_000);
  let cluster: TestCluster;
  before(async () => {
    cluster = await startCluster({ node: true });
  });
  after(() => cluster?.stop());

  const check = async (...flags: string[]) => {
    const { code, stdout, stderr } = await runProgram(nodeProgram, [
      kubets,
      'check',
      '--data-dir',
      cluster.dataDir,
      '-o',
      'json',
      ...flags,
    ]);
    assert.equal(stderr, '');
    return { code, ...(JSON.parse(stdout) as Document) };
  };
  const failures = ({ checks }: Document) => checks.filter(({ result }) => result === 'FAIL').map(({ id }) => id);

  it('judges every control, and nothing fails but what nobody has set up', async () => {
    const document = await check();
    assert.equal(document.checks.length, 131);
    assert.deepEqual(failures(document), expectedFailures);
    assert.equal(document.code, 1);
    assert.deepEqual(
      document.checks.filter(({ judged }) => !judged).map(({ id }) => id),
      [],
    );
  });
  it('finds a key that others may read, and a Pod that is privileged', async () => {
    const key = path.join(cluster.dataDir, 'pki/sa.key');
    chmodSync(key, 0o644);
    assert.deepEqual(failures(await check('--section', '1.1')), ['1.1.21']);
    chmodSync(key, 0o600);
    assert.equal((await check('--section', '1.1')).code, 0);
    const spec = { containers: [{ name: 'c', image: 'x', securityContext: { privileged: true } }] };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'privileged' }, spec };
    await cluster.run(['apply', '-f', '-'], { input: JSON.stringify(pod) });
    const { checks } = await check('--section', '5.2.2');
    assert.ok(checks[0]?.evidence?.includes('Pod default/privileged is one'), JSON.stringify(checks));
  });
  it('finds nothing that listens but what the documentation names', async () => {
    const { stdout } = await runProgram('ss', ['-Hltunp']);
    const own = await processesOf(cluster.dataDir);
    const ports = stdout
      .split('\n')
      .filter((line) => own.some((pid) => line.includes(`pid=${pid},`)))
      .map((line) => line.trim().split(/\s+/)[4] ?? '')
      .filter((address) => !/^127\.0\.0\.1:[3-6]\d{4}$/.test(address))
      .map((address) => address.slice(address.lastIndexOf(':') + 1));
    assert.deepEqual([...new Set(ports)].sort(), [...agentPorts, String(cluster.port)].sort());
    const text = readFileSync(path.resolve(import.meta.dirname, '../../../docs/security.md'), 'utf8');
    const named = [...text.matchAll(/^\| ([^|]+) \| [^|]+ \| [^|]+ \|/gm)].flatMap(([, cell = '']) => cell.match(/\d+(?=\/)/g) ?? []);
    for (const port of [...agentPorts, '6443']) assert.ok(named.includes(port), `docs/security.md does not name port ${port}`);
  });
});

/** Processes whose command line names the data directory, and the control plane. */
async function processesOf(dataDir: string): Promise<string[]> {
  const { stdout } = await runProgram('pgrep', ['-f', dataDir]);
  return stdout.split('\n').filter((line) => line !== '');
}
