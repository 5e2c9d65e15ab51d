import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext } from './check.ts';
import { expectEqual } from '../guest/expect.ts';
import { untilGuestbookRuns } from '../guest/guestbook.ts';
import { listProcesses, processesOf } from './processes.ts';

/** Ctrl-C in the terminal of `npm run up`, which must leave no process behind, and another start with flags of the kubelet. */
export async function restartUp(context: CheckContext, settings: Readonly<Record<string, string>>): Promise<string> {
  const { cluster } = context;
  const startedMs = performance.now();
  const elapsed = () => ((performance.now() - startedMs) / 1000).toFixed(0);
  await cluster.interruptUp();
  const ended = elapsed();
  await expectNothingRuns(context);
  await cluster.up(Object.entries(settings).flatMap(([name, value]) => ['--kubelet-arg', `'${name}=${value}'`]));
  await cluster.waitForField('node/node1', '{.status.conditions[?(@.type=="Ready")].status}', /^True$/, 60);
  await untilGuestbookRuns(context);
  return `ended after ${ended} s, all Pods run again after ${elapsed()} s`;
}

/** Waits until no process of kubets or of a Pod is left. */
export async function expectNothingRuns({ machine, seconds }: CheckContext): Promise<void> {
  let left = '';
  await waitFor(
    'the processes to end',
    async () => {
      const processes = await listProcesses(machine);
      const found = (['control plane', 'agent', 'containerd', 'shim', 'pause'] as const).flatMap((part) => processesOf(part, processes));
      left = found.map(({ command }) => command.slice(0, 80)).join('; ');
      return found.length === 0;
    },
    { withinSeconds: seconds(20), everyMs: 1000 },
  ).catch(() => expectEqual('what still runs', left, ''));
}
