import { type Check, error, type Finding, ok, warning } from '../check.ts';

/** Capabilities without which no container starts, by their bits. */
const needed = { CAP_NET_ADMIN: 12, CAP_SYS_CHROOT: 18, CAP_SYS_ADMIN: 21, CAP_MKNOD: 27 } as const;

/** Whether the process may do what a node does: it is root, and not confined to a container. */
export const privileges: Check = {
  name: 'IsPrivilegedUser',
  run({ effectiveUID, capabilities, container, mounts }) {
    const { name } = privileges;
    if (effectiveUID !== 0) return [error(name, 'user is not running as root', 'run it as root: with sudo, or su -')];
    const missing = Object.entries(needed).flatMap(([capability, bit]) => ((capabilities >> BigInt(bit)) & 1n ? [] : [capability]));
    const where = container === undefined ? '' : ` in a container (${container})`;
    const remedy =
      'run it on the machine itself, or in a container with all rights: docker run --privileged, lxc with security.nesting and security.privileged';
    if (missing.length > 0) return [error(name, `root${where} lacks ${missing.join(', ')}`, remedy)];
    const sysctls = mounts.findLast(({ point }) => point === '/proc/sys' || point === '/proc');
    if (sysctls?.options.includes('ro'))
      return [error(name, `${sysctls.point} is read-only${where}: kernel settings cannot be made`, remedy)];
    const findings: Finding[] = [];
    if (container !== undefined)
      findings.push(
        warning(
          'Container',
          `this process runs${where}: modules and some kernel settings are those of the machine around it`,
          'make settings and load modules on that machine; give the container a volume of its own for the data directory',
        ),
      );
    return findings.length > 0 ? findings : [ok(name, 'root')];
  },
};
