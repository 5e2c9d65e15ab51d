import assert from 'node:assert/strict';
import { CRIError } from '../../cri/cri-error.ts';
import { removeFromRuntime } from './remove-from-runtime.ts';

const podOf = (...ids: string[]) => ({ containers: ids.map((id) => ({ id })), sandboxes: [] });

/** Refuses containers with these errors until their processes have been ended. */
function runtimeThatRefuses(refusals: ReadonlyMap<string, CRIError>) {
  const removed: string[] = [];
  let hasEnded = false;
  return {
    removed,
    endProcesses: async () => void (hasEnded = true),
    hasEnded: () => hasEnded,
    async removeContainer(id: string) {
      const refusal = refusals.get(id);
      if (refusal !== undefined && !hasEnded) throw refusal;
      removed.push(id);
    },
    async stopPodSandbox() {},
    async removePodSandbox() {},
  };
}

describe('the removal of a Pod from the runtime', () => {
  it('ends the processes of a container that the runtime can neither stop nor remove, and says so to be tried again', async () => {
    const refusal = new CRIError('FailedPrecondition', 'cannot delete running task');
    const runtime = runtimeThatRefuses(new Map([['stuck', refusal]]));
    const remove = () => removeFromRuntime(runtime, podOf('ended', 'stuck'), runtime.endProcesses);
    await assert.rejects(remove, refusal);
    assert.equal(runtime.hasEnded(), true);
    await remove();
    assert.deepEqual(runtime.removed, ['ended', 'ended', 'stuck']);
  });

  it('ends nothing where the runtime could not be reached, and takes what is gone for removed', async () => {
    const errors = new Map([
      ['gone', new CRIError('NotFound', 'no such container')],
      ['unreachable', new CRIError('Unavailable', 'no connection')],
    ]);
    const runtime = runtimeThatRefuses(errors);
    await assert.rejects(() => removeFromRuntime(runtime, podOf('gone', 'unreachable'), runtime.endProcesses), errors.get('unreachable'));
    assert.equal(runtime.hasEnded(), false);
  });
});
