import type { BaseChain } from '../../../linux/survey/surveyed-machine.ts';
import { type Check, type Finding, type NodePlan, ok, orOK, warning } from '../../check.ts';
import { isUFWActive } from './firewalls.ts';

/** Chains of other programs that drop packets by their policy: an accepting rule of kubets does not override them. */
export const packetPolicies: Check = {
  name: 'PacketPolicies',
  run(machine, plan) {
    const { name } = packetPolicies;
    if (plan.podNetwork === 'external') return [ok(name, 'the network plugin sees to them')];
    const { baseChains, legacyRules, otherChains } = machine.filter;
    // The check of ufw reports its chains.
    const isNamed = isUFWActive(machine) ? (chain: BaseChain) => chain.table === 'filter' : () => false;
    const dropping = baseChains.filter((chain) => chain.policy === 'drop' && !isNamed(chain) && !letsPodsPass(chain.rules ?? '', plan));
    const findings = dropping.flatMap((chain) => policyFinding(chain, otherChains, plan));
    return orOK([...findings, ...legacyFindings(legacyRules, plan)], name, 'no chain of others drops what is forwarded');
  },
};

function letsPodsPass(rules: string, { clusterCIDRs, bridge }: NodePlan): boolean {
  return rules.includes(bridge.replace('*', '')) || clusterCIDRs.some((cidr) => rules.includes(cidr));
}

function legacyFindings(rules: string, plan: NodePlan): Finding[] {
  if (/^-P FORWARD DROP$/m.test(rules) && !letsPodsPass(rules, plan))
    return [
      warning(
        'ForwardPolicy',
        'iptables-legacy drops what is forwarded: Pods reach nobody',
        acceptByIptables('iptables-legacy', 'FORWARD', plan),
      ),
    ];
  if (!rules.split('\n').some((rule) => rule.startsWith('-A '))) return [];
  return [
    warning(
      'IptablesLegacy',
      'rules of iptables-legacy are in use beside nftables: both decide on every packet',
      'iptables-legacy -S shows them; move them to nft, and then iptables-legacy -F',
    ),
  ];
}

/** iptables writes a plus where nft writes a star. */
function acceptByIptables(program: string, chain: string, { bridge }: NodePlan): string {
  const device = bridge.replace('*', '+');
  return `${program} -I ${chain} -i ${device} -j ACCEPT\n${program} -I ${chain} -o ${device} -j ACCEPT`;
}

function policyFinding({ family, table, name, hook }: BaseChain, otherChains: readonly string[], plan: NodePlan): Finding[] {
  const chain = `${family} ${table} ${name}`;
  if (hook === 'forward') {
    const hasDocker = otherChains.includes(`${family} ${table} DOCKER-USER`);
    const isOfIptables = table === 'filter' && name === 'FORWARD';
    const remedy = isOfIptables
      ? acceptByIptables(family === 'ip6' ? 'ip6tables' : 'iptables', hasDocker ? 'DOCKER-USER' : name, plan)
      : `nft insert rule ${chain} iifname "${plan.bridge}" accept\nnft insert rule ${chain} oifname "${plan.bridge}" accept`;
    const who = hasDocker ? ' (Docker made it so)' : '';
    return [
      warning('ForwardPolicy', `chain ${chain} drops what is forwarded${who}: Pods reach nobody`, `${remedy}\nand keep it over restarts`),
    ];
  }
  if (hook !== 'input') return [];
  const [range = ''] = plan.clusterCIDRs;
  const remedy = `nft insert rule ${chain} ${range.includes(':') ? 'ip6' : 'ip'} saddr ${range} accept\nand likewise the ports of the node`;
  return [
    warning('InputPolicy', `chain ${chain} drops what comes in: Pods do not reach DNS, nor others the API server and the kubelet`, remedy),
  ];
}
