import { setTimeout as delay } from 'node:timers/promises';
import type { BenchResource } from '../bench-resource.ts';
import { customGroup, customResources, customVersion, knobRules, ruleCount } from '../custom-kinds.ts';
import { ensureKind } from '../ensure-kind.ts';
import { median } from '../measurement.ts';
import { createTemplate, namespace } from '../objects.ts';
import type { Session } from '../session.ts';
import { startWebhook } from '../webhook-process.ts';
import type { Scenario, ScenarioContext } from './scenario.ts';

/** Turns that the kinds take: what the machine does beside weighs on all of them. */
const turns = 9;
const secondsOfTurn = 0.4;

/** The time that rules, a policy and a webhook add to the create of a small custom object, over one connection. */
export const admission: Scenario = {
  name: 'admission',
  does: `what ${ruleCount} rules in a schema, ${ruleCount} validations of a policy and one webhook add to a create`,
  store: 'empty',
  async run(context) {
    const { session, record } = context;
    const { knobs, ruledknobs, policedknobs, hookedknobs } = customResources;
    const guarded = [
      { resource: ruledknobs, what: `${ruleCount} rules of a schema` },
      { resource: policedknobs, what: `${ruleCount} validations of a policy` },
      { resource: hookedknobs, what: 'one webhook' },
    ];
    for (const resource of [knobs, ruledknobs, policedknobs, hookedknobs]) await ensureKind(session, resource);
    await addPolicy(session, policedknobs);
    const webhook = await startWebhook();
    try {
      await addWebhook(session, hookedknobs, webhook);
      await untilEnforced(session, webhook.spent);
      const measure = createMeasure(context);
      for (const resource of [knobs, ruledknobs, policedknobs, hookedknobs]) await measure(resource);
      const added = new Map<string, number[]>(guarded.map(({ what }) => [what, []]));
      const plain: number[] = [];
      await webhook.spent();
      for (let turn = 0; turn < turns; turn++) {
        const before = await measure(knobs);
        plain.push(before);
        for (const { resource, what } of guarded) added.get(what)?.push((await measure(resource)) - before);
      }
      const { spentMs, calls } = await webhook.spent();
      record({ subject: 'create knobs', load: 'h1 ×1' }, { p50: median(plain) });
      for (const [what, differences] of added) record({ subject: what, load: 'h1 ×1' }, { addedMs: median(differences) });
      record({ subject: 'one webhook: its own time', load: 'h1 ×1' }, { addedMs: spentMs / calls });
    } finally {
      webhook.close();
    }
  },
};

function createMeasure({ session, observe }: ScenarioContext): (resource: BenchResource) => Promise<number> {
  const next = new Map<BenchResource, number>();
  return async (resource) => {
    const first = next.get(resource) ?? 0;
    const observation = await observe({
      kind: 'requests',
      endpoint: session.endpoint,
      protocol: 'h1',
      concurrency: 1,
      template: createTemplate(resource),
      warmupSeconds: 0,
      seconds: secondsOfTurn,
      first,
      count: Number.MAX_SAFE_INTEGER,
      cycle: false,
    });
    next.set(resource, first + observation.used);
    const failures = Object.keys(observation.errors);
    if (failures.length > 0) throw new Error(`${resource.plural} could not be created: ${failures.join(', ')}`);
    return observation.latencies.p50Ms;
  };
}

async function post({ cluster }: Session, path: string, body: object): Promise<void> {
  const { status, text } = await cluster.request('POST', `/apis/admissionregistration.k8s.io/v1/${path}`, { body });
  if (status !== 201) throw new Error(`${path} could not be created: ${text}`);
}

const ruleOf = ({ plural }: BenchResource) => ({
  apiGroups: [customGroup],
  apiVersions: [customVersion],
  operations: ['CREATE'],
  resources: [plural],
});

async function addPolicy(session: Session, resource: BenchResource): Promise<void> {
  await post(session, 'validatingadmissionpolicies', {
    metadata: { name: 'bench' },
    spec: {
      matchConstraints: { resourceRules: [ruleOf(resource)] },
      validations: [
        { expression: "object.metadata.name != 'refused-by-policy'" },
        ...knobRules(ruleCount - 1, 'object.spec').map((expression) => ({ expression })),
      ],
    },
  });
  const spec = { policyName: 'bench', validationActions: ['Deny'] };
  await post(session, 'validatingadmissionpolicybindings', { metadata: { name: 'bench' }, spec });
}

async function addWebhook(session: Session, resource: BenchResource, { url, caBundle }: { url: string; caBundle: string }): Promise<void> {
  const webhook = {
    name: 'webhook.bench.example.com',
    rules: [ruleOf(resource)],
    clientConfig: { url, caBundle },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  };
  await post(session, 'validatingwebhookconfigurations', { metadata: { name: 'bench' }, webhooks: [webhook] });
}

/** A server follows policies and webhooks with some delay. */
async function untilEnforced({ cluster }: Session, spent: () => Promise<{ calls: number }>): Promise<void> {
  const { policedknobs, hookedknobs } = customResources;
  const dryRun = async (resource: BenchResource) => {
    const body = resource.body('refused-by-policy', {});
    return (await cluster.request('POST', resource.collection(namespace), { body, query: 'dryRun=All' })).status;
  };
  const lookEveryMs = 100;
  for (let tries = 0; tries < 600; tries++) {
    await dryRun(hookedknobs);
    if ((await dryRun(policedknobs)) === 422 && (await spent()).calls > 0) return;
    await delay(lookEveryMs);
  }
  throw new Error('the policy or the webhook is not enforced');
}
