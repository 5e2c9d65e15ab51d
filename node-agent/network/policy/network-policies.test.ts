import assert from 'node:assert/strict';
import { silentLogger } from '../../../api/base/logger.ts';
import { systemClock } from '../../../api/base/system-clock.ts';
import { systemRandom } from '../../../api/base/system-random.ts';
import { createClient } from '../../../api/client/create-client.ts';
import { createInformerFactory } from '../../../api/client/informers/informer-factory.ts';
import { ObjectServer } from '../../../api/client/testing/object-server.ts';
import { namespaces } from '../../../api/resources/core/v1/namespace.ts';
import { pods } from '../../../api/resources/core/v1/pod.ts';
import { networkPolicies } from '../../../api/resources/networking/v1/network-policy.ts';
import type { NetworkPolicySpec } from '../../../api/types/networking-v1.ts';
import { createNFT } from '../../linux/nft/nft.ts';
import { createFamilyRules } from '../proxy/family-rules.ts';
import { createTestNetwork, networkTestsArePossible, type TestNetwork } from '../proxy/testing/test-network.ts';
import { createNetworkPolicies, type NetworkPolicies } from './network-policies.ts';
import { noSandboxes } from './testing/no-sandboxes.ts';

/** On real kernels: two Pods on one node, and an outside. */
describe('NetworkPolicies', function () {
  this.timeout(60_000);
  let network: TestNetwork;
  let policies: NetworkPolicies;
  let stop: () => Promise<void> = async () => {};
  const server = new ObjectServer();
  const client = createClient(server.transport);
  const [client0, server1] = [0, 1];

  before(async function () {
    if (!(await networkTestsArePossible())) return this.skip();
    network = await createTestNetwork();
    await Promise.all(network.pods.flatMap((namespace, index) => [8080, 8081].map((port) => namespace.serve(`pod${index}`, port))));
    await network.outside.serve('outside', 8080);
    for (const [name, labels] of [
      ['one', { team: 'a' }],
      ['other', { team: 'b' }],
    ] as const)
      await client(namespaces).create({ metadata: { name, labels } });
    await createPod('client', 'one', '10.244.0.2');
    await createPod('server', 'one', '10.244.0.3');
    const abort = new AbortController();
    const informers = createInformerFactory({ client, clock: systemClock, random: systemRandom, logger: silentLogger });
    const nft = createNFT({ run: network.node.run });
    const parts = { clock: systemClock, random: systemRandom, logger: silentLogger };
    policies = createNetworkPolicies({ ...parts, informers, nodeName: 'node', nft, ...noSandboxes });
    const running = policies.run(abort.signal);
    const watching = informers.run(abort.signal);
    stop = async () => {
      abort.abort();
      await Promise.all([running, watching]);
    };
  });

  after(async () => {
    try {
      await stop();
    } finally {
      await network?.close();
    }
  });

  async function createPod(name: string, namespace: string, podIP: string): Promise<void> {
    const ports = [{ name: 'web', containerPort: 8080 }];
    await client(pods).create({
      metadata: { name, namespace, labels: { app: name } },
      spec: { nodeName: 'node', containers: [{ name: 'main', image: 'none', ports }] },
      status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }, { ip: podIP.replace('10.244.0.', 'fd00:244::') }] },
    });
  }

  async function withPolicy(spec: NetworkPolicySpec, check: () => Promise<void>): Promise<void> {
    await client(networkPolicies).create({ metadata: { name: 'policy', namespace: 'one' }, spec });
    try {
      await check();
    } finally {
      await client(networkPolicies).delete({ namespace: 'one', name: 'policy' });
    }
  }

  /** Rules take a moment to be written: asked again until the answer is as wanted. */
  async function reaches(from: number | 'node', to: string, port: number, wanted: boolean): Promise<void> {
    const namespace = from === 'node' ? network.node : network.pods[from === 0 ? 0 : 1];
    for (let turn = 0; ; turn++) {
      const answers = Object.keys(await namespace.ask(to, port, { timeoutMs: 400 }));
      const isReached = answers.some((answer) => answer.startsWith('pod') || answer.startsWith('outside'));
      if (isReached === wanted) return;
      assert.ok(turn < 10, `${from} to ${to}:${port} should ${wanted ? '' : 'not '}get through; it got ${answers.join()}`);
    }
  }

  const [clientIP, serverIP, outsideIP] = ['10.244.0.2', '10.244.0.3', '10.200.0.9'];
  const ofServer = { podSelector: { matchLabels: { app: 'server' } } };
  const ofClient = { podSelector: { matchLabels: { app: 'client' } } };

  it('without policies everything passes', async () => {
    await reaches(client0, serverIP, 8080, true);
    await reaches(client0, outsideIP, 8080, true);
  });

  it('a policy without rules isolates the Pods that it selects, in its direction, but not from their node', () =>
    withPolicy({ ...ofServer, policyTypes: ['Ingress'] }, async () => {
      await reaches(client0, serverIP, 8080, false);
      await reaches('node', serverIP, 8080, true);
      await reaches(server1, clientIP, 8080, true);
      await reaches(server1, outsideIP, 8080, true);
    }));

  it('a table that others have deleted is written again, and none where there is no policy', async () => {
    const flush = () => network.node.run('nft', ['flush ruleset']);
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'] }, async () => {
      await reaches(client0, serverIP, 8080, false);
      await flush();
      await reaches(client0, serverIP, 8080, true);
      policies.rewrite();
      await reaches(client0, serverIP, 8080, false);
    });
    await reaches(client0, serverIP, 8080, true);
  });

  it('after a policy is gone everything passes again', () => reaches(client0, serverIP, 8080, true));

  it('ports by number, range and name', async () => {
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 8081 }] }] }, async () => {
      await reaches(client0, serverIP, 8080, false);
      await reaches(client0, serverIP, 8081, true);
    });
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 8000, endPort: 8080 }] }] }, async () => {
      await reaches(client0, serverIP, 8081, false);
      await reaches(client0, serverIP, 8080, true);
    });
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'web' }] }] }, async () => {
      await reaches(client0, serverIP, 8081, false);
      await reaches(client0, serverIP, 8080, true);
    });
    await withPolicy({ ...ofClient, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'web' }] }] }, async () => {
      await reaches(client0, serverIP, 8081, false);
      await reaches(client0, serverIP, 8080, true);
    });
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress: [{ ports: [{ protocol: 'UDP', port: 8080 }] }] }, () =>
      reaches(client0, serverIP, 8080, false),
    );
  });

  it('peers by labels of Pods and of Namespaces, which may change', async () => {
    const from = [{ namespaceSelector: { matchLabels: { team: 'c' } } }, { podSelector: { matchLabels: { app: 'friend' } } }];
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress: [{ from }] }, async () => {
      await reaches(client0, serverIP, 8080, false);
      const pod = await client(pods).get({ namespace: 'one', name: 'client' });
      await client(pods).update({ ...pod, metadata: { ...pod.metadata, labels: { app: 'friend' } } });
      await reaches(client0, serverIP, 8080, true);
      await client(pods).update({ ...pod, metadata: { name: 'client', namespace: 'one', labels: { app: 'client' } } });
      await reaches(client0, serverIP, 8080, false);
      const namespace = await client(namespaces).get({ namespace: '', name: 'one' });
      await client(namespaces).update({ ...namespace, metadata: { ...namespace.metadata, labels: { team: 'c' } } });
      await reaches(client0, serverIP, 8080, true);
    });
  });

  it('peers by addresses, with exceptions', async () => {
    const block = (cidr: string, except: string[]) => ({
      ...ofClient,
      policyTypes: ['Egress'],
      egress: [{ to: [{ ipBlock: { cidr, except } }] }],
    });
    await withPolicy(block('10.0.0.0/8', ['10.244.0.3/32']), async () => {
      await reaches(client0, serverIP, 8080, false);
      await reaches(client0, outsideIP, 8080, true);
    });
    await withPolicy(block('10.244.0.0/24', []), async () => {
      await reaches(client0, outsideIP, 8080, false);
      await reaches(client0, serverIP, 8080, true);
      // Answers come back, whatever goes out.
      await reaches(server1, clientIP, 8080, true);
    });
  });

  it('both families of addresses', async () => {
    const [server6, outside6] = ['fd00:244::3', 'fd00:200::9'];
    const ingress = [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }], ports: [{ port: 8080 }] }];
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress }, async () => {
      await reaches(client0, server6, 8081, false);
      await reaches(client0, server6, 8080, true);
      await reaches(client0, serverIP, 8081, false);
      await reaches(client0, serverIP, 8080, true);
    });
    const to = [{ ipBlock: { cidr: 'fd00:200::/64', except: ['fd00:200::f/128'] } }, { ipBlock: { cidr: '10.244.0.0/24' } }];
    await withPolicy({ ...ofClient, policyTypes: ['Egress'], egress: [{ to }] }, async () => {
      await reaches(client0, server6, 8080, false);
      await reaches(client0, outsideIP, 8080, false);
      await reaches(client0, outside6, 8080, true);
      await reaches(client0, serverIP, 8080, true);
      await reaches(server1, 'fd00:244::2', 8080, true);
    });
    await withPolicy({ ...ofClient, policyTypes: ['Egress'], egress: [{ ports: [{ port: 'web' }] }] }, async () => {
      await reaches(client0, server6, 8081, false);
      await reaches(client0, server6, 8080, true);
    });
  });

  it('peers behind a Service: what counts is where its packets go', async () => {
    const rules = createFamilyRules('IPv4', {
      nft: createNFT({ run: network.node.run }),
      clusterCIDRs: ['10.244.0.0/16'],
      findAddressProblem: () => undefined,
      onRefused: () => {},
      logger: silentLogger,
    });
    const service = { metadata: { namespace: 'one', name: 'web' }, spec: { clusterIP: '10.96.0.10', ports: [{ port: 80 }] } };
    const metadata = { name: 'web-1' };
    const ports = [{ name: '', port: 8080, protocol: 'TCP' as const }];
    rules.update('one/web', service, [{ metadata, addressType: 'IPv4', ports, endpoints: [{ addresses: [serverIP] }] }], {
      nodeName: 'node',
    });
    assert.equal((await rules.sync()).error, undefined);
    await reaches(client0, '10.96.0.10', 80, true);
    const to = [{ podSelector: { matchLabels: { app: 'server' } } }];
    await withPolicy({ ...ofClient, policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 80 }] }] }, () =>
      reaches(client0, '10.96.0.10', 80, false),
    );
    await withPolicy({ ...ofClient, policyTypes: ['Egress'], egress: [{ to, ports: [{ port: 8080 }] }] }, async () => {
      await reaches(client0, outsideIP, 8080, false);
      await reaches(client0, '10.96.0.10', 80, true);
    });
    await withPolicy({ ...ofClient, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '10.96.0.0/12' } }] }] }, () =>
      reaches(client0, '10.96.0.10', 80, false),
    );
  });

  it('ports of SCTP, also where the kernel has no such sockets', async () => {
    const ingress = [{ ports: [{ protocol: 'SCTP' as const, port: 8080 }, { protocol: 'SCTP' as const, port: 'web' }, { port: 8081 }] }];
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'], ingress }, async () => {
      await reaches(client0, serverIP, 8080, false);
      await reaches(client0, serverIP, 8081, true);
    });
  });

  it('isolate a Pod before anything in it runs', async () => {
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'] }, async () => {
      await reaches(client0, serverIP, 8080, false);
      // Not in the API at all yet, as far as this node knows.
      const metadata = { name: 'server-2', namespace: 'one', uid: 'early', labels: { app: 'server' } };
      const early = { metadata, spec: { nodeName: 'node', containers: [] } };
      await network.pods[1].run('ip', ['address', 'add', '10.244.0.77/24', 'dev', 'eth0']);
      assert.match(Object.keys(await network.pods[0].ask('10.244.0.77', 8080)).join(), /^pod1/);
      await policies.isolate(early, ['10.244.0.77'], { isNew: true });
      assert.deepEqual(await network.pods[0].ask('10.244.0.77', 8080, { timeoutMs: 400 }), { timeout: 1 });
      const other = { ...early, metadata: { ...metadata, uid: 'open', labels: { app: 'open' } } };
      await policies.isolate(other, ['10.244.0.78'], { isNew: true });
    });
  });

  it('is left as it is by the agent, and taken over by the next', async () => {
    await withPolicy({ ...ofServer, policyTypes: ['Ingress'] }, async () => {
      await reaches(client0, serverIP, 8080, false);
      await stop();
      stop = async () => {};
      await reaches(client0, serverIP, 8080, false);
    });
  });
});
