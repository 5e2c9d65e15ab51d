import { type Check, error, type Finding, orOK, warning } from '../../check.ts';
import { isOlder, versionNumbers } from '../../kernel-features.ts';

const oldest = [4, 19];
/** From here on nftables has all that kube-proxy's mode of that name uses. */
const oldestTried = [5, 13];

const neededNamespaces = ['mnt', 'net', 'pid', 'ipc', 'uts'];

/** Checks the kernel's version, and the features that containers need. */
export const kernel: Check = {
  name: 'SystemVerification',
  run({ kernel: { release, namespaces, hasSeccomp, fileSystems } }) {
    const { name } = kernel;
    const findings: Finding[] = [];
    const version = versionNumbers(release);
    if (isOlder(version, oldest))
      findings.push(
        error(name, `kernel ${release} is older than ${oldest.join('.')}`, 'run a newer kernel: Debian 11, Ubuntu 22.04 or later have one'),
      );
    else if (isOlder(version, oldestTried))
      findings.push(
        warning(name, `kernel ${release} is older than ${oldestTried.join('.')}, which Services by nftables ask for`, 'run a newer kernel'),
      );
    const missing = neededNamespaces.filter((namespace) => !namespaces.includes(namespace));
    if (missing.length > 0)
      findings.push(
        error(
          name,
          `the kernel has no namespaces of kind ${missing.join(', ')}`,
          'run a kernel with CONFIG_NAMESPACES and all kinds of it',
        ),
      );
    if (!fileSystems.includes('mqueue'))
      findings.push(
        error(name, 'the kernel has no POSIX message queues, which every container is given', 'run a kernel with CONFIG_POSIX_MQUEUE=y'),
      );
    if (!hasSeccomp)
      findings.push(
        warning(name, 'the kernel has no seccomp: profiles of Pods are not applied', 'run a kernel with CONFIG_SECCOMP_FILTER=y'),
      );
    if (namespaces.length > 0 && !namespaces.includes('user'))
      findings.push(
        warning(name, 'the kernel has no user namespaces: Pods with hostUsers: false fail', 'run a kernel with CONFIG_USER_NS=y'),
      );
    return orOK(findings, name, `kernel ${release}`);
  },
};
