import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectThat } from '../guest/expect.ts';
import { idle, podManifest } from './pods.ts';
import { listProcesses, type Part, processesOf } from './processes.ts';

/** The highest `oom_score_adj` of the kubelet, its runtime and a kubeadm control plane. */
const protectedParts: Readonly<Record<Part, number>> = {
  'control plane': -997,
  agent: -999,
  containerd: -999,
  shim: -998,
  pause: -998,
};

export const protection: CheckTopic = {
  topic: 'out of memory',
  checks: [
    { name: 'control plane, agent, containerd, shims and pause are protected from the OOM killer', run: partsAreProtected },
    { name: 'a Guaranteed Pod has the OOM score -997, a BestEffort one 1000', run: podsHaveScores },
    { name: 'an OOM kill of any process ends the whole container: 137, OOMKilled', run: wholeContainerEnds },
  ],
};

async function partsAreProtected({ machine }: CheckContext): Promise<string> {
  const processes = await listProcesses(machine);
  const found = (Object.keys(protectedParts) as Part[]).map((part) => {
    const scores = processesOf(part, processes).map(({ oomScore }) => oomScore);
    expectThat(scores.length > 0, `no process of ${part} was found`);
    return { part, score: Math.max(...scores), wanted: protectedParts[part] };
  });
  const text = found.map(({ part, score }) => `${part} ${score}`).join(', ');
  expectThat(
    found.every(({ score, wanted }) => score <= wanted),
    `the highest scores are: ${text}`,
  );
  return text;
}

async function podsHaveScores({ cluster, seconds }: CheckContext): Promise<string> {
  const limits = { cpu: '100m', memory: '32Mi' };
  await cluster.apply(podManifest({ name: 'guaranteed', script: idle, limits }));
  await cluster.apply(podManifest({ name: 'besteffort', script: idle }));
  const scores: string[] = [];
  for (const [pod, wanted] of [
    ['guaranteed', -997],
    ['besteffort', 1000],
  ] as const) {
    await cluster.waitForField(`pod/${pod}`, '{.status.phase}', /^Running$/, 30);
    const { stdout } = await cluster.kubectl(['exec', pod, '--', 'cat', '/proc/1/oom_score_adj'], { timeoutSeconds: seconds(30) });
    expectEqual(`the score of Pod ${pod}`, stdout, wanted);
    scores.push(`${pod} ${stdout.trim()}`);
  }
  await cluster.remove('pod/guaranteed', 'pod/besteffort');
  return scores.join(', ');
}

async function wholeContainerEnds({ cluster }: CheckContext): Promise<string> {
  // The shell would run on for long after its child was killed, and end with another exit code.
  const script = 'tail /dev/zero; sleep 120; exit 7';
  await cluster.apply(podManifest({ name: 'oom-child', script, limits: { memory: '32Mi' }, restartPolicy: 'Never' }));
  const state = '{.status.containerStatuses[0].state.terminated}';
  const ended = await cluster.waitForField('pod/oom-child', state, /exitCode/, 60);
  const { exitCode, reason } = JSON.parse(ended) as { readonly exitCode: number; readonly reason: string };
  expectEqual('the exit code', exitCode, 137);
  expectEqual('the reason', reason, 'OOMKilled');
  await cluster.remove('pod/oom-child');
  return `${exitCode}, ${reason}`;
}
