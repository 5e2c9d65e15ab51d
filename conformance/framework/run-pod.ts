import { pods } from '../../api/resources/core/v1/pod.ts';
import { isPodReady } from '../../api/semantics/pods/pod-conditions.ts';
import type { Pod, PodSpec } from '../../api/types/core-v1.ts';
import type { ConformanceContext } from './conformance-context.ts';
import { waitFor } from './wait-for.ts';

interface PodToRun {
  readonly name: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly spec: PodSpec;
}

type Where = Pick<ConformanceContext, 'client' | 'namespace' | 'request'>;

export function createPod({ client, namespace }: Where, { name, labels, annotations, spec }: PodToRun): Promise<Pod> {
  return client(pods).create({
    metadata: { namespace, name, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) },
    spec: { terminationGracePeriodSeconds: 1, ...spec },
  });
}

/** Creates a Pod and waits until it is Ready. */
export async function startPod(context: Where, pod: PodToRun): Promise<Pod> {
  await createPod(context, pod);
  return await waitForPod(context, pod.name, 'ready', isPodReady);
}

/** Runs a Pod that must succeed, and returns the output of its first container. */
export async function runPodToEnd(context: Where, pod: PodToRun): Promise<string> {
  await createPod(context, { ...pod, spec: { restartPolicy: 'Never', ...pod.spec } });
  const ended = await waitForPod(context, pod.name, 'ended', ({ status }) => status?.phase === 'Succeeded' || status?.phase === 'Failed');
  const text = await readLog(context, pod.name, ended.spec?.containers[0]?.name ?? '');
  if (ended.status?.phase !== 'Succeeded') throw new Error(`pod ${pod.name} failed: ${JSON.stringify(ended.status)}\n${text}`);
  return text;
}

export async function waitForPod({ client, namespace }: Where, name: string, what: string, is: (pod: Pod) => boolean): Promise<Pod> {
  let last: Pod | undefined;
  try {
    return await waitFor(
      `pod ${name} ${what}`,
      async () => {
        last = await client(pods).get({ namespace, name });
        return is(last) ? last : undefined;
      },
      { withinSeconds: 90 },
    );
  } catch (error) {
    throw new Error(`${String(error)}; its status is ${JSON.stringify(last?.status)}`, { cause: error });
  }
}

async function readLog({ request, namespace }: Where, pod: string, container: string, query = ''): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  const answer = await request('GET', path, { accept: '*/*', query: `container=${container}${query}` });
  if (answer.status !== 200) throw new Error(`log of ${pod}: ${answer.text}`);
  return answer.text;
}
