import { vxlanPort } from '../../../network/cni/pod-routes.ts';
import type { SurveyedMachine } from '../../../linux/survey/surveyed-machine.ts';
import { type Check, type Finding, type NodePlan, orOK, warning } from '../../check.ts';

/** firewalld and ufw, with the commands that let a node's traffic through. */
export const firewalls: Check = {
  name: 'Firewall',
  run(machine, plan) {
    const findings: Finding[] = [];
    if (machine.units.includes('firewalld.service') && !firewalldKnowsPods(machine, plan))
      findings.push(
        warning(
          'Firewalld',
          `firewalld is active, please ensure ports ${openPorts(plan).join(', ')} are open and Pods may pass`,
          firewalldCommands(plan),
        ),
      );
    if (isUFWActive(machine) && !ufwKnowsPods(machine, plan))
      findings.push(
        warning('UFW', `ufw is active: it drops what Pods send, and connections to ports ${openPorts(plan).join(', ')}`, ufwCommands(plan)),
      );
    return orOK(findings, firewalls.name, 'neither firewalld nor ufw is in the way');
  },
};

function openPorts({ ports, podNetwork }: NodePlan): string[] {
  const planned = ports
    .filter(({ on, isOptional = false }) => on === 'all' && !isOptional)
    .map(({ port, protocol }) => `${port}/${protocol}`);
  return [...planned, ...(podNetwork === 'vxlan' ? [`${vxlanPort}/udp`] : [])];
}

function firewalldCommands(plan: NodePlan): string {
  const sources = plan.clusterCIDRs.map((cidr) => `firewall-cmd --permanent --zone=trusted --add-source=${cidr}`);
  const opened = openPorts(plan).map((port) => `firewall-cmd --permanent --add-port=${port}`);
  return [...sources, ...opened, 'firewall-cmd --permanent --add-port=30000-32767/tcp', 'firewall-cmd --reload'].join('\n');
}

function ufwCommands(plan: NodePlan): string {
  const pods = plan.clusterCIDRs.flatMap((cidr) => [
    `ufw allow from ${cidr}`,
    `ufw route allow from ${cidr}`,
    `ufw route allow to ${cidr}`,
  ]);
  return [...pods, ...openPorts(plan).map((port) => `ufw allow ${port}`), 'ufw allow 30000:32767/tcp'].join('\n');
}

function firewalldKnowsPods({ files }: SurveyedMachine, { clusterCIDRs }: NodePlan): boolean {
  const trusted = files['/etc/firewalld/zones/trusted.xml'] ?? '';
  return clusterCIDRs.every((cidr) => trusted.includes(`"${cidr}"`));
}

export function isUFWActive({ files }: SurveyedMachine): boolean {
  return /^ENABLED=["']?yes/m.test(files['/etc/ufw/ufw.conf'] ?? '');
}

/** Rules for routed traffic are of the kind `route:allow`. */
function ufwKnowsPods({ files }: SurveyedMachine, { clusterCIDRs }: NodePlan): boolean {
  const rules = (files['/etc/ufw/user.rules'] ?? '').split('\n');
  return clusterCIDRs
    .filter((cidr) => !cidr.includes(':'))
    .every((cidr) => rules.some((rule) => rule.includes('route:allow') && rule.includes(cidr)));
}
