import { advice, type Check, type Finding, type NodePlan, ok, warning } from '../../check.ts';

const nodePorts = { first: 30_000, last: 32_767 };

/** Programs that listen in the range of node ports: a Service with such a port takes their connections. */
export const nodePortRange: Check = {
  name: 'NodePorts',
  run({ sockets, sysctls }, plan) {
    const { name } = nodePortRange;
    const { first, last } = nodePorts;
    const taken = sockets.filter(({ port, address }) => port >= first && port <= last && !isLoopback(address) && !isPlanned(port, plan));
    const findings: Finding[] = [];
    const numbers = [...new Set(taken.map(({ port, protocol }) => `${port}/${protocol}`))];
    if (numbers.length > 0)
      findings.push(
        warning(
          name,
          `programs listen on ports of Services (${first}-${last}): ${numbers.slice(0, 8).join(', ')}`,
          'let them listen elsewhere',
        ),
      );
    const [low = 0] = (sysctls['net.ipv4.ip_local_port_range'] ?? '').split(/\s+/).map(Number);
    const reserved = sysctls['net.ipv4.ip_local_reserved_ports'] ?? '';
    if (low > 0 && low <= last && !reserved.includes(`${first}-${last}`))
      findings.push(
        advice(
          name,
          `outgoing connections may use ports of Services: net.ipv4.ip_local_port_range begins at ${low}`,
          `sysctl -w net.ipv4.ip_local_reserved_ports=${first}-${last}`,
        ),
      );
    return findings.length > 0 ? findings : [ok(name, `${first}-${last} are free`)];
  },
};

function isPlanned(port: number, { ports: planned }: NodePlan): boolean {
  return planned.some((one) => one.port === port);
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}
