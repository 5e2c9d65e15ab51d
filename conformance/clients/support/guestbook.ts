import assert from 'node:assert/strict';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunResult } from '../../framework/run-program.ts';
import { waitFor } from '../../framework/wait-for.ts';
import type { TestCluster } from './cluster.ts';

const docs = path.resolve(import.meta.dirname, '../../../docs/guestbook');
export const guestbookFile = path.join(docs, 'guestbook.yaml');
export const guestbookChart = path.join(docs, 'chart');

/** The application of docs/guestbook in a namespace, used through one kubectl. */
export interface Guestbook {
  readonly namespace: string;
  readonly program: string;
  /** kubectl in the application's namespace; must succeed; returns standard output. */
  run(...args: readonly string[]): Promise<string>;
  kubectl(args: readonly string[], input?: string): Promise<RunResult>;
  /** Creates the namespace, applies the application and waits until all of it is ready and the first entry is written. */
  deploy(): Promise<void>;
  podOf(app: string): Promise<string>;
  remove(): Promise<void>;
}

export function createGuestbook(cluster: TestCluster, namespace: string, program: string): Guestbook {
  const run: Guestbook['run'] = (...args) => cluster.run(['--namespace', namespace, ...args], { program, timeoutSeconds: 180 });
  return {
    namespace,
    program,
    run,
    kubectl: (args, input) =>
      cluster.kubectl(['--namespace', namespace, ...args], { program, timeoutSeconds: 180, ...(input === undefined ? {} : { input }) }),
    async deploy() {
      await run('create', 'namespace', namespace);
      assert.match(await run('apply', '-f', guestbookFile), /^deployment\.apps\/front created$/m);
      try {
        await run('wait', '--for=condition=Available', 'deployment', '--all', '--timeout=120s');
        await run('rollout', 'status', 'deployment/front', '--timeout=60s');
        await run('wait', '--for=condition=Complete', 'job/first-entry', '--timeout=60s');
      } catch (error) {
        const pods = await run('get', 'pods', '-o', 'wide').catch(String);
        const state = pods + (await run('get', 'events', '--field-selector=type=Warning').catch(String));
        throw new Error(`the guestbook did not become ready: ${String(error)}\n${state}`, { cause: error });
      }
    },
    async podOf(app) {
      const names = await run('get', 'pods', '-l', `app=${app}`, '--field-selector=status.phase=Running', '-o', 'name');
      const [first] = names.trim().split('\n');
      assert.ok(first, `no pod of ${app} is running`);
      return first.replace('pod/', '');
    },
    async remove() {
      await run('delete', 'namespace', namespace, '--timeout=120s');
    },
  };
}

/** The answer of an address; the request is repeated until there is one. */
export function answerOf(url: string, init: RequestInit = {}, withinSeconds = 20): Promise<string> {
  let last = '';
  return waitFor(
    `an answer of ${url}`,
    async () => {
      try {
        // A new connection each time, so that the Service chooses an endpoint anew.
        const response = await fetch(url, { ...init, headers: { connection: 'close' }, signal: AbortSignal.timeout(3000) });
        if (response.ok) return await response.text();
        last = `${response.status} ${await response.text()}`;
      } catch (error) {
        last = String(error);
      }
      return undefined;
    },
    { withinSeconds },
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}; the last failure was: ${last}`, { cause: error });
  });
}

/** Answers of distinct Pods behind an address. */
export async function whoAnswers(url: string, times: number): Promise<Set<string>> {
  const names = new Set<string>();
  for (let turn = 0; turn < times; turn++) names.add((await answerOf(url)).trim());
  return names;
}

/** Waits until `ask` returns the expected result; the error contains the last one. */
export async function until(what: string, ask: () => Promise<boolean>, withinSeconds = 30): Promise<void> {
  const deadline = performance.now() + withinSeconds * 1000;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinSeconds} s`);
    await delay(200);
  }
}
