import { setTimeout as delay } from 'node:timers/promises';
import { createSeededRandom } from '../../api/base/testing/seeded-random.ts';
import { pods } from '../../api/resources/core/v1/pod.ts';
import { isPodReady } from '../../api/semantics/pods/pod-conditions.ts';
import type { Client } from '../../api/client/client.ts';
import { waitFor } from '../framework/wait-for.ts';
import type { FaultCluster } from './fault-cluster.ts';
import { describeFault, type FaultKind, inject, planFaults, restartsContainers } from './fault-kinds.ts';
import {
  containersOf,
  deleteNamespace,
  namespaceProblems,
  nodeProblems,
  podProblems,
  runtimeProblems,
  serviceProblems,
} from './invariants.ts';
import { findAdded, type MachineState, readMachineState } from './machine-state.ts';
import { changingName, churn, createWorkload, steadyName } from './workload.ts';

const loadMs = 5000;
/** Remains of half-made sandboxes are cleared away within 35 s. */
const settleSeconds = 75;

/** The machines as they are when nothing runs on them. */
export function readBaseline(cluster: FaultCluster): Promise<MachineState[]> {
  return Promise.all(cluster.nodes.map(({ machine }) => readMachineState(machine)));
}

/**
 * Kills parts of the cluster while Pods are created and deleted, as the seed determines; then checks that the cluster recovers, deletes
 * everything, and checks that nothing is left. Returns a report; throws an Error with the problems.
 */
export async function runRound(
  cluster: FaultCluster,
  seed: number,
  kinds: readonly FaultKind[],
  baseline: readonly MachineState[],
): Promise<string> {
  const random = createSeededRandom(seed);
  const faults = planFaults(random, kinds, cluster.nodes.length);
  const namespace = `round-${seed}`;
  const connection = await cluster.connect();
  const { client } = connection;
  try {
    await createWorkload(client, namespace);
    const before = await untilSteady(client, namespace);
    const stopLoad = new AbortController();
    const churning = churn(client, namespace, random, stopLoad.signal);
    const results = await Promise.allSettled([...inSequence(faults.map((fault) => () => inject(cluster, fault))), delay(loadMs)]);
    stopLoad.abort();
    const created = await churning;
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await cluster.untilReady(settleSeconds);
    const killed = new Set(faults.filter(restartsContainers).map(({ node }) => cluster.nodes[node]?.machine.name));
    await settle('the Pods', () => restProblems(cluster, client, namespace, (name) => killed.has(name)));
    const after = await client(pods).list({ namespace, labelSelector: `app=${steadyName}` });
    const kept = after.items.filter(({ spec }) => !killed.has(spec?.nodeName));
    for (const [name, containers] of containersOf(kept))
      if (before.has(name) && before.get(name) !== containers) throw new Error(`${name} was ${before.get(name)} and is ${containers}`);
    await deleteNamespace(client, namespace);
    await settle('the end', async () => [
      ...(await namespaceProblems(client, namespace)),
      ...(await nodeProblems(client)),
      ...(await Promise.all(cluster.nodes.map(async ({ machine }) => runtimeProblems(machine, [])))).flat(),
      ...(await leftProblems(cluster, baseline)),
    ]);
    return `${faults.map(describeFault).join('; ')}; ${created} Pods`;
  } catch (error) {
    throw new Error(`${faults.map(describeFault).join('; ')}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    connection.close();
  }
}

/** Two kills of one round happen one after the other. */
function inSequence(actions: readonly (() => Promise<void>)[]): Promise<void>[] {
  const promises: Promise<void>[] = [];
  for (const action of actions) {
    const before = promises.at(-1) ?? Promise.resolve();
    promises.push(before.then(action));
  }
  return promises;
}

async function untilSteady(client: Client, namespace: string): Promise<ReadonlyMap<string, string>> {
  const ready = async () => {
    const { items } = await client(pods).list({ namespace, labelSelector: `app=${steadyName}` });
    return items.length === 4 && items.every(isPodReady) && containersOf(items);
  };
  return await waitFor('the steady Pods', ready, { withinSeconds: 40 });
}

async function restProblems(
  cluster: FaultCluster,
  client: Client,
  namespace: string,
  mayHaveRestarted: (name: string) => boolean,
): Promise<string[]> {
  const { items } = await client(pods).list({ namespace });
  const machines = cluster.nodes.map(({ machine }) => machine);
  const perMachine = machines.map(async (machine) => [
    ...(await runtimeProblems(machine, items)),
    ...(await serviceProblems(client, machine, namespace, steadyName)),
    ...(await serviceProblems(client, machine, namespace, changingName)),
  ]);
  return [...podProblems(items, mayHaveRestarted), ...(await Promise.all(perMachine)).flat()];
}

async function leftProblems(cluster: FaultCluster, baseline: readonly MachineState[]): Promise<string[]> {
  const now = await readBaseline(cluster);
  return now.flatMap((state, index) =>
    findAdded(baseline[index] ?? {}, state).map((added) => `${cluster.nodes[index]?.machine.name} ${added}`),
  );
}

/** Repeats a check until there is no problem; throws those that remain at the end. */
async function settle(what: string, ask: () => Promise<string[]>): Promise<void> {
  const deadline = performance.now() + settleSeconds * 1000;
  for (;;) {
    const problems = await ask().catch((error: unknown) => [String(error)]);
    if (problems.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${what}, not right within ${settleSeconds} s:\n  ${problems.join('\n  ')}`);
    await delay(500);
  }
}
