import type { LocalNodeFacts, StatusFacts } from './status-facts.ts';

/** A problem, and its remedy. */
export interface Finding {
  readonly problem: string;
  readonly advice: string;
}

const minFreePart = 0.1;
const soonDays = 30;

/** The problems, the most fundamental first. None: all is well. */
export function assessStatus(facts: StatusFacts): Finding[] {
  return [
    ...assessProcesses(facts),
    ...facts.localNodes.flatMap((node) => assessLocalNode(node, facts)),
    ...assessDisk(facts),
    ...assessCertificates(facts),
    ...assessCluster(facts),
  ];
}

function assessProcesses({ runs, services, controlPlane, localNodes }: StatusFacts): Finding[] {
  const findings: Finding[] = [];
  for (const { unit, active, isEnabled, restarts } of services) {
    if (active !== 'active' && active !== 'inactive')
      findings.push({ problem: `${unit} is ${active}, started again ${restarts} times`, advice: `journalctl -u ${unit} says why` });
    if (!isEnabled) findings.push({ problem: `${unit} does not start at the next boot`, advice: `systemctl enable ${unit}` });
  }
  if (runs.length === 0) {
    const inactive = services.find(({ active }) => active === 'inactive');
    const left = localNodes.some(({ containerdPID }) => containerdPID !== undefined);
    findings.push({
      problem: left ? 'nothing runs but containers that were left running: nobody looks after them' : 'nothing runs on this data dir',
      advice: `${inactive ? `systemctl start ${inactive.unit}` : 'kubets up, or kubets install to have it as a service'}${left ? '; kubets stop --pods ends the containers' : ''}`,
    });
  } else if (controlPlane?.problem !== undefined)
    findings.push({
      problem: `the API server ${controlPlane.problem}`,
      advice: logOf(services, 'it may still be starting; else see what it says'),
    });
  return findings;
}

function assessLocalNode({ agentPID, containerdPID, directory, log }: LocalNodeFacts, { runs }: StatusFacts): Finding[] {
  if (!runs.some(({ command }) => command !== 'server')) return [];
  if (agentPID === undefined)
    return [
      {
        problem: `the agent of the node in ${directory} does not run`,
        advice: `it is started again within seconds; ${log} says what ends it`,
      },
    ];
  if (containerdPID === undefined)
    return [
      {
        problem: `containerd of the node in ${directory} does not run`,
        advice: `the agent starts it; see ${directory}/containerd/containerd.log and ${log}`,
      },
    ];
  return [];
}

function assessDisk({ disk: { freeBytes, totalBytes }, dataDirectory }: StatusFacts): Finding[] {
  if (totalBytes === 0 || freeBytes / totalBytes >= minFreePart) return [];
  return [
    {
      problem: `the disk of ${dataDirectory} is full but for ${Math.floor((100 * freeBytes) / totalBytes)} %: Pods are evicted`,
      advice: 'remove what is not needed; unused images go by themselves',
    },
  ];
}

function assessCertificates({ certificates }: StatusFacts): Finding[] {
  return certificates
    .filter(({ daysLeft }) => daysLeft < soonDays)
    .map(({ file, daysLeft }) => ({
      problem: daysLeft < 0 ? `the certificate ${file} has expired` : `the certificate ${file} expires in ${Math.floor(daysLeft)} days`,
      advice: file.includes('/node/')
        ? 'the node renews it while it can reach the API server'
        : 'kubets certs renew all; kubets certs check tells more',
    }));
}

function assessCluster({ cluster }: StatusFacts): Finding[] {
  if (cluster === undefined) return [];
  const unready = cluster.nodes
    .filter(({ problems }) => problems.length > 0)
    .map(({ name, problems }) => ({ problem: `node ${name}: ${problems.join('; ')}`, advice: `kubectl describe node ${name}` }));
  const pods = cluster.troubledPods.map(({ namespace, name, status }) => ({
    problem: `pod ${namespace}/${name}: ${status}`,
    advice: `kubectl -n ${namespace} describe pod ${name}`,
  }));
  return [...unready, ...pods];
}

function logOf(services: StatusFacts['services'], otherwise: string): string {
  const service = services.find(({ active }) => active === 'active' || active === 'activating');
  return service ? `journalctl -u ${service.unit}` : otherwise;
}
