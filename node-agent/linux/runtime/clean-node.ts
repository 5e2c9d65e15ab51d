import { readdir } from 'node:fs/promises';
import type { Clock } from '../../../api/base/clock.ts';
import type { Logger } from '../../../api/base/logger.ts';
import { createCRIClient } from '../../cri/cri-client.ts';
import type { CgroupNames } from '../cgroups/cgroup-names.ts';
import { createCgroups } from '../cgroups/cgroups.ts';
import { createContainerd } from './containerd.ts';
import type { ContainerdPlan } from './containerd-config.ts';
import { createSlices } from '../cgroups/systemd-slices.ts';
import { createMounts } from '../mounts/mounts.ts';
import { signalProcess } from '../processes/processes.ts';
import { shimsOf } from './shims.ts';
import { removeTree } from '../files/remove-tree.ts';

export interface CleanNodeDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The node's own runtime, or the endpoint of another one: Pods are removed from that, and it runs on. */
  readonly runtime: ContainerdPlan | { readonly endpoint: string };
  readonly network: { uninstall(): Promise<void> };
  readonly removeServiceRules: () => Promise<void>;
  readonly cgroupNames: CgroupNames;
  /** The directory that holds all data of the node, but perhaps for the next. */
  readonly root: string;
  readonly kubeletDirectory: string;
  readonly podsDirectory: string;
  /** Whether the image store and the loaded images are kept. */
  readonly keepImages: boolean;
  /** For containers to end by themselves before they are killed. Default 0. */
  readonly graceSeconds?: number;
}

/**
 * Removes all of the node: stops every container and sandbox (which frees namespaces, addresses and ports), the runtime, its mounts, the
 * cgroups, the bridge and the files. If a part fails, it is reported and the others go on.
 */
export async function cleanNode(dependencies: CleanNodeDependencies): Promise<void> {
  const { clock, logger, runtime, network, removeServiceRules, cgroupNames, root, kubeletDirectory, podsDirectory, keepImages } =
    dependencies;
  const { graceSeconds = 0 } = dependencies;
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      logger.warn(`cleaning the node: ${what} failed`, { error });
    }
  };
  const uids = new Set(await readdir(podsDirectory).catch(() => [])); // no folder: there was no Pod
  const removeFrom = async (endpoint: string) => {
    for (const uid of await removePods(endpoint, graceSeconds, clock)) uids.add(uid);
  };
  if ('endpoint' in runtime) await attempt('removing the containers', () => removeFrom(runtime.endpoint));
  else {
    const containerd = createContainerd(runtime, { clock, logger });
    await attempt('removing the containers', async () => {
      await containerd.ensureRunning(new AbortController().signal);
      await removeFrom(`unix://${containerd.socket}`);
    });
    await attempt('stopping containerd', () => containerd.stop());
  }
  const cgroups = await createCgroups(cgroupNames.driver === 'systemd' ? createSlices(clock) : undefined);
  await attempt('killing what is left', async () => {
    for (const name of [...uids].flatMap(cgroupNames.candidates)) await cgroups.kill(name);
    if ('endpoint' in runtime) return;
    for (const pid of await shimsOf(runtime.socket)) {
      logger.warn('killed a shim that its containerd has left behind', { pid, reason: 'the node is cleared away' });
      signalProcess(pid, 'SIGKILL');
    }
  });
  await attempt('removing the pod network', () => network.uninstall());
  await attempt('removing the rules of Services', () => removeServiceRules());
  await attempt('unmounting', async () => {
    const mounts = createMounts();
    const own = [podsDirectory, `${kubeletDirectory}/plugins`, root];
    for (const directory of own) for (const point of await mounts.below(directory)) await mounts.unmount(point);
    const left = (await Promise.all(own.map((directory) => mounts.below(directory)))).flat();
    if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
    // Mounts that drivers have made for the node were unmounted as well: nothing of it is in use.
    for (const part of ['pods', 'plugins/kubernetes.io']) await removeTree(`${kubeletDirectory}/${part}`);
    await removeTree(keepImages ? `${root}/logs` : root);
  });
  await attempt('removing the cgroups', async () => {
    for (const name of [...uids].flatMap(cgroupNames.candidates)) {
      if (!(await cgroups.remove(name))) throw new Error(`processes are left in ${name}`);
    }
    // The cgroups of Pods, and parents that were made for them, unless others use them.
    const { root: podsRoot, ofClass } = cgroupNames;
    const parents = [ofClass('Burstable'), ofClass('BestEffort'), podsRoot];
    for (let end = podsRoot.lastIndexOf('/'); end > 0; end = podsRoot.lastIndexOf('/', end - 1)) parents.push(podsRoot.slice(0, end));
    for (const parent of parents) if ((await cgroups.children(parent)).length === 0) await cgroups.remove(parent);
  });
}

/** Removes all Pods from a runtime, which serves only this node. Returns their uids. */
async function removePods(endpoint: string, graceSeconds: number, clock: Clock): Promise<string[]> {
  const cri = createCRIClient({ endpoint, clock });
  try {
    if (graceSeconds > 0) {
      const running = (await cri.runtime.listContainers()).filter(({ state }) => state === 'CONTAINER_RUNNING');
      // A container that does not end is killed with the sandbox.
      await Promise.allSettled(running.map(({ id }) => cri.runtime.stopContainer(id, graceSeconds)));
    }
    const sandboxes = await cri.runtime.listPodSandboxes();
    const results = await Promise.allSettled(
      sandboxes.map(async ({ id }) => {
        await cri.runtime.stopPodSandbox(id);
        await cri.runtime.removePodSandbox(id);
      }),
    );
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    return sandboxes.map(({ metadata }) => metadata.uid);
  } finally {
    cri.close();
  }
}
