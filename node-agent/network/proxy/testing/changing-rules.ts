import { silentLogger } from '../../../../api/base/logger.ts';
import { randomInt, type Random } from '../../../../api/base/random.ts';
import { createSeededRandom } from '../../../../api/base/testing/seeded-random.ts';
import type { Service } from '../../../../api/types/core-v1.ts';
import type { EndpointSlice } from '../../../../api/types/discovery-v1.ts';
import { createNFT } from '../../../linux/nft/nft.ts';
import { runProgram } from '../../../linux/processes/run-program.ts';
import { createFamilyRules, type FamilyRules } from '../family-rules.ts';
import { backendAddress, backendsPerService, frontOf, serviceCount } from './backends.ts';

/** Rules of all Services in the network namespace of a process. */
export function createRules(pid: number): FamilyRules {
  const run: typeof runProgram = (command, args, options) => runProgram('nsenter', ['-t', String(pid), '-n', command, ...args], options);
  const rules = createFamilyRules('IPv4', {
    nft: createNFT({ run }),
    clusterCIDRs: ['10.244.0.0/16'],
    findAddressProblem: () => undefined,
    onRefused: () => {},
    logger: silentLogger,
  });
  rules.useNodePortIPs(['10.200.0.1']);
  return rules;
}

/** Changes a Service's shape and endpoints at random, sometimes to none, and sometimes deletes it. */
export function changeService(rules: FamilyRules, index: number, random: Random): void {
  const name = `default/s${index}`;
  if (random.next() < 0.05) return void rules.update(name, undefined, [], { nodeName: 'node' });
  const { clusterIP, nodePort } = frontOf(index);
  const isOpen = random.next() < 0.5;
  const service: Service = {
    metadata: { namespace: 'default', name: `s${index}` },
    spec: {
      ...{ clusterIP, clusterIPs: [clusterIP], type: isOpen ? 'NodePort' : 'ClusterIP' },
      ...(random.next() < 0.3 ? { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } } : {}),
      ...(isOpen && random.next() < 0.3 ? { externalTrafficPolicy: 'Local' } : {}),
      ports: [{ port: 80, ...(isOpen ? { nodePort } : {}) }],
    },
  };
  const addresses = Array.from({ length: backendsPerService }, (_, backend) => backendAddress(index, backend)).filter(
    () => random.next() < 0.6,
  );
  const slice: EndpointSlice = {
    metadata: { namespace: 'default', name: `s${index}-1` },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: addresses.map((address) => ({ addresses: [address], nodeName: 'node' })),
  };
  rules.update(name, service, [slice], { nodeName: 'node' });
}

/** The program, with arguments `<pid> <seed>`: changes rules until it is killed, and prints how often they were applied. */
if (import.meta.main) {
  const [pid, seed] = process.argv.slice(2).map(Number);
  const rules = createRules(pid ?? 0);
  const random = createSeededRandom(seed ?? 0);
  for (let index = 0; index < serviceCount; index++) changeService(rules, index, random);
  for (;;) {
    const { error } = await rules.sync();
    process.stdout.write(error === undefined ? 'applied\n' : `failed: ${String(error)}\n`);
    for (let changes = 1 + randomInt(random, 8); changes > 0; changes--) changeService(rules, randomInt(random, serviceCount), random);
  }
}
