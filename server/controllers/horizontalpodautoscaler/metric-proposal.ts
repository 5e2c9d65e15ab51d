import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { quantityMilliValue } from '../../../api/base/quantity/arithmetic.ts';
import { formatQuantity } from '../../../api/base/quantity/quantity.ts';
import { isRestartableInitContainer } from '../../../api/semantics/pods/pod-containers.ts';
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscalerBehavior,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../../api/types/autoscaling-v2.ts';
import type { Pod } from '../../../api/types/core-v1.ts';
import { messageOf } from '../runtime/pod-control.ts';
import type { MetricReader } from './metric-readings.ts';
import {
  type Calculation,
  replicasForShare,
  replicasForUsage,
  replicasForUtilization,
  replicasForValue,
  type Tolerances,
  type UsageInput,
} from './replica-calculation.ts';

/** The number of replicas that one metric asks for. */
export interface Proposal {
  readonly replicas: number;
  /** The metric's name in events. */
  readonly metric: string;
  readonly status: MetricStatus;
}

/** Why a metric asks for nothing: the reason and the problem that the condition shows, and the error as a whole. */
export class MetricError extends Error {
  readonly reason: string;
  readonly problem: string;
  constructor(reason: string, problem: string, prefix: string) {
    super(`${prefix}${problem}`);
    this.name = 'MetricError';
    this.reason = reason;
    this.problem = problem;
  }
}

interface ProposalInput {
  readonly reader: MetricReader;
  readonly namespace: string;
  /** The selector of the target's Pods, as text. */
  readonly selector: string;
  readonly pods: readonly DeepReadonly<Pod>[];
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly tolerances: Tolerances;
  readonly nowMs: number;
}

const defaultTolerance = 0.1;

export function tolerancesOf(behavior: DeepReadonly<HorizontalPodAutoscalerBehavior> | undefined): Tolerances {
  const of = (tolerance: string | undefined) => (tolerance === undefined ? defaultTolerance : quantityMilliValue(tolerance) / 1000);
  return { up: of(behavior?.scaleUp?.tolerance), down: of(behavior?.scaleDown?.tolerance) };
}

type Metric = DeepReadonly<MetricSpec>;

/** Reads one metric and computes the replicas for it. Throws MetricError. */
export async function proposeReplicas(input: ProposalInput, spec: Metric): Promise<Proposal> {
  const { resource, containerResource, pods, object, external, type } = spec;
  if (type === 'Resource' && resource)
    return attempt('FailedGetResourceMetric', `failed to get ${resource.name} resource metric value: `, async () => {
      const { current, ...rest } = await proposeForResource(input, resource.name, resource.target, undefined);
      return { ...rest, status: { type, resource: { name: resource.name, current } } };
    });
  if (type === 'ContainerResource' && containerResource) {
    const { name, container, target } = containerResource;
    return attempt('FailedGetContainerResourceMetric', `failed to get ${container} container metric value: `, async () => {
      const { current, ...rest } = await proposeForResource(input, name, target, container);
      return { ...rest, status: { type, containerResource: { name, container, current } } };
    });
  }
  if (type === 'Pods' && pods)
    return attempt('FailedGetPodsMetric', 'failed to get pods metric value: ', () => proposeForPods(input, pods));
  if (type === 'Object' && object)
    return attempt('FailedGetObjectMetric', 'failed to get object metric value: ', () => proposeForObject(input, object));
  if (type === 'External' && external)
    return attempt('FailedGetExternalMetric', `failed to get ${external.metric.name} external metric value: `, () =>
      proposeForExternal(input, external),
    );
  throw new MetricError('InvalidMetricSourceType', `unknown metric source type "${type}"`, '');
}

async function attempt(reason: string, prefix: string, propose: () => Promise<Proposal>): Promise<Proposal> {
  try {
    return await propose();
  } catch (error) {
    throw new MetricError(reason, messageOf(error), prefix);
  }
}

function answered(calculation: Calculation, prefix: string): Exclude<Calculation, { readonly problem: string }> {
  if ('problem' in calculation) throw new Error(`${prefix}${calculation.problem}`);
  return calculation;
}

/** Adds a prefix to the message of an error of the promise. */
async function prefixed<T>(prefix: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new Error(`${prefix}${messageOf(error)}`, { cause: error });
  }
}

type ResourceProposal = Omit<Proposal, 'status'> & { readonly current: MetricValueStatus };

async function proposeForResource(
  input: ProposalInput,
  name: string,
  { averageValue, averageUtilization }: DeepReadonly<MetricTarget>,
  container: string | undefined,
): Promise<ResourceProposal> {
  const what = averageValue === undefined ? 'utilization' : 'usage';
  if (averageValue === undefined && averageUtilization === undefined)
    throw new Error('invalid resource metric source: neither an average utilization target nor an average value (usage) target was set');
  const prefix = `failed to get ${name} ${what}: `;
  const readings = await prefixed(
    `${prefix}unable to get metrics for resource ${name}: `,
    input.reader.resource(name, input.selector, container),
  );
  const usage: UsageInput = { ...usageInput(input), readings, isCPU: name === 'cpu' };
  if (averageValue !== undefined) {
    const { replicas, average } = answered(replicasForUsage(usage, quantityMilliValue(averageValue)), prefix);
    return { replicas, metric: `${name} resource`, current: { averageValue: milli(average) } };
  }
  const requests = podRequests(input.pods, name, container);
  if (typeof requests === 'string') throw new Error(`${prefix}${requests}`);
  const { replicas, average, utilization = 0 } = answered(replicasForUtilization(usage, requests, averageUtilization ?? 0), prefix);
  const kind = container === undefined ? 'resource' : 'container resource';
  return {
    replicas,
    metric: `${name} ${kind} utilization (percentage of request)`,
    current: { averageUtilization: utilization, averageValue: milli(average) },
  };
}

/** The request of each Pod, in thousandths; or the container that has none. */
function podRequests(pods: readonly DeepReadonly<Pod>[], resource: string, container: string | undefined): Map<string, number> | string {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    let sum = 0;
    for (const one of [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter(isRestartableInitContainer)]) {
      if (container !== undefined && container !== one.name) continue;
      const request = one.resources?.requests?.[resource];
      if (request === undefined) return `missing request for ${resource} in container ${one.name} of Pod ${metadata.name}`;
      sum += quantityMilliValue(request);
    }
    requests.set(metadata.name ?? '', sum);
  }
  return requests;
}

function usageInput({ pods, specReplicas, tolerances, nowMs }: ProposalInput): Omit<UsageInput, 'readings' | 'isCPU'> {
  return { pods, tolerances, nowMs, currentReplicas: specReplicas };
}

async function proposeForPods(
  input: ProposalInput,
  { metric, target }: { readonly metric: DeepReadonly<MetricIdentifier>; readonly target: DeepReadonly<MetricTarget> },
): Promise<Proposal> {
  const readings = await prefixed(`unable to get metric ${metric.name}: `, input.reader.pods(metric, input.selector));
  const wanted = quantityMilliValue(target.averageValue ?? '0');
  const { replicas, average } = answered(replicasForUsage({ ...usageInput(input), readings, isCPU: false }, wanted), '');
  return {
    replicas,
    metric: `pods metric ${metric.name}`,
    status: { type: 'Pods', pods: { metric: copyOf(metric), current: { averageValue: milli(average) } } },
  };
}

interface ObjectSource {
  readonly metric: DeepReadonly<MetricIdentifier>;
  readonly target: DeepReadonly<MetricTarget>;
  readonly describedObject: DeepReadonly<CrossVersionObjectReference>;
}

async function proposeForObject(input: ProposalInput, { metric, target, describedObject }: ObjectSource): Promise<Proposal> {
  const where = `${describedObject.kind} ${input.namespace}/${describedObject.name}`;
  const isShared = target.type === 'AverageValue';
  const prefix = isShared ? `failed to get ${metric.name} object metric: ` : '';
  const total = await prefixed(
    `${prefix}unable to get metric ${metric.name}: `,
    prefixedAfter(` on ${where}`, input.reader.object(metric, describedObject)),
  );
  const { replicas, current } = proposeForTotal(input, total, target, 'object');
  return {
    replicas,
    metric: isShared ? `external metric ${metric.name}(${selectorText(metric)})` : `${describedObject.kind} metric ${metric.name}`,
    status: { type: 'Object', object: { metric: copyOf(metric), describedObject: { ...describedObject }, current } },
  };
}

/** Adds ` on Kind ns/name` after the message of an error, in the places where upstream does. */
async function prefixedAfter<T>(suffix: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new Error(`${messageOf(error)}${suffix}`, { cause: error });
  }
}

async function proposeForExternal(
  input: ProposalInput,
  { metric, target }: { readonly metric: DeepReadonly<MetricIdentifier>; readonly target: DeepReadonly<MetricTarget> },
): Promise<Proposal> {
  const shown = `${input.namespace}/${metric.name}/${selectorText(metric)}`;
  const prefix =
    target.averageValue === undefined ? `failed to get external metric ${metric.name}: ` : `failed to get ${metric.name} external metric: `;
  const total = await prefixed(`${prefix}unable to get external metric ${shown}: `, input.reader.external(metric));
  const { replicas, current } = proposeForTotal(input, total, target, 'external');
  return {
    replicas,
    metric: `external metric ${metric.name}(${selectorText(metric)})`,
    status: { type: 'External', external: { metric: copyOf(metric), current } },
  };
}

function proposeForTotal(
  { statusReplicas, specReplicas, pods, tolerances }: ProposalInput,
  total: number,
  { value, averageValue }: DeepReadonly<MetricTarget>,
  source: 'object' | 'external',
): { readonly replicas: number; readonly current: MetricValueStatus } {
  if (averageValue !== undefined) {
    const { replicas, average } = answered(replicasForShare({ total, tolerances }, statusReplicas, quantityMilliValue(averageValue)), '');
    return { replicas, current: { averageValue: milli(average) } };
  }
  if (value === undefined) throw new Error(`invalid ${source} metric source: neither a value target nor an average value target was set`);
  const ready = pods.filter(
    ({ status }) => status?.phase === 'Running' && status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  ).length;
  const calculation = replicasForValue(
    { total, tolerances },
    specReplicas,
    specReplicas === 0 ? undefined : ready,
    quantityMilliValue(value),
  );
  const { replicas, average } = answered(calculation, '');
  return { replicas, current: { value: milli(average) } };
}

function milli(value: number): string {
  return formatQuantity({ unscaled: BigInt(Math.trunc(value)), scale: -3, format: 'DecimalSI' });
}

function copyOf(metric: DeepReadonly<MetricIdentifier>): MetricIdentifier {
  return structuredClone(metric) as MetricIdentifier;
}

/** A selector as Go prints it. */
function selectorText({ selector }: DeepReadonly<MetricIdentifier>): string {
  if (!selector) return 'nil';
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}: ${value}`);
  return `&LabelSelector{MatchLabels:map[string]string{${labels.map((label) => `${label},`).join('')}},MatchExpressions:[]LabelSelectorRequirement{},}`;
}
