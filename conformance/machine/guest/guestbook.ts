import { waitFor } from '../../framework/wait-for.ts';
import type { CheckContext } from '../checks/check.ts';

/** The address of the guestbook's entries, through its NodePort. */
async function guestbookURL({ cluster, machine }: CheckContext): Promise<string> {
  const port = await cluster.run('-n', 'guestbook', 'get', 'service', 'front', '-o', 'jsonpath={.spec.ports[0].nodePort}');
  return `http://${machine.address}:${port}/entries`;
}

/** Waits until the guestbook answers on the machine, and returns after how many seconds it did. */
export async function untilGuestbookAnswers(context: CheckContext, withinSeconds: number): Promise<string> {
  const { machine, seconds } = context;
  const url = await guestbookURL(context);
  const startedMs = performance.now();
  await waitFor(
    `an answer of ${url}`,
    async () => (await machine.shell.run(`curl -s -m ${seconds(2)} -o /dev/null -w '%{http_code}' ${url}`)).stdout === '200',
    { withinSeconds, everyMs: 200 },
  );
  return `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
}

/**
 * Waits until all of the guestbook runs. The API may still show Deployments as available after a stop, so the guestbook has to answer as
 * well.
 */
export async function untilGuestbookRuns(context: CheckContext): Promise<void> {
  const { cluster, seconds } = context;
  await untilGuestbookAnswers(context, seconds(150));
  const timeout = seconds(60);
  const wait = ['-n', 'guestbook', 'wait', '--for=condition=Available', 'deployment', '--all', `--timeout=${timeout}s`];
  const { code, stderr } = await cluster.kubectl(wait, { timeoutSeconds: timeout + 30 });
  if (code === 0) return;
  throw new Error(`the guestbook is not available: ${stderr}\n${await cluster.run('-n', 'guestbook', 'get', 'pods', '-o', 'wide')}`);
}
