import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { createManualClock } from '../../../api/base/testing/manual-clock.ts';
import { CRIError } from '../../cri/cri-error.ts';
import type { ContainerRuntime } from '../../cri/runtime.ts';
import { createRuntimeWatcher } from './runtime-watcher.ts';

describe('a watcher of container runtimes', () => {
  /** How often events are asked for, and which Pods are told of, in three seconds in which a container appears and ends. */
  const watched = async (code: string) => {
    const told: string[] = [];
    let asked = 0;
    let state: string | undefined;
    const labels = { 'io.kubernetes.pod.uid': 'u' };
    const runtime = {
      listPodSandboxes: async () => [],
      listContainers: async () => (state === undefined ? [] : [{ id: 'c', state, labels }]),
      containerEvents() {
        asked++;
        throw new CRIError(code, 'no events');
      },
    } as unknown as ContainerRuntime;
    const clock = createManualClock(0);
    const stop = new AbortController();
    const onUnreachable = () => Promise.reject(new Error('it answers'));
    const watcher = createRuntimeWatcher({ runtime, clock, logger: silentLogger, onChange: (uid) => void told.push(uid), onUnreachable });
    const running = watcher.run(stop.signal);
    for (const next of ['CONTAINER_RUNNING', 'CONTAINER_EXITED', 'CONTAINER_EXITED']) {
      await clock.advance(500);
      state = next;
      await clock.advance(500);
    }
    stop.abort();
    await running;
    return { asked, told };
  };

  it('does with lists where there are no events', async () => {
    assert.deepEqual(await watched('Unimplemented'), { asked: 1, told: ['u', 'u'] });
  });

  it('asks again for events that broke off', async () => {
    const { asked, told } = await watched('Unavailable');
    assert.deepEqual([asked, told], [4, ['u', 'u']]);
  });
});
