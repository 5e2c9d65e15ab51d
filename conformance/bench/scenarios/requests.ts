import type { RequestsTask, RequestTemplate } from '../load/task.ts';
import type { BenchResource } from '../bench-resource.ts';
import { ensureKind } from '../ensure-kind.ts';
import {
  applyTemplate,
  benchResources,
  createTemplate,
  listTemplate,
  namespace,
  objectTemplate,
  patchTemplate,
  updateTemplate,
} from '../objects.ts';
import { loadOf, recordRequests } from './record-requests.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

export const operations = ['create', 'get', 'list', 'update', 'patch', 'apply', 'delete'] as const;
type Operation = (typeof operations)[number];

/** How many objects get, update, patch and apply go round: enough that no two requests meet on one. */
const roundOf = 1000;
/** Objects of one list. */
const listed = 500;
const unlimitedSeconds = 600;
const warmingConnections = 16;

/** Every verb on single objects, and lists of some of them, for a small kind and for Pods. */
export const requests: Scenario = {
  name: 'requests',
  does: `${operations.join(', ')} of ConfigMaps (1.5 KB) and Pods (5 KB)`,
  store: 'empty',
  async run(context) {
    for (const plural of context.settings.resources) await measureRequests(context, benchResources[plural]);
  },
};

/** All that is wanted of the operations, at every number of connections. Leaves the store as it was found. */
export async function measureRequests(context: ScenarioContext, resource: BenchResource): Promise<void> {
  await ensureKind(context.session, resource);
  // A server that has just started compiles what it runs, or fills caches: once through everything without looking.
  const [first = 'h1'] = context.settings.protocols;
  await measureCell({ ...context, record: () => {}, remark: () => {} }, resource, { protocol: first, concurrency: warmingConnections });
  for (const protocol of context.settings.protocols)
    for (const concurrency of context.settings.connections) await measureCell(context, resource, { protocol, concurrency });
}

type Load = Pick<RequestsTask, 'protocol' | 'concurrency'>;

async function measureCell(context: ScenarioContext, resource: BenchResource, load: Load): Promise<void> {
  const { session, settings } = context;
  const common = { kind: 'requests', endpoint: session.endpoint, ...load, ...settings, first: 0 } as const;
  const measure = async (
    operation: Operation,
    template: RequestTemplate,
    rest: Pick<RequestsTask, 'count' | 'cycle'> & Partial<RequestsTask>,
  ) => {
    const observation = await context.observe({ ...common, template, ...rest });
    const subject = operation === 'list' ? `list ${resource.plural}, limit ${listed}` : `${operation} ${resource.plural}`;
    recordRequests(context, subject, loadOf(load), observation);
    return observation;
  };
  const fill = (count: number, first: number) =>
    context.observe({
      ...common,
      protocol: 'h1',
      concurrency: 32,
      template: createTemplate(resource),
      count,
      first,
      cycle: false,
      ...unmeasured,
    });
  const isWanted = (operation: Operation) => settings.operations.includes(operation);

  let made = 0;
  if (isWanted('create')) made = (await measure('create', createTemplate(resource), { count: Number.MAX_SAFE_INTEGER, cycle: false })).used;
  if (made < roundOf) {
    await fill(roundOf - made, made);
    made = roundOf;
  }
  const round = { count: roundOf, cycle: true };
  if (isWanted('get')) await measure('get', objectTemplate('GET', resource), round);
  if (isWanted('list')) await measure('list', listTemplate(resource, listed), { count: 1, cycle: true });
  if (isWanted('update')) await measure('update', updateTemplate(resource, await readOne(context, resource)), round);
  if (isWanted('patch')) await measure('patch', patchTemplate(resource), round);
  if (isWanted('apply')) await measure('apply', applyTemplate(resource), round);
  const deletion = { template: objectTemplate('DELETE', resource), count: made, cycle: false };
  if (isWanted('delete')) await measure('delete', deletion.template, { ...deletion, ...unmeasured });
  else await context.observe({ ...common, protocol: 'h1', concurrency: 32, ...deletion, ...unmeasured });
}

/** Until there is nothing left to do. */
const unmeasured = { warmupSeconds: 0, seconds: unlimitedSeconds };

async function readOne({ session }: ScenarioContext, resource: BenchResource): Promise<Record<string, unknown>> {
  const answer = await session.cluster.request('GET', `${resource.collection(namespace)}/bench-0`);
  if (answer.status !== 200) throw new Error(`an object could not be read: ${answer.text}`);
  return answer.json() as Record<string, unknown>;
}
