import { waitFor } from '../../framework/wait-for.ts';
import type { Machine } from '../emulator/machine.ts';
import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual, expectThat } from '../guest/expect.ts';
import { containersOf, describeChanges } from './containers.ts';
import { idle, podManifest } from './pods.ts';
import { listProcesses, type Part, processesOf } from './processes.ts';

export const robustness: CheckTopic = {
  topic: 'robustness',
  checks: [
    { name: 'kill -9 of the agent: it is started again and no container restarts', run: (context) => survivesKillOf('agent', context) },
    {
      name: 'kill -9 of containerd: it is started again and no container restarts',
      run: (context) => survivesKillOf('containerd', context),
    },
    { name: 'no healthy container is killed where shims are stopped and continued under load', run: slowShims },
  ],
};

async function survivesKillOf(part: Part, { cluster, machine, seconds }: CheckContext): Promise<string> {
  const before = await containersOf(cluster);
  const [victim] = processesOf(part, await listProcesses(machine));
  if (victim === undefined) throw new Error(`no process of ${part} was found`);
  const startedMs = performance.now();
  await machine.succeed(`kill -9 ${victim.pid}`);
  await waitFor(
    `another process of ${part}`,
    async () => processesOf(part, await listProcesses(machine)).some(({ pid }) => pid !== victim.pid),
    { withinSeconds: seconds(60), everyMs: 1000 },
  );
  // A Pod that starts proves that agent and runtime work, and have checked what exists.
  await cluster.apply(podManifest({ name: 'after-kill', script: idle }));
  await cluster.waitForField('pod/after-kill', '{.status.phase}', /^Running$/, 90);
  await cluster.remove('pod/after-kill');
  const after = await containersOf(cluster);
  expectEqual(`what has changed by the kill of ${victim.command.slice(0, 60)}`, describeChanges(before, after), '');
  return `${before.length} containers as before, the next Pod runs after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`;
}

/** The longest time for which a shim is stopped: longer than the agent waits before it takes a shim for an orphan. */
const longestStopSeconds = 30;
const steadyPods = 3;
const podsPerRound = 2;

/**
 * Each round starts Pods with an init container and two containers, while shims are stopped for a random time: containerd
 * makes another shim for a container where that of its sandbox does not answer.
 */
async function slowShims(context: CheckContext): Promise<string> {
  const { cluster, machine, rounds, say } = context;
  const steady = Array.from({ length: steadyPods }, (_, index) => `steady-${index}`);
  for (const name of steady) await cluster.apply(podManifest({ name, script: idle }));
  for (const name of steady) await cluster.waitForField(`pod/${name}`, '{.status.phase}', /^Running$/, 60);
  const before = await containersOf(cluster);
  await machine.succeed(stopShimsScript);
  const killed: string[] = [];
  let failedStarts = 0;
  try {
    for (let round = 1; round <= rounds; round++) {
      const names = Array.from({ length: podsPerRound }, (_, index) => `round-${round}-${index}`);
      for (const name of names) await cluster.apply(podOfManyContainers(name));
      // Starting may take long, as the shims are stopped in it; it must come to an end all the same.
      for (const name of names) await cluster.waitForField(`pod/${name}`, '{.status.phase}', /^Running$/, 180);
      await pause(longestStopSeconds);
      for (const name of names) {
        const restarted = await restartsOf(context, name);
        killed.push(...restarted.killed);
        failedStarts += restarted.failedStarts;
      }
      await cluster.remove(...names.map((name) => `pod/${name}`));
      say(`  round ${round} of ${rounds}: ${killed.length} containers killed`);
    }
  } finally {
    await machine.succeed('systemctl stop slow-shims; pkill -CONT -x containerd-shim || true');
  }
  const changes = describeChanges(before, await containersOf(cluster));
  await cluster.remove(...steady.map((name) => `pod/${name}`));
  expectThat(killed.length === 0 && changes === '', `killed: ${[...killed, changes].join('; ')}\n${await warnings(machine)}`);
  return `${rounds} rounds, ${before.length} containers that were there are as before, none of ${rounds * podsPerRound * 2} new ones killed; ${failedStarts} starts failed in the runtime and were tried again`;
}

/** Stops one to three random shims for up to half a minute, repeatedly, until its unit is stopped. */
const stopShimsScript = `systemctl reset-failed slow-shims 2>/dev/null
systemd-run -q --unit=slow-shims bash -c '
  while :; do
    shims=$(pgrep -x containerd-shim | shuf -n $((RANDOM % 3 + 1)))
    kill -STOP $shims; sleep $((RANDOM % ${longestStopSeconds})).$((RANDOM % 10)); kill -CONT $shims; sleep 0.$((RANDOM % 10))
  done'`;

function podOfManyContainers(name: string): object {
  const container = (containerName: string, script: string) => ({
    name: containerName,
    image: 'busybox:1.37',
    command: ['sh', '-c', script],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      terminationGracePeriodSeconds: 1,
      initContainers: [container('first', 'true')],
      containers: [container('main', idle), container('beside', idle)],
    },
  };
}

interface RestartedContainer {
  readonly name: string;
  readonly restartCount: number;
  readonly lastState?: { readonly terminated?: { readonly reason?: string } };
}

async function restartsOf({ cluster }: CheckContext, pod: string): Promise<{ readonly killed: string[]; readonly failedStarts: number }> {
  return findKilled(pod, JSON.parse(await cluster.field(`pod/${pod}`, '{.status.containerStatuses}')) as readonly RestartedContainer[]);
}

/**
 * Containers that ran and were started again. A container that the runtime could not start, since a shim did not answer, was not healthy.
 */
export function findKilled(
  pod: string,
  statuses: readonly RestartedContainer[],
): { readonly killed: string[]; readonly failedStarts: number } {
  const restarted = statuses.filter(({ restartCount }) => restartCount > 0);
  const failed = restarted.filter(({ lastState, restartCount }) => restartCount === 1 && lastState?.terminated?.reason === 'StartError');
  return {
    killed: restarted.filter((one) => !failed.includes(one)).map(({ name, lastState }) => `${pod}/${name} ${JSON.stringify(lastState)}`),
    failedStarts: failed.length,
  };
}

async function warnings(machine: Machine): Promise<string> {
  return await machine.succeed('tail -n 20 /var/lib/kubets/node/agent.log');
}

function pause(forSeconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forSeconds * 1000));
}
