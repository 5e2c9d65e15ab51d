/** Chains that the portmap plugin makes for itself with the first host port, and leaves behind with the last. */
const ownChain = /^-N (CNI-HOSTPORT-\S+)$/;

/**
 * Makes the input of `iptables-restore --noflush` that removes the portmap plugin's empty chains, from the output of `iptables -t nat -S`.
 * Undefined if there are none, or if a Pod still has a host port.
 */
export function planHostPortCleanup(listed: string): string | undefined {
  const lines = listed.split('\n').map((line) => line.trim());
  const chains = lines.flatMap((line) => ownChain.exec(line)?.[1] ?? []);
  if (chains.length === 0) return undefined;
  const isUsed = lines.some((line) => line.startsWith('-N CNI-DN-') || line.startsWith('-A CNI-HOSTPORT-DNAT '));
  if (isUsed) return undefined;
  const jumps = lines.filter((line) => /^-A (?!CNI-)/.test(line) && chains.some((chain) => line.endsWith(`-j ${chain}`)));
  return [
    '*nat',
    ...jumps.map((line) => line.replace(/^-A/, '-D')),
    ...chains.map((chain) => `-F ${chain}`),
    ...chains.map((chain) => `-X ${chain}`),
    'COMMIT',
    '',
  ].join('\n');
}
