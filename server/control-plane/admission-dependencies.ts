import type { Lister } from '../../api/client/informers/informer.ts';
import type { KubeObject } from '../../api/meta/object.ts';
import type { ResourceDefinition } from '../../api/resource/resource-definition.ts';
import type { AdmissionAnswer } from '../../api/semantics/admission/admission-task.ts';
import { parseJSON, stringifyJSON } from '../../api/serialization/json.ts';
import type { AdmissionDependencies } from '../apiserver/admission/admission.ts';
import { createExpressions, type ExpressionWork } from '../apiserver/admission/expressions/expressions.ts';
import { createEquivalentResources } from '../apiserver/admission/matching/equivalent-resources.ts';
import type { APIServerParts } from '../apiserver/api-server.ts';
import type { ConditionOutcome, ConditionWork } from '../apiserver/authorization/match-conditions.ts';
import type { LargeWork } from '../apiserver/registry/large-objects/large-work.ts';
import type { SecureDialer } from '../apiserver/services/secure-dialer.ts';
import { createServiceCaller } from '../apiserver/services/service-caller.ts';
import { createHookCaller } from '../apiserver/webhooks/hook-caller.ts';

/** A control plane without a network: webhooks cannot be called. */
const noNetwork: SecureDialer = { send: () => Promise.reject(new Error('there is no network')) };

/** The dependencies of admission plugins, from the parts of the API server. */
export function createAdmissionDependencies(
  { client, clock, random, authorizer, escalation, informers, metrics, logger }: APIServerParts,
  definitions: () => readonly ResourceDefinition[],
  {
    largeWork,
    secureDialer: dialer = noNetwork,
    routesToEndpoints = true,
  }: { readonly largeWork?: LargeWork; readonly secureDialer?: SecureDialer; readonly routesToEndpoints?: boolean },
): AdmissionDependencies {
  const listers = new WeakMap<object, Lister<KubeObject>>();
  const lister = <T extends KubeObject>(resource: ResourceDefinition<T>): Lister<T> => {
    // Admission asks for some listers with every write. The lister of a resource has its type.
    const known = listers.get(resource) as Lister<T> | undefined;
    if (known) return known;
    const found = informers.informer(resource).lister;
    listers.set(resource, found);
    return found;
  };
  const synced = async (resource: ResourceDefinition, timeoutMs: number): Promise<boolean> => {
    const informer = informers.informer(resource);
    if (informer.hasSynced()) return true;
    const timeout = new AbortController();
    const timer = clock.setTimer(timeoutMs, () => timeout.abort());
    await informer.synced(timeout.signal).catch(() => {});
    timer.cancel();
    return informer.hasSynced();
  };
  return {
    ...{ client, lister, synced, clock, random, authorizer, escalation, definitions },
    equivalents: createEquivalentResources(definitions),
    expressions: createExpressions({ authorizer, clock, ...(largeWork ? { work: expressionWork(largeWork) } : {}) }),
    policyMetrics: metrics.admission.policies,
    hooks: createHookCaller({ services: createServiceCaller({ informers, dialer, random, routesToEndpoints }), dialer, clock }),
    webhookMetrics: metrics.webhooks,
    nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
    logger: logger.with({ part: 'admission' }),
  };
}

/** Match conditions of authorization webhooks that take long are evaluated there, too. */
export function conditionWork(largeWork: LargeWork): ConditionWork {
  return {
    async evaluate(expression, request, asker) {
      const { object } = await largeWork.run({ kind: 'condition', expression, request }, asker);
      return parseJSON(object).value as ConditionOutcome;
    },
  };
}

/** Expressions that take long are evaluated where large objects are worked on. */
function expressionWork(largeWork: LargeWork): ExpressionWork {
  return {
    async evaluate(task, { answers, ...variables }, asker) {
      const { object } = await largeWork.run({ kind: 'expressions', task, variables: stringifyJSON(variables), answers }, asker);
      return parseJSON(object).value as AdmissionAnswer;
    },
    nextTurn: () => largeWork.nextTurn(),
  };
}
