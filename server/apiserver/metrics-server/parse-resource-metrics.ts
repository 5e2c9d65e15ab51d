export interface UsagePoint {
  /** Milliseconds since the Unix epoch. */
  readonly timeMs: number;
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export interface ContainerPoint extends UsagePoint {
  readonly startedMs: number | undefined;
}

/** The metrics of one node at one moment. */
export interface NodeScrape {
  readonly node: UsagePoint | undefined;
  /** By `namespace/name`, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, ContainerPoint>>;
}

interface Draft {
  timeMs?: number;
  cpuSeconds?: number;
  memoryBytes?: number;
  startedMs?: number;
}

const line = /^(\w+)(?:\{([^}]*)\})? (\S+)(?: (\d+))?$/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** Parses a kubelet's /metrics/resource. Containers with missing or incomplete values are left out. */
export function parseResourceMetrics(text: string): NodeScrape {
  const node: Draft = {};
  const pods = new Map<string, Map<string, Draft>>();
  for (const one of text.split('\n')) {
    const [, name = '', labels = '', value = '', time] = line.exec(one) ?? [];
    const draft = name.startsWith('node_') ? node : name.startsWith('container_') ? containerOf(pods, labels) : undefined;
    if (!draft) continue;
    const number = Number(value);
    if (!Number.isFinite(number)) continue;
    if (name.endsWith('_cpu_usage_seconds_total')) {
      draft.cpuSeconds = number;
      if (time !== undefined) draft.timeMs = Number(time);
    } else if (name.endsWith('_memory_working_set_bytes')) draft.memoryBytes = number;
    else if (name === 'container_start_time_seconds') draft.startedMs = number * 1000;
  }
  return {
    node: finish(node),
    pods: new Map(
      [...pods].map(([pod, containers]) => [
        pod,
        new Map(
          [...containers].flatMap(([name, draft]) => {
            const point = finish(draft);
            return point ? [[name, { ...point, startedMs: draft.startedMs }] as const] : [];
          }),
        ),
      ]),
    ),
  };
}

function containerOf(pods: Map<string, Map<string, Draft>>, labels: string): Draft | undefined {
  const values = new Map([...labels.matchAll(label)].map(([, name = '', text = '']) => [name, text]));
  const [namespace, pod, container] = ['namespace', 'pod', 'container'].map((name) => values.get(name));
  if (!namespace || !pod || !container) return undefined;
  const containers = pods.get(`${namespace}/${pod}`) ?? new Map<string, Draft>();
  pods.set(`${namespace}/${pod}`, containers);
  const draft = containers.get(container) ?? {};
  containers.set(container, draft);
  return draft;
}

function finish({ timeMs, cpuSeconds, memoryBytes }: Draft): UsagePoint | undefined {
  return timeMs === undefined || cpuSeconds === undefined || memoryBytes === undefined ? undefined : { timeMs, cpuSeconds, memoryBytes };
}
