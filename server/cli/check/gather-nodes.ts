import { existsSync, readFileSync } from 'node:fs';
import type { Client } from '../../../api/client/client.ts';
import { readBody } from '../../../api/client/read-body.ts';
import type { Transport } from '../../../api/client/transport.ts';
import { nodes } from '../../../api/resources/core/v1/node.ts';
import type { Node } from '../../../api/types/core-v1.ts';
import type { DeepReadonly } from '../../../api/base/deep-readonly.ts';
import { agentPIDFile, isAgentOf } from '../agent/agent-process.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import type { NodeFacts } from './check-facts.ts';
import { messageOf } from './gather-settings.ts';
import { askWithoutCredentials, isOpen, probeTLS } from './probe.ts';

/** The most nodes that are asked; further ones are left out. */
const maxNodes = 50;
const answerWithinMs = 5000;
const forbiddenPorts = [10249, 10255];

/** Asks every node of the cluster for its configuration, and tries anonymous requests that it must refuse. */
export async function gatherNodes(client: Client, transport: Transport): Promise<NodeFacts[]> {
  const { items } = await client(nodes).list();
  return await Promise.all(items.slice(0, maxNodes).map((node) => askNode(node, transport)));
}

async function askNode(node: DeepReadonly<Node>, transport: Transport): Promise<NodeFacts> {
  const name = node.metadata.name ?? '';
  const host = node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10250;
  const [probed, configured] = await Promise.all([
    host === undefined ? { problem: 'it has no address' } : probe(host, port),
    askConfiguration(name, transport),
  ]);
  return { name, isLocal: false, ...configured, ...probed };
}

async function askConfiguration(name: string, transport: Transport): Promise<Pick<NodeFacts, 'configz' | 'problem'>> {
  try {
    const { status, body } = await transport({
      ...{ method: 'GET', path: `/api/v1/nodes/${name}/proxy/configz`, query: '', headers: {} },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const text = new TextDecoder().decode(await readBody(body));
    if (status !== 200) return { problem: `its configuration cannot be asked for: ${status}` };
    const { kubeletconfig } = JSON.parse(text) as { readonly kubeletconfig?: Readonly<Record<string, unknown>> };
    return kubeletconfig ? { configz: kubeletconfig } : { problem: '/configz has no kubeletconfig' };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

async function probe(host: string, port: number): Promise<Pick<NodeFacts, 'anonymousStatus' | 'tls' | 'openPorts' | 'problem'>> {
  const anonymousStatus = await askWithoutCredentials(`https://${host.includes(':') ? `[${host}]` : host}:${port}/pods`);
  if (anonymousStatus === undefined) return { problem: `${host}:${port} does not answer` };
  const open = await Promise.all(forbiddenPorts.map((one) => isOpen(host, one)));
  return { anonymousStatus, tls: await probeTLS(host, port), openPorts: forbiddenPorts.filter((_, index) => open[index]) };
}

/** The node of this data directory, where the cluster cannot be asked as its administrator. */
export async function gatherLocalNode(dataDir: DataDir, nodeName: string | undefined): Promise<NodeFacts> {
  const name = nodeName ?? 'this node';
  const file = agentPIDFile(dataDir);
  const pid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (pid === 0 || !isAgentOf(dataDir, pid)) return { name, isLocal: true, problem: 'its agent does not run' };
  const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const port = Number(words[words.indexOf('--port') + 1]);
  const problem = "the administrator alone may ask for its configuration: 'kubets check' where the control plane is does";
  return { name, isLocal: true, problem, ...(await probe('127.0.0.1', port)) };
}
