import { advice, type Check, type Finding, orOK, warning } from '../../check.ts';

/** Kernel settings that keep Pods from having user namespaces. */
export const userNamespaces: Check = {
  name: 'UserNamespaces',
  run({ sysctls }) {
    const { name } = userNamespaces;
    const findings: Finding[] = [];
    if (sysctls['user.max_user_namespaces'] === '0')
      findings.push(
        warning(name, 'user.max_user_namespaces is 0: Pods with hostUsers: false fail', 'sysctl -w user.max_user_namespaces=15000'),
      );
    if (sysctls['kernel.apparmor_restrict_unprivileged_userns'] === '1')
      findings.push(
        advice(
          name,
          'AppArmor keeps programs without rights from making user namespaces: rootless builders in Pods fail; hostUsers: false works',
          'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, if such programs are to run',
        ),
      );
    return orOK(findings, name, 'can be made');
  },
};
