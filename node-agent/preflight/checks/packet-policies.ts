import type { BaseChain } from '../../linux/survey/surveyed-machine.ts';
import { type Check, type Finding, type NodePlan, orOK, warning } from '../check.ts';
import { isUFWActive } from './firewalls.ts';

/** Chains of others that drop what no rule of theirs accepts: an accepting rule of kubets does not outweigh them. */
export const packetPolicies: Check = {
  name: 'PacketPolicies',
  run(machine, plan) {
    const { baseChains, legacyRules, otherChains } = machine.filter;
    const isNamed = isUFWActive(machine) ? (chain: BaseChain) => chain.table === 'filter' : () => false;
    const dropping = baseChains.filter((chain) => chain.policy === 'drop' && !isNamed(chain) && !letsPodsPass(chain, plan));
    const findings = dropping.flatMap((chain) => policyFinding(chain, otherChains, plan));
    if (
      /^-P FORWARD DROP$/m.test(legacyRules) &&
      !plan.clusterCIDRs.some((cidr) => legacyRules.includes(cidr)) &&
      !legacyRules.includes(bridge)
    )
      findings.push(
        warning(
          'ForwardPolicy',
          'iptables-legacy drops what is forwarded: Pods reach nobody',
          `iptables-legacy -I FORWARD -i ${bridge} -j ACCEPT\niptables-legacy -I FORWARD -o ${bridge} -j ACCEPT`,
        ),
      );
    else if (legacyRules.split('\n').some((rule) => rule.startsWith('-A ')))
      findings.push(
        warning(
          'IptablesLegacy',
          'rules of iptables-legacy are in use beside nftables: both decide on every packet',
          'iptables-legacy -S shows them; move them to nft, and then iptables-legacy -F',
        ),
      );
    return orOK(findings, packetPolicies.name, 'no chain of others drops what is forwarded');
  },
};

const bridge = 'cni0';

function letsPodsPass({ rules = '' }: BaseChain, { clusterCIDRs }: NodePlan): boolean {
  return rules.includes(bridge) || clusterCIDRs.some((cidr) => rules.includes(cidr));
}

function policyFinding({ family, table, name, hook }: BaseChain, otherChains: readonly string[], { clusterCIDRs }: NodePlan): Finding[] {
  const chain = `${family} ${table} ${name}`;
  if (hook === 'forward') {
    const hasDocker = otherChains.includes(`${family} ${table} DOCKER-USER`);
    const program = family === 'ip6' ? 'ip6tables' : 'iptables';
    const target = hasDocker ? 'DOCKER-USER' : name;
    const isOfIptables = table === 'filter' && name === 'FORWARD';
    const remedy = isOfIptables
      ? `${program} -I ${target} -i ${bridge} -j ACCEPT\n${program} -I ${target} -o ${bridge} -j ACCEPT`
      : `nft insert rule ${chain} iifname ${bridge} accept\nnft insert rule ${chain} oifname ${bridge} accept`;
    return [
      warning(
        'ForwardPolicy',
        `chain ${chain} drops what is forwarded${hasDocker ? ' (Docker made it so)' : ''}: Pods reach nobody`,
        `${remedy}\nand keep it over restarts`,
      ),
    ];
  }
  if (hook !== 'input') return [];
  const [range = ''] = clusterCIDRs;
  const remedy = `nft insert rule ${chain} ${range.includes(':') ? 'ip6' : 'ip'} saddr ${range} accept\nand likewise the ports of the node`;
  return [
    warning('InputPolicy', `chain ${chain} drops what comes in: Pods do not reach DNS, nor others the API server and the kubelet`, remedy),
  ];
}
