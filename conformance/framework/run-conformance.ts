import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { inspect } from 'node:util';
import { listAll } from '../../api/client/list-pages.ts';
import { nodes } from '../../api/resources/core/v1/node.ts';
import { ensureClients } from '../clients/support/ensure-clients.ts';
import { suite } from '../suite/suite.ts';
import { type Cluster, connectCluster } from './connect-cluster.ts';
import { runSuite } from './run-suite.ts';

const usage = `Runs the conformance suite against a cluster.
  node conformance/framework/run-conformance.ts --kubeconfig FILE [--focus REGEX] [--skip REGEX] [--parallel N] [--list]`;

/** Runs the suite against a kubeconfig's cluster; ends with the line "N passed, N failed". */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string', default: process.env['KUBECONFIG'] ?? '' },
      focus: { type: 'string', default: '' },
      skip: { type: 'string' },
      parallel: { type: 'string', default: '4' },
      kubectl: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { focus, skip, parallel, kubeconfig } = values;
  const tests = suite.filter(({ name }) => new RegExp(focus).test(name) && !(skip !== undefined && new RegExp(skip).test(name)));
  if (values.help || values.list) {
    console.log(values.help ? usage : tests.map(({ name }) => name).join('\n'));
    return 0;
  }
  if (kubeconfig === '' || !existsSync(kubeconfig)) {
    console.error(`${usage}\n\n${kubeconfig === '' ? 'no kubeconfig was named' : `${kubeconfig} does not exist`}`);
    return 2;
  }
  if (tests.length === 0) {
    console.error(`no test's name matches ${focus}`);
    return 2;
  }
  const cluster = await connectCluster(kubeconfig);
  const kubectl = { program: values.kubectl ?? ensureClients().newestKubectl, kubeconfig: path.resolve(kubeconfig) };
  const count = { passed: 0, failed: 0, skipped: 0 };
  await runSuite(tests, {
    cluster: { ...cluster, kubectl },
    hasNode: await hasReadyNode(cluster),
    parallel: Number(parallel),
    report({ name }, outcome) {
      count[outcome.kind]++;
      if (outcome.kind === 'skipped') console.log(`skip  ${name} (${outcome.why})`);
      else console.log(`${outcome.kind === 'passed' ? 'ok   ' : 'FAIL '} ${name} (${outcome.seconds.toFixed(1)} s)`);
      if (outcome.kind === 'failed') console.log(inspect(outcome.error).replaceAll(/^/gm, '      '));
    },
  });
  cluster.close();
  if (count.skipped > 0) console.log(`${count.skipped} skipped`);
  console.log(`${count.passed} passed, ${count.failed} failed`);
  return count.failed === 0 ? 0 : 1;
}

async function hasReadyNode({ client }: Cluster): Promise<boolean> {
  const all = await listAll(client(nodes));
  return all.items.some(
    ({ status, spec }) =>
      !spec?.unschedulable && status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  );
}

process.exit(await main());
