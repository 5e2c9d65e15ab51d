import { dns1123SubdomainProblems } from '../../../api/validation/names.ts';
import { advice, type Check, error, type Finding, orOK, warning } from '../check.ts';

/** The greatest length of a label's value, since the node's name is one. */
const maxNameLength = 63;

/** Checks the node's name, which is the machine's unless another one is given. */
export const hostName: Check = {
  name: 'Hostname',
  run({ hostnameResolves, hostname }, { nodeName, isJoining }) {
    const { name } = hostName;
    const remedy = 'hostnamectl set-hostname NAME, or --node-name NAME';
    const [problem] = dns1123SubdomainProblems(nodeName);
    if (problem !== undefined) return [error(name, `"${nodeName}" cannot be the name of a node: ${problem}`, remedy)];
    if (nodeName.length > maxNameLength)
      return [error(name, `"${nodeName}" cannot be the name of a node: it has more than ${maxNameLength} characters`, remedy)];
    const findings: Finding[] = [];
    if (nodeName === 'localhost') findings.push(warning(name, 'the machine has no name of its own: localhost', remedy));
    if (!hostnameResolves && (isJoining || hostname === nodeName))
      findings.push(
        advice(name, `hostname "${hostname}" could not be reached: it has no address`, `echo "127.0.1.1 ${hostname}" >> /etc/hosts`),
      );
    return orOK(findings, name, nodeName);
  },
};
