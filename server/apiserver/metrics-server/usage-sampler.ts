import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import { targetOf } from '../subresources/kubelet-target.ts';
import type { Dialer } from '../subresources/subresource.ts';
import { type NodeScrape, parseResourceMetrics } from './parse-resource-metrics.ts';
import type { NodeWindow } from './usage-window.ts';

interface UsageSamplerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: Dialer;
  readonly nodes: () => Promise<readonly DeepReadonly<Node>[]>;
}

export interface UsageSampler {
  /**
   * The newest measurements of each node, by its name. Asks the nodes if the last measurements are old, and continues to ask them while
   * this is called.
   */
  windows(): Promise<ReadonlyMap<string, NodeWindow>>;
  /** Until when looking may go on in the background. */
  start(signal: AbortSignal): void;
}

const resolutionMs = 15_000;
/** Between the first two looks: kubelets measure at most every second. */
const firstWindowMs = 1500;
/** After this time without a reader the nodes are no longer asked. */
const idleMs = 5 * 60_000;
/** A look waits so long for nodes; those that answer later are counted in when they do. */
const patienceMs = 10_000;
/** A node that does not answer for this long is asked again. */
const scrapeTimeoutMs = 60_000;
/** The greatest age of a node's metrics that are shown. */
const maxAgeMs = 2 * 60_000;
const nodesAtOnce = 50;

/** The last two scrapes of a node. */
interface Sighting {
  readonly before?: NodeScrape;
  readonly after: NodeScrape;
  /** Monotonic milliseconds. */
  readonly atMs: number;
}

export function createUsageSampler(dependencies: UsageSamplerDependencies): UsageSampler {
  const { clock, nodes } = dependencies;
  const scraper = createScraper(dependencies);
  let askedMs = 0;
  let until: AbortSignal | undefined;
  let running: { readonly first: Promise<void> } | undefined;
  const look = async (signal: AbortSignal) => scraper.look(await nodes(), signal);
  const goOn = async (signal: AbortSignal) => {
    while (!signal.aborted && clock.monotonicMs() - askedMs < idleMs) {
      await sleep(clock, resolutionMs, signal);
      await look(signal);
    }
  };
  const begin = (signal: AbortSignal) => {
    scraper.forget();
    const first = (async () => {
      await look(signal);
      await sleep(clock, firstWindowMs, signal);
      await look(signal);
    })();
    running = { first };
    const end = () => {
      running = undefined;
    };
    first.then(() => goOn(signal)).then(end, end); // who asks next is told why, or begins anew
    return running;
  };
  return {
    async windows() {
      askedMs = clock.monotonicMs();
      await (running ?? begin(until ?? new AbortController().signal)).first;
      return scraper.windows();
    },
    start(signal) {
      until = signal;
    },
  };
}

interface Scraper {
  /** Asks all nodes but those that have not answered yet. Resolves when they have, or patience is at its end. */
  look(nodes: readonly DeepReadonly<Node>[], signal: AbortSignal): Promise<void>;
  windows(): ReadonlyMap<string, NodeWindow>;
  forget(): void;
}

/** Nodes that do not answer are left out. A slow node does not delay others. */
function createScraper(dependencies: UsageSamplerDependencies): Scraper {
  const { clock, logger } = dependencies;
  const sightings = new Map<string, Sighting>();
  const asked = new Set<string>();
  const slow = new Set<string>();
  const ask = async (node: DeepReadonly<Node>, signal: AbortSignal) => {
    const { name = '' } = node.metadata;
    const startedMs = clock.monotonicMs();
    asked.add(name);
    try {
      const after = await scrape(dependencies, node, signal);
      const last = sightings.get(name);
      sightings.set(name, { ...(last ? { before: last.after } : {}), after, atMs: clock.monotonicMs() });
      if (clock.monotonicMs() - startedMs < patienceMs) slow.delete(name);
    } catch (error) {
      sightings.delete(name);
      if (!signal.aborted) logger.debug('the usage of a node could not be read', { node: name, error });
    } finally {
      asked.delete(name);
    }
  };
  return {
    async look(nodes, signal) {
      const names = new Set(nodes.map(({ metadata }) => metadata.name ?? ''));
      for (const name of sightings.keys()) if (!names.has(name)) sightings.delete(name);
      const free = nodes.filter(({ metadata }) => !asked.has(metadata.name ?? ''));
      const deadline = new AbortController();
      const patience = sleep(clock, patienceMs, AbortSignal.any([signal, deadline.signal])).catch(() => signal.throwIfAborted());
      try {
        for (let start = 0; start < free.length; start += nodesAtOnce) {
          const some = free.slice(start, start + nodesAtOnce);
          await Promise.race([Promise.all(some.map((node) => ask(node, signal))), patience]);
        }
      } finally {
        deadline.abort();
      }
      signal.throwIfAborted();
      for (const name of asked) {
        if (slow.has(name)) continue;
        slow.add(name);
        logger.warn('a node takes long to tell its usage: what is shown of it is older', { node: name, afterMs: patienceMs });
      }
    },
    windows() {
      const windows = new Map<string, NodeWindow>();
      for (const [name, { before, after, atMs }] of sightings)
        if (before && clock.monotonicMs() - atMs < maxAgeMs) windows.set(name, { before, after });
      return windows;
    },
    forget: () => sightings.clear(),
  };
}

async function scrape({ dialer, clock }: UsageSamplerDependencies, node: DeepReadonly<Node>, signal: AbortSignal): Promise<NodeScrape> {
  const abort = new AbortController();
  const timer = clock.setTimer(scrapeTimeoutMs, () => abort.abort(new Error('the kubelet took too long')), { background: true });
  try {
    const response = await dialer.send(targetOf(node), {
      method: 'GET',
      path: '/metrics/resource',
      query: '',
      headers: {},
      canUpgrade: false,
      signal: AbortSignal.any([signal, abort.signal]),
    });
    const { body, status } = response;
    if (status !== 200) throw new Error(`the kubelet answered ${status}`);
    const chunks: Uint8Array[] = [];
    if (body.kind === 'bytes') chunks.push(body.bytes);
    if (body.kind === 'stream') for await (const chunk of body.chunks) chunks.push(chunk);
    return parseResourceMetrics(Buffer.concat(chunks).toString());
  } finally {
    timer.cancel();
  }
}
