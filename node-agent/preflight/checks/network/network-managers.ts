import { advice, type Check, type Finding, orOK, warning } from '../../check.ts';

const networkManagerFile = '/etc/NetworkManager/conf.d/kubets.conf';

/** Network managers of the machine, which must leave the interfaces of Pods alone. */
export const networkManagers: Check = {
  name: 'NetworkManagers',
  run({ units, files }) {
    const findings: Finding[] = [];
    const of = (part: string) => Object.entries(files).flatMap(([path, text]) => (path.includes(part) ? [text] : []));
    if (units.includes('NetworkManager.service')) {
      const unmanaged = of('/NetworkManager/').flatMap((text) =>
        [...text.matchAll(/^\s*unmanaged-devices\s*\+?=(.*)$/gm)].map(([, list = '']) => list),
      );
      if (!unmanaged.some((list) => /veth|driver:veth|\*/.test(list) && /cni|\*$/.test(list)))
        findings.push(
          warning(
            'NetworkManager',
            'NetworkManager may take interfaces of Pods (cni0, veth*) for its own',
            `printf '[keyfile]\\nunmanaged-devices=interface-name:cni0;interface-name:veth*;interface-name:kubets*\\n' > ${networkManagerFile}\nsystemctl reload NetworkManager`,
          ),
        );
    }
    if (
      units.includes('systemd-networkd.service') &&
      !of('/systemd/networkd.conf').some((text) => /^\s*ManageForeignRoutes\s*=\s*(no|false|0|off)/im.test(text))
    )
      findings.push(
        advice(
          'Networkd',
          'systemd-networkd removes routes to other nodes when it restarts, until the agent has made them again',
          "mkdir -p /etc/systemd/networkd.conf.d\nprintf '[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n' > /etc/systemd/networkd.conf.d/kubets.conf\nsystemctl restart systemd-networkd",
        ),
      );
    return orOK(findings, networkManagers.name, 'none that would touch interfaces of Pods');
  },
};
