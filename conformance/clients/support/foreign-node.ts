import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { containerdConfig, parseContainerdVersion } from '../../../node-agent/linux/runtime/containerd-config.ts';
import { pauseImageArchive, pauseImageName } from '../../../node-agent/linux/runtime/pause-image.ts';
import { runSuccessfully } from '../../framework/run-program.ts';
import type { BackgroundProgram } from './background-program.ts';
import type { BareMachine } from './bare-machine.ts';
import { kubets, nodeProgram, type TestCluster } from './cluster.ts';
import { until } from './guestbook.ts';

/** A machine that is a node through programs of another Kubernetes. */
export interface ForeignNode {
  /** Joins the cluster; resolves when all runs. */
  start(): Promise<void>;
  /** Ends its programs; its containers go on until the machine ends. */
  stop(): Promise<void>;
  /** The output of its programs. */
  log(): string;
}

interface ForeignPrograms {
  readonly kubelet: string;
  readonly kubeProxy: string;
}

/** From the environment: KUBETS_FOREIGN_KUBELET and KUBETS_FOREIGN_KUBE_PROXY, paths of the programs. Undefined without them. */
export function findForeignPrograms(): ForeignPrograms | undefined {
  const { KUBETS_FOREIGN_KUBELET: kubelet, KUBETS_FOREIGN_KUBE_PROXY: kubeProxy } = process.env;
  return kubelet && kubeProxy ? { kubelet, kubeProxy } : undefined;
}

const standardPlugins = '/usr/lib/cni';
const clusterCIDR = '10.244.0.0/16';

/**
 * containerd, kubelet and kube-proxy on the machine, with a network of the standard bridge plugin and a route for each other
 * node. `images`: a folder of archives that it has.
 */
export function createForeignNode(cluster: TestCluster, machine: BareMachine, programs: ForeignPrograms, images: string): ForeignNode {
  const directory = path.join(machine.dataDir, 'foreign');
  const at = (name: string) => path.join(directory, name);
  const socket = at('containerd.sock');
  const running: BackgroundProgram[] = [];
  const get = (...args: readonly string[]) => cluster.run(['get', ...args]);

  const startRuntime = async () => {
    const version = parseContainerdVersion(await runSuccessfully('containerd', ['--version']));
    const cni = { cniConfigDirectory: at('cni'), cniPluginDirectory: standardPlugins };
    writeFileSync(
      at('containerd.toml'),
      containerdConfig({ directory, socket, ...cni, pauseImage: pauseImageName, cgroupDriver: 'cgroupfs' }, version),
    );
    running.push(await machine.start('containerd', ['--config', at('containerd.toml')]));
    writeFileSync(at('pause.tar'), await pauseImageArchive(process.arch === 'x64' ? 'amd64' : 'arm64'));
    const ctr = (...args: readonly string[]) => machine.run('ctr', ['-a', socket, '-n', 'k8s.io', ...args]);
    await until('the runtime', async () => (await ctr('version')).code === 0);
    const archives = readdirSync(images).filter((name) => name.endsWith('.tar'));
    for (const file of [at('pause.tar'), ...archives.map((name) => path.join(images, name))]) await ctr('images', 'import', file);
  };
  const startKubelet = async (server: string, token: string, ca: string) => {
    writeFileSync(at('bootstrap.kubeconfig'), kubeconfigOf(server, ca, token));
    writeFileSync(at('ca.crt'), ca);
    writeFileSync(at('kubelet.yaml'), JSON.stringify(kubeletConfiguration(at, socket)));
    const files = [
      '--config',
      at('kubelet.yaml'),
      '--bootstrap-kubeconfig',
      at('bootstrap.kubeconfig'),
      '--kubeconfig',
      at('kubelet.kubeconfig'),
    ];
    const folders = ['--cert-dir', at('pki'), '--root-dir', at('kubelet')];
    const names = ['--hostname-override', machine.name, '--node-ip', machine.address];
    running.push(await machine.start(programs.kubelet, [...files, ...folders, ...names]));
  };
  const connectPods = async () => {
    await until(
      'a range for its Pods',
      async () => (await cluster.kubectl(['get', 'node', machine.name, '-o', podCIDR])).stdout !== '',
      30,
    );
    writeFileSync(at('cni/10-bridge.conflist'), JSON.stringify(network(await get('node', machine.name, '-o', podCIDR))));
    for (const line of (await get('nodes', '-o', otherNodes)).trim().split('\n')) {
      const [name, range = '', address = ''] = line.split(' ');
      if (name !== machine.name) await machine.run('ip', ['route', 'replace', range, 'via', address]);
    }
  };
  const startProxy = async (server: string, ca: string) => {
    await cluster.run(['create', 'serviceaccount', 'foreign-proxy', '-n', 'kube-system']);
    const binding = ['--clusterrole=system:node-proxier', '--serviceaccount=kube-system:foreign-proxy'];
    await cluster.run(['create', 'clusterrolebinding', 'foreign-proxy', ...binding]);
    const token = (await cluster.run(['create', 'token', 'foreign-proxy', '-n', 'kube-system', '--duration=1h'])).trim();
    writeFileSync(at('proxy.kubeconfig'), kubeconfigOf(server, ca, token));
    writeFileSync(at('proxy.yaml'), JSON.stringify(proxyConfiguration(machine.name, at('proxy.kubeconfig'))));
    running.push(await machine.start(programs.kubeProxy, ['--config', at('proxy.yaml')]));
  };
  return {
    async start() {
      for (const name of ['cni', 'pki', 'kubelet', 'logs', 'manifests']) mkdirSync(at(name), { recursive: true });
      await startRuntime();
      const printed = await runSuccessfully(nodeProgram, [
        kubets,
        'token',
        'create',
        '--print-join-command',
        '--data-dir',
        cluster.dataDir,
      ]);
      const [, server = '', token = ''] = /--server (\S+) --token (\S+)/.exec(printed) ?? [];
      const ca = await get('configmap', 'kube-root-ca.crt', '-o', 'jsonpath={.data.ca\\.crt}');
      await startKubelet(server, token, ca);
      await connectPods();
      await startProxy(server, ca);
    },
    async stop() {
      for (const program of running.splice(0).reverse()) await program.stop();
    },
    log: () => running.map((program) => program.output().slice(-20_000)).join('\n'),
  };
}

const podCIDR = 'jsonpath={.spec.podCIDR}';
const otherNodes =
  'jsonpath={range .items[*]}{.metadata.name} {.spec.podCIDR} {.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}';

function kubeconfigOf(server: string, ca: string, token: string): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'one' },
    clusters: [{ name: 'one', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'one', user: { token } }],
    contexts: [{ name: 'one', context: { cluster: 'one', user: 'one' } }],
  });
}

function kubeletConfiguration(at: (name: string) => string, socket: string): object {
  return {
    ...{ apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration' },
    authentication: { x509: { clientCAFile: at('ca.crt') }, webhook: { enabled: true }, anonymous: { enabled: false } },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    containerRuntimeEndpoint: `unix://${socket}`,
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    failSwapOn: false,
    podLogsDir: at('logs'),
    staticPodPath: at('manifests'),
    // The fill level of the machine's disk must not evict Pods.
    evictionHard: { 'nodefs.available': '0%' },
    imageGCHighThresholdPercent: 100,
    nodeStatusUpdateFrequency: '5s',
  };
}

function proxyConfiguration(hostnameOverride: string, kubeconfig: string): object {
  return {
    ...{ apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', kind: 'KubeProxyConfiguration', mode: 'nftables', clusterCIDR, hostnameOverride },
    clientConnection: { kubeconfig },
    // These limits are the machine's, which other programs share.
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}

/** Pods appear outside of their node with the node's address, so a DNS server elsewhere is asked by the node. */
function network(subnet: string): object {
  const ipam = { type: 'host-local', ranges: [[{ subnet }]], routes: [{ dst: '0.0.0.0/0' }] };
  const bridge = { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, hairpinMode: true, ipam };
  return { cniVersion: '1.0.0', name: 'foreign', plugins: [bridge, { type: 'portmap', capabilities: { portMappings: true } }] };
}
