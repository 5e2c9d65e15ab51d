import { setTimeout as sleep } from 'node:timers/promises';

import { type StartedCluster, startCluster } from '../../bench/start-target.ts';
import { knownCommands } from '../../bench/targets.ts';
import { connectUpstream, type UpstreamAnswer, type UpstreamServer } from '../custom-resources/upstream-server.ts';
import { createIdentities } from '../identities.ts';

/** A request to both servers. `{{NAME}}` in path and body stands for a fact of each server. */
export interface BothRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
}

/** A server and what is known of it alone: uids and resource versions by name. */
interface Side {
  readonly server: UpstreamServer;
  readonly facts: Map<string, string>;
}

export interface TwoServers {
  readonly sides: readonly [theirs: Side, ours: Side];
  send(request: BothRequest): Promise<readonly [theirs: UpstreamAnswer, ours: UpstreamAnswer]>;
  stop(): Promise<void>;
}

const betaGroups = 'admissionregistration.k8s.io/v1alpha1=true,admissionregistration.k8s.io/v1beta1=true';

/** Starts a kube-apiserver and kubets on the same keys, each on data of its own. */
export async function startTwoServers(program: string): Promise<TwoServers> {
  const flags = `--feature-gates=MutatingAdmissionPolicy=true --runtime-config=${betaGroups} --max-requests-inflight=3000`;
  const command = (knownCommands['kube-apiserver'] ?? '').replace(/^exec kube-apiserver /, `exec ${JSON.stringify(program)} ${flags} `);
  const started: StartedCluster[] = [];
  const stop = async () => {
    for (const cluster of started) await cluster.stop();
  };
  try {
    const ours = await startCluster('kubets', knownCommands['kubets-memory'] ?? '');
    started.push(ours);
    const theirs = await startCluster('kube-apiserver', command, { keysOf: ours });
    started.push(theirs);
    const sides = [sideOf(theirs), sideOf(ours)] as const;
    return {
      sides,
      send: ({ method, path: target, body, contentType, accept }) => {
        const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
        const sendTo = ({ server, facts }: Side) =>
          server.send(method, fill(target, facts), text && fill(text, facts), contentType, accept);
        return Promise.all([sendTo(sides[0]), sendTo(sides[1])]);
      },
      async stop() {
        for (const { server } of sides) server.close();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function sideOf({ port, pki }: StartedCluster): Side {
  const certificate = createIdentities(pki).get('admin')?.certificate;
  if (!certificate) throw new Error('the administrator has a certificate');
  const { cert, key } = certificate as { cert: string; key: string };
  return { server: connectUpstream(`https://127.0.0.1:${port}`, { cert, key }), facts: new Map() };
}

const fill = (text: string, facts: ReadonlyMap<string, string>): string =>
  text.replace(/\{\{([\w:.-]+)\}\}/g, (_, name: string) => facts.get(name) ?? '');

/** Learns the resource version and the uid of an object of each server. */
export function noteVersions({ sides }: TwoServers, name: string, answers: readonly [UpstreamAnswer, UpstreamAnswer]): void {
  for (const [index, side] of sides.entries()) {
    const { resourceVersion = '', uid = '' } = (answers[index]?.body['metadata'] ?? {}) as { resourceVersion?: string; uid?: string };
    side.facts.set(`rv:${name}`, resourceVersion);
    side.facts.set(`uid:${name}`, uid);
  }
}

/** Waits until both serve a path. */
export async function untilServed(servers: TwoServers, path: string): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    const answers = await servers.send({ method: 'GET', path });
    if (answers.every(({ status }) => status === 200)) return;
    await sleep(50);
  }
  throw new Error(`${path} is not served`);
}
