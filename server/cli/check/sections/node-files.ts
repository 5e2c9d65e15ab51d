import { type CheckItem, notApplicable } from '../check-item.ts';
import { modeControl, ownerControl } from '../file-judges.ts';

const unit = {
  roles: ['unit'],
  why: 'the unit of the service has the place of the unit of the kubelet',
  absent: "kubets is not installed as a service here ('kubets install'): there is no unit file",
} as const;

const kubeconfig = {
  roles: ['kubelet-kubeconfig'],
  why: 'the credentials of the node are kubelet.kubeconfig, bootstrap-kubelet.kubeconfig and the certificates in <data-dir>/node/pki',
  absent: 'this data directory has no node',
} as const;

const authority = {
  roles: ['kubelet-certificate'],
  why: "beside a control plane the node knows the cluster's authority by <data-dir>/pki/ca.crt",
  absent:
    'this data directory has no node beside a control plane: one that has joined keeps the authority in bootstrap-kubelet.kubeconfig (4.1.5)',
} as const;

const noProxy = () =>
  notApplicable('Services are proxied by the process of the node, with its credentials (4.1.5): there is no kubeconfig of a kube-proxy');
const noFile = () => notApplicable('the node takes flags and no configuration file: those in the unit are judged by 4.1.1');

/** Section 4.1. */
export const nodeFiles: readonly CheckItem[] = [
  modeControl({ id: '4.1.1', title: "Permissions of the kubelet's unit file are 600 or stricter", ...unit }, 0o600),
  ownerControl({ id: '4.1.2', title: "The kubelet's unit file belongs to root:root", ...unit }),
  { id: '4.1.3', title: "Permissions of kube-proxy's kubeconfig are 600 or stricter", judge: noProxy },
  { id: '4.1.4', title: "kube-proxy's kubeconfig belongs to root:root", judge: noProxy },
  modeControl({ id: '4.1.5', title: "Permissions of the kubelet's kubeconfig are 600 or stricter", ...kubeconfig }, 0o600),
  ownerControl({ id: '4.1.6', title: "The kubelet's kubeconfig belongs to root:root", ...kubeconfig }),
  modeControl({ id: '4.1.7', title: "Permissions of the kubelet's file of authorities are 644 or stricter", ...authority }, 0o644),
  ownerControl({ id: '4.1.8', title: "The kubelet's file of authorities belongs to root:root", ...authority }),
  { id: '4.1.9', title: "Permissions of the kubelet's configuration file are 600 or stricter", judge: noFile },
  { id: '4.1.10', title: "The kubelet's configuration file belongs to root:root", judge: noFile },
];
