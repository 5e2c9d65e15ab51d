import { hostsFile } from '../../containers/hosts-file.ts';
import { podLogDirectory } from '../../../node-paths.ts';
import { activeSandbox } from '../../runtime/runtime-pod.ts';
import { addressesOf } from '../pod-addresses.ts';
import { retryDelay } from '../pod-record.ts';
import type { PodContext, PodState } from '../pod-state.ts';
import { planFor, runtimeHandlerOf, sandboxConfigOf } from '../pod-plan.ts';

/** Makes sure that there is a sandbox with its network: an existing one, a new one, or another one after the old one died. */
export const sandboxing: PodState = async (context) => {
  const { pod, runtimePod, record, services, events } = context;
  const { runtime, files, paths } = services;
  const plan = planFor(context);
  if (plan.kind !== 'sandbox') {
    await prepareNetwork(context);
    return { to: 'running', againAfterMs: 0, leavesRuntime: true };
  }
  record.endTurn ??= await services.startTurns.take(context.signal);
  if (context.signal.aborted) return { to: 'sandboxing', againAfterMs: 0 };
  if (runtimePod.sandboxes.length > 0) {
    events().event('Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    for (const { id } of runtimePod.sandboxes) await runtime.stopPodSandbox(id);
  }
  const identity = { name: pod.metadata.name ?? '', namespace: pod.metadata.namespace ?? '', uid: pod.metadata.uid ?? '' };
  await files.makeDirectory(podLogDirectory(paths, identity), { mode: 0o755 });
  try {
    await runtime.runPodSandbox(await sandboxConfigOf(context, plan.attempt), await runtimeHandlerOf(context));
    if (plan.attempt === 0) services.tallies.add('kubelet_started_pods_total', []);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    events().event('Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${problem}`);
    return { to: 'sandboxing', againAfterMs: retryDelay(record, 'sandbox') };
  }
  record.hasFailed.delete('sandbox');
  for (const { id } of runtimePod.sandboxes) {
    if (runtimePod.containers.every(({ sandboxID }) => sandboxID !== id)) await runtime.removePodSandbox(id);
  }
  return { to: 'sandboxing', againAfterMs: 0 };
};

/** Once per sandbox, before its containers: those that run have the hosts file mounted. */
async function prepareNetwork({ pod, runtimePod, services }: PodContext): Promise<void> {
  const { files, paths, clusterDomain, nodeHosts } = services;
  const sandbox = activeSandbox(runtimePod);
  if (!sandbox) return;
  const { podIPs } = addressesOf(pod, runtimePod, services);
  const isNew = runtimePod.containers.every(({ sandboxID }) => sandboxID !== sandbox.id);
  if (!pod.spec?.hostNetwork && podIPs.length > 0) await services.isolatePod(pod, podIPs, { isNew });
  const path = `${paths.pods}/${pod.metadata.uid}/etc-hosts`;
  const wanted = hostsFile(pod, podIPs, pod.spec?.hostNetwork ? await nodeHosts() : '', clusterDomain);
  if ((await files.findText(path)) !== wanted) await files.write(path, wanted, { mode: 0o644 });
}
