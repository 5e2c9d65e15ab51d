import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type ProgramOptions, runProgram } from '../../../linux/processes/run-program.ts';

/** A network namespace that lives as long as its holder process. */
export interface Namespace {
  readonly pid: number;
  run(command: string, args: readonly string[], options?: ProgramOptions): Promise<string>;
  /** A server on TCP and UDP that answers `<name> <client address>`; on all addresses of both families. */
  serve(name: string, port: number, address?: string): Promise<void>;
  /** Connects `count` times, one after the other, and counts the answers; errors are counted by code. */
  ask(
    address: string,
    port: number,
    options?: { protocol?: 'tcp' | 'udp'; count?: number; localPort?: number; timeoutMs?: number },
  ): Promise<Record<string, number>>;
}

/**
 * A node with a bridge of Pods and an outside, each a network namespace of its own: node 10.200.0.1 and 10.244.0.1, Pods
 * 10.244.0.2 and 3, outside 10.200.0.9; the same in IPv6: fd00:200::1, fd00:244::1 and so on. Needs root.
 */
export interface TestNetwork {
  readonly node: Namespace;
  readonly pods: readonly [Namespace, Namespace];
  readonly outside: Namespace;
  close(): Promise<void>;
}

/** Root alone is not enough: containers often may not make namespaces, or have no nft. */
export async function networkTestsArePossible(): Promise<boolean> {
  try {
    await runProgram('unshare', ['--net', 'nft', 'list', 'tables']);
    return true;
  } catch {
    return false;
  }
}

/** Separate network namespaces, with nothing but loopback, until `close`. */
export interface NamespacePool {
  start(): Promise<Namespace>;
  close(): Promise<void>;
}

export function createNamespacePool(): NamespacePool {
  const children: ChildProcess[] = [];
  const script = 'echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad && ip link set lo up && echo ready && exec cat';
  return {
    async start() {
      const holder = spawn('unshare', ['--net', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(holder);
      await firstLine(holder);
      return createNamespace(holder.pid ?? 0, children);
    },
    async close() {
      const ended = children.map((child) => new Promise((resolve) => child.once('close', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ended);
    },
  };
}

export async function createTestNetwork(): Promise<TestNetwork> {
  const { start, close } = createNamespacePool();
  const [node, first, second, outside] = await Promise.all([start(), start(), start(), start()]);
  const script = [
    'ip link add cni0 type bridge && ip addr add 10.244.0.1/24 dev cni0 && ip addr add fd00:244::1/64 dev cni0 nodad && ip link set cni0 up',
    ...[first, second].map(
      ({ pid }, index) =>
        `ip link add pod${index} type veth peer name eth0 netns ${pid} && ip link set pod${index} master cni0 && ip link set pod${index} type bridge_slave hairpin on && ip link set pod${index} up`,
    ),
    `ip link add eth0 type veth peer name eth0 netns ${outside.pid} && ip addr add 10.200.0.1/24 dev eth0 && ip addr add fd00:200::1/64 dev eth0 nodad && ip link set eth0 up`,
    'ip route add default via 10.200.0.9',
    'ip route add default via fd00:200::9',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
    'echo 1 > /proc/sys/net/bridge/bridge-nf-call-ip6tables',
  ].join('\n');
  await node.run('sh', ['-ec', script]);
  const configure = (namespace: Namespace, net: number, host: number) => {
    const addresses = `ip addr add 10.${net}.0.${host}/24 dev eth0; ip addr add fd00:${net}::${host}/64 dev eth0 nodad`;
    const routes = `ip route add default via 10.${net}.0.1; ip route add default via fd00:${net}::1`;
    return namespace.run('sh', ['-ec', `${addresses}; ip link set eth0 up; ${routes}`]);
  };
  await Promise.all([configure(first, 244, 2), configure(second, 244, 3), configure(outside, 200, 9)]);
  return {
    node,
    pods: [first, second],
    outside,
    close,
  };
}

function createNamespace(pid: number, children: ChildProcess[]): Namespace {
  const enter = ['-t', String(pid), '-n'];
  const program = fileURLToPath(new URL('./echo.ts', import.meta.url));
  return {
    pid,
    run: (command, args, options) => runProgram('nsenter', [...enter, command, ...args], options),
    async serve(name, port, address = '::') {
      const server = spawn('nsenter', [...enter, process.execPath, program, 'serve', name, String(port), address], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(server);
      await firstLine(server);
    },
    async ask(address, port, { protocol = 'tcp', count = 1, localPort = 0, timeoutMs = 4000 } = {}) {
      const args = [process.execPath, program, 'ask', protocol, address, String(port), String(count), String(localPort), String(timeoutMs)];
      return JSON.parse(await runProgram('nsenter', [...enter, ...args])) as Record<string, number>;
    },
  };
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the output of the process is not read');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`process ended with ${child.exitCode} before it was ready`);
}
