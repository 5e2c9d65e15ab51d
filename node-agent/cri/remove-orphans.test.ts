import assert from 'node:assert/strict';
import { silentLogger, type Logger } from '../../api/base/logger.ts';
import { createManualClock, type ManualClock } from '../../api/base/testing/manual-clock.ts';
import { CRIError } from './cri-error.ts';
import type { ListedContainer, Sandbox } from './messages.ts';
import { keepOrphansAway, type SandboxPart } from './remove-orphans.ts';
import type { ContainerRuntime } from './runtime.ts';

interface RuntimeState {
  sandboxes: string[];
  containers: string[];
  /** Known by id, but in no list. */
  unlisted: string[];
  /** Every call fails so. */
  failure?: CRIError;
}

function runtimeOf(state: RuntimeState): ContainerRuntime {
  const list = <T>(ids: readonly string[]) => {
    if (state.failure) throw state.failure;
    return ids.map((id) => ({ id }) as T);
  };
  const find = async (ids: readonly string[], id: string): Promise<never> => {
    if (state.failure) throw state.failure;
    if (ids.includes(id) || state.unlisted.includes(id)) return { id } as never;
    throw new CRIError('NotFound', `an error occurred when try to find ${id}: not found`);
  };
  const runtime: Pick<ContainerRuntime, 'listPodSandboxes' | 'listContainers' | 'podSandboxStatus' | 'containerStatus'> = {
    listPodSandboxes: async () => list<Sandbox>(state.sandboxes),
    listContainers: async () => list<ListedContainer>(state.containers),
    podSandboxStatus: (id) => find(state.sandboxes, id),
    containerStatus: (id) => find(state.containers, id),
  };
  return runtime as ContainerRuntime;
}

interface Warning {
  readonly message: string;
  readonly reason: unknown;
}

async function watch(
  state: RuntimeState,
  present: string[],
  options: { readonly objection?: SandboxPart['objection']; readonly during?: (clock: ManualClock) => Promise<void> } = {},
) {
  const clock = createManualClock();
  const removed: string[] = [];
  const warnings: Warning[] = [];
  const logger: Logger = { ...silentLogger, warn: (message, fields) => warnings.push({ message, reason: fields?.['reason'] }) };
  const part: SandboxPart = {
    what: 'shims',
    list: async () => [...present],
    ...(options.objection ? { objection: options.objection } : {}),
    async remove(id) {
      removed.push(id);
      present.splice(present.indexOf(id), 1);
    },
  };
  const abort = new AbortController();
  const running = keepOrphansAway(
    { runtime: runtimeOf(state), parts: [part], creations: { oldestMs: () => undefined }, clock, logger },
    abort.signal,
  );
  await (options.during ?? ((each) => each.advance(300_000)))(clock);
  abort.abort();
  await running;
  return { removed, warnings };
}

const knowing = (part: Partial<RuntimeState> = {}): RuntimeState => ({ sandboxes: [], containers: [], unlisted: [], ...part });

describe('what is left of sandboxes', () => {
  it('is removed where no sandbox and no container has it, with a warning', async () => {
    const { removed, warnings } = await watch(knowing({ sandboxes: ['a'], containers: ['b'] }), ['a', 'b', 'gone']);
    assert.deepEqual(removed, ['gone']);
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ['removed by force what no sandbox and no container of the runtime has'],
    );
  });

  it('is not what a container has that got a shim of its own', async () => {
    assert.deepEqual((await watch(knowing({ containers: ['831c1e5d'] }), ['831c1e5d'])).removed, []);
  });

  it('is left alone while the runtime knows it by id, whatever it lists', async () => {
    const { removed, warnings } = await watch(knowing({ unlisted: ['x'] }), ['x']);
    assert.deepEqual(removed, []);
    assert.deepEqual(warnings, [
      { message: 'an orphan of a sandbox is left alone', reason: 'the runtime knows the sandbox, which it did not list' },
    ]);
  });

  it('is left alone while the runtime does not answer', async () => {
    for (const code of ['Unavailable', 'DeadlineExceeded', 'Unknown'])
      assert.deepEqual((await watch(knowing({ failure: new CRIError(code, 'x') }), ['x'])).removed, []);
  });

  it('is left alone when the runtime lists it at last, and when it stops answering right before', async () => {
    const late = knowing();
    const { removed } = await watch(late, ['x'], {
      async during(clock) {
        await clock.advance(15_000);
        late.sandboxes.push('x');
        await clock.advance(300_000);
      },
    });
    assert.deepEqual(removed, []);
    const silent = knowing();
    const other = await watch(silent, ['x'], {
      async during(clock) {
        await clock.advance(15_000);
        silent.failure = new CRIError('DeadlineExceeded', 'x');
        await clock.advance(300_000);
      },
    });
    assert.deepEqual(other.removed, []);
  });

  it('is left alone where the machine shows that it lives, and goes when it no longer does', async () => {
    let objection: string | undefined = 'processes run in it';
    const { removed, warnings } = await watch(knowing(), ['x'], {
      objection: async () => objection,
      async during(clock) {
        await clock.advance(300_000);
        assert.equal(objection, 'processes run in it');
        objection = undefined;
        await clock.advance(60_000);
      },
    });
    assert.deepEqual(removed, ['x']);
    assert.deepEqual(
      warnings.map(({ reason }) => reason),
      ['processes run in it', undefined],
    );
  });
});
