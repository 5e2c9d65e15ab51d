import { type CheckItem, notApplicable } from '../check-item.ts';
import { modeControl, ownerControl } from '../file-judges.ts';

const oneProcess = (part: string) =>
  notApplicable(
    `${part} has no Pod manifest: it is a part of the process 'kubets up' or 'kubets server'; its unit file is judged by 4.1.1`,
  );

const manifests = (
  [
    ['1.1.1', '1.1.2', 'the API server'],
    ['1.1.3', '1.1.4', 'the controller manager'],
    ['1.1.5', '1.1.6', 'the scheduler'],
    ['1.1.7', '1.1.8', 'etcd, or the embedded store in its place,'],
  ] as const
).flatMap(([mode, owner, part]): CheckItem[] => [
  { id: mode, title: `Permissions of the Pod manifest of ${part.replace(/,.*/, '')} are 600 or stricter`, judge: () => oneProcess(part) },
  { id: owner, title: `The Pod manifest of ${part.replace(/,.*/, '')} belongs to root:root`, judge: () => oneProcess(part) },
]);

const cni = {
  roles: ['cni'],
  why: 'network configurations are in <data-dir>/node/cni/net.d, or in /etc/cni/net.d with --pod-network external',
  absent: 'this data directory has no node, or its node has no network configuration yet',
} as const;

const storage = {
  roles: ['storage'],
  why: 'the embedded store has the place of etcd: <data-dir>/storage',
  absent: 'objects are in an etcd or in memory: no data directory of a store is here',
} as const;

const admin = {
  roles: ['admin-kubeconfig'],
  why: "the administrator's credentials are in admin.kubeconfig, and where --kubeconfig says",
  absent: 'this data directory has no control plane',
} as const;

const component = {
  scheduler: notApplicable(
    'the scheduler has no kubeconfig: it calls the API within its process. Its key in <data-dir>/pki is judged by 1.1.21',
  ),
  controllers: notApplicable(
    'the controller manager has no kubeconfig: it calls the API within its process. Its key in <data-dir>/pki is judged by 1.1.21',
  ),
};

const pki = { absent: 'this data directory has no control plane' } as const;

/** Section 1.1. */
export const controlPlaneFiles: readonly CheckItem[] = [
  ...manifests,
  modeControl({ id: '1.1.9', title: 'Permissions of CNI configurations are 600 or stricter', ...cni }, 0o600),
  ownerControl({ id: '1.1.10', title: 'CNI configurations belong to root:root', ...cni }),
  modeControl({ id: '1.1.11', title: "Permissions of etcd's data directory are 700 or stricter", ...storage }, 0o700, 0o700),
  ownerControl({ id: '1.1.12', title: "etcd's data directory belongs to the user that runs it", ...storage }),
  modeControl({ id: '1.1.13', title: "Permissions of the administrator's kubeconfig are 600", ...admin }, 0o600),
  ownerControl({ id: '1.1.14', title: "The administrator's kubeconfig belongs to root:root", ...admin }),
  { id: '1.1.15', title: "Permissions of the scheduler's kubeconfig are 600 or stricter", judge: () => component.scheduler },
  { id: '1.1.16', title: "The scheduler's kubeconfig belongs to root:root", judge: () => component.scheduler },
  { id: '1.1.17', title: "Permissions of the controller manager's kubeconfig are 600 or stricter", judge: () => component.controllers },
  { id: '1.1.18', title: "The controller manager's kubeconfig belongs to root:root", judge: () => component.controllers },
  ownerControl({
    ...{ id: '1.1.19', title: 'The PKI directory and its files belong to root:root' },
    ...{ roles: ['pki-directory', 'certificate', 'key', 'public-key'], why: 'keys and certificates are in <data-dir>/pki', ...pki },
  }),
  modeControl(
    {
      ...{ id: '1.1.20', title: 'Permissions of certificates in the PKI directory are 644 or stricter' },
      ...{ roles: ['certificate', 'public-key'], why: 'certificates are in <data-dir>/pki/*.crt', ...pki },
    },
    0o644,
  ),
  modeControl(
    {
      ...{ id: '1.1.21', title: 'Permissions of keys in the PKI directory are 600' },
      ...{ roles: ['key'], why: 'keys are in <data-dir>/pki/*.key', ...pki },
    },
    0o600,
  ),
];
