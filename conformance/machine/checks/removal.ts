import type { CheckContext, CheckTopic } from './check.ts';
import { expectEqual } from '../guest/expect.ts';
import { expectNothingRuns } from './restart-up.ts';

export const removal: CheckTopic = {
  topic: 'removal',
  checks: [{ name: '`kubets reset` leaves no process, mount, interface, rule, route, cgroup or object', run: resetLeavesNothing }],
};

/** Traces of a cluster, as commands whose output must be empty. */
const traces: Readonly<Record<string, string>> = {
  mounts: "grep -E '/var/lib/kubets|/run/netns/' /proc/self/mounts || true",
  interfaces: "ip -brief link | grep -vE '^(lo|eth[0-9]+) ' || true",
  'nft tables': 'nft list tables',
  routes: "{ ip route; ip -6 route; } | grep -E 'cni0|10\\.244\\.|fd00:244:' || true",
  'network namespaces': 'ip netns list',
  cgroups: "find /sys/fs/cgroup -type d -name 'kubepods*'",
  keys: 'ls /var/lib/kubets/pki /var/lib/kubets/admin.kubeconfig 2>/dev/null || true',
  units: "systemctl list-units --all --no-legend 'kubets*' 'kubepods*'",
  addresses: 'ls -A /var/lib/cni/networks 2>/dev/null || true',
};

async function resetLeavesNothing(context: CheckContext): Promise<string> {
  // The start of a cluster, that there is something to remove, whatever ran before.
  await context.cluster.up();
  return await stopAndReset(context);
}

/** Closes the terminal in which the cluster runs, and removes the cluster. */
export async function stopAndReset(context: CheckContext): Promise<string> {
  await context.cluster.closeTerminal();
  return await resetAndLook(context);
}

/** `kubets reset`, after which nothing of the cluster may be left on the machine. */
export async function resetAndLook(context: CheckContext): Promise<string> {
  const { cluster, machine, seconds } = context;
  const { code, stdout, stderr } = await cluster.kubets('reset', { timeoutSeconds: seconds(120) });
  expectEqual(`the exit code of kubets reset (${stdout}${stderr})`, code, 0);
  await expectNothingRuns(context);
  const found: string[] = [];
  for (const [what, command] of Object.entries(traces)) {
    const text = (await machine.succeed(command)).trim();
    if (text !== '') found.push(`${what}: ${text.replaceAll('\n', ', ')}`);
  }
  expectEqual('what is left', found.join('; '), '');
  return `no process, ${Object.keys(traces).join(', ')}`;
}
