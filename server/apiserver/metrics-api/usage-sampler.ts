import { type Clock, sleep } from '../../../api/base/clock.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import type { Logger } from '../../../api/base/logger.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import { targetOf } from '../registry/subresources/kubelet-target.ts';
import type { Dialer } from '../registry/subresources/subresource.ts';
import { type NodeScrape, parseResourceMetrics } from './parse-resource-metrics.ts';
import type { NodeWindow } from './usage-window.ts';

export interface UsageSamplerDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dialer: Dialer;
  readonly nodes: () => Promise<readonly DeepReadonly<Node>[]>;
}

export interface UsageSampler {
  /** By node. Looks at the nodes if nobody has lately, and goes on looking for as long as somebody asks. */
  windows(): Promise<ReadonlyMap<string, NodeWindow>>;
  /** Until when looking may go on in the background. */
  start(signal: AbortSignal): void;
}

const resolutionMs = 15_000;
/** Between the first two looks: kubelets measure at most every second. */
const firstWindowMs = 1500;
/** Without anybody asking, nobody is looked at. */
const idleMs = 5 * 60_000;
const scrapeTimeoutMs = 10_000;
const nodesAtOnce = 50;

export function createUsageSampler(dependencies: UsageSamplerDependencies): UsageSampler {
  const { clock } = dependencies;
  let windows: ReadonlyMap<string, NodeWindow> = new Map();
  let last: ReadonlyMap<string, NodeScrape> = new Map();
  let askedMs = 0;
  let until: AbortSignal | undefined;
  let running: { readonly first: Promise<void> } | undefined;
  const look = async (signal: AbortSignal) => {
    const fresh = await scrapeAll(dependencies, signal);
    const kept = new Map<string, NodeWindow>();
    for (const [name, after] of fresh) {
      const before = last.get(name);
      if (before) kept.set(name, { before, after });
    }
    windows = kept;
    last = fresh;
  };
  const goOn = async (signal: AbortSignal) => {
    while (!signal.aborted && clock.monotonicMs() - askedMs < idleMs) {
      await sleep(clock, resolutionMs, signal);
      await look(signal);
    }
  };
  const begin = (signal: AbortSignal) => {
    last = new Map();
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
      return windows;
    },
    start(signal) {
      until = signal;
    },
  };
}

/** Nodes that do not answer are left out. */
async function scrapeAll(dependencies: UsageSamplerDependencies, signal: AbortSignal): Promise<Map<string, NodeScrape>> {
  const { nodes, logger } = dependencies;
  const found = new Map<string, NodeScrape>();
  const all = await nodes();
  for (let start = 0; start < all.length; start += nodesAtOnce) {
    await Promise.all(
      all.slice(start, start + nodesAtOnce).map(async (node) => {
        try {
          found.set(node.metadata.name ?? '', await scrape(dependencies, node, signal));
        } catch (error) {
          signal.throwIfAborted();
          logger.debug('the usage of a node could not be read', { node: node.metadata.name, error });
        }
      }),
    );
  }
  return found;
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
