import { advice, type Check, ok, warning } from '../../check.ts';

const maxServers = 3;

/** The machine's DNS servers, which Pods with dnsPolicy Default and the cluster's DNS ask. */
export const resolvers: Check = {
  name: 'DNS',
  run({ files }, { resolvConf }) {
    const { name } = resolvers;
    const file = resolvConf ?? '/etc/resolv.conf';
    const served = serversOf(files[file] ?? '');
    const reachable = served.filter((server) => !isLoopback(server));
    const behind =
      resolvConf === undefined ? serversOf(files['/run/systemd/resolve/resolv.conf'] ?? '').filter((server) => !isLoopback(server)) : [];
    const used = reachable.length > 0 ? reachable : behind;
    if (used.length > maxServers)
      return [advice(name, `${file} names ${used.length} servers; Pods are given the first ${maxServers}`, 'take the others out')];
    if (used.length > 0) return [ok(name, used.join(', '))];
    const remedy = 'name a server that Pods can reach in a file, and give it with --kubelet-arg resolv-conf=FILE';
    if (served.length === 0) return [warning(name, `${file} names no server: the cluster's DNS knows no names outside`, remedy)];
    return [warning(name, `${file} names only ${served.join(', ')}, which Pods with dnsPolicy Default cannot reach`, remedy)];
  },
};

function serversOf(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server = '']) => server);
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
