/** The end-to-end suites in the order in which they run: those that need only the control plane first. */
export const e2eSuites: readonly { readonly file: string; readonly needsNode: boolean }[] = [
  { file: 'bad-input.e2e.ts', needsNode: false },
  { file: 'kubectl-api.e2e.ts', needsNode: false },
  { file: 'kill-control-plane.e2e.ts', needsNode: false },
  { file: 'guestbook.e2e.ts', needsNode: true },
  { file: 'helm.e2e.ts', needsNode: true },
  { file: 'libraries.e2e.ts', needsNode: true },
  { file: 'faults.e2e.ts', needsNode: true },
  { file: 'volumes.e2e.ts', needsNode: true },
  { file: 'devices.e2e.ts', needsNode: true },
  { file: 'node.e2e.ts', needsNode: true },
  { file: 'disk-full.e2e.ts', needsNode: true },
  { file: 'kill-node.e2e.ts', needsNode: true },
  { file: 'two-nodes.e2e.ts', needsNode: true },
  { file: 'two-families.e2e.ts', needsNode: true },
  { file: 'external-network.e2e.ts', needsNode: true },
  { file: 'etcd.e2e.ts', needsNode: true },
];
