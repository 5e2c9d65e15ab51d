import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../../../api/base/system-clock.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createHTTPTransport } from '../../../api/client/http-transport.ts';
import { readBody } from '../../../api/client/read-body.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { type DataDir, findInstance } from '../data-dir/data-dir.ts';
import { findLocalNodes } from '../local-nodes/local-nodes.ts';
import { findAccess } from '../status/gather-status.ts';
import type { CheckFacts, ClusterFacts, EtcdFacts, NodeFacts, ServerFacts, SettingsFacts } from './check-facts.ts';
import { gatherCluster } from './gather-cluster.ts';
import { gatherFiles, ownerOf } from './gather-files.ts';
import { gatherLocalNode, gatherNodes } from './gather-nodes.ts';
import { gatherSettings, messageOf } from './gather-settings.ts';
import { askWithoutCredentials, isOpen, probeTLS } from './probe.ts';

const answerWithinMs = 5000;
/** Of kube-controller-manager and kube-scheduler. */
const componentPorts = [10257, 10259];

/** Gathers the facts that the benchmark checks. Facts that cannot be gathered are reported as problems, not as failures. */
export async function gatherFacts(dataDir: DataDir): Promise<CheckFacts> {
  const problems: string[] = [];
  const onProblem = (problem: string) => problems.push(problem);
  const settings = gatherSettings(dataDir, onProblem);
  const hasNode = existsSync(path.join(dataDir.node, 'containerd')) || findLocalNodes(dataDir).length > 0;
  const answers = await askCluster(dataDir, hasNode, onProblem);
  const etcd = await gatherEtcd(settings, dataDir);
  const instance = findInstance(dataDir.path);
  const textOf = (name: string) => (typeof settings.values[name] === 'string' ? settings.values[name] : undefined);
  const [encryptionConfiguration, auditLog] = [textOf('encryptionProviderConfig'), textOf('auditLogPath')];
  const kubeconfigs = [instance?.kubeconfig, textOf('kubeconfig')].filter((file) => file !== undefined);
  return {
    dataDirectory: dataDir.path,
    owner: ownerOf(dataDir.path),
    hasControlPlane: existsSync(path.join(dataDir.pki, 'ca.key')),
    hasNode,
    files: gatherFiles(
      dataDir,
      {
        kubeconfigs,
        hasExternalNetwork: hasNode && settings.values['podNetwork'] === 'external',
        ...(encryptionConfiguration === undefined ? {} : { encryptionConfiguration }),
        ...(auditLog === undefined || auditLog === '-' ? {} : { auditLog }),
      },
      onProblem,
    ),
    settings,
    ...answers,
    ...(etcd ? { etcd } : {}),
    problems,
  };
}

interface Answers {
  readonly server?: ServerFacts;
  readonly cluster?: ClusterFacts;
  readonly nodes: readonly NodeFacts[];
}

async function askCluster(dataDir: DataDir, hasNode: boolean, onProblem: (problem: string) => void): Promise<Answers> {
  const instance = findInstance(dataDir.path);
  const access = await findAccess(dataDir, instance?.kubeconfig).catch((error: unknown) => {
    onProblem(`the kubeconfig of the cluster: ${messageOf(error)}`);
    return undefined;
  });
  if (instance === undefined || access === undefined) {
    onProblem('no control plane runs on this data directory: its answers and the objects of the cluster are not judged');
    return { nodes: hasNode ? [await gatherLocalNode(dataDir, access?.nodeName)] : [] };
  }
  const http = createHTTPTransport({ ...access.settings, clock: systemClock, timeoutSeconds: answerWithinMs / 1000 });
  const client = createClient(http.transport, { userAgent: 'kubets' });
  try {
    const server = await gatherServer(access.settings.server, http.transport);
    const nodes = await gatherNodes(client, http.transport);
    const cluster = await gatherCluster(client, systemClock.nowMs());
    return { server, nodes, cluster };
  } catch (error) {
    onProblem(`the API server does not answer: ${messageOf(error)}`);
    return { nodes: [] };
  } finally {
    http.close();
  }
}

async function gatherServer(address: string, transport: Transport): Promise<ServerFacts> {
  const { hostname, port } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  const { status, body } = await transport({
    ...{ method: 'GET', path: '/debug/pprof/', query: '', headers: {} },
    signal: AbortSignal.timeout(answerWithinMs),
  });
  await readBody(body);
  const open = await Promise.all(componentPorts.map((one) => isOpen(host, one)));
  return {
    address,
    anonymousStatus: (await askWithoutCredentials(`${address}/api/v1/pods`)) ?? 0,
    profilingStatus: status,
    tls: await probeTLS(host, Number(port)),
    openComponentPorts: componentPorts.filter((_, index) => open[index]),
  };
}

async function gatherEtcd({ values }: SettingsFacts, { pki }: DataDir): Promise<EtcdFacts | undefined> {
  const storage = values['storage'] as { readonly kind?: string; readonly endpoints?: readonly string[] } | undefined;
  if (storage?.kind !== 'etcd' || !storage.endpoints) return undefined;
  const { endpoints } = storage;
  const secure = endpoints.filter((endpoint) => endpoint.startsWith('https:'));
  const answered = await Promise.all(secure.map((endpoint) => askWithoutCredentials(`${endpoint}/version`)));
  const authority = values['etcdCa'];
  return {
    endpoints,
    plain: endpoints.filter((endpoint) => !endpoint.startsWith('https:')),
    open: endpoints.filter((endpoint) => !endpoint.startsWith('https:') || answered[secure.indexOf(endpoint)] !== undefined),
    ...(typeof authority === 'string' ? { sharesAuthority: sameFile(authority, path.join(pki, 'ca.crt')) } : {}),
  };
}

function sameFile(one: string, other: string): boolean {
  const read = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').replaceAll(/\s+/g, '') : undefined);
  const text = read(one);
  return text !== undefined && text === read(other);
}
