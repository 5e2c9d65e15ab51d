import type { Clock } from '../../api/base/clock.ts';
import { familiesOf } from '../../api/semantics/services/ip-family.ts';
import { masqueradeRules } from '../network/cni/masquerade-rules.ts';
import { renderAbsenceRules } from '../network/dns/absence-rules.ts';
import { nftFamilies } from '../linux/nft/nft.ts';
import { type SurveyRequest, surveyMachine } from '../linux/survey/survey-machine.ts';
import type { SurveyedMachine } from '../linux/survey/surveyed-machine.ts';
import { clusterDNSPort } from '../../api/semantics/services/cluster-dns.ts';
import { planPortRules, renderPortTable } from '../network/cni/port-rules.ts';
import { createPolicyTable, renderPolicyTable } from '../network/policy/policy-table.ts';
import { renderBaseTable, tableOf } from '../network/proxy/nftables/base-table.ts';
import { type Finding, type NodePlan, warning } from './check.ts';
import { kernelFeatures } from './checks/kernel/kernel-modules.ts';
import { checks } from './checks.ts';

export interface PreflightDependencies {
  readonly clock: Clock;
  /** See SurveyRequest; without it a start is not held up. */
  readonly isThorough: boolean;
  /** Time of the API server that is to be joined less that of this machine. */
  readonly serverAhead?: Promise<number | undefined> | undefined;
}

/** Checks the machine against the planned node. Looks only; changes nothing. */
export async function runPreflight(plan: NodePlan, { clock, serverAhead, isThorough }: PreflightDependencies): Promise<Finding[]> {
  const [machine, serverAheadMs] = await Promise.all([
    surveyMachine(surveyRequest(plan, isThorough), { clock }).catch(
      (error: unknown) => new Error(`the machine could not be looked at: ${String(error)}`),
    ),
    serverAhead ?? Promise.resolve(undefined),
  ]);
  // Not to know is no reason not to start.
  if (machine instanceof Error) return [warning('Preflight', machine.message, 'make sure of what docs/machines.md asks for')];
  return checkMachine(machine, serverAheadMs === undefined ? plan : { ...plan, serverAheadMs });
}

export function checkMachine(machine: SurveyedMachine, plan: NodePlan): Finding[] {
  return checks.flatMap((check) => check.run(machine, plan));
}

function surveyRequest(plan: NodePlan, isThorough: boolean): SurveyRequest {
  return {
    dataDirectory: plan.nodeDirectory,
    ports: plan.ports.map(({ port }) => port),
    families: familiesOf([...plan.clusterCIDRs, ...plan.serviceCIDRs]),
    kernelParts: kernelFeatures,
    isThorough,
    nftProbe: rulesToTry(plan),
    cniPluginDirectories: plan.cniPluginDirectories,
    ...(plan.runtimeEndpoint === undefined ? {} : { runtimeEndpoint: plan.runtimeEndpoint }),
  };
}

/** A Pod at the bridge, to test whether the kernel supports the rules. */
const examplePort = {
  ...{ sandboxID: '', port: 'preflight', hardwareAddress: '02:00:00:00:00:01' },
  ...{ addresses: ['192.0.2.1', '2001:db8::1'], linkLocal: 'fe80::1' },
};

/** The rules of an empty cluster. The Service proxy's table has another name, so that one in use is not affected. */
function rulesToTry({ clusterCIDRs, podNetwork }: NodePlan): string {
  const services = familiesOf(clusterCIDRs).map((family) =>
    renderBaseTable(
      clusterCIDRs.filter((cidr) => familiesOf([cidr])[0] === family),
      family,
    ).replaceAll(tableOf(family), `${nftFamilies[family].ip} kubets-preflight`),
  );
  const ownNetwork =
    podNetwork === 'external'
      ? []
      : [
          masqueradeRules('preflight', clusterCIDRs, []),
          renderPolicyTable(createPolicyTable(), clusterDNSPort),
          renderPortTable(planPortRules([examplePort])),
        ];
  return [...services, ...ownNetwork, renderAbsenceRules(clusterDNSPort)].join('');
}
