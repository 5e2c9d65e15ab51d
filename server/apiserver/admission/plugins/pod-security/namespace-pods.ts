import type { DeepReadonly } from '../../../../../api/base/deep-readonly.ts';
import { quote } from '../../../../../api/base/quote.ts';
import { findController } from '../../../../../api/meta/owner-references.ts';
import { pods } from '../../../../../api/resources/core/v1/pod.ts';
import { factsOf } from '../../../../../api/semantics/pod-security/check.ts';
import { findViolations, formatReasons } from '../../../../../api/semantics/pod-security/evaluate.ts';
import { compareLevels, formatLevelVersion, type LevelVersion } from '../../../../../api/semantics/pod-security/policy.ts';
import type { Pod } from '../../../../../api/types/core-v1.ts';
import type { AdmissionDependencies } from '../../admission.ts';
import type { PodSecurityConfiguration } from './configuration.ts';

const maxPods = 3000;
/** The Pods of one list request, which are decoded in one turn of the event loop. */
const pageSize = 250;
/** Milliseconds for reading the Pods of a namespace. */
const maxReadMs = 1000;
/** The milliseconds for checking Pods in one turn of the event loop. */
const maxMs = 20;

/** Whether present Pods may violate a namespace's new level though they did not violate the old one. */
export function needsCheckOfPods(enforce: LevelVersion, old: LevelVersion): boolean {
  if (enforce.level === 'privileged') return false;
  return enforce.version !== old.version || compareLevels(enforce.level, old.level) > 0;
}

/** Warnings of the Pods that are there and would not be admitted any more. They go on running. */
export async function checkPodsOfNamespace(
  namespace: string,
  enforce: LevelVersion,
  configuration: PodSecurityConfiguration,
  dependencies: Pick<AdmissionDependencies, 'client' | 'clock'>,
): Promise<string[]> {
  const { clock } = dependencies;
  const { read, unread } = await readPods(namespace, dependencies);
  const present = oneOfEachControllerFirst(read).filter(
    ({ spec }) => !configuration.exemptions.runtimeClasses.includes(spec?.runtimeClassName ?? ''),
  );
  const total = present.length + unread;
  const endMs = clock.monotonicMs() + maxMs;
  const byReasons = new Map<string, string[]>();
  let checked = 0;
  for (const pod of present) {
    if (checked === maxPods || (checked % 50 === 49 && clock.monotonicMs() > endMs)) break;
    checked++;
    const violations = findViolations(enforce, factsOf(pod.metadata, pod.spec ?? { containers: [] }));
    if (violations.length === 0) continue;
    const reasons = formatReasons(violations);
    byReasons.set(reasons, [...(byReasons.get(reasons) ?? []), pod.metadata.name ?? '']);
  }
  const warnings: string[] = [];
  if (checked < total) warnings.push(`new PodSecurity enforce level only checked against the first ${checked} of ${total} existing pods`);
  if (byReasons.size > 0)
    warnings.push(
      `existing pods in namespace ${quote(namespace)} violate the new PodSecurity enforce level ${quote(formatLevelVersion(enforce))}`,
    );
  return [...warnings, ...[...byReasons].map(([reasons, names]) => `${nameSome(names)}: ${reasons}`).sort()];
}

/** The first Pods of a namespace, and how many more there are. A list and not an informer: namespaces are relabelled rarely. */
async function readPods(namespace: string, { client, clock }: Pick<AdmissionDependencies, 'client' | 'clock'>) {
  const end = clock.monotonicMs() + maxReadMs;
  const read: DeepReadonly<Pod>[] = [];
  for (let next = ''; ; ) {
    const { items, metadata } = await client(pods).list({ namespace, limit: pageSize, ...(next === '' ? {} : { continue: next }) });
    read.push(...items);
    next = metadata.continue ?? '';
    if (next === '') return { read, unread: 0 };
    if (read.length >= maxPods || clock.monotonicMs() > end) return { read, unread: metadata.remainingItemCount ?? 0 };
  }
}

/** `a`, `a (and 1 other pod)`, `a (and 2 other pods)`. */
function nameSome(names: readonly string[]): string {
  const first = names.reduce((least, name) => (name < least ? name : least));
  const others = names.length - 1;
  return others === 0 ? first : `${first} (and ${others} other ${others === 1 ? 'pod' : 'pods'})`;
}

/** Sorts Pods so that one of each controller comes first: replicas are alike, and a limited number is checked. */
function oneOfEachControllerFirst(all: readonly DeepReadonly<Pod>[]): DeepReadonly<Pod>[] {
  const seen = new Set<string>();
  const [first, others]: [DeepReadonly<Pod>[], DeepReadonly<Pod>[]] = [[], []];
  for (const pod of all) {
    const controller = findController(pod)?.uid;
    (controller !== undefined && seen.has(controller) ? others : first).push(pod);
    if (controller !== undefined) seen.add(controller);
  }
  return [...first, ...others];
}
