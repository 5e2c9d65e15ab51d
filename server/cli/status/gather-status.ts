import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import type { Client } from '../../../api/client/client.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createHTTPTransport } from '../../../api/client/http-transport.ts';
import { readBody } from '../../../api/client/read-body.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import { summarizePod } from '../../../api/resources/core/v1/pods/pod-columns.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { isNodeReady } from '../../../api/semantics/nodes/node-conditions.ts';
import type { Node, Pod } from '../../../api/types/core-v1.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { readKubeconfig } from '../../../node-agent/linux/files/read-kubeconfig.ts';
import { createPKIFiles } from '../../control-plane/pki-files.ts';
import { findRotation } from '../../pki/rotate-authorities.ts';
import { kubernetesVersion } from '../../control-plane/version.ts';
import { agentLogFile, agentPIDFile, isAgentOf } from '../agent/agent-process.ts';
import { type DataDir, findInstance } from '../data-dir/data-dir.ts';
import { findLocalNodes } from '../local-nodes/local-nodes.ts';
import { isRunning } from '../data-dir/process-identity.ts';
import { findRuns } from '../data-dir/runs.ts';
import { unitNames } from '../service/plan-service.ts';
import { findServiceOf, findServiceState, installedServices, run } from '../service/service-manager.ts';
import type {
  CertificateFacts,
  ClusterFacts,
  ControlPlaneFacts,
  DiskFacts,
  LocalNodeFacts,
  NodeFacts,
  RunFacts,
  ServiceFacts,
  StatusFacts,
} from './status-facts.ts';

const answerWithinMs = 5000;
const countWithinMs = 3000;

/** Gathers the status within a few seconds, even if parts of the cluster hang. */
export async function gatherStatus(dataDir: DataDir): Promise<StatusFacts> {
  const [services, runs] = await Promise.all([gatherServices(), gatherRuns(dataDir)]);
  const localNodes = gatherLocalNodes(dataDir, services.length > 0 && runs.some(({ unit }) => unit !== undefined));
  const { controlPlane, cluster } = await askCluster(dataDir);
  return {
    ...{ dataDirectory: dataDir.path, version: kubernetesVersion.gitVersion, runs, services, localNodes },
    ...(controlPlane ? { controlPlane } : {}),
    ...(cluster ? { cluster } : {}),
    disk: await gatherDisk(dataDir),
    certificates: gatherCertificates(dataDir),
    ...(await gatherRotation(dataDir)),
  };
}

async function gatherServices(): Promise<ServiceFacts[]> {
  const found: ServiceFacts[] = [];
  for (const kind of installedServices()) {
    const unit = `${unitNames[kind]}.service`;
    const state = await findServiceState(unit);
    if (state) found.push({ unit, active: state.active, isEnabled: state.isEnabled, restarts: state.restarts });
  }
  return found;
}

async function gatherRuns(dataDir: DataDir): Promise<RunFacts[]> {
  return await Promise.all(
    findRuns(dataDir).map(async ({ command, pid, startedAt }) => {
      const kind = await findServiceOf(pid);
      return { command, pid, startedAt, ...(kind === undefined ? {} : { unit: `${unitNames[kind]}.service` }) };
    }),
  );
}

function gatherLocalNodes(dataDir: DataDir, isService: boolean): LocalNodeFacts[] {
  const places = [dataDir, ...findLocalNodes(dataDir).map((node) => node.dataDir)];
  return places
    .filter(({ node }) => existsSync(path.join(node, 'containerd')) || existsSync(path.join(node, 'agent.pid')))
    .map((place) => {
      const agentPID = findPID(agentPIDFile(place), (pid) => isAgentOf(place, pid));
      const containerdPID = findPID(path.join(place.node, 'containerd/containerd.pid'), isRunning);
      return {
        directory: place.node,
        log: isService && place === dataDir ? 'the journal' : agentLogFile(place),
        ...(agentPID === undefined ? {} : { agentPID }),
        ...(containerdPID === undefined ? {} : { containerdPID }),
      };
    });
}

function findPID(file: string, isRight: (pid: number) => boolean): number | undefined {
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  return pid > 0 && isRight(pid) ? pid : undefined;
}

/** Asks as the administrator where the control plane is, else as the node. */
async function askCluster(dataDir: DataDir): Promise<{ readonly controlPlane?: ControlPlaneFacts; readonly cluster?: ClusterFacts }> {
  const instance = findInstance(dataDir.path);
  const hasControlPlane = instance !== undefined || existsSync(path.join(dataDir.pki, 'ca.key'));
  const access = await findAccess(dataDir, instance?.kubeconfig);
  if (access === undefined) return hasControlPlane ? { controlPlane: { isRunning: false } } : {};
  const http = createHTTPTransport({ ...access.settings, clock: systemClock, timeoutSeconds: answerWithinMs / 1000 });
  try {
    const cluster = await withinTime(readCluster(createClient(http.transport, { userAgent: 'kubets' }), access.nodeName));
    if (!instance) return { cluster };
    const problem = await withinTime(findUnreadiness(http.transport));
    return { cluster, controlPlane: { isRunning: true, server: instance.server, ...(problem === undefined ? {} : { problem }) } };
  } catch (error) {
    const problem = `does not answer: ${(error as Error).message}`;
    return {
      controlPlane: { isRunning: instance !== undefined || access.nodeName !== undefined, server: access.settings.server, problem },
    };
  } finally {
    http.close();
  }
}

/** The checks of /readyz that fail; undefined: none. */
async function findUnreadiness(transport: Transport): Promise<string | undefined> {
  const { status, body } = await transport({
    ...{ method: 'GET', path: '/readyz', query: 'verbose', headers: {} },
    signal: AbortSignal.timeout(answerWithinMs),
  });
  const text = new TextDecoder().decode(await readBody(body));
  return status === 200 ? undefined : `is not ready: ${failedChecks(text).join(', ') || text.trim()}`;
}

export function failedChecks(text: string): string[] {
  return [...text.matchAll(/^\[-\](\S+)/gm)].map(([, name = '']) => name);
}

/** How the cluster of a data directory is reached: as its administrator, or as the node that it is. */
export async function findAccess(dataDir: DataDir, kubeconfig: string | undefined) {
  if (kubeconfig !== undefined) return { settings: await readKubeconfig(kubeconfig).then(withoutToken), nodeName: undefined };
  const [bootstrap, client] = ['bootstrap-kubelet.kubeconfig', 'pki/kubelet-client-current.pem'].map((name) =>
    path.join(dataDir.node, name),
  );
  if (bootstrap === undefined || client === undefined || !existsSync(bootstrap) || !existsSync(client)) return undefined;
  const pem = readFileSync(client, 'utf8');
  const nodeName = /CN\s*=\s*system:node:(\S+)/.exec(new X509Certificate(pem).subject)?.[1];
  const { server, ca: joinedWith } = await readKubeconfig(bootstrap);
  // The authorities that the cluster has published to the node since it joined.
  const learned = path.join(dataDir.node, 'pki/cluster-ca.crt');
  const ca = existsSync(learned) ? readFileSync(learned, 'utf8') : joinedWith;
  return { settings: { server, ...(ca === undefined ? {} : { ca }), certificate: pem, key: pem }, nodeName };
}

function withoutToken({ token: _token, ...settings }: Awaited<ReturnType<typeof readKubeconfig>>) {
  return settings;
}

async function readCluster(client: Client, nodeName: string | undefined): Promise<ClusterFacts> {
  const nodeList =
    nodeName === undefined ? (await client(nodes).list()).items : [await client(nodes).get({ namespace: '', name: nodeName })];
  const { items } = await client(pods).list(nodeName === undefined ? {} : { fieldSelector: `spec.nodeName=${nodeName}` });
  return {
    isWhole: nodeName === undefined,
    nodes: nodeList.map(describeNode),
    podCount: items.length,
    troubledPods: items.filter(isTroubled).map((pod) => ({
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name ?? '',
      node: pod.spec?.nodeName ?? '',
      status: statusOf(pod),
    })),
  };
}

export function describeNode(node: DeepReadonly<Node>): NodeFacts {
  const conditions = node.status?.conditions ?? [];
  const problems = conditions
    .filter(({ type, status }) => (type === 'Ready' ? status !== 'True' : status === 'True'))
    .map(({ type, status, message }) => `${type === 'Ready' ? `Ready is ${status}` : type}${message ? `: ${message}` : ''}`);
  return {
    name: node.metadata.name ?? '',
    isReady: isNodeReady(node),
    isSchedulable: node.spec?.unschedulable !== true,
    version: node.status?.nodeInfo?.kubeletVersion ?? '',
    runtime: node.status?.nodeInfo?.containerRuntimeVersion ?? '',
    problems: conditions.length === 0 ? ['it has not said anything yet'] : problems,
  };
}

function statusOf(pod: DeepReadonly<Pod>): string {
  const { reason } = summarizePod(pod);
  return reason;
}

export function isTroubled(pod: DeepReadonly<Pod>): boolean {
  return !['Running', 'Succeeded'].includes(pod.status?.phase ?? '') || /BackOff|Error/.test(statusOf(pod));
}

async function gatherDisk(dataDir: DataDir): Promise<DiskFacts> {
  const { bavail, blocks, bsize } = statfsSync(dataDir.path);
  const used = await Promise.all(
    Object.entries({ objects: dataDir.storage, node: dataDir.node, nodes: path.join(dataDir.path, 'nodes') })
      .filter(([, directory]) => existsSync(directory))
      .map(async ([what, directory]) => [what, await countBytes(directory)] as const),
  );
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize, used: Object.fromEntries(used) };
}

/** The bytes in a directory, without file systems mounted in it; undefined if counting takes too long. */
async function countBytes(directory: string): Promise<number | undefined> {
  const { code, stdout } = await run('timeout', [
    String(countWithinMs / 1000),
    'du',
    '--summarize',
    '--one-file-system',
    '--block-size=1',
    directory,
  ]);
  const bytes = Number(/^\d+/.exec(stdout)?.[0] ?? Number.NaN);
  return code === 124 || Number.isNaN(bytes) ? undefined : bytes;
}

async function gatherRotation({ pki }: DataDir): Promise<Pick<StatusFacts, 'rotation'>> {
  const rotation = findRotation(await createPKIFiles(pki).readAll());
  return rotation === undefined ? {} : { rotation };
}

function gatherCertificates({ pki, node }: DataDir): CertificateFacts[] {
  return [pki, path.join(node, 'pki')].flatMap((folder) =>
    (existsSync(folder) ? readdirSync(folder) : [])
      .filter((name) => /\.crt$|-current\.pem$/.test(name))
      .flatMap((name) => readExpiry(path.join(folder, name))),
  );
}

function readExpiry(file: string): CertificateFacts[] {
  try {
    const { validToDate } = new X509Certificate(readFileSync(file));
    return [{ file, expiresAt: validToDate.toISOString(), daysLeft: (validToDate.getTime() - systemClock.nowMs()) / 86_400_000 }];
  } catch {
    return []; // no certificate, or not ours to read
  }
}

async function withinTime<T>(promise: Promise<T>): Promise<T> {
  const late = new Promise<never>((_resolve, reject) => {
    systemClock.setTimer(answerWithinMs, () => reject(new Error(`no answer within ${answerWithinMs / 1000} s`)), { background: true });
  });
  return await Promise.race([promise, late]);
}
