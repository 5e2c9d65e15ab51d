/** A node whose Pods are all in the API, and that serves cluster DNS. */
export const noSandboxes = {
  ports: { list: async () => [] },
  listSandboxes: async () => [],
  dns: { addresses: ['10.96.0.10', '10.200.0.1', 'fd00:200::1'], port: 10_053 },
} as const;
