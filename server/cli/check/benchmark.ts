import type { CheckFacts } from './check-facts.ts';
import { type CheckedItem, type CheckItem, compareIds, isSelected, type Selection } from './check-item.ts';
import { access } from './sections/access.ts';
import { apiServer } from './sections/api-server.ts';
import { controlPlaneConfiguration } from './sections/control-plane-configuration.ts';
import { controlPlaneFiles } from './sections/control-plane-files.ts';
import { controllersAndScheduler } from './sections/controllers.ts';
import { etcdNode } from './sections/etcd.ts';
import { kubelet } from './sections/kubelet.ts';
import { nodeFiles } from './sections/node-files.ts';
import { podStandards } from './sections/pod-standards.ts';
import { policies } from './sections/policies.ts';

export const benchmarkVersion = 'cis-1.12';

/** The titles of the sections, by their numbers. */
export const sectionTitles: Readonly<Record<string, string>> = {
  '1.1': 'Files of the control plane',
  '1.2': 'API server',
  '1.3': 'Controller manager',
  '1.4': 'Scheduler',
  '2': 'etcd',
  '3.1': 'Authentication of users',
  '3.2': 'Audit',
  '4.1': 'Files of the node',
  '4.2': 'Kubelet',
  '4.3': 'Service proxy',
  '5.1': 'RBAC and ServiceAccounts',
  '5.2': 'Pod Security Standards',
  '5.3': 'Network policies',
  '5.4': 'Secrets',
  '5.5': 'Extensible admission control',
  '5.6': 'General policies',
};

export function sectionOf(id: string): string {
  return id.startsWith('2.') ? '2' : id.slice(0, id.lastIndexOf('.'));
}

/** All controls of the CIS Kubernetes Benchmark v1.12, in the order of their numbers. */
export const benchmark: readonly CheckItem[] = [
  ...controlPlaneFiles,
  ...apiServer,
  ...controllersAndScheduler,
  ...etcdNode,
  ...controlPlaneConfiguration,
  ...nodeFiles,
  ...kubelet,
  ...access,
  ...podStandards,
  ...policies,
].toSorted((a, b) => compareIds(a.id, b.id));

export function runBenchmark(facts: CheckFacts, selection: Selection): CheckedItem[] {
  return benchmark.filter((item) => isSelected(item, selection)).map((item) => ({ id: item.id, title: item.title, ...item.judge(facts) }));
}
