import { type Check, type Finding, ok, warning } from '../check.ts';

/** Whether no firewall rule of another Kubernetes has stayed behind, and none of its services runs. */
export const otherKubernetes: Check = {
  name: 'OtherKubernetes',
  run({ units, filter: { otherChains } }) {
    const known = /^(kubelet|kube-proxy|k3s|k3s-agent|rke2-server|rke2-agent|k0scontroller|k0sworker|snap\.microk8s\.daemon-\S+)\.service$/;
    const running = units.filter((unit) => known.test(unit));
    const findings: Finding[] = [];
    if (running.length > 0)
      findings.push(
        warning(
          'OtherKubernetes',
          `another Kubernetes runs on this machine: ${running.join(', ')}`,
          `systemctl disable --now ${running.join(' ')}; two proxies and two kubelets get into each other's way`,
        ),
      );
    else if (otherChains.some((chain) => /^ip6? nat KUBE-SERVICES$/.test(chain)))
      findings.push(
        warning(
          'OtherRules',
          "iptables rules of another kube-proxy are left (KUBE-SERVICES): they take Services' connections",
          'kube-proxy --cleanup, or restart the machine',
        ),
      );
    return findings.length > 0 ? findings : [ok(otherKubernetes.name, 'no other Kubernetes')];
  },
};
