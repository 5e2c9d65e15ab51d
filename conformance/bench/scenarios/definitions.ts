import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../framework/connect-cluster.ts';
import { numberedDefinition } from '../custom-kinds.ts';
import { definitionsPath, install, untilTrue } from '../ensure-kind.ts';
import { benchResources, createTemplate, objectTemplate } from '../objects.ts';
import { memoryOf } from '../processes.ts';
import { type Definition, readDefinitions } from '../read-definitions.ts';
import { median } from '../measurement.ts';
import { recordRequests } from './record-requests.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';
import { settleSeconds } from './start.ts';

const writers = 16;
const kibiPerMebi = 1024;
/** Definitions that come one by one after the others, for each place in which they are looked for. */
const singles = 5;

/** Many CustomResourceDefinitions: how long they take, what they weigh, and what they do to everything else. */
export const definitions: Scenario = {
  name: 'definitions',
  does: '--definitions of 30 fields: until all are served, memory of each, one more until documents show it, a start with them, requests beside',
  store: 'empty',
  async run(context) {
    const { session, settings, record } = context;
    const { started, cluster } = session;
    const wanted =
      settings.definitionsFrom === undefined
        ? Array.from({ length: settings.definitions }, (_, index) => numberedDefinition(index))
        : readDefinitions(settings.definitionsFrom);
    const pid = () => started?.pid ?? session.pid;
    const residentKiB = () => {
      const process = pid();
      return process === undefined ? undefined : memoryOf(process).residentMiB * kibiPerMebi;
    };
    await measureBuiltIn({ ...context, record: () => {}, remark: () => {} }, '');
    await measureBuiltIn(context, 'before');
    await delay(settleSeconds * 1000);
    const before = residentKiB();
    const { seconds: installSeconds, served: all } = await installAll(cluster, wanted);
    if (all.length < wanted.length) context.remark('definitions', [`${wanted.length - all.length} definitions were refused`]);
    const many = `${all.length} CustomResourceDefinitions`;
    record({ subject: `install ${many}` }, { installSeconds });
    await delay(settleSeconds * 1000);
    const after = residentKiB();
    if (before !== undefined && after !== undefined)
      record({ subject: `memory of one of ${many}` }, { perDefinition: (after - before) / all.length });
    await measureBuiltIn(context, `beside ${many}`);
    await measureSingles(context, all.length);
    if (!started) return;
    await started.restart();
    record({ subject: `start with ${many}` }, { readyMs: started.readyMs });
    const served = await untilTrue('all kinds are served again', () => areServed(cluster, all));
    record({ subject: `start with ${many}, until all are served` }, { readyMs: started.readyMs + served });
    await delay(settleSeconds * 1000);
    const process = pid();
    if (process !== undefined) record({ subject: `memory, idle, with ${many}` }, memoryOf(process));
  },
};

interface Spec {
  readonly group: string;
  readonly names: { readonly plural: string };
  readonly versions: readonly { readonly name: string; readonly served: boolean }[];
}

const specOf = (definition: Definition): Spec => definition['spec'] as Spec;
const nameOf = (definition: Definition): string => `${specOf(definition).names.plural}.${specOf(definition).group}`;

interface Installed {
  /** Until discovery has all of them. */
  readonly seconds: number;
  /** The definitions that were not refused. */
  readonly served: readonly Definition[];
}

async function installAll(cluster: Cluster, all: readonly Definition[]): Promise<Installed> {
  const startedMs = performance.now();
  const waiting = [...all].reverse();
  const served: Definition[] = [];
  const work = async () => {
    for (let definition = waiting.pop(); definition; definition = waiting.pop())
      if (await install(cluster, definition)) served.push(definition);
  };
  await Promise.all(Array.from({ length: writers }, work));
  await untilTrue('all kinds are served', () => areServed(cluster, served));
  return { seconds: (performance.now() - startedMs) / 1000, served };
}

interface AggregatedDiscovery {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly versions: readonly { readonly resources: readonly { readonly resource: string }[] }[];
  }[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

async function areServed(cluster: Cluster, all: readonly Definition[]): Promise<boolean> {
  const { items } = (await cluster.request('GET', '/apis', { accept: aggregated })).json() as AggregatedDiscovery;
  const served = new Set<string>();
  for (const { metadata, versions } of items)
    for (const { resources } of versions) for (const { resource } of resources) served.add(`${resource}.${metadata.name}`);
  return all.every((definition) => served.has(nameOf(definition)));
}

/** One more definition each time: from the answer to its creation until it can be seen. */
async function measureSingles({ session, record }: ScenarioContext, first: number): Promise<void> {
  const { cluster } = session;
  const has = async (path: string, text: string, accept?: string) => {
    const answer = await cluster.request('GET', path, accept === undefined ? {} : { accept });
    return answer.status === 200 && answer.text.includes(text);
  };
  const places: readonly (readonly [place: string, isSeen: (group: string, plural: string, kind: string) => Promise<boolean>])[] = [
    ['established', (group, plural) => has(`${definitionsPath}/${plural}.${group}`, '"type":"Established"')],
    ['served', async (group, plural) => (await cluster.request('GET', `/apis/${group}/v1/${plural}`)).status === 200],
    ['in discovery', (_group, plural) => has('/apis', `"${plural}"`, aggregated)],
    ['in OpenAPI 3', (group, _plural, kind) => has(`/openapi/v3/apis/${group}/v1`, `.${kind}"`)],
    ['in OpenAPI 2', (_group, _plural, kind) => has('/openapi/v2', `.${kind}"`)],
  ];
  let next = 10 * Math.ceil(first / 10) + 10_000;
  for (const [place, isSeen] of places) {
    const times: number[] = [];
    for (let single = 0; single < singles; single++) {
      const index = next++;
      const definition = numberedDefinition(index);
      await install(cluster, definition);
      times.push(await untilTrue(place, () => isSeen(specOf(definition).group, specOf(definition).names.plural, `Thing${index}`)));
    }
    record({ subject: `one more, until it is ${place}` }, { seenP50: median(times), seenMax: Math.max(...times) });
  }
}

const configMaps = benchResources.configmaps;
const objects = 1000;

/** Requests for built-in kinds, one at a time. */
async function measureBuiltIn(context: ScenarioContext, when: string): Promise<void> {
  const { session, settings } = context;
  const common = { kind: 'requests', endpoint: session.endpoint, protocol: 'h1', concurrency: 1, ...settings, first: 0 } as const;
  const created = await context.observe({ ...common, template: createTemplate(configMaps), count: Number.MAX_SAFE_INTEGER, cycle: false });
  recordRequests(context, `create configmaps ${when}`, 'h1 ×1', created);
  const count = Math.min(objects, created.used);
  recordRequests(
    context,
    `get configmaps ${when}`,
    'h1 ×1',
    await context.observe({ ...common, template: objectTemplate('GET', configMaps), count, cycle: true }),
  );
  const remaining = { count: created.used, cycle: false, warmupSeconds: 0, seconds: 600, concurrency: 16 };
  await context.observe({ ...common, template: objectTemplate('DELETE', configMaps), ...remaining });
}
