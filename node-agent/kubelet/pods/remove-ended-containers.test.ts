import assert from 'node:assert/strict';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import type { HostFiles } from '../../linux/files/host-files.ts';
import { nodePaths } from '../../node-paths.ts';
import type { PodStateName } from './pod-state.ts';
import { removeEndedContainers } from './remove-ended-containers.ts';

describe('containers of Pods that have ended', () => {
  it('go with their logs, those of others stay', async () => {
    const removed: string[] = [];
    const runtime = {
      listContainers: async (labels: Record<string, string>) => [
        { id: `${labels['io.kubernetes.pod.uid']}-dead`, state: 'CONTAINER_EXITED' },
        { id: `${labels['io.kubernetes.pod.uid']}-alive`, state: 'CONTAINER_RUNNING' },
      ],
      removeContainer: async (id: string) => void removed.push(id),
    } as unknown as ContainerRuntime;
    const files = { remove: async (path: string) => void removed.push(path) } as unknown as HostFiles;
    const worker = (uid: string, state: PodStateName) => ({
      pod: () => ({ metadata: { name: uid, namespace: 'ns', uid } }),
      state: () => state,
    });
    await removeEndedContainers({ runtime, files, paths: nodePaths('/data') }, [
      worker('a', 'terminated'),
      worker('b', 'running'),
      worker('c', 'terminating'),
    ]);
    assert.deepEqual(removed, ['a-dead', '/data/node/logs/pods/ns_a_a']);
  });
});
