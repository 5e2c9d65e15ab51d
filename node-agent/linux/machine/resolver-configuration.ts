import type { HostFiles } from '../files/host-files.ts';

/** The machine's own resolver configuration, which may only name a resolver on its loopback interface. */
const standardFile = '/etc/resolv.conf';
/** The servers that systemd-resolved asks, where it is the machine's resolver. */
const serversBehindStub = '/run/systemd/resolve/resolv.conf';

interface ResolverConfiguration {
  /** Empty: there is to be none. */
  readonly file: string;
  readonly text: string;
}

/**
 * The resolver configuration that Pods and cluster DNS go by. `file`: as the kubelet's flag --resolv-conf, where empty means
 * none. Undefined: the machine's own, or, where that names only a resolver on loopback, which no Pod reaches, the servers
 * behind systemd-resolved: kubeadm chooses the same for kubelets. Read anew by each call, since networks come and go.
 */
export async function readResolverConfiguration(
  files: Pick<HostFiles, 'findText'>,
  file: string | undefined,
): Promise<ResolverConfiguration> {
  if (file === '') return { file, text: '' };
  const read = async (path: string) => ({ file: path, text: (await files.findText(path)) ?? '' });
  if (file !== undefined) return await read(file);
  const standard = await read(standardFile);
  if (!namesOnlyLoopback(standard.text)) return standard;
  const behind = await read(serversBehindStub);
  return serversOf(behind.text).length > 0 && !namesOnlyLoopback(behind.text) ? behind : standard;
}

function namesOnlyLoopback(text: string): boolean {
  const servers = serversOf(text);
  return servers.length > 0 && servers.every((server) => server.startsWith('127.') || server === '::1');
}

function serversOf(text: string): string[] {
  return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, server = '']) => server);
}
