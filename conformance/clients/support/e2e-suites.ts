/**
 * The end-to-end suites. Those that need a node run in this order; those of a control plane alone run in theirs, at the same time. The
 * first with nodes waits more than it works; the Go client of `libraries` is compiled meanwhile.
 */
export const e2eSuites: readonly { readonly file: string; readonly needsNode: boolean }[] = [
  { file: 'bad-input.e2e.ts', needsNode: false },
  { file: 'authentication.e2e.ts', needsNode: false },
  { file: 'kubectl-api.e2e.ts', needsNode: false },
  { file: 'extensions/custom-kinds.e2e.ts', needsNode: false },
  { file: 'extensions/aggregation.e2e.ts', needsNode: false },
  { file: 'extensions/operator-typescript.e2e.ts', needsNode: false },
  { file: 'extensions/operator-python.e2e.ts', needsNode: false },
  { file: 'extensions/patroni.e2e.ts', needsNode: false },
  { file: 'kill-control-plane.e2e.ts', needsNode: false },
  { file: 'differential.e2e.ts', needsNode: false },
  { file: 'faults.e2e.ts', needsNode: true },
  { file: 'guestbook.e2e.ts', needsNode: true },
  { file: 'helm.e2e.ts', needsNode: true },
  { file: 'volumes.e2e.ts', needsNode: true },
  { file: 'devices.e2e.ts', needsNode: true },
  { file: 'node.e2e.ts', needsNode: true },
  { file: 'check.e2e.ts', needsNode: true },
  { file: 'disk-full.e2e.ts', needsNode: true },
  { file: 'kill-node.e2e.ts', needsNode: true },
  { file: 'stop.e2e.ts', needsNode: true },
  { file: 'certs.e2e.ts', needsNode: true },
  { file: 'two-nodes.e2e.ts', needsNode: true },
  { file: 'tenant.e2e.ts', needsNode: true },
  { file: 'two-families.e2e.ts', needsNode: true },
  { file: 'external-network.e2e.ts', needsNode: true },
  { file: 'libraries.e2e.ts', needsNode: true },
  { file: 'foreign-node.e2e.ts', needsNode: true },
  { file: 'etcd.e2e.ts', needsNode: true },
];
