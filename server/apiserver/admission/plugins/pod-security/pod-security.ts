import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { quote } from '../../../../../api/base/quote.ts';
import { internalError, invalid } from '../../../../../api/meta/status-errors.ts';
import { daemonSets } from '../../../../../api/resources/apps/v1/daemon-set.ts';
import { deployments } from '../../../../../api/resources/apps/v1/deployment.ts';
import { replicaSets } from '../../../../../api/resources/apps/v1/replica-set.ts';
import { statefulSets } from '../../../../../api/resources/apps/v1/stateful-set.ts';
import { cronJobs } from '../../../../../api/resources/batch/v1/cron-job.ts';
import { jobs } from '../../../../../api/resources/batch/v1/job.ts';
import { namespaces } from '../../../../../api/resources/core/v1/namespace.ts';
import { podTemplates } from '../../../../../api/resources/core/v1/pod-template.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import { replicationControllers } from '../../../../../api/resources/core/v1/replication-controller.ts';
import { factsOf, type PodFacts, type Violation } from '../../../../../api/semantics/pod-security/check.ts';
import { findViolations, formatViolations } from '../../../../../api/semantics/pod-security/evaluate.ts';
import {
  formatLevelVersion,
  isFullyPrivileged,
  isSameLevelVersion,
  type LevelVersion,
  type PodSecurityPolicy,
  policyOfLabels,
} from '../../../../../api/semantics/pod-security/policy.ts';
import type { Namespace, Pod, PodTemplateSpec } from '../../../../../api/types/core-v1.ts';
import { type AdmissionDependencies, type AdmissionPlugin, type AdmissionRequest, defineAdmissionPlugin } from '../../admission.ts';
import { isResource, refuse } from '../../admission-request.ts';
import { findObject } from '../../read-object.ts';
import { defaultPodSecurity, type PodSecurityConfiguration } from './configuration.ts';
import { isExempt, warningOfExemptNamespace } from './exemptions.ts';
import { checkPodsOfNamespace, needsCheckOfPods } from './namespace-pods.ts';

type Template = DeepReadonly<PodTemplateSpec> | undefined;

/** The kinds with Pod templates, and where the template is. Violations cause warnings here; the Pods themselves are refused. */
const templatesOf = [
  { resource: podTemplates, templateOf: (object: unknown) => (object as { readonly template?: Template }).template },
  ...[replicationControllers, replicaSets, deployments, daemonSets, statefulSets, jobs].map((resource) => ({
    resource,
    templateOf: (object: unknown) => (object as { readonly spec?: { readonly template?: Template } }).spec?.template,
  })),
  {
    resource: cronJobs,
    templateOf: (object: unknown) =>
      (object as { readonly spec?: { readonly jobTemplate?: { readonly spec?: { readonly template?: Template } } } }).spec?.jobTemplate
        ?.spec?.template,
  },
];

const annotations = 'pod-security.kubernetes.io/';

/** Subresources of Pods that cannot change the Pod's security. */
const ignoredSubresources = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);

/** Holds Pods to the Pod Security Standards that their namespace's labels ask for. */
export function createPodSecurity(configuration: PodSecurityConfiguration): AdmissionPlugin {
  return {
    name: 'PodSecurity',
    operations: ['CREATE', 'UPDATE'],
    resources: [namespaces, pods, ...templatesOf.map(({ resource }) => resource)] as unknown as NonNullable<AdmissionPlugin['resources']>,
    reads: [namespaces] as unknown as NonNullable<AdmissionPlugin['reads']>,
    async validate(request, dependencies) {
      if (isResource(request, namespaces)) return validateNamespace(configuration, request, dependencies);
      if (isResource(request, pods)) return validatePod(configuration, request, dependencies);
      if (request.subresource === '') await warnOfTemplate(configuration, request, dependencies);
    },
  };
}

export const podSecurity = defineAdmissionPlugin(createPodSecurity(defaultPodSecurity));

async function validateNamespace(
  configuration: PodSecurityConfiguration,
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<void> {
  if (request.subresource !== '') return;
  const namespace = request.object as unknown as Namespace;
  const name = namespace.metadata.name ?? '';
  const { labels } = namespace.metadata;
  const asked = policyOfLabels(labels, configuration.defaults);
  const old = request.oldObject && policyOfLabels(request.oldObject.metadata.labels, configuration.defaults);
  const hasNewErrors = asked.errors.length > 0 && JSON.stringify(asked.errors) !== JSON.stringify(old?.errors);
  if (hasNewErrors) throw invalid({ group: '', kind: 'Namespace' }, name, asked.errors);

  if (old && !needsCheckOfPods(asked.policy.enforce, old.policy.enforce)) return;
  if (configuration.exemptions.namespaces.includes(name)) {
    const warning = warningOfExemptNamespace(name, labels ?? {}, asked.policy, configuration.defaults);
    if (warning !== undefined) request.addWarning(warning);
    return;
  }
  if (!old) return;
  const warnings = await checkPodsOfNamespace(name, asked.policy.enforce, configuration, dependencies);
  for (const warning of warnings) request.addWarning(warning);
}

async function validatePod(
  configuration: PodSecurityConfiguration,
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<void> {
  if (ignoredSubresources.has(request.subresource) || isExempt(configuration, request)) return;
  const policy = await policyOf(configuration, request, dependencies).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw internalError(`failed to lookup namespace ${quote(request.namespace)}: ${reason}`);
  });
  if (isFullyPrivileged(policy)) return request.annotate?.(`${annotations}enforce-policy`, 'privileged:latest');
  const pod = request.object as unknown as Pod;
  if (request.oldObject && !isSignificant(pod, request.oldObject as unknown as DeepReadonly<Pod>)) return;
  evaluate(configuration, request, policy, { pod: factsOf(pod.metadata, pod.spec ?? { containers: [] }), enforces: true });
}

/** Warns of a template's violations. It refuses nothing, not even where the namespace cannot be read: the Pods will be. */
async function warnOfTemplate(
  configuration: PodSecurityConfiguration,
  request: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<void> {
  if (isExempt(configuration, request)) return;
  const policy = await policyOf(configuration, request, dependencies).catch(() => undefined);
  if (policy === undefined || (policy.warn.level === 'privileged' && policy.audit.level === 'privileged')) return;
  const kind = templatesOf.find(({ resource }) => isResource(request, resource as unknown as typeof request.resource));
  const template = kind?.templateOf(request.object);
  if (template?.spec) evaluate(configuration, request, policy, { pod: factsOf(template.metadata, template.spec), enforces: false });
}

async function policyOf(
  { defaults }: PodSecurityConfiguration,
  { namespace: name }: AdmissionRequest,
  dependencies: AdmissionDependencies,
): Promise<PodSecurityPolicy> {
  const namespace = await findObject(dependencies, namespaces, { namespace: '', name });
  if (!namespace) throw new Error(`namespaces ${quote(name)} not found`);
  return policyOfLabels(namespace.metadata.labels, defaults).policy;
}

function evaluate(
  { exemptions }: PodSecurityConfiguration,
  request: AdmissionRequest,
  { enforce, audit, warn }: PodSecurityPolicy,
  { pod, enforces }: { readonly pod: PodFacts; readonly enforces: boolean },
): void {
  if (exemptions.runtimeClasses.includes(pod.spec.runtimeClassName ?? ''))
    return request.annotate?.(`${annotations}exempt`, 'runtimeClass');
  const describe = (standard: LevelVersion, violations: readonly Violation[]) =>
    `violate PodSecurity ${quote(formatLevelVersion(standard))}: ${formatViolations(violations)}`;
  if (enforces) request.annotate?.(`${annotations}enforce-policy`, formatLevelVersion(enforce));
  const violations = enforces ? findViolations(enforce, pod) : [];
  const audited = request.annotate ? findViolations(audit, pod) : [];
  if (audited.length > 0) request.annotate?.(`${annotations}audit-violations`, `would ${describe(audit, audited)}`);
  if (violations.length > 0) throw refuse(request, describe(enforce, violations).replace('violate', 'violates'));
  const warned = enforces && isSameLevelVersion(warn, enforce) ? violations : findViolations(warn, pod);
  if (warned.length > 0) request.addWarning(`would ${describe(warn, warned)}`);
}

/** Whether an update changes anything that the standards check. */
function isSignificant({ spec }: DeepReadonly<Pod>, { spec: old }: DeepReadonly<Pod>): boolean {
  const images = (containers: readonly { readonly name: string; readonly image?: string }[] = []) => containers.map(({ image }) => image);
  const isOther = (a: readonly unknown[], b: readonly unknown[]) => a.length !== b.length || a.some((item, index) => item !== b[index]);
  if (isOther(images(spec?.containers), images(old?.containers))) return true;
  if (isOther(images(spec?.initContainers), images(old?.initContainers))) return true;
  const before = new Map((old?.ephemeralContainers ?? []).map(({ name, image }) => [name, image]));
  return (spec?.ephemeralContainers ?? []).some(({ name, image }) => !before.has(name) || before.get(name) !== image);
}
