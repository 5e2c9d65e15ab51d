import type { DeepReadonly } from '../../base/deep-readonly.ts';
import type { Container, Pod, PodSpec } from '../../types/core-v1.ts';

/** Why a Pod does not meet one requirement of a standard. */
export interface Violation {
  readonly reason: string;
  readonly detail: string;
}

export interface PodFacts {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: DeepReadonly<PodSpec>;
}

export type CheckPod = (pod: PodFacts) => Violation | undefined;

/** One requirement of the baseline or the restricted standard. Violations are listed in the order of ids, the baseline's first. */
export interface Check {
  readonly id: string;
  /** The requirement by the minor version that brought it, ascending; before the first there is none. */
  readonly versions: readonly (readonly [sinceMinor: number, check: CheckPod])[];
  /** The id of the baseline check that this check of the restricted standard replaces. */
  readonly overrides?: string;
}

type SecurityContext = NonNullable<DeepReadonly<Container>['securityContext']>;

type AnyContainer = Pick<DeepReadonly<Container>, 'name' | 'ports' | 'lifecycle' | 'livenessProbe' | 'readinessProbe' | 'startupProbe'> & {
  readonly securityContext?: SecurityContext;
};

export function factsOf(metadata: DeepReadonly<Pod>['metadata'] | undefined, spec: DeepReadonly<PodSpec>): PodFacts {
  return { annotations: metadata?.annotations ?? {}, spec };
}

/** Init containers, containers and ephemeral containers: the order in which messages name them. */
export function containersOf({ spec }: PodFacts): AnyContainer[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])] as AnyContainer[];
}

/** The names of the containers for which the predicate holds. */
export function namesWhere(pod: PodFacts, predicate: (context: SecurityContext, container: AnyContainer) => boolean): string[] {
  return containersOf(pod).flatMap((container) => (predicate(container.securityContext ?? {}, container) ? [container.name] : []));
}

/** `"a", "b"`. */
export function quoteAll(items: Iterable<string>): string {
  return [...items].map((item) => `"${item}"`).join(', ');
}

/** `container "a"` or `containers "a", "b"`. */
export function nameContainers(names: readonly string[]): string {
  return `${plural('container', names.length)} ${quoteAll(names)}`;
}

export function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}

/** The parts of a Pod that set a field in a forbidden way: `pod and container "a"`. Empty: nothing does. */
export function nameSetters(bySpec: boolean, names: readonly string[]): string {
  return [...(bySpec ? ['pod'] : []), ...(names.length > 0 ? [nameContainers(names)] : [])].join(' and ');
}

/** In the order of their characters, each once. */
export function sorted(values: Iterable<string>): string[] {
  return [...new Set(values)].sort();
}

/** Whether a Pod has a user namespace (KEP-127), so that its root user is not the node's. */
function hasUserNamespace({ spec }: PodFacts): boolean {
  return spec.hostUsers === false;
}

function isWindows({ spec }: PodFacts): boolean {
  return spec.os?.name === 'windows';
}

/** Windows Pods are left out: fields of Linux cannot be set for them. */
export function exceptWindows(check: CheckPod): CheckPod {
  return (pod) => (isWindows(pod) ? undefined : check(pod));
}

export function exceptUserNamespaces(check: CheckPod): CheckPod {
  return (pod) => (hasUserNamespace(pod) ? undefined : check(pod));
}
