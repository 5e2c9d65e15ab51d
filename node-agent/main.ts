import 'reflect-metadata';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, Option } from 'commander';
import { pino } from 'pino';
import type { Logger } from '../api/base/logger.ts';
import { systemClock } from '../api/base/system-clock.ts';
import { systemRandom } from '../api/base/system-random.ts';
import { createHTTPTransport } from '../api/client/http-transport.ts';
import { type AgentSettings, cleanAgent, runAgent } from './agent.ts';
import { parseNodeLabels, parseTaints } from './kubelet/node/registration-flags.ts';
import { readKubeconfig } from './linux/read-kubeconfig.ts';

interface Flags {
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly podCidr?: string;
  readonly podNetwork: 'host-gw' | 'vxlan' | 'external';
  readonly nodeLabels: string;
  readonly registerWithTaints: string;
  readonly clusterCidr: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly port: string;
  readonly bridge: string;
  readonly cniBinDir: string;
  readonly cgroupRoot: string;
  readonly maxPods: string;
  readonly containerRuntimeEndpoint?: string;
  readonly clientCaFile?: string;
  readonly tlsCertFile?: string;
  readonly tlsPrivateKeyFile?: string;
  readonly kubernetesVersion: string;
  readonly stopPods: boolean;
  readonly logLevel: string;
}

const program = new Command('kubets-node-agent')
  .description('Runs a node of a Kubernetes cluster: kubelet over a containerd of its own. Needs root.')
  .requiredOption('--data-dir <path>', 'where everything of the node is kept')
  .requiredOption('--kubeconfig <file>', 'how to reach the API server, and as whom')
  .option('--node-name <name>', 'default: the host name')
  .option('--node-ip <address>', 'default: the address of the default route')
  .option('--pod-cidr <cidr>', "range of this node's pods (default: the one that the control plane gives it)")
  .addOption(
    new Option('--pod-network <mode>', 'how pods of other nodes are reached; external: a network plugin of your own in /etc/cni/net.d')
      .choices(['host-gw', 'vxlan', 'external'])
      .default('host-gw'),
  )
  .option('--node-labels <labels>', 'labels to register the node with, key=value,...', '')
  .option('--register-with-taints <taints>', 'taints to register the node with, key=value:effect,...', '')
  .option('--cluster-cidr <cidr>', 'range of all pods of the cluster', '10.244.0.0/16')
  .option('--cluster-dns <addresses>', 'DNS servers of pods, separated by commas', '10.96.0.10')
  .option('--cluster-domain <domain>', 'DNS domain of the cluster', 'cluster.local')
  .option('--port <number>', "port of the kubelet's API", '10250')
  .option('--bridge <name>', 'network bridge of the pods', 'cni0')
  .option('--cni-bin-dir <path>', 'where CNI plugins lie', '/usr/lib/cni')
  .option('--cgroup-root <name>', 'cgroup of all pods', '/kubepods')
  .option('--max-pods <number>', 'pods the node takes', '110')
  .option('--container-runtime-endpoint <url>', 'a CRI runtime to use in place of one of its own, unix:///path')
  .option('--client-ca-file <file>', "CA of the clients of the kubelet's API (default: that of the kubeconfig)")
  .option('--tls-cert-file <file>', "certificate of the kubelet's API (default: a self-signed one)")
  .option('--tls-private-key-file <file>', 'its key')
  .option('--kubernetes-version <version>', 'what the node reports', 'v1.36.0')
  .option('--stop-pods', 'at the end stop all pods and clear the node away, but for its images', false)
  .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warn', 'error', 'silent']).default('info'))
  .action((flags: Flags) => main(flags));

async function main(flags: Flags): Promise<void> {
  const logger = adaptLogger(pino({ level: flags.logLevel }, pino.destination(2)));
  const abort = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => abort.abort(new Error(`received ${signal}`)));
  }
  const access = await readKubeconfig(path.resolve(flags.kubeconfig));
  const { token } = access;
  const http = createHTTPTransport({ ...access, token: () => token, clock: systemClock });
  const settings = await settingsOf(flags, access.ca ?? '');
  try {
    await runAgent(settings, { transport: http.transport, clock: systemClock, random: systemRandom, logger }, abort.signal);
  } catch (error) {
    if (!abort.signal.aborted) throw error;
  } finally {
    http.close();
  }
  if (flags.stopPods)
    await cleanAgent(settings, { clock: systemClock, logger }, { keepImages: true, runtimeEndpoint: flags.containerRuntimeEndpoint });
}

async function settingsOf(flags: Flags, clusterCA: string): Promise<AgentSettings> {
  const { nodeName, nodeIp, containerRuntimeEndpoint, tlsCertFile, tlsPrivateKeyFile, clientCaFile } = flags;
  const serving =
    tlsCertFile !== undefined && tlsPrivateKeyFile !== undefined
      ? { serving: { certificate: await readFile(tlsCertFile, 'utf8'), key: await readFile(tlsPrivateKeyFile, 'utf8') } }
      : {};
  return {
    dataDirectory: path.resolve(flags.dataDir),
    podNetwork: flags.podNetwork,
    clusterCIDR: flags.clusterCidr,
    clusterDNS: flags.clusterDns.split(',').filter((address) => address !== ''),
    clusterDomain: flags.clusterDomain,
    port: Number(flags.port),
    bridge: flags.bridge,
    cniPluginDirectory: flags.cniBinDir,
    cgroupRoot: flags.cgroupRoot,
    maxPods: Number(flags.maxPods),
    version: flags.kubernetesVersion,
    labels: parseNodeLabels(flags.nodeLabels),
    taints: parseTaints(flags.registerWithTaints),
    clientCA: clientCaFile === undefined ? clusterCA : await readFile(clientCaFile, 'utf8'),
    ...serving,
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(flags.podCidr === undefined ? {} : { podCIDR: flags.podCidr }),
    ...(nodeIp === undefined ? {} : { nodeIP: nodeIp }),
    ...(containerRuntimeEndpoint === undefined ? {} : { runtimeEndpoint: containerRuntimeEndpoint }),
  };
}

function adaptLogger(log: ReturnType<typeof pino>): Logger {
  const fieldsOf = (fields: Readonly<Record<string, unknown>> = {}) => {
    const { error, ...rest } = fields;
    return error === undefined ? rest : { ...rest, err: error };
  };
  return {
    debug: (message, fields) => log.debug(fieldsOf(fields), message),
    info: (message, fields) => log.info(fieldsOf(fields), message),
    warn: (message, fields) => log.warn(fieldsOf(fields), message),
    error: (message, fields) => log.error(fieldsOf(fields), message),
    with: (fields) => adaptLogger(log.child(fields)),
  };
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
