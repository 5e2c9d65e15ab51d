import { existsSync, readdirSync } from 'node:fs';
import { nodePaths } from '../../node-agent/node-paths.ts';
import type { BareMachine } from '../clients/support/bare-machine.ts';

/** Everything that Pods and Services may leave on a machine, by kind. */
export type MachineState = Readonly<Record<string, readonly string[]>>;

export async function readMachineState(machine: BareMachine): Promise<MachineState> {
  const lines = async (command: string) => {
    const { code, stdout, stderr } = await machine.run('sh', ['-c', command]);
    if (code !== 0) throw new Error(`${command} on ${machine.name}: ${stderr}`);
    return stdout.split('\n').filter((line) => line !== '');
  };
  const paths = nodePaths(machine.dataDir);
  const names = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);
  return {
    // The bridge of the Pods stays, and so do the chains of CNI's portmap plugin without a rule in them.
    links: (await lines('ip -o link | awk \'$2 != "cni0:" {print $2}\'')).map((name) => name.replace(/@.*/, '')),
    routes: (await lines('ip route')).filter((route) => !route.includes(' dev cni0 ')),
    'network namespaces': [
      ...(await lines('ls /run/netns 2>/dev/null || true')),
      ...names(`${paths.containerd}/state/io.containerd.grpc.v1.cri/netns`),
    ],
    mounts: (await lines("awk '{print $2}' /proc/self/mounts")).filter((point) => /kubets|\/run\/|containerd/.test(point)),
    cgroups: (await lines("find /sys/fs/cgroup -type d -path '*kubepods*'")).filter((name) => /pod[0-9a-f-]{36}/.test(name)),
    processes: (await lines('ps -eo args')).filter((line) => !/^(sh -c|ps |nsenter|awk|find)/.test(line)).map(withoutNumbers),
    'nftables rules': (await lines(listTables)).map((line) => line.replace(/counter packets \d+ bytes \d+/, 'counter')).sort(),
    'iptables rules': (await lines('iptables-save -t nat')).filter((line) => /CNI-(DN|SN)-/.test(line)),
    addresses: names(`${paths.cniState}/kubets`).filter((name) => /^[0-9a-f.:]+$/.test(name)),
    'network results': await lines('ls /var/lib/cni/results 2>/dev/null | grep -v ^cni-loopback || true'),
    'pod folders': names(paths.pods),
    'pod logs': names(paths.podLogs),
  };
}

const listTables = 'nft list tables | grep -v " nat$" | while read line; do nft list $line; done';

/** Arguments of `kubets agent` are those of joining the first time, and none later. */
const withoutNumbers = (line: string) => line.replace(/(kubets\.mjs agent --data-dir \S+).*/, '$1').replace(/\d{3,}/g, 'N');

/** The things that were added since `before`. */
export function findAdded(before: MachineState, now: MachineState): string[] {
  return Object.entries(now).flatMap(([what, items]) => {
    const left = [...(before[what] ?? [])];
    return items.flatMap((item) => {
      const index = left.indexOf(item);
      if (index >= 0) left.splice(index, 1);
      return index >= 0 ? [] : [`${what}: ${item}`];
    });
  });
}
