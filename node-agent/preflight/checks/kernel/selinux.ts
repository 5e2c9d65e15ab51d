import { type Check, orOK, warning } from '../../check.ts';

/** SELinux, whose labels kubets does not give to files of containers. */
export const selinux: Check = {
  name: 'SELinux',
  run({ kernel }) {
    const findings = kernel.enforcesSELinux
      ? [
          warning(
            selinux.name,
            'SELinux enforces: kubets runs its containers without labels of their own, and policies may keep them from their files',
            'setenforce 0, and SELINUX=permissive in /etc/selinux/config',
          ),
        ]
      : [];
    return orOK(findings, selinux.name, 'does not enforce');
  },
};
